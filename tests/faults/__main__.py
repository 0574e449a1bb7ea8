"""Kills, cuts, freezes and fills what it can for some minutes, and then counts: ``make soak``.

    PYTHONPATH=tests python -m faults [--minutes 10] [--seed N] [--only PART-OF-A-NAME ...]

With GRPC_ENABLE_FORK_SUPPORT=false: gRPC's threads must not go on in what is forked
(tests/conftest.py).

Faults, and the tests of scenarios by their themes, are made one after the other in a random order
that follows from the seed, under load of a raw client, of real exporters and of a reader. Ctrl-C
ends the schedule early; what was sent is judged all the same. Exit code 1 where a promise broke.
Writes soak.json and soak.md in the folder it was started in.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg
from faults.disk import SPOOL_MIB, small_disk, why_not
from faults.everything import FAULTS
from faults.found import Found
from faults.growth import grown
from faults.house import House, house, wait
from faults.oracle import Oracle
from faults.proofs import asked, prove
from faults.readers import Reader
from faults.scenarios import SCENARIOS, Scenario
from faults.stage import Fault, Stage, make, sending
from faults.table import show, write
from faults.verdicts import judge, roll_and_compare

from app.errors import PostgresUnavailable

OK = 200
QUIET = 2.0
"""Seconds without a fault after each, at most."""
STEADY = 0.15
"""Of the minutes, in which nothing goes wrong at the end, and what grows is watched."""
CONTRACT = 0.1
"""Of the minutes that are left, for all that the API's contract allows."""
LONGEST_PROOF = 420.0
"""Seconds for the tests of one theme."""
FUZZED = re.compile(r"^fuzzing: (\w+): (\d+) inputs .*(no finding|BROKEN)", re.MULTILINE)


