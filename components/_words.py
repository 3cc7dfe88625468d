"""Words of the catalogue as arguments take them: a member of its enumeration, or the word as plain text.

Editors see both; the package schema, which refuses unions, sees the enumeration alone.
"""

from typing import TYPE_CHECKING, Literal

from corral.catalogue.vocabulary import (
    AddonState,
    AdmissionScope,
    AlertReceiver,
    Currency,
    DriverSource,
    Engine,
    EngineMetric,
    Platform,
    SecretProvider,
    ServingKind,
    StorageKind,
    TokenUnit,
    VectorEngine,
    Weights,
)

if TYPE_CHECKING:
    AddonStateWord = AddonState | Literal["managed", "existing", "off"]
    AdmissionScopeWord = AdmissionScope | Literal["namespaces", "cluster"]
    AlertReceiverWord = AlertReceiver | Literal["webhook", "slack"]
    CurrencyWord = Currency | Literal["EUR", "USD"]
    DriverSourceWord = DriverSource | Literal["node-image", "operator"]
    EngineWord = Engine | Literal["llama.cpp", "text-embeddings", "vllm"]
    EngineMetricWord = (
        EngineMetric
        | Literal[
            "running-requests", "waiting-requests", "prompt-tokens", "generated-tokens", "kv-cache-usage"
        ]
    )
    PlatformWord = (
        Platform
        | Literal[
            "bare-metal",
            "preinstalled",
            "eks-al2023",
            "eks-bottlerocket",
            "eks-ubuntu",
            "gke-cos",
            "gke-ubuntu",
        ]
    )
    SecretProviderWord = SecretProvider | Literal["vault", "aws", "gcp"]
    ServingKindWord = ServingKind | Literal["InferenceService", "LLMInferenceService"]
    StorageKindWord = StorageKind | Literal["seaweedfs", "existing", "s3", "gcs"]
    TokenUnitWord = TokenUnit | Literal["Minute", "Day", "Month"]
    VectorEngineWord = VectorEngine | Literal["pgvector", "qdrant"]
    WeightsWord = Weights | Literal["real", "simulated"]
else:
    AddonStateWord = AddonState
    AdmissionScopeWord = AdmissionScope
    AlertReceiverWord = AlertReceiver
    CurrencyWord = Currency
    DriverSourceWord = DriverSource
    EngineWord = Engine
    EngineMetricWord = EngineMetric
    PlatformWord = Platform
    SecretProviderWord = SecretProvider
    ServingKindWord = ServingKind
    StorageKindWord = StorageKind
    TokenUnitWord = TokenUnit
    VectorEngineWord = VectorEngine
    WeightsWord = Weights
