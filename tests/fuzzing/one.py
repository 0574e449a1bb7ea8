"""One target under atheris, as ``python -m fuzzing`` starts it: an input is bounded, too."""

import resource
import sys
import time
from collections.abc import Callable

import atheris

with atheris.instrument_imports(include=["collector"]):
    from fuzzing.targets import TARGETS

MOST_SECONDS = 1.0
MOST_GROWTH = 50 * 2**20


def bounded(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """The same, broken by an input that takes too much time or memory."""

    def run(data: bytes) -> None:
        began, held = time.process_time(), peak()
        try:
            target(data)
        except Exception:
            raise
        except BaseException as panic:  # of Rust: without its bytes it would not be kept
            raise RuntimeError(f"{type(panic).__name__}: {panic}") from panic
        took, grown = time.process_time() - began, peak() - held
        assert took < MOST_SECONDS, f"{took:.2f} seconds of CPU"
        assert grown < MOST_GROWTH, f"{grown:,} bytes of memory"

    return run


def peak() -> int:
    """Of this process's resident memory, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    atheris.Setup([sys.argv[0], *arguments], bounded(TARGETS[name]))
    atheris.Fuzz()
