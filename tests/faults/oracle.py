"""Remembers every span before it is sent and every answer, and judges what the database holds.

Nothing here asks the product what it did: which spans there are, and what each holds, follows from
their numbers (``bodies.py``).
"""

import re
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from faults.bodies import CALLS, Kind, Mix, tokens_of

Row = tuple[bytes, int, int | None, int | None, int | None]
"""Of a sighting: trace id, span id, input that was not cached, cached, output."""


@dataclass
class Sender:
    """Who numbers its spans; all of them follow one mix."""

    number: int
    mix: Mix
    issued: int = 0
    """Spans that were about to be sent, at least once: the numbers below this."""
    refused_start: bool = False
    """Its clock is so wrong that all its spans are refused."""

    def kind(self, number: int) -> Kind:
        return Kind.REFUSED if self.refused_start else self.mix.kind(number)


@dataclass
class Sent:
    """A request: the same bytes each time it is tried."""

    sender: Sender
    numbers: range
    attempts: int = 0
    acknowledged: int = 0
    acknowledged_during: str = ""
    """What was going on when it was first acknowledged."""

    def count(self, kind: Kind) -> int:
        return sum(self.sender.kind(number) is kind for number in self.numbers)


@dataclass
class Chapter:
    """What was seen while one thing went on."""

    made: int = 0
    fired: Counter[str] = field(default_factory=Counter)
    """Evidence that it really happened: what, how often."""
    acknowledged: int = 0
    """Spans, each counted once."""
    again: int = 0
    """Spans that were acknowledged once more."""
    retried: int = 0
    """Requests that were sent again because of it."""
    refused: Counter[str] = field(default_factory=Counter)
    """Reason -> requests that were told to come again."""
    given_up: int = 0
    """Spans that their sender gave up, never acknowledged. The default SDK waits 10 s."""
    lost: int = 0
    doubled: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """What the API answered: status -> how often."""
    errors: Counter[str] = field(default_factory=Counter)
    """Answers of 5xx that are no 503, by whoever gave them: there may be none."""


