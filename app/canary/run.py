"""One run, from the first knock at the doors to the last promise."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.canary import promises
from app.canary.calls import Call, Calls, new_calls
from app.canary.clocks import Ahead, Clocks, judge_clocks
from app.canary.doors import READING_KEY, Doors, Reply, plain
from app.canary.judged import Told, ask_for, judge_calls, judge_report, judge_two_sightings
from app.canary.promises import Proof
from app.canary.report import Listed, listed, object_in, spent, window_of
from app.canary.sending import send_all
from app.canary.waiting import STANDS_STILL, End, Say, Waited, Waiting
from spend.canary import MODEL, PROVIDER, TEAM

_SHORTLY: Final = 15.0
"""Seconds within which what was acknowledged is found: a replica is a little behind."""
_NOT_LET_IN: Final = frozenset({401, 403})
_SECOND: Final = timedelta(seconds=1)


class Run:
    """Sends calls, and tells a proof what became of them."""

    def __init__(
        self,
        doors: Doors,
        proof: Proof,
        clock: Callable[[], datetime],
        *,
        timeout: float,
        still: float = STANDS_STILL,
        say: Say = lambda _line: None,
    ) -> None:
        """``clock`` is this machine's (UTC); ``say`` is told where we are, for people.

        ``timeout``: how many seconds to wait for the reports; ``still``: while they stand still.
        """
        self._doors, self._proof, self._clock, self._say = doors, proof, clock, say
        self._limits = timeout, still
        self._collector: Ahead | None = None
        self._api: Ahead | None = None
        self._seen: Waited | None = None
        self._why_not_asked = "the API does not answer"

    def go(self) -> None:
        """Does it. What is interrupted has told all that it knows."""
        try:
            self._go()
        except (LookupError, TypeError, ValueError, AttributeError) as other:
            # An answer lacks, or has otherwise, what is looked for in it.
            self._proof.why_not = f"an answer is of another shape than expected: {other!r}"
        finally:
            self._judge_clocks()

    def _go(self) -> None:
        self._say("knocking at the doors")
        hears = self._knock_at_collector()
        calls = new_calls(self._clock())
        answers = self._knock_at_api(calls)
        if answers:
            self._check_budgets()
        if not hears:
            self._proof.why_not = "the collector does not answer"
        elif not answers:
            self._proof.why_not = self._why_not_asked
            send_all(self._doors, calls, self._proof)
        else:
            self._send_and_wait(calls)

    def _judge_clocks(self) -> None:
        judge_clocks(
            self._proof,
            Clocks(
                collector=self._collector,
                api=self._api,
                database=self._seen.database if self._seen else None,
                jobs_ahead=self._seen.jobs_ahead if self._seen else None,
            ),
        )

    def _knock_at_collector(self) -> bool:
        """Whether it is worth sending."""
        lives = self._doors.collector("/livez")
        ready = self._doors.collector("/readyz")
        self._collector = lives.ahead
        ours = not ready.ok or "database" in object_in(ready)
        faults = _refusals({"/livez": lives, "/readyz": ready})
        faults += _why_not_ready(ready) if ours else ["what answers is no collector of spanledger"]
        seconds = lives.seconds + ready.seconds
        self._proof.tell(promises.COLLECTOR, faults, "lives, takes requests", seconds)
        return lives.ok and ours

    def _knock_at_api(self, calls: Calls) -> bool:
        """Whether it is worth asking."""
        lives, ready = self._doors.api("/livez"), self._doors.api("/readyz")
        asked = spent(self._doors, window_of(calls.all)).reply
        self._api = lives.ahead
        faults = _refusals({"/livez": lives, "/readyz": ready, f"/v1 ({READING_KEY})": asked})
        if asked.status in _NOT_LET_IN:
            self._why_not_asked = "the API does not let this key read"
        if asked.ok and "total" not in object_in(asked):
            faults.append("what answers is no API of spanledger")
        seconds = lives.seconds + ready.seconds + asked.seconds
        return self._proof.tell(promises.API, faults, "lives, answers", seconds)

    def _check_budgets(self) -> None:
        reply = self._doors.api("/v1/budgets/check", team=TEAM, provider=PROVIDER, model=MODEL)
        answer = object_in(reply)
        faults = [] if "over" in answer else [reply.said]
        seen = "a budget is over" if answer.get("over") else "no budget is over"
        self._proof.tell(promises.BUDGETS, faults, seen, reply.seconds)

    def _send_and_wait(self, calls: Calls) -> None:
        window = window_of(calls.all)
        waiting = Waiting(self._doors, window, self._clock, self._say)
        before = listed(self._doors, window)
        lead = timedelta(seconds=sum(self._collector) / 2 if self._collector else 0)
        first = self._clock() + lead
        self._say("sending")
        taken = send_all(self._doors, calls, self._proof)
        # A second more: the collector may have looked at its clock later than we think.
        sent = first, self._clock() + lead + _SECOND
        if not taken:
            self._proof.why_not = "nothing was acknowledged"
            return
        judge_calls(self._proof, calls, self._found(taken))
        seen = self._seen = waiting.wait(sent, timeout=self._limits[0], still=self._limits[1])
        told = self._found(taken)
        judge_calls(self._proof, calls, told)
        self._judge_settled(calls, told, before, seen, sent[1])

    def _found(self, taken: Sequence[Call]) -> list[Told]:
        """The calls that were acknowledged, as the API tells them."""
        until = time.monotonic() + _SHORTLY
        while True:
            told = ask_for(self._doors, taken)
            if time.monotonic() > until or not any(each.missing for each in told):
                return told
            time.sleep(1)

    def _judge_settled(
        self, calls: Calls, told: Sequence[Told], before: Listed, seen: Waited, goal: datetime
    ) -> None:
        faults = _unsettled(seen, goal)
        said = f"after {seen.seconds:,.0f} s"
        if not self._proof.tell(promises.SETTLED, faults, said, seen.seconds):
            self._proof.why_not = "the reports do not say that they are complete"
            return
        for each in told:
            if each.call is calls.seen_by_two:
                judge_two_sightings(self._proof, each)
        self._proof.not_reached(promises.TWO_SIGHTINGS, "not both were acknowledged")
        window = window_of(calls.all)
        now = listed(self._doors, window)
        total = spent(self._doors, window)
        if not (now.reply.ok and total.reply.ok and before.reply.ok):
            failed = [each.said for each in (before.reply, now.reply, total.reply) if not each.ok]
            self._proof.tell(promises.REPORTED, failed, "")
        elif not now.whole:
            why = "too many canaries in a quarter hour to be told one by one"
            self._proof.not_reached(promises.REPORTED, why)
        else:
            judge_report(self._proof, told, before, now, total)


def _refusals(replies: dict[str, Reply]) -> list[str]:
    """What failed, and how; what failed alike is told as one."""
    failed: dict[str, list[str]] = {}
    for path, reply in replies.items():
        if not reply.ok:
            failed.setdefault(reply.said, []).append(path)
    return [f"{', '.join(paths)}: {said}" for said, paths in failed.items()]


def _why_not_ready(ready: Reply) -> list[str]:
    """What a collector says of itself at /readyz, also where it takes nothing."""
    told = ready.json()
    if not isinstance(told, dict) or "database" not in told:
        return []
    if told["database"] == "there":
        return []
    if ready.ok:
        return ["its database is away: what it takes waits on its disk"]
    spool = told.get("spool")
    refuses = spool.get("refuses") if isinstance(spool, dict) else None
    return ["its database is away", *([plain(str(refuses))] if refuses else [])]


def _unsettled(seen: Waited, goal: datetime) -> list[str]:
    """Why reports are not complete; nothing where they are."""
    if seen.end is End.SETTLED:
        return []
    if seen.end is End.UNANSWERED:
        return [f"/v1/spend: {seen.last.reply.said}"]
    until = seen.last.complete_until
    if until is None:
        return [f"after {seen.seconds:,.0f} s no job has told how far the reports are complete"]
    lacks = f"{(goal - until).total_seconds():,.0f} s are lacking"
    if seen.end is End.STILL:
        return [
            f"the jobs do not run: since {seen.seconds:,.0f} s the reports stand still, {lacks}"
        ]
    waits = "they come on" if seen.moved else "they stand still"
    return [f"after {seen.seconds:,.0f} s {lacks}; {waits}"]
