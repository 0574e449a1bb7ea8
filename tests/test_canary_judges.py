"""What the canary concludes of what it saw: whose clock is off, when to give up, what adds up."""

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.canary import run, waiting
from app.canary.calls import as_protobuf, new_calls
from app.canary.clocks import Ahead, Clocks, judge_clocks
from app.canary.doors import Reply
from app.canary.judged import Told, judge_calls, judge_report
from app.canary.promises import PROMISES, Found, Proof, State
from app.canary.report import Listed, Sum, window_of
from app.canary.telling import as_object, as_table, in_short
from app.canary.waiting import End, Waiting
from spend.canary import ATOMS, cost_of, price_lines
from spend.money import atoms, cost, per_unit

NOW = datetime(2026, 11, 20, 12, 7, tzinfo=UTC)
OK = Reply(ok=True, said="200", seconds=0.01)


def broken(proof: Proof) -> list[str]:
    return [each.promise.name for each in proof.found() if each.state is State.BROKEN]


def about(seconds: float) -> Ahead:
    return seconds - 0.1, seconds + 2


@pytest.mark.parametrize(
    ("collector", "api", "database", "jobs", "off"),
    [
        (0, 0, 0, -60, []),
        (4, 0, 0, -60, []),
        (-3600, 0, 0, -60, ["clock-collector"]),
        (0, 40, 0, -60, ["clock-api"]),
        (0, 0, -40, -60, ["clock-database"]),
        (0, 0, 0, 3000, ["clock-jobs"]),
        (3600, 3600, 3600, 3555, ["clock-canary"]),
        (3600, 3600, None, None, ["clock-canary"]),
        # Two against two: nobody can tell, so all of them are looked at.
        (
            0,
            3600,
            3600,
            None,
            ["clock-canary", "clock-collector", "clock-api", "clock-database"],
        ),
    ],
)
def test_the_clock_that_differs_from_most_is_off(
    collector: float, api: float, database: float | None, jobs: float | None, off: list[str]
) -> None:
    proof = Proof()
    judge_clocks(
        proof,
        Clocks(
            collector=about(collector),
            api=about(api),
            database=None if database is None else about(database),
            jobs_ahead=jobs,
        ),
    )
    assert broken(proof) == off


@pytest.mark.parametrize(
    ("status", "told", "why"),
    [
        (200, {"database": "there", "spool": {"refuses": None}}, []),
        (200, {"database": "away"}, ["its database is away: what it takes waits on its disk"]),
        (
            503,
            {"database": "away", "spool": {"refuses": "the spool is full"}},
            ["its database is away", "the spool is full"],
        ),
        (503, {"database": "away", "spool": "off"}, ["its database is away"]),
        (502, "<html>", []),
    ],
)
def test_a_collector_that_takes_nothing_says_why(status: int, told: object, why: list[str]) -> None:
    body = json.dumps(told).encode()
    reply = Reply(ok=status == 200, said=str(status), seconds=0, status=status, body=body)
    assert run._why_not_ready(reply) == why


def test_what_fails_alike_at_several_addresses_is_told_once() -> None:
    failed, refused = (Reply(ok=False, said=said, seconds=0) for said in ("no such name", "401"))
    told = run._refusals({"/livez": failed, "/readyz": failed, "/v1": refused, "/metrics": OK})
    assert told == ["/livez, /readyz: no such name", "/v1: 401"]


def test_what_canaries_cost_is_exact_and_less_than_a_cent_in_ten_years() -> None:
    assert {line.meter: atoms(per_unit(line.unit_price)) for line in price_lines()} == ATOMS
    dearest = Decimal(0)
    for call in new_calls(NOW).all:
        ours = sum(cost(call.tokens[each.meter], each.unit_price) for each in price_lines())
        assert cost_of(call.tokens) == call.cost == ours
        dearest += max(call.cost, cost_of({"input": 500, "output": 100}))
    runs_in_ten_years = 10 * 366 * 24 * 12
    assert dearest * runs_in_ten_years < Decimal("0.01")


def test_no_two_runs_send_the_same_and_a_quarter_hours_edge_is_in_the_window() -> None:
    edge = NOW.replace(minute=15) + timedelta(seconds=2, milliseconds=5)
    one, another = new_calls(edge), new_calls(edge)
    ids = [span.trace_id for calls in (one, another) for call in calls.all for span in call.spans]
    assert len(set(ids)) == 10
    assert len({call.cost for call in one.all}) == 4
    assert as_protobuf(one.twice.spans) != as_protobuf(another.twice.spans)
    window = window_of(new_calls(NOW.replace(minute=15, second=1)).all)
    assert (window.start.minute, window.end.minute) == (0, 15)