@dataclass(frozen=True)
class Turn:
    """One thing of the schedule."""

    name: str
    make: Callable[[Stage, Found, float], str]
    """Given the seconds left; says what came of it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--only", nargs="*", default=[], help="turns with this in their name")
    parser.add_argument("--json", type=Path, default=Path("soak.json"))
    given = parser.parse_args()
    seed = int.from_bytes(os.urandom(4), "big") if given.seed is None else given.seed
    chosen = [
        turn for turn in turns(seed) if not given.only or any(n in turn.name for n in given.only)
    ]
    print(f"seed {seed}, {given.minutes:g} minutes, {len(chosen)} turns", flush=True)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="soak-")))
        if why_not() is None:
            stack.enter_context(small_disk(folder / "data" / "spool", SPOOL_MIB))
        opened = stack.enter_context(
            house(folder, random.Random(seed), jobs=True, COLLECTOR_WORKERS="2")
        )
        fuzzing = None if given.only else fuzz(given.minutes)
        found, early = soak(opened, chosen, seed, given.minutes * 60)
        print("judging", flush=True)
        opened.api.stop()
        opened.jobs.stop()
        found.verdict = judge(opened.ledger, found.oracle)
        roll_and_compare(opened.ledger, found.oracle, found.verdict)
        ended(fuzzing, found, early=early)
        nobody_gave_up(found.oracle)
        if found.oracle.broken:
            keep(opened)
    show(found)
    write(given.json, found, seed=seed, minutes=(time.monotonic() - began) / 60)
    return 1 if found.oracle.broken else 0


def turns(seed: int) -> list[Turn]:
    """All faults that can be made here, and the tests of each theme."""
    themes: dict[str, list[Scenario]] = {}
    for each in SCENARIOS:
        if each.tests:
            themes.setdefault(each.theme, []).append(each)
    possible = [fault for fault in FAULTS.values() if fault.why_not() is None]
    return [
        *(Turn(fault.name, partial(fault_made, fault)) for fault in possible),
        Turn("contract of the API", partial(contract, seed)),
        *(Turn(f"tests: {theme}", partial(proven, them, seed)) for theme, them in themes.items()),
    ]


def soak(opened: House, chosen: list[Turn], seed: int, seconds: float) -> tuple[Found, bool]:
    """Takes turns until the time is over, or Ctrl-C; whether it was that."""
    # Of its own: what faults and senders draw depends on time.
    order = random.Random(seed)
    deadline = time.monotonic() + seconds * (1 - STEADY)
    early = False
    with sending(opened, seed, short=False) as stage:
        found = Found(stage.oracle)
        found.skipped = {name: why for name, each in FAULTS.items() if (why := each.why_not())}
        reader = Reader(stage.oracle, lambda: opened.api_address, random.Random(seed))
        reader.start()
        bag: list[Turn] = []
        try:
            stage.acknowledges(500)
            wait(60, lambda: reader.get("/livez")[0] == OK)
            while time.monotonic() < deadline:
                if not bag:
                    bag = order.sample(chosen, len(chosen))
                one(bag.pop(), stage, found, deadline - time.monotonic())
            steady(stage, found, seconds * STEADY)
        except KeyboardInterrupt:
            early = True
            opened.recover_postgres()
        reader.enough.set()
        reader.join(60)
    return found, early


def one(turn: Turn, stage: Stage, found: Found, left: float) -> None:
    began = time.monotonic()
    before = stage.oracle.broken.copy()
    try:
        said = turn.make(stage, found, left)
    except (AssertionError, OSError, psycopg.Error, PostgresUnavailable) as error:
        stage.oracle.is_broken(f"{turn.name}: {error!r}")
        stage.house.recover_postgres()
        said = "it could not be made"
    broken = list(stage.oracle.broken - before)
    found.broken_by[turn.name] += broken
    took = time.monotonic() - began
    print(
        f"{max(0, left - took):5.0f} s left  {turn.name:42} {took:5.1f} s, {said}",
        *(f"\n{'':13} BROKEN: {promise}" for promise in broken),
        flush=True,
    )
    stage.oracle.begin("no fault")
    wait(stage.some(0, QUIET))


def fault_made(fault: Fault, stage: Stage, _found: Found, _left: float) -> str:
    chapter = stage.oracle.chapters.get(fault.name)
    before = chapter.acknowledged if chapter else 0
    chapter = make(fault, stage)
    return f"{chapter.acknowledged - before:>7,} spans acknowledged"


def proven(them: Sequence[Scenario], seed: int, stage: Stage, found: Found, left: float) -> str:
    """Other examples each time."""
    stage.oracle.begin("beside tests")
    again = max(
        (found.proofs[it.number].times for it in them if it.number in found.proofs), default=0
    )
    came = prove(them, seed + again, min(LONGEST_PROOF, max(60.0, left + 60)))
    found.proven(came)
    return f"{sum(each.inputs for each in came.values()):>7,} cases and examples"


def contract(seed: int, stage: Stage, found: Found, left: float) -> str:
    """Of the time that is left a part, and a minute at least."""
    stage.oracle.begin("beside tests")
    minutes = min(10.0, max(1.0, left / 60 * CONTRACT))
    before = found.contract or Counter()
    requests, statuses, broken = asked(minutes, seed + before.total())
    found.contract = before + Counter(statuses)
    if broken:
        found.broken_by["contract"].append(broken)
        stage.oracle.is_broken(f"the contract of the API: {broken}")
    return f"{requests:>7,} requests"


def steady(stage: Stage, found: Found, seconds: float) -> None:
    """Nothing goes wrong: what grows all the same?"""
    print(f"{seconds:5.0f} s in which nothing goes wrong", flush=True)
    stage.oracle.begin("no fault")
    found.growth = grown(stage, seconds)
    for each in found.growth:
        if each["grows"]:
            grows = f"{each['what']}: {each['at first']} -> {each['at last']}"
            found.broken_by["growth"].append(grows)
            stage.oracle.is_broken(grows)


def fuzz(minutes: float) -> "subprocess.Popen[str] | None":
    """The fuzzing of the decoders, alongside and out of the way."""
    return subprocess.Popen(  # noqa: S603  # this very program
        ["nice", "-n", "19", sys.executable, "-m", "fuzzing", "--seconds", f"{minutes * 60:.0f}"],  # noqa: S607  # whichever nice there is
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C is for us.
        start_new_session=True,
    )


def ended(fuzzing: "subprocess.Popen[str] | None", found: Found, *, early: bool) -> None:
    if fuzzing is None:
        return
    if early:
        with suppress(ProcessLookupError):
            os.killpg(fuzzing.pid, signal.SIGKILL)
    said, _ = fuzzing.communicate(timeout=600)
    print(said, end="", flush=True)
    for target, inputs, how in FUZZED.findall(said):
        found.fuzzed[target] = (int(inputs), how != "BROKEN")
    if fuzzing.returncode and not early:
        found.oracle.is_broken("the fuzzing of the decoders found something")


def nobody_gave_up(oracle: Oracle) -> None:
    """What happens behind the collector is the collector's to bear, not the applications'."""
    for fault in FAULTS.values():
        chapter = oracle.chapters.get(fault.name)
        if fault.behind and chapter and chapter.given_up:
            oracle.is_broken(f"{fault.name}: exporters gave up {chapter.given_up} spans")


def keep(opened: House) -> None:
    """What the parts said, where it is found after the folder is gone."""
    for part in (opened.collector, opened.jobs, opened.api):
        path = Path(tempfile.gettempdir()) / f"soak-{os.getpid()}-{part.name}.log"
        path.write_text(part.said())
        print(f"{part.name}: {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
