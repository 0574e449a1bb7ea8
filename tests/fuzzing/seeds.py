"""What mutation begins with: requests as real instrumentations sent them."""

import gzip
import zlib
from pathlib import Path

from deliveries import as_otlp_json
from truths import VECTORS

from collector.signals import Signal

LARGEST = 8_000


def write_seeds(target: str, folder: Path) -> None:
    """Writes them into a folder, in the form that a target takes."""
    for number, (signal, body) in enumerate(requests()):
        for kind, seed in shaped(target, signal, body):
            (folder / f"seed-{number}-{kind}").write_bytes(seed)


def requests() -> list[tuple[Signal, bytes]]:
    """Small ones, three of each signal and folder."""
    found = []
    for signal in Signal:
        for folder in sorted(path for path in VECTORS.iterdir() if path.is_dir()):
            bodies = [file.read_bytes() for file in sorted(folder.glob(f"*-{signal}-*.pb"))]
            found += [(signal, body) for body in bodies if len(body) < LARGEST][:2]
    return found


def shaped(target: str, signal: Signal, body: bytes) -> list[tuple[str, bytes]]:
    """A request as the bytes of a target; the first ones choose (``targets.py``)."""
    first = bytes([tuple(Signal).index(signal)])
    told = as_otlp_json(body, signal)
    match target:
        case "protobuf":
            return [("pb", first + body)]
        case "json":
            return [("json", first + told)]
        case "compressed":
            return [
                ("plain", b"\x00\x01" + body),
                ("gzip", b"\x00\x00" + gzip.compress(body)),
                ("zlib", b"\x01\x00" + zlib.compress(body)),
                ("zstd", b"\x02\x03" + body),
            ]
        case "exchange":
            return [("pb", first + b"\x00\x83" + body), ("json", first + b"\x01\x80" + told)]
        case _:
            return [("pb", body)]
