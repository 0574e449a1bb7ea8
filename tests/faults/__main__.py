"""Kills, cuts, freezes and fills what it can for some minutes, and then counts: ``make soak``.

    PYTHONPATH=tests python -m faults [--minutes 10] [--seed N] [--only PART-OF-A-NAME ...]

Faults are made one after the other in a random order that follows from the seed, under load of a
raw client and of real exporters. Ctrl-C ends the schedule early; what was sent is judged all the
same. Exit code 1 where a promise broke. Writes soak.json in the folder it was started in.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import psycopg
from faults.disk import SPOOL_MIB, small_disk, why_not
from faults.everything import FAULTS
from faults.house import House, house, wait
from faults.oracle import Oracle
from faults.stage import Fault, Stage, make, sending
from faults.table import show, write
from faults.verdicts import judge, roll_and_compare

from app.errors import PostgresUnavailable

QUIET = 2.0
"""Seconds without a fault after each, at most."""
FUZZING = Path(__file__).parent.parent / "fuzzing"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", nargs="*", default=[], help="faults with this in their name")
    parser.add_argument("--json", type=Path, default=Path("soak.json"))
    asked = parser.parse_args()
    seed = int.from_bytes(os.urandom(4), "big") if asked.seed is None else asked.seed
    chosen = [
        it for it in FAULTS.values() if not asked.only or any(n in it.name for n in asked.only)
    ]
    print(f"seed {seed}, {asked.minutes:g} minutes, {len(chosen)} faults", flush=True)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        if why_not() is None:
            stack.enter_context(small_disk(folder / "data" / "spool", SPOOL_MIB))
        opened = stack.enter_context(
            house(folder, random.Random(seed), jobs=True, COLLECTOR_WORKERS="2")
        )
        fuzzing = fuzz(asked.minutes)
        stage, early = soak(opened, chosen, seed, asked.minutes * 60)
        print("judging", flush=True)
        opened.jobs.stop()
        verdict = judge(opened.ledger, stage.oracle)
        roll_and_compare(opened.ledger, stage.oracle, verdict)
        ended(fuzzing, stage.oracle, early=early)
        nobody_gave_up(chosen, stage.oracle)
        if stage.oracle.broken:
            keep(opened)
    skipped = {fault.name: why for fault in chosen if (why := fault.why_not())}
    minutes = (time.monotonic() - began) / 60
    show(stage.oracle, verdict, skipped)
    write(asked.json, stage.oracle, verdict, skipped, seed=seed, minutes=minutes)
    return 1 if stage.oracle.broken else 0


def soak(opened: House, chosen: list[Fault], seed: int, seconds: float) -> tuple[Stage, bool]:
    """Makes faults until the time is over, or Ctrl-C; whether it was that."""
    possible = [fault for fault in chosen if fault.why_not() is None]
    # Of its own: what faults and senders draw depends on time.
    order = random.Random(seed)
    deadline = time.monotonic() + seconds
    early = False
    with sending(opened, seed, short=False) as stage:
        bag: list[Fault] = []
        try:
            stage.acknowledges(500)
            while time.monotonic() < deadline:
                if not bag:
                    bag = order.sample(possible, len(possible))
                one(bag.pop(), stage, deadline - time.monotonic())
        except KeyboardInterrupt:
            early = True
            opened.recover_postgres()
    return stage, early


def one(fault: Fault, stage: Stage, left: float) -> None:
    began = time.monotonic()
    chapter = stage.oracle.chapters.get(fault.name)
    acknowledged = chapter.acknowledged if chapter else 0
    try:
        chapter = make(fault, stage)
    except (AssertionError, OSError, psycopg.Error, PostgresUnavailable) as error:
        stage.oracle.is_broken(f"{fault.name}: {error!r}")
        stage.house.recover_postgres()
        chapter = stage.oracle.chapters[fault.name]
    took = time.monotonic() - began
    print(
        f"{max(0, left - took):5.0f} s left  {fault.name:42} {took:5.1f} s,"
        f" {chapter.acknowledged - acknowledged:>7,} spans acknowledged",
        *(f"\n{'':13} BROKEN: {promise}" for promise in stage.oracle.broken),
        flush=True,
    )
    stage.oracle.begin("no fault")
    wait(stage.some(0, QUIET))


def fuzz(minutes: float) -> "subprocess.Popen[str] | None":
    """The fuzzing of the decoders, alongside and out of the way."""
    if not FUZZING.exists():
        return None
    return subprocess.Popen(  # noqa: S603  # this very program
        ["nice", "-n", "19", sys.executable, "-m", "fuzzing", "--seconds", f"{minutes * 60:.0f}"],  # noqa: S607  # whichever nice there is
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for us.
        start_new_session=True,
    )


def ended(fuzzing: "subprocess.Popen[str] | None", oracle: Oracle, *, early: bool) -> None:
    if fuzzing is None:
        return
    if early:
        os.killpg(fuzzing.pid, signal.SIGKILL)
        fuzzing.communicate()
        return
    said, _ = fuzzing.communicate(timeout=600)
    print(said, end="", flush=True)
    if fuzzing.returncode:
        oracle.is_broken("the fuzzing of the decoders found something")


def nobody_gave_up(made: list[Fault], oracle: Oracle) -> None:
    """What happens behind the collector is the collector's to bear, not the applications'."""
    for fault in made:
        chapter = oracle.chapters.get(fault.name)
        if fault.behind and chapter and chapter.given_up:
            oracle.is_broken(f"{fault.name}: exporters gave up {chapter.given_up} spans")


def keep(opened: House) -> None:
    """What the parts said, where it is found after the folder is gone."""
    for part in (opened.collector, opened.jobs):
        path = Path(tempfile.gettempdir()) / f"soak-{os.getpid()}-{part.name}.log"
        path.write_text(part.said())
        print(f"{part.name}: {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
