"""Aims atheris, which is guided by coverage, at what reads bytes from strangers.

    PYTHONPATH=tests python -m fuzzing --seconds 60 [TARGET ...]

The seconds are shared by the targets. Exit code 1 where a promise broke; the bytes that broke it
are kept then, and told. atheris has wheels for Linux on x86-64 only: elsewhere nothing is run.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from fuzzing.seeds import write_seeds
from fuzzing.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzzing")
    parser.add_argument("targets", nargs="*", choices=[*TARGETS, []], default=[])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--keep", type=Path, help="folder of found bytes, kept between runs")
    asked = parser.parse_args()
    if find_spec("atheris") is None:
        print("fuzzing: skipped, there is no atheris for this machine")
        return 0
    targets = asked.targets or list(TARGETS)
    seconds = max(1, asked.seconds // len(targets))
    return max(fuzz(target, seconds, asked.keep) for target in targets)


def fuzz(target: str, seconds: int, keep: Path | None) -> int:
    """Runs one target in a process of its own, and tells how it went."""
    folder = keep or Path(tempfile.mkdtemp(prefix="fuzzing-"))
    corpus = folder / target
    corpus.mkdir(parents=True, exist_ok=True)
    write_seeds(target, corpus)
    done = subprocess.run(  # noqa: S603  # this very program
        [
            *(sys.executable, "-m", "fuzzing.one", target, str(corpus)),
            f"-max_total_time={seconds}",
            f"-artifact_prefix={folder}/{target}-",
            *("-max_len=40000", "-timeout=60", "-rss_limit_mb=700", "-print_final_stats=1"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    figures = dict(re.findall(r"stat::(\w+): +(\d+)", done.stderr))
    inputs, peak = figures.get("number_of_executed_units"), figures.get("peak_rss_mb")
    told = f"fuzzing: {target}: {inputs} inputs in {seconds} s, {peak} MB at most"
    if done.returncode == 0:
        print(f"{told}, no finding", flush=True)
        return 0
    print(f"{told}, BROKEN\n{done.stderr[-6000:]}", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
