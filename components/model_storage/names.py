"""Names of the store's objects. Those of what holds data stay: another name is another, empty, store."""

from corral.catalogue.addons import descriptor
from corral.catalogue.vocabulary import Addon

COMPONENT = "model-storage"
BUCKET_JOB = "model-storage-bucket"
"""Not the store's own name: its Service and its network policy, which lets nothing out, take pods by that."""
NAMESPACE = descriptor(Addon.MODEL_STORAGE).namespace
SERVICE = "model-storage"
CLAIM = "model-storage-data"
CONFIG = "model-storage-config"
WRITER_ACCOUNT = "model-writer"
"""ServiceAccount of imports, where the store lets pods in by their account."""
