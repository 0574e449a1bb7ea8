"""The scenarios that are tests, and the API's contract, in processes of their own."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults.scenarios import Scenario

TESTS = Path(__file__).parent.parent
STATUSES = re.compile(r"\b(\d{3}): ([\d,]+)\b(?=[,)])")
LONGEST_ANSWERS = 120.0
"""Seconds that the contract's last questions may take beyond their time."""
EXAMPLES = re.compile(r"- (\d+) passing\b")


@dataclass
class Proven:
    """What came of the tests of a scenario."""

    times: int = 0
    inputs: int = 0
    """Cases, and examples that hypothesis made."""
    failed: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    unreached: list[str] = field(default_factory=list)


def prove(scenarios: Sequence[Scenario], seed: int, seconds: float) -> dict[int, Proven]:
    """Runs the tests of these scenarios once; by their numbers."""
    wanted = sorted({test for each in scenarios for test in each.tests})
    with tempfile.TemporaryDirectory(prefix="proofs-") as folder:
        report = Path(folder) / "report.xml"
        in_time, said = pytest(wanted, report, seed, seconds)
        cases = read(report) if report.exists() else {}
    examples = examples_of(said)
    found = {}
    for each in scenarios:
        proven = found[each.number] = Proven()
        for test in each.tests:
            if test not in cases and in_time is None:
                # The time was over before it came to that: it is not known.
                proven.unreached.append(test)
                continue
            results = cases.get(test, [("failed", f"it was not run: {said.strip()[-300:]}")])
            proven.times += sum(kind != "skipped" for kind, _ in results)
            proven.inputs += max(len(results), examples.get(test, 0))
            proven.failed += [f"{test}: {why}" for kind, why in results if kind == "failed"]
            if all(kind == "skipped" for kind, _ in results):
                proven.skipped[test] = results[0][1]
    return found


def pytest(
    wanted: Sequence[str], report: Path, seed: int, seconds: float
) -> tuple[int | None, str]:
    """Runs tests; as ``ran``."""
    command = [
        *("-m", "pytest", "-q", "-p", "faults.soaking", "-p", "no:cacheprovider"),
        *(f"--junitxml={report}", "-o", "addopts=", "--hypothesis-show-statistics"),
        *("--hypothesis-profile=soak", f"--hypothesis-seed={seed}"),
        *(f"tests/{test}" for test in wanted),
    ]
    return ran(command, seconds)


def asked(minutes: float, seed: int) -> tuple[int, dict[str, int], str]:
    """The API, all that its contract allows: requests, status -> how often, and what broke."""
    command = ["-m", "faults.contract", "--minutes", f"{minutes:.1f}", "--seed", str(seed + 2)]
    code, said = ran(command, minutes * 60 + LONGEST_ANSWERS)
    statuses: Counter[str] = Counter()
    for status, count in STATUSES.findall(said):
        statuses[status] += int(count.replace(",", ""))
    broken = [line for line in said.splitlines() if line.startswith("BROKEN")]
    why = "; ".join(broken) or said.strip()[-300:]
    # Where its time was over in the middle of a round, what it said until then counts.
    return statuses.total(), statuses, why if code or broken else ""


def ran(command: Sequence[str], seconds: float) -> tuple[int | None, str]:
    """Exit code, and what a program of ours said; ended after that time (None), and on Ctrl-C."""
    running = subprocess.Popen(  # noqa: S603  # this very program
        [sys.executable, "-P", *command],
        cwd=TESTS.parent,
        env=os.environ | {"PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Ctrl-C is for us; and with it goes all that it started.
        start_new_session=True,
    )
    try:
        said, _ = running.communicate(timeout=seconds)
    except BaseException as ended:
        # As Ctrl-C does: pytest writes down what it has.
        os.kill(running.pid, signal.SIGINT)
        try:
            said, _ = running.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            said, _ = running.communicate()
        if not isinstance(ended, subprocess.TimeoutExpired):
            raise
        return None, f"{said}\nended after {seconds:.0f} s"
    return running.returncode, said


def read(report: Path) -> dict[str, list[tuple[str, str]]]:
    """From pytest's report: test -> how each of its cases went, and why."""
    cases: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for case in ET.parse(report).iter("testcase"):  # noqa: S314  # of our own pytest
        file = case.get("classname", "").rpartition(".")[2]
        test = f"{file}.py::{case.get('name', '').partition('[')[0]}"
        outcome = next(
            (
                ("skipped" if part.tag == "skipped" else "failed", part.get("message", "")[:300])
                for part in case
                if part.tag in {"failure", "error", "skipped"}
            ),
            ("passed", ""),
        )
        cases[test].append(outcome)
    return cases


def examples_of(said: str) -> dict[str, int]:
    """From hypothesis's statistics: test -> examples."""
    counts: defaultdict[str, int] = defaultdict(int)
    test = ""
    for line in said.splitlines():
        if line.startswith("tests/") and line.endswith(":"):
            test = line.removeprefix("tests/").removesuffix(":").partition("[")[0]
        elif test and (found := EXAMPLES.search(line)):
            counts[test] += int(found[1])
    return counts
