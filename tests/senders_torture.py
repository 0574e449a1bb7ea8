"""Eight sender processes that are killed at random, while what they send to fails at random.

Each round arms thresholds of budgets anew and has them reached; at the end each crossing must be
visible once at its place, or be dead and shown as that. A message that is shown twice is only
forgiven where the first sender was killed before it could write down that it was shown (or, where
asked for, the answer was lost), and is counted.
"""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from budgeted import NOW, budget, change, charge
from slack_in_trouble import InTrouble, Showing, Trouble, slack_in_trouble
from sqlalchemy import Row, func, select
from sqlalchemy.exc import SQLAlchemyError

from jobs.budgets import evaluate_budgets
from jobs.context import JobContext, JobSettings
from jobs.delivery import deliver, destinations, send_alerts, verdicts
from spend.budgets.budgets import Budget
from spend.channels.channels import ChannelSecret, channel_terms
from store.access.secrets import Seal
from store.channels import channels
from store.postgres.sessions import Database, open_database
from store.tables.budgets import crossings, outbox
from store.tenants import TENANT

SENDERS = 8
PEPPER = b"of the torture"
SHORT_LEASE, LONG_LEASE = 5.0, 8.0
"""Seconds. On a machine with much else to do a sender is slower than a short one."""
THRESHOLDS = [50, 80, 100]
SETTLING = 60.0
"""Seconds in which everything must have been sent once the trouble is over."""


@dataclass
class Found:
    """What a torture found."""

    rounds: int = 0
    kills: int = 0
    crossings: int = 0
    messages: int = 0
    dead: int = 0
    shown: int = 0
    dead_and_shown: int = 0
    """Shown, and the sender killed before its mark; then refused when it was sent again."""
    lost: list[str] = field(default_factory=list)
    doubled_by_kills: int = 0
    """Shown twice: the sender was killed between the showing and its mark."""
    doubled_by_lost_answers: int = 0
    doubled_by_late_answers: int = 0
    """The stand-in had no turn on the processor before the sender gave it up."""
    doubled_where_it_can_be_asked: int = 0
    """Of all that is doubled: at a bot's channel, or at a webhook that knows ids."""
    unexplained: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def broken(self) -> list[str]:
        return self.lost + self.unexplained


@dataclass(frozen=True)
class Stake:
    """What a sender process is told."""

    database: str
    slack: str
    began: float
    lease: float

    def settings(self) -> JobSettings:
        return JobSettings(
            slack_webhook_url=f"{self.slack}/services/default",
            slack_api_url=f"{self.slack}/api",
            allow_private_destinations=True,
            key_pepper=PEPPER,
        )

    def now(self) -> datetime:
        return NOW + timedelta(seconds=time.time() - self.began)


def warm(stake: Stake) -> Database:
    """A database without connections, whose statements are compiled."""
    database = open_database(stake.database, application="sender", pool_size=2)
    context = JobContext(database, stake.now(), stake.settings())
    evaluate_budgets.run(context)
    send_alerts.run(context)
    database.engine.dispose()
    return database


def send_for_ever(stake: Stake, database: Database, number: int) -> None:
    """A sender's life; ends by kill -9, or with the process that started it."""
    parent = os.getppid()
    destinations._AGENT = f"sender {os.getpid()}".encode()
    chance = random.Random(os.getpid())
    while os.getppid() == parent:
        context = JobContext(database, stake.now(), stake.settings())
        # The clock goes on, too, whatever becomes of one run.
        with suppress(SQLAlchemyError):
            if number == 0:
                evaluate_budgets.run(context)
            send_alerts.run(context)
        # As the clock's ticks: eight that never rest would only fight for the processor.
        time.sleep(chance.uniform(0.2, 0.5))


