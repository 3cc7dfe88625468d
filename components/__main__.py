"""The components as a Pulumi package, for programs in any language: `pulumi package add ./components`.

It has those for every cloud, so that the extras `aws` and `gcp` must be installed.
"""

import sys

from pulumi.provider import main

if __name__ == "__main__":
    try:
        from corral.components.package import Package

        package = Package()
    except ModuleNotFoundError as missing:
        sys.exit(f"corral: {sys.executable} has no {missing.name}; pip install 'corral[aws,gcp]'")
    main(package, sys.argv[1:])
