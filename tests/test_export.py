"""Metrics of spend arrive by OTLP as the ledger has them; a receiver in trouble troubles nobody."""

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urljoin
from zoneinfo import ZoneInfo

import pytest
from budgeted import NOW
from filled_ledger import CLAUDE, GPT, SEARCH, SUPPORT, put_cell, put_charge
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint
from otlp_listener import plain
from slack_stand_in import StandIn, answer, slack_stand_in

from jobs.context import Done, JobContext, JobSettings
from jobs.delivery import destinations
from jobs.exporting import export
from jobs.exporting.exported_metrics import ATTRIBUTES, EXPORTED, STATE
from jobs.exporting.spend_points import points
from jobs.timetable import run_job
from spend.budgets.budget_states import STATES
from spend.fiscal import Calendar
from spend.totals import Totals
from store import runs
from store.metrics.spend_so_far import BudgetSoFar, PoolSoFar, SpendSoFar
from store.postgres.sessions import Database

pytestmark = pytest.mark.one_server

SECRET = "zq-very-secret"  # made up
MONTH = Calendar(ZoneInfo("UTC")).period_at(NOW)
TOLD = SpendSoFar(
    month=MONTH,
    currency="EUR",
    groups={
        ("search", "openai", "gpt-4o"): Totals(
            cost=Decimal("12.5"), calls=3, unpriced_calls=1, usage={"input": 7, "output": 2}
        ),
        ("support", None, None): Totals(calls=2, unpriced_calls=2),
    },
    folded=0,
    without_rate={"JPY": Decimal(7)},
    budgets=(
        BudgetSoFar(1, "all", "USD", MONTH.period, Decimal(9), Decimal(10), "warning"),
        BudgetSoFar(2, "none", "USD", MONTH.period, Decimal(0), Decimal(0), "ok"),
    ),
    budgets_left_out=0,
    pools=(PoolSoFar(1, "llama", "USD", 2, Decimal(8), Decimal(2)),),
    pools_left_out=4,
    complete_until=NOW - timedelta(seconds=90),
)


@dataclass
class Receiver:
    """Somebody's OTLP over HTTP."""

    stand_in: StandIn

    @property
    def settings(self) -> JobSettings:
        endpoint = urljoin(self.stand_in.url, "/otlp")
        return JobSettings(
            export_endpoint=endpoint, export_headers=(("api-key", SECRET),), key_pepper=b"p" * 16
        )

    @property
    def requests(self) -> list[ExportMetricsServiceRequest]:
        bodies = map(gzip.decompress, self.stand_in.bodies)
        return [ExportMetricsServiceRequest.FromString(body) for body in bodies]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with slack_stand_in() as stand_in:
        yield Receiver(stand_in)


def exported(database: Database, settings: JobSettings) -> Done:
    done = run_job("export", JobContext(database, now=NOW, settings=settings))
    assert done is not None
    return done


def metrics_of(request: ExportMetricsServiceRequest) -> dict[str, Metric]:
    (group,) = request.resource_metrics
    (scope,) = group.scope_metrics
    return {metric.name: metric for metric in scope.metrics}


def data_points(metric: Metric) -> list[NumberDataPoint]:
    return [*metric.sum.data_points, *metric.gauge.data_points]


def test_what_was_spent_arrives_as_it_stands_in_the_ledger(
    database: Database, receiver: Receiver
) -> None:
    with database.write() as session:
        put_cell(session, "2026-11-02T10:00", SEARCH, GPT, calls=4, input=100, cache_read=5)
        put_charge(session, "2026-11-02T10:00", "1.25", SEARCH, GPT)
        put_charge(session, "2026-11-03T10:00", "-0.5", SEARCH, GPT, kind="correction")
        put_cell(session, "2026-11-03T10:00", SUPPORT, CLAUDE, calls=2, unpriced=2, input=9)
    done = exported(database, receiver.settings)
    assert (done.failed, done.note) == (False, f"{done.counts['points']} points")
    (request,) = receiver.requests
    found = metrics_of(request)
    (cost,) = data_points(found["spanledger.month.cost"])
    assert cost.as_double == 0.75
    assert plain(cost.attributes) == {
        "spanledger.team": "search",
        "gen_ai.provider.name": "openai",
        "gen_ai.response.model": "gpt-4o",
        "spanledger.currency": "USD",
    }
    starts = datetime(2026, 11, 1, tzinfo=UTC)
    assert cost.start_time_unix_nano == int(starts.timestamp()) * 10**9
    assert cost.time_unix_nano == int(NOW.timestamp()) * 10**9
    tokens = data_points(found["spanledger.month.tokens"])
    assert {
        (plain(each.attributes)["spanledger.team"], plain(each.attributes)["spanledger.meter"]): (
            each.as_int
        )
        for each in tokens
    } == {("search", "input"): 100, ("search", "cache_read"): 5, ("support", "input"): 9}
    assert receiver.stand_in.headers[0]["api-key"] == SECRET
    assert receiver.stand_in.paths == ["/otlp/v1/metrics"]


