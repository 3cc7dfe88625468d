"""A real browser without a window, and what is in the pictures that it takes."""

import shutil
import struct
import subprocess
import zlib
from dataclasses import dataclass
from pathlib import Path

PROGRAM = shutil.which("chromium")
DARK = "--blink-settings=preferredColorScheme=0"
QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--enable-logging=stderr",
    "--v=0",
)


@dataclass(frozen=True)
class Picture:
    """A screenshot; each row is RGB, three bytes a pixel."""

    width: int
    height: int
    rows: tuple[bytes, ...]

    def colours(self) -> set[bytes]:
        """Distinct colours."""
        return {row[at : at + 3] for row in self.rows for at in range(0, len(row), 3)}


def dump(page: Path, width: int, *options: str) -> tuple[str, list[str]]:
    """The document as the browser has it after loading, and what the page said on the console."""
    return _run(page, f"--window-size={width},900", "--dump-dom", *options)


def picture(page: Path, width: int, height: int, *options: str) -> tuple[Picture, list[str]]:
    """A screenshot, and what the page said on the console."""
    shot = page.with_suffix(".png")
    _, said = _run(page, f"--window-size={width},{height}", f"--screenshot={shot}", *options)
    return png(shot.read_bytes()), said


def _run(page: Path, *options: str) -> tuple[str, list[str]]:
    assert PROGRAM
    home = page.with_suffix(".browser")
    command = [PROGRAM, *QUIET, f"--user-data-dir={home}", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


def png(content: bytes) -> Picture:
    """What is in a PNG of eight bits a channel, without interlacing; transparency is left out.

    Source: Portable Network Graphics specification, third edition, sections 5.3, 9.2 and 11.2.
    """
    assert content[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, packed, header = 8, b"", b""
    while at < len(content):
        length, kind = struct.unpack(">I4s", content[at : at + 8])
        data = content[at + 8 : at + 8 + length]
        header, packed = (data, packed) if kind == b"IHDR" else (header, packed + data * (kind == b"IDAT"))
        at += length + 12
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    assert (depth, interlaced) == (8, 0) and colour in (2, 6)
    channels = 3 if colour == 2 else 4
    raw, stride = zlib.decompress(packed), width * channels
    rows: list[bytes] = []
    above = bytes(stride)
    for start in range(0, height * (stride + 1), stride + 1):
        above = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), above, channels)
        rows.append(above)
    if channels == 4:
        rows = [_opaque(row) for row in rows]
    return Picture(width, height, tuple(rows))


def _opaque(row: bytes) -> bytes:
    colours = bytearray(row)
    del colours[3::4]
    return bytes(colours)


def _unfiltered(kind: int, row: bytearray, above: bytes, channels: int) -> bytes:
    for channel in range(channels if kind else 0):
        left, corner, values = 0, 0, bytearray()
        for value, up in zip(row[channel::channels], above[channel::channels], strict=True):
            if kind == 4:
                guess = _paeth(left, up, corner)
            else:
                guess = (left, up, (left + up) // 2)[kind - 1]
            left, corner = (value + guess) & 255, up
            values.append(left)
        row[channel::channels] = values
    return bytes(row)


def _paeth(left: int, up: int, corner: int) -> int:
    to_left, to_up, to_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if to_left <= to_up and to_left <= to_corner:
        return left
    return up if to_up <= to_corner else corner
