"""The door of the jobs' process: whether it lives, whether it can work, and what it has counted.

``/livez`` and ``/readyz`` answer anybody who reaches the port, as supervisors have no keys.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from typing import Any, Final

import orjson

from jobs import metric_list as metrics
from jobs.askers import Askers, Verdict
from jobs.run_counts import OUTCOMES, RunCounts
from spend.job_ticks import EVERY
from spend.metric_names import DATABASE_UP, PROCESS
from store.metrics.metric_text import (
    Certificates,
    Family,
    as_text,
    build,
    no_certificates,
    of_certificates,
    of_lost,
    of_process,
    processes,
    timed,
    told,
)
from store.postgres.pulse import Pulse
from store.steps import Lost, none_lost

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Answer = tuple[int, str, bytes]
"""Status, media type and body."""

JSON: Final = "application/json"
PATHS: Final = frozenset({"/livez", "/readyz", "/metrics"})


class JobsDoor:
    """An ASGI application."""

    def __init__(
        self,
        counts: RunCounts,
        pulse: Pulse,
        askers: Askers,
        certificates: Certificates = no_certificates,
        lost: Lost = none_lost,
    ) -> None:
        self._lost = lost
        self._certificates = certificates
        self._counts = counts
        self._pulse = pulse
        self._askers = askers

    async def __call__(self, scope: Scope, receive: object, send: Send) -> None:
        """Answer one request. No body is read: nothing here takes one."""
        del receive
        status, media_type, body = await asyncio.to_thread(self._answer, scope)
        headers = {"content-type": media_type, "content-length": str(len(body))}
        if status == Verdict.UNKNOWN.value:
            headers["www-authenticate"] = "Bearer"
        pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    def _answer(self, scope: Scope) -> Answer:
        path = scope["path"]
        if path not in PATHS:
            return _told(404, found=False)
        if scope["method"] not in {"GET", "HEAD"}:
            return _told(405, takes="GET")
        if path == "/livez":
            lives = self._counts.lives
            return _told(200 if lives else 503, alive=lives)
        if path == "/readyz":
            lives, up = self._counts.lives, self._pulse.up()
            database = "there" if up else "away"
            return _told(200 if lives and up else 503, alive=lives, database=database)
        return self._metrics(scope)

    def _metrics(self, scope: Scope) -> Answer:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        verdict = self._askers.judge(headers, (scope.get("client") or ("", 0))[0])
        if verdict is not Verdict.MAY:
            return _told(verdict.value, error=verdict.name.lower())
        return 200, *as_text(self._families(), headers.get("accept"))

    def _families(self) -> Iterator[Family]:
        """``METRICS``."""
        counts = self._counts.counts()
        yield build()
        yield told(DATABASE_UP, self._pulse.up())
        yield from of_certificates(self._certificates())
        yield of_lost(self._lost())
        runs = {(job, outcome): counts.runs[job, outcome] for job in EVERY for outcome in OUTCOMES}
        yield told(metrics.RUNS, runs)
        yield timed(metrics.DURATION, counts.took)
        yield told(metrics.RUNNING, {(job,): counts.running[job] for job in EVERY})
        beat = counts.beat_at
        yield told(metrics.HEARTBEAT, {} if beat is None else {(): beat.timestamp()})
        yield from processes(PROCESS, {(): of_process()})


def _told(status: int, **said: object) -> Answer:
    return status, JSON, orjson.dumps(said)
