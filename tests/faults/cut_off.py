"""Fault: loopback goes down beneath the whole house, in a network of its own. It needs root.

unshare --net env PYTHONPATH=tests python -m faults.cut_off --seed N
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from faults.house import house, wait
from faults.oracle import Chapter, Oracle
from faults.stage import RECOVERY, Fault, Stage, acknowledges_now, sending
from faults.verdicts import judge, roll_and_compare

SECONDS = 12
"""Longer than connections may go without an answer."""


def why_not() -> str | None:
    if not sys.platform.startswith("linux") or os.geteuid():
        return "it needs root on Linux, to make a network"
    if not (shutil.which("unshare") and shutil.which("ip")):
        return "it needs unshare and ip"
    tried = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)  # noqa: S607  # whichever there is
    return None if tried.returncode == 0 else "no network can be made here"


def loopback_down(stage: Stage) -> Counter[str]:
    done = subprocess.run(  # noqa: S603  # this very program
        [  # whichever unshare there is
            *("unshare", "--net", sys.executable, "-m", "faults.cut_off"),
            *("--seed", str(stage.chance.getrandbits(32))),
        ],
        cwd=Path(__file__).parent.parent,
        env=os.environ | {"PYTHONPATH": f"{Path(__file__).parent.parent}:{Path.cwd()}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    told = json.loads(done.stdout.splitlines()[-1])
    other = Oracle(0)
    other.chapters["no fault"] = Chapter(
        **{
            name: Counter(value) if isinstance(value, dict) else value
            for name, value in told["chapter"].items()
        }
    )
    other.broken = Counter(told["broken"])
    stage.oracle.adopt(other)
    return Counter({"seconds down": SECONDS, "attempts that failed": told["failed"]})


def link(state: str) -> None:
    subprocess.run(["ip", "link", "set", "lo", state], check=True)  # noqa: S603, S607  # as above


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.cut_off")
    parser.add_argument("--seed", type=int, required=True)
    seed = parser.parse_args().seed
    link("up")
    with (
        tempfile.TemporaryDirectory(prefix="cut-off-") as folder,
        house(Path(folder), random.Random(seed), COLLECTOR_WORKERS="2") as opened,
    ):
        with sending(opened, seed, short=False) as stage:
            chapter = stage.oracle.begin("cut off")
            stage.acknowledges(300)
            failed = chapter.refused.total()
            link("down")
            wait(SECONDS)
            link("up")
            failed = chapter.refused.total() - failed
            wait(RECOVERY, lambda: acknowledges_now(stage))
            stage.acknowledges(300)
        verdict = judge(opened.ledger, stage.oracle)
        roll_and_compare(opened.ledger, stage.oracle, verdict)
    told = {"chapter": vars(chapter), "broken": stage.oracle.broken, "failed": failed}
    print(json.dumps(told))
    return 0


CUT_OFF = [Fault("loopback down", loopback_down, why_not)]

if __name__ == "__main__":
    sys.exit(main())