def hurry(lease: float) -> None:
    """What takes seconds in life takes parts of them here."""
    changes: list[tuple[object, str, object]] = [
        (deliver, "LEASE", timedelta(seconds=lease)),
        (deliver, "LONGEST_SEND", lease / 2),
        (deliver, "FIRST_WAIT", timedelta(seconds=0.05)),
        # Eight that draw would only fight for the processor.
        (deliver, "picture_of", lambda *_: None),
        (destinations, "TIMEOUT", lease / 4),
        (verdicts, "FIRST_WAIT", timedelta(seconds=0.1)),
        (verdicts, "LONGEST_WAIT", timedelta(seconds=0.5)),
        (verdicts, "LONGEST_RETRY_AFTER", timedelta(seconds=0.3)),
    ]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    for module, name, value in changes:
        setattr(module, name, value)


@dataclass
class Torture:
    database: Database
    stake: Stake
    slack: InTrouble
    chance: random.Random
    budgets: list[Budget] = field(default_factory=list)
    nursery: "subprocess.Popen[str] | None" = None
    senders: list[int] = field(default_factory=list)
    killed: dict[int, float] = field(default_factory=dict)
    """Process → when."""
    found: Found = field(default_factory=Found)

    def furnish(self) -> None:
        """Budgets whose messages go to webhooks of their own, to channels, to the default."""
        seal = Seal(PEPPER)
        kinds = [
            ("slack-webhook", (), f"{self.slack.url}/services/channel"),
            ("slack-bot", ("C0000001",), "xoxb-0000000000"),
            ("slack-bot", ("C0000002",), "xoxb-0000000000"),
            ("webhook", (), f"{self.slack.url}/hook/1"),
        ]
        ids = []
        for number, (kind, to, secret) in enumerate(kinds):
            terms = channel_terms(name=f"{kind} {number}", kind=kind, to=to)
            with self.database.write() as session:
                made = channels.create(
                    session, TENANT, terms, ChannelSecret(secret), seal=seal, now=NOW
                )
            ids.append(made.id)
        for number in range(8):
            own = f"{self.slack.url}/services/{number}" if number < 3 else None
            where = [ids[number - 3]] if 3 <= number < 7 else []
            self.budgets.append(self._budget(number, own, where))
        charge(self.database, "100000")

    def _budget(self, number: int, own: str | None, where: list[int]) -> Budget:
        return budget(
            self.database,
            name=f"b{number}",
            thresholds=THRESHOLDS,
            webhook_url=own,
            channel_ids=where,
        )

    def start(self, number: int) -> int:
        """The id of a new sender's process."""
        assert self.nursery
        assert self.nursery.stdin
        assert self.nursery.stdout
        self.nursery.stdin.write(f"{number}\n")
        self.nursery.stdin.flush()
        return int(self.nursery.stdout.readline())

    def round(self, number: int, pace: float) -> None:
        """New versions of some budgets, whose thresholds are reached at once; and some kills."""
        self.found.rounds += 1
        for index in self.chance.sample(range(len(self.budgets)), 3):
            old = self.budgets[index]
            terms = old.terms
            self.budgets[index] = change(
                self.database,
                old,
                self.stake.now(),
                name=terms.name,
                amount=str(100 + number),
                thresholds=THRESHOLDS,
                webhook_url=terms.webhook_url,
                channel_ids=list(terms.channel_ids),
            )
        # One of the senders does so, too.
        self._evaluate()
        for _ in range(self.chance.randint(0, 2)):
            # Its length is what is tried: a kill at any moment.
            time.sleep(self.chance.uniform(0, pace))
            self.kill(self.chance.randrange(SENDERS))

    def _evaluate(self) -> None:
        evaluate_budgets.run(JobContext(self.database, self.stake.now(), self.stake.settings()))

    def kill(self, number: int) -> None:
        victim = self.senders[number]
        os.kill(victim, signal.SIGKILL)
        self.killed[victim] = time.time()
        self.found.kills += 1
        self.senders[number] = self.start(number)

    def settle(self) -> None:
        """Lets everything be sent, without any more kills, and in the end without any trouble."""
        began = time.monotonic()
        while self._waiting() and time.monotonic() < began + SETTLING:
            self.slack.at_ease = time.monotonic() > began + SETTLING / 2
            time.sleep(0.05)

    def _waiting(self) -> int:
        asked = select(func.count()).where(outbox.c.status == "pending")
        with self.database.read() as session:
            return session.scalar(asked) or 0

    def judge(self) -> Found:
        found = self.found
        found.answers = self.slack.answers
        with self.database.read() as session:
            rows = session.execute(
                select(outbox.c.crossing_id, outbox.c.status, outbox.c.last_error, outbox.c.body)
            ).all()
            crossed = set(session.scalars(select(crossings.c.id)))
        told = [row for row in rows if row.crossing_id is not None]
        found.crossings, found.messages = len(crossed), len(told)
        if sorted(row.crossing_id for row in told) != sorted(crossed):
            found.lost.append("not every crossing has one message")
        seen: defaultdict[int, list[Showing]] = defaultdict(list)
        for showing in self.slack.showings:
            for alert in showing.alerts:
                seen[alert].append(showing)
        refused = {alert for alert, _ in self.slack.refused}
        for row in told:
            self._judge_one(row, seen[row.crossing_id], refused)
        return found

    def _judge_one(self, row: Row[Any], showings: list[Showing], refused: set[int]) -> None:
        found, alert, status = self.found, row.crossing_id, row.status
        found.dead += status == "dead"
        found.shown += bool(showings)
        found.dead_and_shown += bool(showings) and status == "dead"
        if status == "dead" and alert not in refused:
            found.lost.append(f"alert {alert} is dead, and nobody refused it")
        if status == "sent" and not showings:
            found.lost.append(f"alert {alert} was lost: sent, they say, and never shown")
        if status not in {"dead", "sent"}:
            found.lost.append(f"alert {alert} is {status}: {row.last_error}")
        *repeated, _last = sorted(showings, key=lambda each: each.shown_at) or [None]
        for showing in repeated:
            assert showing
            found.doubled_where_it_can_be_asked += not showing.where.startswith("/services")
            if self._died_before_its_mark(showing):
                found.doubled_by_kills += 1
            elif not showing.answered:
                found.doubled_by_lost_answers += 1
            elif showing.too_late:
                found.doubled_by_late_answers += 1
            else:
                last = max(each.shown_at for each in showings)
                found.unexplained.append(
                    f"alert {alert} is shown twice at {showing.where},"
                    f" {last - showing.shown_at:.2f} s apart"
                )

    def _died_before_its_mark(self, showing: Showing) -> bool:
        """Whether the process was killed, and asked nothing more of this place before that.

        It may have been dead already when its request was read.
        """
        later = (
            sender == showing.sender and where == showing.where and at > showing.shown_at
            for at, sender, where in self.slack.requests
        )
        return showing.sender in self.killed and not any(later)


@contextmanager
def senders(torture: Torture) -> Iterator[None]:
    with subprocess.Popen(  # noqa: S603  # this very program
        [sys.executable, "-m", "sender_nursery", json.dumps(asdict(torture.stake))],
        cwd=Path(__file__).parent,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as nursery:
        torture.nursery = nursery
        assert nursery.stdout
        assert nursery.stdout.readline() == "ready\n"
        torture.furnish()
        torture.senders = [torture.start(number) for number in range(SENDERS)]
        yield


def tortured(
    url: str,
    *,
    rounds: int,
    seed: int,
    trouble: Trouble | None = None,
    pace: float = 0.3,
    lease: float = LONG_LEASE,
) -> Found:
    """Tortures senders on an empty, migrated database."""
    began = time.monotonic()
    chance = random.Random(seed)
    database = open_database(url, application="torture")
    with slack_in_trouble(random.Random(chance.random())) as slack:
        slack.trouble = trouble or Trouble()
        torture = Torture(database, Stake(url, slack.url, time.time(), lease), slack, chance)
        with senders(torture):
            for number in range(rounds):
                torture.round(number, pace)
            torture.settle()
        found = torture.judge()
    database.engine.dispose()
    found.seconds = time.monotonic() - began
    return found
