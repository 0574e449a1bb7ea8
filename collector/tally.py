"""Counts what the doors answered and what became of spans, since this process began."""

from collections import Counter
from threading import Lock

from store.intake import Account


class Tally:
    """Counters that many threads add to. The lasting ones are the rows of ``batches``."""

    def __init__(self) -> None:
        self._answers: Counter[tuple[str, str]] = Counter()
        self._spans: Counter[str] = Counter()
        self._lock = Lock()

    def answered(self, door: str, answer: str) -> None:
        """One request was answered: 'stored', 'malformed', 'busy', ..."""
        with self._lock:
            self._answers[door, answer] += 1

    def stored(self, account: Account) -> None:
        """The spans of a request are accounted for."""
        with self._lock:
            self._spans["stored"] += account.stored
            self._spans["duplicate"] += account.duplicate
            self._spans["not_a_call"] += account.not_a_call
            self._spans["refused"] += sum(account.refused.values())

    def answers(self) -> dict[tuple[str, str], int]:
        """(door, answer) -> requests."""
        with self._lock:
            return dict(self._answers)

    def spans(self) -> dict[str, int]:
        """What became of them -> spans."""
        with self._lock:
            return dict(self._spans)
