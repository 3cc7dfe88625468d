"""The components as a Pulumi package, for programs in any language: `pulumi package add ./components`.

It publishes those for every cloud, so that the extras `aws` and `gcp` must be installed.
"""

from pulumi.provider.experimental import component_provider_host

from corral.components._kit import PACKAGE
from corral.components.surface import COMPONENTS

if __name__ == "__main__":
    component_provider_host(components=COMPONENTS, name=PACKAGE, version="0.1.0")
