"""Counts what the doors answered and what became of spans, since this process began."""

from collections import Counter
from collections.abc import Sequence
from threading import Lock

from store.intake import Account, Part


class Tally:
    """Counters that many threads add to. The lasting ones are the rows of ``batches``."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, str]] = Counter()
        self._spans: Counter[str] = Counter()
        self._drained: Counter[str] = Counter()
        self._lock = Lock()

    def answered(self, door: str, answer: str) -> None:
        """One request was answered: 'stored', 'malformed', 'busy', ..."""
        with self._lock:
            self._answers[door, answer] += 1

    def stored(self, account: Account) -> None:
        """The spans of a request are accounted for."""
        with self._lock:
            self._spans["heard"] += account.heard
            self._spans["spooled"] += account.spooled
            self._spans["stored"] += account.stored
            self._spans["duplicate"] += account.duplicate
            self._spans["not_a_call"] += account.not_a_call
            self._spans["refused"] += sum(account.refused.values())

    def drained(self, parts: Sequence[Part], accounts: Sequence[Account]) -> None:
        """Spans of requests that were spooled are stored now.

        What is not a call, or was refused, was counted when they were answered.
        """
        with self._lock:
            for part, account in zip(parts, accounts, strict=True):
                refused = sum(account.refused.values()) - sum(part.refused.values())
                self._drained["stored"] += account.stored
                self._drained["duplicate"] += account.duplicate
                self._drained["refused"] += refused

    def answers(self) -> dict[tuple[str, str], int]:
        """(door, answer) -> requests."""
        with self._lock:
            return dict(self._answers)

    def spans(self) -> dict[str, int]:
        """What became of them, by the time of the answer -> spans; ``heard`` is all of them."""
        with self._lock:
            return dict(self._spans)

    def drained_spans(self) -> dict[str, int]:
        """What became of those that had been spooled, by this process or another -> spans."""
        with self._lock:
            return dict(self._drained)
