"""The collector's workers: processes behind one listening socket that outlives each of them.

While a worker is away, connections wait in the socket's queue for the next one to take them.
"""

import socket
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from app.children import Child, ChildFailed, Environment
from app.life import Where

log = structlog.get_logger(__name__)

_GRACE: Final = 9.0
"""Seconds for a worker to end in. Nobody whom it has not answered waits longer for an answer."""


class Workers:
    """As many as are wanted, all alike. Looks like one Child from outside."""

    name = "collector"

    def __init__(self, count: int, listener: socket.socket) -> None:
        self._listener = listener
        self._working = [self._child() for _ in range(count)]
        self._old: deque[Child] = deque()
        self._successor: Child | None = None
        self._leaving: list[Child] = []

    @property
    def where(self) -> Where | None:
        """What they serve, once all do."""
        if any(child.where is None for child in self._working):
            return None
        return self._working[0].where

    def start(self, environment: Mapping[str, str]) -> None:
        """Starts all."""
        for child in self._working:
            child.start(environment)

    def tend(self, environment: Environment) -> None:
        """Brings back what died, and goes on with replacing. Raises ChildFailed, as a Child."""
        for child in self._working:
            child.tend(environment)
        self._leaving = [child for child in self._leaving if not child.has_left()]
        if self._successor:
            self._take_over(self._successor, environment)
        elif self._old:
            self._successor = self._child()
            self._successor.start(environment())

    def replace(self) -> None:
        """Begins to put new ones in place of those that work, one after the other.

        An old one is let go when its successor serves, so that there is always one that listens.
        """
        if not self._old:
            log.info("replacing the collector's workers")
            self._old.extend(self._working)

    def stop(self, *, hurried: Callable[[], bool]) -> bool:
        """Lets all go at once and waits for them. False: some had to be killed."""
        self._old.clear()
        successor = [self._successor] if self._successor else []
        self._successor = None
        everybody = [*self._working, *self._leaving, *successor]
        for child in everybody:
            child.let_go()
        in_order = [child.stop(hurried=hurried) for child in everybody]
        return all(in_order)

    def _take_over(self, successor: Child, environment: Environment) -> None:
        try:
            successor.tend(environment)
        except ChildFailed:
            log.error("a new worker did not start, the old ones go on")  # noqa: TRY400  # no traceback: it has said why
            self._old.clear()
            self._successor = None
            return
        if successor.where is None:
            return
        old = self._old.popleft()
        self._working[self._working.index(old)] = successor
        old.let_go()
        self._leaving.append(old)
        self._successor = None
        if not self._old:
            log.info("the collector's workers are replaced")

    def _child(self) -> Child:
        run = ["app.collector_worker"]
        return Child(self.name, run=run, listener=self._listener, grace=_GRACE)
