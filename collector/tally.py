"""Counts what the doors answered and what became of spans."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from threading import Lock

from collector.refused_for import in_short
from spend.durations import Durations
from store.intake.intake import Account, Part
from store.steps import Lost, none_lost


@dataclass(slots=True)
class Counts:
    """What was counted."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(door, answer) -> requests."""
    spans: Counter[str] = field(default_factory=Counter)
    """What became of spans, log records and points by the time of the answer. They sum up to
    ``heard``."""
    drained: Counter[str] = field(default_factory=Counter)
    """What became of those that were spooled. Together with those that wait they sum up to
    ``spooled``."""
    heard: int = 0
    waiting: Counter[str] = field(default_factory=Counter)
    """``records`` and ``spans`` in the spool, where that was asked."""
    refused: Counter[str] = field(default_factory=Counter)
    """Why (``collector/refused_for.py``) -> items, those of the spool included."""
    denied: Counter[str] = field(default_factory=Counter)
    """What was wrong with the key (``store/access/refused_keys.py``) -> requests."""
    own_lost: Counter[str] = field(default_factory=Counter)
    """Why (``store/steps.py``) -> spans of our own traces that nobody got."""
    took: dict[str, Durations] = field(default_factory=dict)
    """Door -> how long its requests took."""
    commits: Durations = field(default_factory=Durations)
    """How long transactions took."""

    def add(self, other: "Counts") -> None:
        """Count the other's, too."""
        self.answers += other.answers
        self.spans += other.spans
        self.drained += other.drained
        self.waiting += other.waiting
        self.heard += other.heard
        self.refused += other.refused
        self.denied += other.denied
        self.own_lost += other.own_lost
        self.commits.add(other.commits)
        for door, took in other.took.items():
            self.took.setdefault(door, Durations()).add(took)


class Tally:
    """Counters that many threads add to. The lasting ones are the rows of ``batches``."""

    def __init__(self, lost: Lost = none_lost) -> None:
        """``lost`` counts spans of our own by itself."""
        self._counts = Counts()
        self._lost = lost
        self._lock = Lock()

    def answered(self, door: str, answer: str, seconds: float = 0.0) -> None:
        """One request was answered: 'stored', 'malformed', 'busy', ...; it took so long."""
        with self._lock:
            self._counts.answers[door, answer] += 1
            took = self._counts.took.get(door)
            if took is None:
                took = self._counts.took[door] = Durations()
            took.note(seconds)

    def denied(self, why: str) -> None:
        """One of them was denied, for what was wrong with its key."""
        with self._lock:
            self._counts.denied[why] += 1

    def committed(self, seconds: float) -> None:
        """One transaction ended, well or not, after so long."""
        with self._lock:
            self._counts.commits.note(seconds)

    def stored(self, account: Account) -> None:
        """The spans of a request are accounted for."""
        with self._lock:
            self._counts.heard += account.heard
            spans = self._counts.spans
            spans["stored"] += account.stored
            spans["duplicate"] += account.duplicate
            spans["not_a_call"] += account.not_a_call
            spans["refused"] += sum(account.refused.values())
            spans["spooled"] += account.spooled
            if account.refused:
                self._counts.refused += in_short(account.refused)

    def drained(self, parts: Sequence[Part], accounts: Sequence[Account]) -> None:
        """Spans of requests that were spooled are stored now.

        What is not a call, or was refused, was counted when they were answered.
        """
        with self._lock:
            drained = self._counts.drained
            for part, account in zip(parts, accounts, strict=True):
                refused = sum(account.refused.values()) - sum(part.refused.values())
                drained["stored"] += account.stored
                drained["duplicate"] += account.duplicate
                drained["refused"] += refused
                if refused:
                    now = in_short(account.refused)
                    now.subtract(in_short(part.refused))
                    self._counts.refused += now

    def set_aside(self, spans: int) -> None:
        """Spans that were spooled are in quarantine."""
        with self._lock:
            self._counts.drained["quarantined"] += spans

    def take_over(self, counts: Counts, waiting: int) -> None:
        """Go on from what another process had counted, whose ``waiting`` spans we have.

        It wrote that down a moment before its end: what was spooled is what became of it since,
        and what waits. Where that is less, some of it cannot be read any more.
        """
        with self._lock:
            before = counts.spans["spooled"]
            counts.drained["quarantined"] += max(0, before - counts.drained.total() - waiting)
            counts.spans["spooled"] = counts.drained.total() + waiting
            counts.heard += counts.spans["spooled"] - before
            counts.waiting.clear()
            self._counts.add(counts)

    def counts(self) -> Counts:
        """What was counted until now."""
        with self._lock:
            counts = deepcopy(self._counts)
        counts.own_lost.update(self._lost())
        return counts
