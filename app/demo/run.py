"""The order of things: what is agreed, the past, a round of jobs, what to see, the present."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Final

import click
import httpx2
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from sqlalchemy.exc import OperationalError

from app.database import database_for
from app.demo.declare import (
    RefusedError,
    agree_on_discount,
    apply_rules,
    declare_credits,
    declare_pools,
    repriced,
    set_budgets,
)
from app.demo.emit import NotTakenError, Sender
from app.demo.send import beginning, send_all, send_history, send_live
from app.demo.show import corrected, progress, spend_by_team, summary, told, tour
from app.demo.traffic import HOUR, SECOND, Exchange
from app.job_settings import job_settings
from app.life import Where
from app.settings import Settings
from jobs.context import JobContext
from jobs.timetable import run_all, run_job
from store import runs

_PATIENCE: Final = 60
"""Seconds that a batch is offered again to a collector that is busy."""
_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Wishes:
    """What whoever runs the demo asked for."""

    weeks: int
    scale: float
    seed: int
    live: bool
    pace: float
    once: bool
    trace: tuple[Exchange, ...] = ()


class Demo:
    """The company, beside ``serve``: its past, then its present until told to stop."""

    def __init__(self, settings: Settings, wishes: Wishes) -> None:
        self._settings = settings
        self._wishes = wishes
        self.failed = False
        """Something went wrong, and was said in a line; spanledger serves on."""

    def run(self, where: Where, stop: Event) -> None:
        """What ``serve`` does alongside."""
        api_url = f"http://{where['api']}"
        key = os.environ.get("SPANLEDGER_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        exporter = OTLPSpanExporter(
            f"http://{where['otlp_http']}/v1/traces",
            headers=headers,
            timeout=_PATIENCE,
            compression=Compression.Gzip,
        )
        sender = Sender(exporter)
        with httpx2.Client(base_url=api_url, headers=headers, timeout=60) as api:
            try:
                now = _now()
                past(api, sender, stop, now=now, settings=self._settings, wishes=self._wishes)
            except (NotTakenError, RefusedError, httpx2.HTTPError, OperationalError) as error:
                self.failed = not stop.is_set()
                if self.failed:
                    click.secho(f"the demo ends: {error}", fg="red", err=True)
        if not (self.failed or self._wishes.once or stop.is_set()):
            self._present(sender, stop, since=now, api_url=api_url)
        sender.close()
        if self._wishes.once:
            stop.set()

    def _present(self, sender: Sender, stop: Event, *, since: datetime, api_url: str) -> None:
        tour(api_url, since.astimezone(self._settings.zone), self._settings)
        if not self._wishes.live:
            return
        click.secho("\nlive traffic, until Ctrl-C (times in UTC):", bold=True)
        send_live(
            sender,
            since=since,
            seed=self._wishes.seed,
            scale=self._wishes.scale * self._wishes.pace,
            stop=stop,
            clock=_now,
            told=told,
        )


def past(
    api: httpx2.Client,
    sender: Sender,
    stop: Event,
    *,
    now: datetime,
    settings: Settings,
    wishes: Wishes,
) -> None:
    """Everything before ``now``, settled, with budgets, and a table of it.

    Raises NotTakenError, RefusedError, httpx2.HTTPError.
    """
    first = beginning(now, wishes.weeks)
    _declare(api, first=first, weeks=wishes.weeks, currency=settings.currency)
    _send_past(sender, stop, first=first, now=now, wishes=wishes)
    if stop.is_set():
        return
    click.echo("settling up ...")
    with database_for(settings, application="demo") as database:
        context = JobContext(
            database, _now(), job_settings(settings), clock=runs.server_time, by_hand=True
        )
        for job, done in run_all(context):
            click.echo(f"  {job:12} {done.note if done else 'is running'}")
        repricing = agree_on_discount(api, since=first)
        if repricing is not None:
            run_job("reprice", replace(context, now=_now()))
            corrected(repriced(api, repricing), settings.currency)
        today = now.astimezone(settings.zone)
        if set_budgets(api, today=today, currency=settings.currency):
            for job in ("budgets", "forecast", "alerts"):
                done = run_job(job, replace(context, now=_now()))
                click.echo(f"  {job:12} {done.note if done else 'is running'}")
    if wishes.trace:
        first = min(first, datetime.fromtimestamp(wishes.trace[0].start_ns / SECOND, UTC))
    shown = first.astimezone(settings.zone)
    answer = spend_by_team(api, first=shown, today=today)
    click.echo(f"\nsince {shown:%Y-%m-%d}, by team:\n")
    summary(answer["rows"], answer["total"], answer["currency"])


def _declare(api: httpx2.Client, *, first: datetime, weeks: int, currency: str) -> None:
    moved = first.date() + timedelta(days=7 * weeks // 2)
    for what, names in (
        ("declared the pools", declare_pools(api, since=first, currency=currency)),
        ("bought in advance", declare_credits(api, since=first, currency=currency)),
        (f"who pays from {moved} on", apply_rules(api, day=moved)),
    ):
        if names:
            click.echo(f"{what}: {', '.join(names)}")


def _send_past(
    sender: Sender, stop: Event, *, first: datetime, now: datetime, wishes: Wishes
) -> None:
    hours = -(-(now - first) // HOUR)
    trace = len(wishes.trace) // _CHUNK + bool(wishes.trace)
    with progress() as bar:
        task = bar.add_task(f"{wishes.weeks} weeks of history", total=hours + trace, calls=0)
        history = send_history(sender, first=first, now=now, seed=wishes.seed, scale=wishes.scale)
        calls = 0
        for done, calls in history:
            bar.update(task, completed=done, calls=calls)
            if stop.is_set():
                return
        for chunk in _chunks(wishes.trace):
            calls += send_all(sender, chunk)
            bar.update(task, advance=1, calls=calls)
            if stop.is_set():
                return
        sender.post()


def _chunks(exchanges: tuple[Exchange, ...]) -> Iterable[tuple[Exchange, ...]]:
    return (exchanges[at : at + _CHUNK] for at in range(0, len(exchanges), _CHUNK))


def _now() -> datetime:
    return datetime.now(UTC)