def test_every_metric_of_the_list_is_told_with_its_attributes_and_none_besides() -> None:
    found = list(points(TOLD, NOW))
    assert {point.metric.name for point in found} == {metric.name for metric in EXPORTED}
    for point in found:
        absent = set(point.metric.attributes) - set(point.attributes)
        assert set(point.attributes) <= set(point.metric.attributes) <= set(ATTRIBUTES)
        assert absent <= {"gen_ai.provider.name", "gen_ai.response.model"}
    states = [point.attributes[STATE] for point in found if STATE in point.attributes]
    assert sorted(states) == sorted(STATES * 2)


def test_what_adds_up_is_a_sum_that_may_fall_and_what_does_not_is_a_gauge() -> None:
    found = metrics_of(export.request(TOLD, NOW, export.instance_of(JobSettings())))
    for metric in EXPORTED:
        told = found[metric.name]
        assert told.WhichOneof("data") == metric.type
        assert (told.unit, told.description) == (metric.unit, metric.description)
        if metric.type == "sum":
            assert (told.sum.aggregation_temporality, told.sum.is_monotonic) == (2, False)
        kinds = {point.WhichOneof("value") for point in data_points(told)}
        assert kinds == {"as_int" if metric.whole else "as_double"}


def test_what_is_not_known_is_not_told_as_nothing() -> None:
    unknown = replace(TOLD, complete_until=None)
    found = [(point.metric.name, dict(point.attributes)) for point in points(unknown, NOW)]
    costs = [its for name, its in found if name == "spanledger.month.cost"]
    assert [its["spanledger.team"] for its in costs] == ["search"]
    assert "spanledger.watermark.age" not in dict(found)
    shares = [its for name, its in found if name == "spanledger.budget.utilization"]
    assert shares == [{"spanledger.budget.name": "all"}]


def test_whichever_process_tells_they_are_the_same_series() -> None:
    one, other = JobSettings(key_pepper=b"p" * 16), JobSettings(key_pepper=b"q" * 16)
    assert export.instance_of(one) == export.instance_of(replace(one))
    assert export.instance_of(one) != export.instance_of(other)


def test_a_receiver_that_is_busy_is_asked_again_within_the_tick(
    database: Database, receiver: Receiver
) -> None:
    busy = [answer(429, headers={"Retry-After": "0"}), answer(503, headers={"Retry-After": "0"})]
    receiver.stand_in.script += busy
    assert not exported(database, receiver.settings).failed
    one, two, three = receiver.requests
    assert one == two == three


@pytest.mark.parametrize("status", [400, 403, 404, 500, 302])
def test_what_is_refused_for_good_is_told_once_in_the_jobs_note(
    database: Database, receiver: Receiver, status: int
) -> None:
    receiver.stand_in.script.append(answer(status, SECRET.encode(), {"Location": "/"}))
    done = exported(database, receiver.settings)
    assert done.failed
    assert len(receiver.requests) == 1
    with database.read() as session:
        run = runs.latest(session)["export"]
    assert run.failed
    assert f"answered {status}: it will not be taken as it is" in run.note
    assert SECRET not in run.note


def test_a_receiver_that_is_away_hangs_or_drips_holds_up_nothing(
    database: Database, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = receiver.stand_in
    stand_in.script += [stand_in.hang, stand_in.drip]
    began = time.monotonic()
    with monkeypatch.context() as hurried:
        hurried.setattr(export, "PATIENCE", 0.3)
        for settings in (
            receiver.settings,
            receiver.settings,
            replace(receiver.settings, export_endpoint="http://127.0.0.1:9"),
        ):
            done = exported(database, settings)
            assert done.failed
            assert "told another time" in done.note
            assert SECRET not in done.note
    assert time.monotonic() - began < destinations.TIMEOUT
    # On a busy machine it may have been given up before it was asked.
    stand_in.script.clear()
    assert not exported(database, receiver.settings).failed


def test_points_that_were_refused_are_told(database: Database, receiver: Receiver) -> None:
    partly = ExportMetricsServiceResponse()
    partly.partial_success.rejected_data_points = 2
    partly.partial_success.error_message = "too many series"
    receiver.stand_in.script += [
        answer(200, partly.SerializeToString()),
        answer(200, b"<html>welcome</html>"),
    ]
    assert exported(database, receiver.settings).note.endswith(
        "2 of them refused (too many series)"
    )
    assert exported(database, receiver.settings).note.endswith("points")


def test_nothing_is_told_where_nobody_asked_for_it(database: Database) -> None:
    assert exported(database, JobSettings()).note == "nothing is told: EXPORT_ENDPOINT is not set"


def test_a_setting_that_is_shown_shows_no_header(receiver: Receiver) -> None:
    assert SECRET not in repr(receiver.settings)
    assert SECRET not in json.dumps(str(receiver.settings))