class Oracle:
    """Used by many threads."""

    def __init__(self, run: int) -> None:
        self.run = run & 0xFFFF_FFFF
        self.after_batch = 0
        """What is stored in batches up to this one is not of this run."""
        self.chapters: dict[str, Chapter] = {}
        self.sent: list[Sent] = []
        self.broken: Counter[str] = Counter()
        """Promises that were seen broken while it ran."""
        self._senders: list[Sender] = []
        self._lock = threading.Lock()
        self.now = ""
        self.begin("no fault")

    def begin(self, name: str) -> Chapter:
        """What happens from now on is counted there."""
        with self._lock:
            self.now = name
            return self.chapters.setdefault(name, Chapter())

    def sender(self, mix: Mix = CALLS, *, refused_start: bool = False) -> Sender:
        with self._lock:
            sender = Sender(len(self._senders), mix, refused_start=refused_start)
            self._senders.append(sender)
            return sender

    def issue(self, sender: Sender, count: int) -> Sent:
        """Numbers for a request that is about to be sent."""
        with self._lock:
            sent = Sent(sender, range(sender.issued, sender.issued + count))
            sender.issued += count
            self.sent.append(sent)
            return sent

    def trying(self, *parts: Sent, again: bool = False) -> None:
        """A request of these parts is about to be sent; ``again`` after an attempt that failed."""
        with self._lock:
            self.chapters[self.now].retried += again
            for sent in parts:
                sent.attempts += 1

    def acknowledged(self, *parts: Sent, rejected: int | None) -> None:
        """``rejected`` is partial_success's; None where the sender does not show it."""
        expected = sum(sent.count(Kind.REFUSED) for sent in parts)
        with self._lock:
            chapter = self.chapters[self.now]
            for sent in parts:
                if sent.acknowledged:
                    chapter.again += len(sent.numbers)
                else:
                    chapter.acknowledged += len(sent.numbers)
                    sent.acknowledged_during = self.now
                sent.acknowledged += 1
            if rejected is not None and rejected != expected:
                self.broken[f"partial_success said {rejected}, refused were {expected}"] += 1

    def refused(self, reason: str) -> None:
        with self._lock:
            self.chapters[self.now].refused[reason] += 1
            if is_an_error(reason):
                self.chapters[self.now].errors[reason] += 1
                self.broken[f"a request was answered {reason}"] += 1

    def answered(self, status: str, path: str) -> None:
        """What the API answered."""
        with self._lock:
            self.chapters[self.now].asked[status] += 1
            if is_an_error(status):
                self.chapters[self.now].errors[f"{status} GET {path}"] += 1
                self.broken[f"GET {path} was answered {status}"] += 1

    def exporter_retries(self, reason: str) -> None:
        """What a real exporter logged of an attempt."""
        with self._lock:
            self.chapters[self.now].retried += 1
            self.chapters[self.now].refused[reason] += 1

    def gave_up(self, spans: int, during: str) -> None:
        """``during`` is what went on when their first attempt began."""
        with self._lock:
            self.chapters[during].given_up += spans

    def is_broken(self, promise: str) -> None:
        with self._lock:
            self.broken[promise] += 1

    def adopt(self, other: "Oracle") -> None:
        """Count what another oracle saw, and judged, in what goes on now."""
        with self._lock:
            mine = self.chapters[self.now]
            for chapter in other.chapters.values():
                mine.acknowledged += chapter.acknowledged
                mine.again += chapter.again
                mine.retried += chapter.retried
                mine.refused += chapter.refused
                mine.given_up += chapter.given_up
                mine.lost += chapter.lost
                mine.doubled += chapter.doubled
                mine.errors += chapter.errors
            self.broken += other.broken

    def spans(self, *, acknowledged: bool, kind: Kind | None = None) -> int:
        """How many, each counted once."""
        with self._lock:
            chosen = [it for it in self.sent if it.acknowledged or not acknowledged]
        return sum(len(it.numbers) if kind is None else it.count(kind) for it in chosen)

    def judge(self, rows: Iterable[Row]) -> "Verdict":
        """Compares what is stored with what was sent; lost and doubled go into the chapters."""
        seen = [bytearray(sender.issued) for sender in self._senders]
        verdict = Verdict()
        run = self.run.to_bytes(4, "big")
        for trace, span, fresh, cached, output in rows:
            verdict.rows += 1
            sender, number = int.from_bytes(trace[4:8], "big"), int.from_bytes(trace[8:], "big")
            if (
                trace[:4] != run
                or sender >= len(seen)
                or number >= len(seen[sender])
                or (span != number + 1 and span not in {0, None})
                or self._senders[sender].kind(number) is not Kind.CALL
            ):
                verdict.invented += 1
                continue
            told = tokens_of(number)
            if (fresh, cached or 0, output) != (told.input - told.cached, told.cached, told.output):
                verdict.wrong += 1
            if seen[sender][number]:
                verdict.doubled += 1
                # Counted where it is first known; the chapter follows below.
            seen[sender][number] = min(seen[sender][number] + 1, 255)
            verdict.input += told.input - told.cached
            verdict.cached += told.cached
            verdict.output += told.output
        for sent in self.sent:
            self._judge_request(sent, seen[sent.sender.number], verdict)
        return verdict

    def _judge_request(self, sent: Sent, seen: bytearray, verdict: "Verdict") -> None:
        chapter = self.chapters[sent.acknowledged_during or "no fault"]
        for number in sent.numbers:
            times = seen[number]
            chapter.doubled += times > 1
            if sent.sender.kind(number) is not Kind.CALL:
                continue
            verdict.calls += 1
            verdict.stored += times > 0
            if sent.acknowledged:
                verdict.acknowledged += 1
                verdict.lost += times == 0
                chapter.lost += times == 0
            elif times:
                verdict.stored_without_answer += 1


def is_an_error(said: str) -> bool:
    """Whether an answer's status is one of 5xx that does not say to come again."""
    found = re.match(r"(?:Failed .* code: )?(5\d\d)\b", said)
    return found is not None and found[1] != "503"


@dataclass
class Verdict:
    """What the database holds, compared; all numbers are of calls."""

    rows: int = 0
    calls: int = 0
    """That were sent."""
    acknowledged: int = 0
    stored: int = 0
    lost: int = 0
    """Acknowledged, and not there."""
    doubled: int = 0
    invented: int = 0
    """There, and never sent, or sent as what must not be stored."""
    wrong: int = 0
    """There, with other tokens than were sent."""
    stored_without_answer: int = 0
    """Its sender heard nothing and gave up, or the run ended: allowed."""
    input: int = 0
    cached: int = 0
    output: int = 0
