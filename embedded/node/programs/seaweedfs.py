"""SeaweedFS: `weed server` with filer and S3 gateway in one process."""

import ipaddress
import tempfile
from pathlib import Path

from corral.embedded.node.program_spec import Context, Launch, ProgramSpec, Refused
from corral.embedded.node.programs import installed
from corral.embedded.node.programs.documented import documented
from corral.embedded.node.programs.flags import (
    Flag,
    Flags,
    arguments,
    host,
    keep,
    keeps,
    only,
    path,
    switches,
    written,
)

IMAGE = "chrislusf/seaweedfs"

LOGGING = Flags(
    documented(f"{IMAGE}#options"),
    (
        Flag(("logtostderr",), lambda _context, _value: written("logtostderr", "true"), True, "true"),
        *keeps("v", "vmodule"),
    ),
)

SERVER = Flags(
    documented(IMAGE),
    (
        path("dir", absent="/data"),
        host("ip", absent=""),
        host("ip.bind", absent=""),
        host("metricsIp"),
        keep("volume.max", absent="0"),
        keep("master.volumeSizeLimitMB", absent="1024"),
        only(
            "master.telemetry",
            values=("false",),
            why="the program reports to its maker's server unless told not to",
            boolean=True,
            absent="true",
        ),
        *switches("master", "volume", "filer", "s3", "s3.iam", "s3.iam.readOnly"),
        *switches("s3.allowDeleteBucketNotEmpty", "s3.autoCreateBucket", "filer.disableDirListing"),
        *switches("filer.exposeDirectoryData", "disableHttp", "filer.disableHttp"),
        *keeps("master.port", "volume.port", "filer.port", "s3.port", "metricsPort", "s3.port.https"),
        *keeps("master.port.grpc", "volume.port.grpc", "filer.port.grpc", "s3.port.grpc"),
        *keeps("s3.port.iceberg", "s3.port.lance", "s3.domainName", "s3.allowedOrigins"),
        *keeps("master.electionTimeout", "master.defaultReplication", "master.garbageThreshold"),
        *keeps("volume.preStopSeconds", "volume.index", "volume.minFreeSpace", "idleTimeout"),
        *keeps("s3.idleTimeout", "filer.maxMB", "filer.allowedOrigins"),
        path("s3.config"),
        path("s3.iam.config"),
        path("s3.cert.file"),
        path("s3.key.file"),
        path("s3.cacert.file"),
    ),
)


def launch(context: Context) -> Launch:
    """`weed server` on the pod's address."""
    options, rest = LOGGING.leading(context, arguments(context, IMAGE, "weed", "entrypoint.sh"))
    if not rest or rest[0] != "server":
        command = rest[0] if rest else "nothing"
        raise Refused(f"image {IMAGE} runs `weed server` here, not {command!r}")
    flags = SERVER.translate(context, rest[1:])
    weed = installed.program("weed")
    settings = [] if context.real_paths else written("config_dir", context.path("/etc/seaweedfs"))
    apart = [] if context.real_paths else apart_from_others(context.bind)
    return Launch([str(weed), *options, *settings, "server", *flags, *apart], {}, (weed.parent,))


def apart_from_others(address: str) -> list[str]:
    """Ports for gRPC, and sockets, that no other `weed` of this machine has.

    Its gRPC sockets stand in /tmp, named by port alone: two instances with the same ports and without a
    /tmp of their own would talk to each other.
    """
    number = int(ipaddress.IPv4Address(address)) & 0xFFFFFF
    first = 20000 + 4 * (number % 3191)
    ports = [
        *written("master.port.grpc", str(first)),
        *written("volume.port.grpc", str(first + 1)),
        *written("filer.port.grpc", str(first + 2)),
        *written("s3.port.grpc", str(first + 3)),
    ]
    sockets = Path(tempfile.gettempdir())
    return [
        *ports,
        *written("filer.localSocket", str(sockets / f"seaweedfs-filer-{first}.sock")),
        *written("s3.localSocket", str(sockets / f"seaweedfs-s3-{first}.sock")),
    ]


PROGRAMS = (ProgramSpec("seaweedfs", IMAGE, launch, documented(IMAGE).source),)
