"""Runs a script as an application would run: its own process, a clean environment, a real exit."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str
    seconds_to_exit: float  # from the moment the script printed its last line


def run_application(script: str, *, path: str = "", **environ: str) -> Ended:
    """Run ``script``; ``path`` goes before everything else on its import path."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "SPANLEDGER_"))
    }
    stamp = "\nimport time as _time\nprint('ENDED', _time.time(), flush=True)\n"
    done = subprocess.run(  # noqa: S603 - the test's own script, with this Python
        [sys.executable, "-c", script + stamp],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**inherited, "PYTHONPATH": path, **environ},
    )
    exited = time.time()
    lines = done.stdout.splitlines()
    stamps = [float(line.split()[1]) for line in lines if line.startswith("ENDED ")]
    return Ended(
        code=done.returncode,
        out="\n".join(line for line in lines if not line.startswith("ENDED ")),
        err=done.stderr,
        seconds_to_exit=exited - max(stamps) if stamps else float("inf"),
    )
