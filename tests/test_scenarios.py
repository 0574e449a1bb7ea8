"""All 81 scenarios are there, and what is named as their proof exists."""

import ast
from functools import cache
from pathlib import Path

import pytest
from faults.everything import FAULTS
from faults.found import Found
from faults.oracle import Oracle
from faults.proofs import Proven, examples_of, read
from faults.scenarios import SCENARIOS, Scenario
from fuzzing.targets import TARGETS

TESTS = Path(__file__).parent
OF_THE_SOAK = {"growth", "contract"}


@cache
def names_in(file: str) -> set[str]:
    parsed = ast.parse((TESTS / file).read_text())
    return {node.name for node in parsed.body if isinstance(node, ast.FunctionDef)}


def test_every_scenario_is_there_once() -> None:
    assert [each.number for each in SCENARIOS] == list(range(1, 82))
    assert all(each.what and each.theme for each in SCENARIOS)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda it: str(it.number))
def test_nothing_is_claimed_without_a_proof(scenario: Scenario) -> None:
    assert scenario.made, "neither made, nor the nearest to it"
    kinds = [scenario.of("fault"), scenario.of("fuzz"), scenario.of("soak"), scenario.tests]
    assert sum(map(len, kinds)) == len(scenario.made), "what is it that is named there?"
    assert set(scenario.of("fault")) <= set(FAULTS)
    assert set(scenario.of("fuzz")) <= set(TARGETS)
    assert set(scenario.of("soak")) <= OF_THE_SOAK
    for test in scenario.tests:
        file, _, name = test.partition("::")
        assert name in names_in(file), test


def test_every_fault_is_of_some_scenario() -> None:
    assert set(FAULTS) == {name for each in SCENARIOS for name in each.of("fault")}


def test_a_verdict_says_what_was_made_and_what_was_not() -> None:
    oracle = Oracle(1)
    found = Found(oracle, skipped={"worker out of memory": "it needs root"})
    rows = {row.number: row for row in found.rows()}
    assert rows[1].verdict == "not reached"
    assert rows[14].verdict == "not made here: worker out of memory: it needs root"
    oracle.begin("worker killed").made = 2
    oracle.begin("worker killed").acknowledged = 7
    found.proven({17: Proven(times=3, inputs=40), 18: Proven(times=1, failed=["it broke"])})
    rows = {row.number: row for row in found.rows()}
    assert (rows[1].made, rows[1].inputs) == ("worker killed: 2", 7)
    assert rows[17].verdict == "held"
    assert rows[18].verdict == "BROKEN: it broke"
    oracle.chapters["worker killed"].lost = 1
    assert found.row(SCENARIOS[0]).verdict.startswith("BROKEN")


def test_an_answer_of_500_breaks_a_promise_and_one_of_503_does_not() -> None:
    oracle = Oracle(1)
    for said in ("503 busy", "Failed to export span batch code: 503, reason: x", "TimeoutError"):
        oracle.refused(said)
    oracle.answered("503", "/v1/spend")
    oracle.answered("422", "/v1/spend")
    assert not oracle.broken
    oracle.refused("502 nobody there")
    oracle.refused("Failed to export span batch code: 500, reason: x")
    oracle.answered("500", "/v1/spend")
    assert oracle.chapters["no fault"].errors.total() == oracle.broken.total() == 3


def test_what_pytest_says_is_read(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="tests.test_a" name="test_one[pg18]"/>'
        '<testcase classname="tests.test_a" name="test_one[pg15]"><failure message="no"/>'
        '</testcase><testcase classname="tests.test_b" name="test_two"><skipped message="root"/>'
        "</testcase></testsuite></testsuites>"
    )
    assert read(report) == {
        "test_a.py::test_one": [("passed", ""), ("failed", "no")],
        "test_b.py::test_two": [("skipped", "root")],
    }
    said = "tests/test_a.py::test_one[pg18]:\n    - 30 passing, 0 failing, and 2 invalid\n"
    assert examples_of(said) == {"test_a.py::test_one": 30}
