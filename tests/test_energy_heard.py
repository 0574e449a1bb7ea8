"""Metrics of energy are heard from those who measure it, kept once, and looked up by the hour."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint
from spans import pairs
from sqlalchemy import func, select

from collector.spool.codec import decode, encode
from collector.understanding.metrics import understand_metrics
from jobs.charging import charge
from jobs.context import JobContext
from spend.capacity.energy import EnergyCounter, EnergyReading, fits
from spend.capacity.pool_files import pool_of_fields
from store.capacity import pool_hours, pools
from store.dictionaries import Known
from store.intake.intake import Account, Batch, Heard, put_down
from store.postgres.sessions import Database
from store.readings.energy import claim_told, joules_by_hour
from store.tables.energy import energy_readings
from store.tenants import TENANT

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=2)
HOUR = timedelta(hours=1)
DCGM = "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"
SCRAPED = {"service.name": "dcgm", "service.instance.id": "10.0.0.7:9400"}
GPU = {
    "gpu": "0",
    "UUID": "GPU-6d5c0ac5-74d7",
    "device": "nvidia0",
    "modelName": "NVIDIA H100",
    "Hostname": "gpu-7",
}

Point = tuple[float, int | float, Mapping[str, str]]
"""Minutes after NOON, value, attributes."""


def _request(
    name: str,
    points: Sequence[Point],
    *,
    kind: str = "sum",
    temporality: int = 2,
    unit: str = "",
    resource: Mapping[str, str] = SCRAPED,
    lasted: float = 0,
) -> bytes:
    metric = Metric(name=name, unit=unit)
    data = getattr(metric, kind)
    if kind == "sum":
        data.aggregation_temporality = temporality
    for minutes, value, attributes in points:
        at = NOON + timedelta(minutes=minutes)
        since = at - timedelta(minutes=lasted)
        point = NumberDataPoint(
            attributes=pairs(attributes),
            time_unix_nano=int(at.timestamp()) * 10**9,
            start_time_unix_nano=int(since.timestamp()) * 10**9 if lasted else 0,
        )
        setattr(point, "as_int" if isinstance(value, int) else "as_double", value)
        data.data_points.append(point)
    body = ExportMetricsServiceRequest()
    group = body.resource_metrics.add()
    group.resource.attributes.extend(pairs(resource))
    group.scope_metrics.add().metrics.append(metric)
    return body.SerializeToString()


def _heard(*requests: bytes) -> Heard:
    return understand_metrics(requests, tenant=TENANT, received_at=LATER)


def _only(heard: Heard) -> tuple[EnergyCounter, EnergyReading]:
    ((reading,),) = (part.energy for part in heard.parts)
    return heard.energy_counters[reading.counter], reading


def _put(database: Database, *heard: Heard) -> Sequence[Account]:
    with database.write() as session:
        return put_down(session, Batch(TENANT, LATER, heard), Known()).accounts


TOLD: dict[str, tuple[str, dict[str, Any], dict[str, str], float]] = {
    "NVIDIA's exporter, scraped": (DCGM, {}, GPU, 1),
    "scraped, its kind lost": (DCGM, {"kind": "gauge"}, GPU, 1),
    "the collector's own receiver": (
        "gpu.dcgm.energy_consumption",
        {"unit": "J"},
        {"gpu_number": "0", "uuid": "GPU-1", "model": "H100"},
        1000,
    ),
    "the conventions": ("hw.energy", {"unit": "J"}, {"hw.id": "0", "hw.type": "gpu"}, 1000),
    "MetricsHub": ("hw.gpu.energy", {"unit": "J"}, {"hw.id": "0"}, 1000),
    "a unit that is told": ("hw.gpu.energy", {"unit": "Wh"}, {"hw.id": "0"}, 3_600_000),
    "a machine's": ("hw.host.energy", {"unit": "J"}, {"quality": "measured"}, 1000),
}


@pytest.mark.parametrize("case", TOLD)
def test_who_measures_energy_is_understood(case: str) -> None:
    name, how, attributes, unit = TOLD[case]
    request = _request(name, [(1, 1234.5, attributes)], **how)
    counter, reading = _only(_heard(request))
    assert reading.millijoules == round(1234.5 * unit)
    assert reading.read_at == NOON + timedelta(minutes=1)
    assert counter.cumulative
    assert counter.whole_host is (name == "hw.host.energy")
    assert counter.attributes["service.name"] == "dcgm"


OTHERS: dict[str, tuple[str, dict[str, Any], Point]] = {
    "power": ("hw.power", {"kind": "gauge"}, (1, 300.0, GPU)),
    "a gauge of the conventions": ("hw.gpu.energy", {"kind": "gauge"}, (1, 300.0, GPU)),
    "a fan's": ("hw.energy", {}, (1, 300.0, {"hw.id": "1", "hw.type": "fan"})),
    "an estimate": ("hw.host.energy", {}, (1, 300.0, {"quality": "estimated"})),
    "a device that cannot tell": (DCGM, {}, (1, 0, GPU)),
}


@pytest.mark.parametrize("case", OTHERS)
def test_other_metrics_are_counted_as_such(case: str) -> None:
    name, how, point = OTHERS[case]
    (part,) = _heard(_request(name, [point], **how)).parts
    assert (part.heard, part.not_a_call, list(part.energy)) == (1, 1, [])


REFUSED: dict[str, tuple[dict[str, Any], Point]] = {
    "value: no amount of energy": ({}, (1, -1, GPU)),
    "unit: none of energy": ({"unit": "W"}, (1, 5, GPU)),
    "time_unix_nano: in the future": ({}, (60 * 24 * 9, 5, GPU)),
    "aggregation_temporality: neither delta nor cumulative": ({"temporality": 0}, (1, 5, GPU)),
}


@pytest.mark.parametrize("why", REFUSED)
def test_a_point_that_cannot_be_is_refused_by_name(why: str) -> None:
    how, point = REFUSED[why]
    (part,) = _heard(_request(DCGM, [point], **how)).parts
    assert part.refused == Counter({why: 1})
    assert (part.heard, part.not_a_call, list(part.energy)) == (1, 0, [])


def test_numbers_that_are_none_are_refused() -> None:
    for value in (float("nan"), float("inf"), 1e300):
        (part,) = _heard(_request(DCGM, [(1, value, GPU)])).parts
        assert part.refused == Counter({"value: no amount of energy": 1})


def test_a_gpu_stays_itself_whoever_scrapes_it_and_whatever_runs_on_it() -> None:
    moved = {**GPU, "pod": "llama-2", "namespace": "serving", "GPU_I_ID": "3"}
    one, _ = _only(_heard(_request(DCGM, [(1, 5, GPU)])))
    other, _ = _only(_heard(_request(DCGM, [(1, 5, moved)], resource={"host.name": "scraper"})))
    assert one.device == other.device
    assert one.attributes["host.name"] == other.attributes["host.name"] == "gpu-7"
    assert one.attributes["hw.id"] == GPU["UUID"]
    assert not {"pod", "namespace", "GPU_I_ID"} & set(other.attributes)
    elsewhere, _ = _only(
        _heard(_request(DCGM, [(1, 5, {"gpu": "0"})], resource={"host.name": "gpu-8"}))
    )
    assert elsewhere.device != one.device


def test_a_record_of_the_spool_holds_energy() -> None:
    heard = _heard(_request(DCGM, [(1, 5, GPU)]), _request("other", [(1, 5, {})]))
    back = decode(encode(heard, LATER)).heard
    assert back.energy_counters == heard.energy_counters
    assert [list(part.energy) for part in back.parts] == [list(it.energy) for it in heard.parts]


def _day() -> list[bytes]:
    """Two GPUs with 400 W each over three hours, read each minute; the second restarts."""
    other = {**GPU, "UUID": "GPU-other", "gpu": "1"}
    requests = []
    for minute in range(-1, 181):
        used = 24_000_000 * minute
        restarted = used + 10**10 if minute < 90 else used - 24_000_000 * 89
        points: list[Point] = [(minute, used + 10**10, GPU), (minute, restarted, other)]
        requests.append(_request(DCGM, points))
    return requests


MATCH = {"host.name": "gpu-*"}


def _hours(database: Database, match: Mapping[str, str] = MATCH) -> dict[int, tuple[int, Fraction]]:
    with database.write() as session:
        found = joules_by_hour(session, TENANT, match, NOON, NOON + 4 * HOUR)
    return {(hour - NOON) // HOUR: (it.millijoules, it.covered) for hour, it in found.items()}


@pytest.mark.one_server
def test_hours_are_the_same_in_any_order_with_repeats_and_over_restarts(
    database: Database,
) -> None:
    day = _day()
    for again in (False, True):
        requests = [*day, *day[::7]] if again else day
        random.Random(7).shuffle(requests)
        for first in range(0, len(requests), 20):
            accounts = _put(database, _heard(*requests[first : first + 20]))
            for account in accounts:
                assert account.heard == 2 == account.stored + account.duplicate
            if again:
                assert not any(account.stored for account in accounts)
        watts = 24_000_000 * 60
        assert _hours(database) == {
            0: (2 * watts, Fraction(1)),
            1: (2 * watts, Fraction(1)),
            2: (2 * watts, Fraction(1)),
            3: (0, Fraction(0)),
        }
    assert _hours(database, {"hw.id": "GPU-6d5*"})[0] == (24_000_000 * 60, Fraction(1))
    assert _hours(database, {"host.name": "gpu-8"}) == {}
    with database.write() as session:
        kept = session.execute(select(func.count()).select_from(energy_readings)).scalar_one()
    assert kept == 2 * 38


@pytest.mark.one_server
def test_what_was_told_anew_names_the_hours_that_it_changes_once(database: Database) -> None:
    def claimed() -> list[tuple[int, int]]:
        with database.write() as session:
            told = claim_told(session, TENANT)
        assert all(fits(it.attributes, MATCH) for it in told)
        return [((it.first - NOON) // HOUR, (it.last - NOON) // HOUR) for it in told]

    _put(database, _heard(_request(DCGM, [(10, 10**9, GPU), (190, 2 * 10**9, GPU)])))
    # It may have stood still for an hour; and until it tells more, it is expected for a day.
    assert claimed() == [(-1, 3 + 24)]
    assert claimed() == []
    _put(database, _heard(_request(DCGM, [(70, 12 * 10**8, GPU)])))
    assert claimed() == [(0, 3)]
    _put(database, _heard(_request(DCGM, [(70, 12 * 10**8, GPU)])))
    assert claimed() == []


@pytest.mark.one_server
def test_an_hour_is_the_same_whatever_is_asked_with_it(database: Database) -> None:
    chance = random.Random(3)
    points: list[Point] = []
    minute, used = -1600.0, 10**9
    while minute < 240:
        minute += chance.choice([1, 3, 20, 50, 70, 400])
        used += chance.choice([0, 0, 90_000_000])
        points.append((minute, used, GPU))
    _put(database, _heard(_request(DCGM, points)))
    whole = _hours(database)
    assert len(whole) == 4
    for number, hour in whole.items():
        start = NOON + number * HOUR
        with database.write() as session:
            alone = joules_by_hour(session, TENANT, MATCH, start, start + HOUR)[start]
        assert (alone.millijoules, alone.covered) == hour


@pytest.mark.one_server
def test_deltas_add_up_and_a_second_agent_tells_of_the_same(database: Database) -> None:
    for agent in ("one", "two"):
        resource = {"host.name": "gpu-7", "service.instance.id": agent}
        points: list[Point] = [
            (10 * n + (agent == "two"), 240_000.0, {"hw.id": "0", "hw.type": "gpu"})
            for n in range(1, 6)
        ]
        requests = [
            _request("hw.energy", [point], temporality=1, resource=resource, lasted=10)
            for point in points
        ]
        _put(database, _heard(*requests, *requests))
    assert _hours(database)[0] == (5 * 240_000_000, Fraction(5, 6))


@pytest.mark.one_server
def test_attributes_that_cannot_be_kept_cost_no_reading(database: Database) -> None:
    odd = {
        **GPU,
        "Hostname": "gpu\x00-7",
        "hw.\x00name": "\x00",
        "hw.name": "z" * 100_000,
        **{f"hw.{n}": "many" for n in range(200)},
    }
    heard = _heard(_request(DCGM, [(-5, 10**9, odd), (55, 10**9 + 36_000, odd)]))
    (account,) = _put(database, heard)
    assert account.stored == 2
    assert _hours(database)[0] == (33_000, Fraction(55, 60))


@pytest.mark.one_server
def test_what_gpus_drew_is_what_their_pool_costs_also_where_it_is_told_late(
    database: Database,
) -> None:
    now = NOON + timedelta(minutes=70)
    power = {"kind": "energy", "watts": 600, "idle_watts": 600, "price_per_kwh": "0.25"}
    fields = {
        "name": "gpus",
        "from": NOON.isoformat(),
        "match": {"provider": ["vllm"]},
        "components": [
            {"kind": "rental", "amount": "1", "per": "hour"},
            {**power, "measured": MATCH},
        ],
    }
    with database.write() as session:
        pools.apply(session, TENANT, [pool_of_fields(fields, currency="USD", now=now)])

    def settled() -> tuple[Decimal, Decimal | None, Decimal | None]:
        charge.run(JobContext(database=database, now=now))
        with database.read() as session:
            hours = pool_hours.hours(session, TENANT, 1, NOON, NOON + HOUR)
        _, part = pool_hours.components_of(hours)
        return part.amount, part.kwh, part.measured_kwh

    def scraped(minutes: float) -> bytes:
        return _request(DCGM, [(minutes, 10**9 + round((minutes + 5) * 24_000_000), GPU)])

    assert settled() == (Decimal("0.15"), Decimal("0.6"), Decimal(0))
    # 400 W: half of the hour is measured, then all of it.
    _put(database, _heard(scraped(-5), scraped(30)))
    assert settled() == (Decimal("0.125"), Decimal("0.5"), Decimal("0.2"))
    _put(database, _heard(scraped(60)))
    assert settled() == (Decimal("0.1"), Decimal("0.4"), Decimal("0.4"))
