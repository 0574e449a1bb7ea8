"""GET /metrics and what is beneath: this process, the ledger and spend, as Prometheus reads them.

Apart, as they are asked apart: each process for itself, the ledger of one of them. Whoever was let
in before stays so while Postgres is away, and is told of the process: that is when it is looked at.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response
from sqlalchemy.exc import TimeoutError as NoFreeConnection

from api.auth import Caller, asker_of, whole_ledger
from api.budgets.budget_board import boards_of
from api.dependencies import Clock, Config, Now, database_of, knocks_of
from api.kept import Kept
from api.knocks import UNKNOWN, WAIT
from api.metrics import metric_list as metrics
from api.metrics.ledger_metrics import ledger_metrics
from api.metrics.spend_metrics import spend_metrics
from api.metrics.traffic import Counted, Placed, Traffic
from api.reading import replica_of
from api.session_cookie import token_in_cookie
from api.settings import ApiSettings
from spend.metric_names import DATABASE_UP, PROCESS
from store.conversion import Conversion
from store.metrics.ledger_health import LedgerHealth, ledger_health
from store.metrics.metric_text import (
    Family,
    as_text,
    build,
    of_certificates,
    of_lost,
    of_process,
    processes,
    timed,
    told,
)
from store.metrics.spend_so_far import SpendSoFar, spend_so_far
from store.postgres.pulse import Pulse
from store.postgres.sessions import Database, connections
from store.tenants import TENANT

router = APIRouter(include_in_schema=False)

LEDGER_FRESH: Final = 10.0
"""Seconds for which what was read of the ledger is told again."""
SPEND_FRESH: Final = 30.0
"""Likewise of spend: its jobs run every 30 seconds."""
_MOST_TEAMS: Final = 100
"""Whose spend is kept at a time."""


@dataclass(slots=True)
class Counting:
    """What an application keeps for those who ask how it does."""

    traffic: Traffic
    pulse: Pulse
    ledger: Kept[LedgerHealth]
    spend: dict[str | None, Kept[SpendSoFar]] = field(default_factory=dict)
    """By the only team that is seen; None: all."""


def count(app: FastAPI, database: Database, clock: Now) -> None:
    """Begins to count. Before any other middleware is added, and ``count_all`` after all others."""
    read = partial(_read_ledger, database, clock)
    app.state.counting = Counting(Traffic(), Pulse(database), Kept(read, LEDGER_FRESH))
    app.add_middleware(Placed)


def count_all(app: FastAPI) -> None:
    """What every request goes through first."""
    app.add_middleware(Counted, traffic=app.state.counting.traffic)


def _counting(request: Request) -> Counting:
    return cast("Counting", request.app.state.counting)


def _asker(request: Request, config: Config) -> Caller:
    """Whoever asks. While Postgres is away, or hangs, who was known is. Problem 401, 403."""

    def ask() -> Caller:
        if not _counting(request).pulse.up():
            raise NoFreeConnection("Postgres is not reached")
        return asker_of(request, config)

    shown = f"{request.headers.get('authorization')}\0{token_in_cookie(request)}"
    return boards_of(request).caller(shown, request.url.hostname or "", ask)


Asker = Annotated[Caller, Depends(_asker)]


@router.get("/metrics")
def of_this_process(request: Request, who: Asker, config: Config) -> Response:
    """What it was asked, and what it holds."""
    whole_ledger(who)
    return _answer(request, _of_process(request, config))


@router.get("/metrics/ledger")
def of_the_ledger(request: Request, who: Asker) -> Response:
    """What is late, waits or failed; whichever API is asked."""
    whole_ledger(who)
    counting = _counting(request)
    if not counting.pulse.up():
        return _answer(request, [told(DATABASE_UP, 0)])
    return _answer(request, ledger_metrics(counting.ledger.get()))


@router.get("/metrics/spend")
def of_spend(request: Request, who: Asker, config: Config, clock: Clock) -> Response:
    """The month so far, of what whoever asks may see."""
    counting = _counting(request)
    if not counting.pulse.up():
        return _answer(request, [told(DATABASE_UP, 0)])
    kept = counting.spend.get(who.team)
    if kept is None:
        if len(counting.spend) >= _MOST_TEAMS:
            counting.spend.clear()
        read = partial(_read_spend, database_of(request), config, clock, who.team)
        kept = counting.spend[who.team] = Kept(read, SPEND_FRESH)
    return _answer(request, spend_metrics(kept.get()))


def _answer(request: Request, families: Iterable[Family]) -> Response:
    media_type, text = as_text(families, request.headers.get("accept"))
    # Said here, as Starlette would add a charset that is there already.
    return Response(text, headers={"Content-Type": media_type, "Cache-Control": "no-store"})


def _of_process(request: Request, config: ApiSettings) -> Iterator[Family]:
    counting, knocks, replica = _counting(request), knocks_of(request), replica_of(request)
    counts = counting.traffic.counts()
    used, most = connections(database_of(request))
    yield build()
    yield told(DATABASE_UP, counting.pulse.up())
    yield from of_certificates(config.certificates())
    yield of_lost(config.own_spans_lost())
    yield told(metrics.REQUESTS, counts.requests)
    yield timed(metrics.DURATION, counts.took)
    # Without the one that asks.
    yield told(metrics.IN_PROGRESS, counts.in_progress - 1)
    refused = {(answer,): knocks.refused[answer] for answer in (UNKNOWN, WAIT)}
    yield told(metrics.REFUSED_KEYS, refused)
    yield told(metrics.CONNECTIONS, used)
    yield told(metrics.MOST_CONNECTIONS, most)
    if replica is not None:
        yield told(metrics.REPLICA, replica.state == "answers")
    yield from processes(PROCESS, {(): of_process()})


def _read_ledger(database: Database, clock: Now) -> LedgerHealth:
    with database.read() as session:
        return ledger_health(session, TENANT, clock())


def _read_spend(
    database: Database, config: ApiSettings, clock: Now, team: str | None
) -> SpendSoFar:
    now = clock()
    telling = Conversion(
        to=config.currency, policy=config.rate_policy, zone=config.timezone, now=now
    )
    with database.read() as session:
        return spend_so_far(session, TENANT, config.calendar, telling, now, team=team)