class Reports:
    """The API's ``/v1/spend``, as far as ``complete_until`` goes, on a clock that each look moves.

    ``said`` are seconds after NOW; None: nothing is told yet; a text: what went wrong.
    """

    def __init__(self, said: list[float | str | None]) -> None:
        self._said = iter(said)
        self._last: float | str | None = None

    def api(self, path: str, **_asked: str) -> Reply:
        if path != "/v1/spend":
            return OK
        self._last = said = next(self._said, self._last)
        if isinstance(said, str):
            return Reply(ok=False, said=said, seconds=0)
        until = None if said is None else (NOW + timedelta(seconds=said)).isoformat()
        return Reply(
            ok=True,
            said="200",
            seconds=0,
            body=b'{"total": {}, "complete_until": %s}'
            % (b"null" if until is None else b'"%s"' % until.encode()),
        )


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The clock of the wait: each pause is ten seconds, and none."""
    clock = [0.0]

    class Time:
        monotonic = staticmethod(lambda: clock[0])

        @staticmethod
        def sleep(_seconds: float) -> None:
            clock[0] += 10

    monkeypatch.setattr(waiting, "time", Time)
    return clock


@pytest.mark.parametrize(
    ("said", "end", "after"),
    [
        # Sent from 0 to 1. The oldest that waits is what we sent: it may stand there.
        ([-30, -30, 0.2, *[0.2] * 11, 60], End.SETTLED, 140),
        ([-30, -15, 0.2], End.TIMEOUT, 180),
        # It moves, and is behind: the jobs run, and have much to do.
        ([-900, -600, -300, 2], End.SETTLED, 30),
        # It stood before we came, and stands.
        ([-30], End.STILL, 90),
        ([None], End.STILL, 90),
        # Nor is it what we sent, where it was there before.
        ([-2], End.STILL, 90),
        ([-600, -590], End.STILL, 100),
        ([-30, -15, "503"], End.UNANSWERED, 30),
        ([-30, "503", "503", 2], End.UNANSWERED, 20),
        ([-30, "503", 2], End.SETTLED, 20),
    ],
)
def test_it_waits_as_long_as_there_is_hope(
    said: list[float | str | None], end: End, after: float, ticking: list[float]
) -> None:
    window = window_of(new_calls(NOW).all)
    looking: Any = Reports(said)
    begun = Waiting(looking, window, lambda: NOW, lambda _line: None)
    seen = begun.wait((NOW, NOW + timedelta(seconds=1)), timeout=180)
    assert (seen.end, seen.seconds) == (end, after)
    assert ticking == [after]


def told(number: int) -> Told:
    call = new_calls(NOW).all[number]
    return Told(call, ({"trace_id": f"{number}", "span_id": "1"},))


def listed(*costs: str) -> Listed:
    known = {(str(number), "1"): Decimal(cost) for number, cost in enumerate(costs)}
    return Listed(OK, known, whole=True, entries=len(known))


@pytest.mark.parametrize(
    ("now", "calls", "amount", "kept"),
    [
        (["0.01", "0.02"], 2, "0.03", True),
        (["0.01", "0.02"], 1, "0.01", False),
        (["0.01", "0.02"], 4, "0.06", False),
        (["0.01", "0.02"], 2, "0.030000000001", False),
        # Somebody else's canary came meanwhile: it is there, or not yet.
        (["0.01", "0.02", "0.05"], 2, "0.03", True),
        (["0.01", "0.02", "0.05"], 3, "0.08", True),
        (["0.01", "0.02", "0.05"], 4, "0.08", False),
        (["0.01", "0.02", "0.05"], 2, "0.02", False),
    ],
)
def test_the_report_is_the_sum_of_its_calls(
    now: list[str], calls: int, amount: str, kept: bool
) -> None:
    total = Sum(OK, NOW, calls, Decimal(amount), unpriced=0, waiting=0)
    proof = Proof()
    judge_report(proof, [told(1)], listed("0.01"), listed(*now), total)
    assert (broken(proof) == []) is kept


def test_a_call_that_is_in_no_list_or_waits_is_told() -> None:
    proof = Proof()
    total = Sum(OK, NOW, 1, None, unpriced=1, waiting=1)
    judge_report(proof, [told(3)], listed("0.01"), listed("0.01"), total)
    (found,) = [each for each in proof.found() if each.state is State.BROKEN]
    for said in ("1 of its calls are in no list", "1 calls have no price", "still to come"):
        assert said in found.seen


def test_people_read_what_to_do_and_programs_count() -> None:
    proof = Proof()
    proof.tell("collector", [], "lives", 0.25)
    proof.tell("api", ["/readyz: 503", "/readyz: 503"], "")
    proof.not_reached("api", "which stays broken")
    found: list[Found] = list(proof.found())
    assert [each.promise for each in found] == list(PROMISES)
    told = as_object(found, 1.23456)
    assert (told["kept"], told["broken"], told["not_reached"]) == (1, 1, len(PROMISES) - 2)
    assert told["promises"][1]["seen"] == "/readyz: 503"
    assert told["promises"][1]["do"] == PROMISES[1].do
    assert told["promises"][0]["do"] is None
    console = Console(width=200)
    with console.capture() as shown:
        console.print(as_table(found))
    assert f"→ {PROMISES[1].do}" in shown.get()
    assert not proof.all_kept
    assert in_short(found, 91.4).startswith("broken: api; not reached: taken-protobuf, taken-json,")
    for promise in PROMISES:
        proof.tell(promise.name, [], "")
    assert in_short(list(proof.found()), 91.4) == "every promise is kept (91 s)"
    assert proof.all_kept


def test_a_call_that_is_lost_is_told_as_that_and_what_needs_it_is_not_reached() -> None:
    sent = new_calls(NOW)
    lost = [Told(each, ({},) * len(each.spans), ("its ids: 404",)) for each in sent.all]
    proof = Proof()
    judge_calls(proof, sent, lost)
    judge_report(proof, lost, listed(), listed(), Sum(OK, NOW, 0, None, unpriced=0, waiting=0))
    assert broken(proof) == ["stored"]
    seen = {each.promise.name: each.seen for each in proof.found()}
    assert seen["sent-twice"] == seen["priced"] == "no call was found"
    assert seen["reported"] == "not every call was found"


def test_what_is_broken_is_explained_promise_by_promise() -> None:
    document = (Path(__file__).parent.parent / "docs/canary.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \|", document, re.MULTILINE)
    told = [name for row in rows for name in re.findall(r"[a-z-]+", row)]
    assert sorted(told) == sorted(each.name for each in PROMISES), "a row of docs/canary.md"
