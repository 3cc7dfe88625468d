"""Commands that bring files of models from another machine without an address of a protocol; CEL, RE2.

A command counts where what it fetches is kept as a model: in a file of weights, or a folder of models.
"""

from corral.controls.cel import text
from corral.controls.models import hubs
from corral.controls.profiles import Profile

_BEGIN = r"(^|[\s/;&|(\"'])"
_OPTIONS = r"(\s+(-[a-zA-Z]*[iPFoclSJeT]|--rsh)[\s=]+(\"[^\"]*\"|'[^']*'|\S+)|\s+-\S+)*"
_MACHINE = r"[\"']?([A-Za-z0-9_.-]+@)?[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+"
_COPIES = (
    rf"{_BEGIN}(scp|sftp|rsync){_OPTIONS}\s+{_MACHINE}::?"
    rf"|{_BEGIN}(ftp|tftp|sftp|ncftpget){_OPTIONS}\s+{_MACHINE}(\s|$)"
    rf"|{_BEGIN}(curl|wget|aria2c|axel){_OPTIONS}\s+{_MACHINE}(:[0-9]+)?/"
    r"|[\s\"']/dev/tcp/[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+/"
    rf"|{_BEGIN}socat{_OPTIONS}\s+[\"']?(tcp|openssl|ssl)[a-z0-9-]*:[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)+:"
    rf"|{_BEGIN}(nc|ncat|netcat|ssh|telnet){_OPTIONS}\s+{_MACHINE}[^;&|]*"
    r"(>\s*[\"']?\S*(models?/|[.](gguf|safetensors|ggml))|[|]\s*(tar|cat|tee|dd|gunzip|zstd|unzip|pigz|lz4)\s)"
)
"""A copy whose source is another machine, by a name with a domain, or by an address."""
_MACHINES = (
    r"([.]svc([.]cluster[.]local)?|[@\s\"':/]localhost|[@\s\"':/]127[.][0-9.]+|[@\s\"':/](10|192[.]168)[.][0-9.]+)"
    r"(:|/|\s|$)"
)
"""A machine of the cluster, or of its network."""
_FILE = r"\s(file|open|gopen|create):\S*(models?/|[.](gguf|safetensors|ggml))"
"""A file of socat's."""
_LARGE = rf"{_BEGIN}git\s+(-\S+\s+\S+\s+)*lfs\s+(pull|fetch|clone|checkout)"
_CLONE = rf"{_BEGIN}git\s+(-\S+\s+\S+\s+)*clone{_OPTIONS}\s+{_MACHINE}:"
"""Large files of git, which weights are kept as, and a clone by SSH."""
_REMOTE = (
    rf"{_BEGIN}rclone\s+(copy|copyto|sync|move|moveto|cat|mount){_OPTIONS}"
    r"\s+[\"']?:?[A-Za-z0-9_-]+(,[^:\s]*)?:"
)
_ALIAS = rf"{_BEGIN}mc\s+(cp|mirror|get|cat){_OPTIONS}\s+[\"']?[A-Za-z0-9_-]+/"
_TOOLS = (
    *("scp", "ftp", "rsync", "nc ", "ncat", "netcat", "socat", "ssh", "telnet", "rclone", "mc ", "git "),
    *("curl", "wget", "aria2c", "axel", "/dev/tcp/"),
)
"""Parts of which such a line has one."""


def fetched(profile: Profile) -> str:
    """CEL: whether a line of an object's commands fetches so; false in a profile that keeps to no regions."""
    if profile.regions is None:
        return "false"
    ours = [one.partition("://")[2].rstrip("/") for one in profile.stores or ()]
    own = f"({'|'.join(ours)})" if ours else r"[a-z0-9.-]+"
    remote = (
        f"(l.matches({text(_REMOTE)}) && !l.matches({text(f':{own}(/|[^A-Za-z0-9._-]|$)')}) || "
        f"l.matches({text(_ALIAS)}) && !l.matches({text(_ALIAS + own + '(/|[^A-Za-z0-9._-]|$)')}))"
    )
    copied = f"l.matches({text(_COPIES)}) && !l.matches({text(_MACHINES)})"
    kept = f"(l.matches({text(hubs.KEPT)}) || l.matches({text(_FILE)}))"
    brought = f"{kept} && ({copied} || {remote} || l.matches({text(_CLONE)}))"
    return (
        f"variables.lines.exists(l, {text(list(_TOOLS))}.exists(t, l.contains(t)) && "
        f"(l.matches({text(_LARGE)}) || {brought}))"
    )
