"""Requests are understood together, and each is as if it had come alone."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from deliveries import sent
from hypothesis import given, settings
from hypothesis import strategies as st
from records import Record, logs
from spans import RECEIVED, Told, call, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from test_salvage import batch, spoiled
from test_understand_anything import BAGS, RECORDS, SPANS

import collector.batches
import collector.groups
from collector.batches import Writer
from collector.errors import Busy, Malformed
from collector.groups import Groups, Pending
from collector.keeping import Keeper
from collector.limits import InFlight, Limits
from collector.senders import Sender
from collector.signals import Request, Signal
from collector.tally import Tally
from collector.understanding.by_signal import understand_signal
from store.intake.intake import Batch, Heard, PutDown, put_down
from store.postgres.sessions import Database
from store.tables.heard import owners, sightings
from store.tenants import TENANT


def understood(signal: Signal, requests: Sequence[bytes]) -> Heard:
    return understand_signal(signal, requests, tenant=TENANT, received_at=RECEIVED)


def each_is_as_if_alone(signal: Signal, requests: Sequence[bytes]) -> None:
    together = understood(signal, requests)
    assert len(together.parts) == len(requests)
    for number, body in enumerate(requests):
        alone = understood(signal, [body])
        assert together.parts[number] == alone.parts[0]
        rows = together.sightings.filter(together.part_of == number)
        assert rows.equals(alone.sightings)
        assert alone.owners.items() <= together.owners.items()
        assert alone.routes.items() <= together.routes.items()
        assert alone.emitters.items() <= together.emitters.items()
        assert alone.counters.items() <= together.counters.items()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.lists(SPANS, max_size=3), BAGS), max_size=5))
def test_requests_of_spans_understood_together_are_as_if_alone(
    told: list[tuple[list[Told], Mapping[str, object]]],
) -> None:
    bodies = [request(*spans, resource=resource) for spans, resource in told]
    each_is_as_if_alone(Signal.TRACES, bodies)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.lists(RECORDS, max_size=3), BAGS), max_size=4))
def test_requests_of_log_records_understood_together_are_as_if_alone(
    told: list[tuple[list[Record], Mapping[str, object]]],
) -> None:
    bodies = [logs(*records, resource=resource) for records, resource in told]
    each_is_as_if_alone(Signal.LOGS, bodies)


@pytest.mark.parametrize("signal", list(Signal))
def test_captured_requests_understood_together_are_as_if_alone(signal: Signal) -> None:
    scenarios = ("claude-code/default", "otel-genai/openai", "claude-code/default")
    bodies = [body for name in scenarios for _, body in sent(name, [signal])]
    each_is_as_if_alone(signal, [*bodies, b"", *bodies])


def test_an_item_that_cannot_be_read_is_lost_from_its_own_request() -> None:
    each_is_as_if_alone(Signal.TRACES, [batch(3), spoiled(batch(40), {7, 9}), b"", batch(2)])


def test_a_parent_in_another_request_is_no_parent_that_chance_may_choose() -> None:
    above = call(span_id=b"\x01" * 8)
    between = replace(call(span_id=b"\x02" * 8, parent_span_id=above.span_id), attributes={})
    below = call(span_id=b"\x03" * 8, parent_span_id=between.span_id)
    each_is_as_if_alone(Signal.TRACES, [request(above), request(between), request(below)])


def end_of_all(
    database: Database, *told: tuple[Sender, Signal, bytes], items: int = 3
) -> list[Any]:
    """What a collector answers to requests that come at once: accounts and errors."""
    writer = Writer(database, Limits())
    groups = Groups(Keeper(writer, None), Tally(), Limits(), InFlight(1))
    writer.start()

    async def all_at_once() -> list[Any]:
        loop = asyncio.get_running_loop()
        pending = [
            Pending(Request(body), items, sender, signal, RECEIVED, loop.create_future())
            for sender, signal, body in told
        ]
        return await asyncio.gather(*map(groups.account, pending), return_exceptions=True)

    try:
        return asyncio.run(all_at_once())
    finally:
        groups.stop()
        assert writer.stop(10)


def spans_of(trace: int, *, bad: bool = False) -> bytes:
    told = [call(trace_id=bytes([trace] * 16), span_id=bytes([n] * 8)) for n in (1, 2)]
    return request(*told, *([call(trace_id=b"short")] if bad else []))


@pytest.mark.one_server
def test_in_company_of_the_malformed_each_has_its_own_account(database: Database) -> None:
    sender = Sender(TENANT, None)
    bodies = [spans_of(1), b"\xff", spans_of(2, bad=True), spans_of(1), b"", spans_of(3)]
    ends = end_of_all(database, *((sender, Signal.TRACES, body) for body in bodies))
    assert isinstance(ends.pop(1), Malformed)
    counts = [(it.heard, it.stored, it.duplicate, sum(it.refused.values())) for it in ends]
    assert counts == [(2, 2, 0, 0), (3, 2, 0, 1), (2, 0, 2, 0), (0, 0, 0, 0), (2, 2, 0, 0)]


@pytest.mark.one_server
def test_one_request_that_nobody_foresaw_costs_no_other_its_place(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fragile(session: Session, batch: Batch, *others: Any, **named: Any) -> PutDown:
        if any(part.refused for part in batch.parts):
            raise RuntimeError("nobody foresaw this")
        return put_down(session, batch, *others, **named)

    monkeypatch.setattr(collector.batches, "put_down", fragile)
    sender = Sender(TENANT, None)
    bodies = [spans_of(1), spans_of(2, bad=True), spans_of(1), spans_of(3)]
    ends = end_of_all(database, *((sender, Signal.TRACES, body) for body in bodies))
    assert isinstance(ends.pop(1), Busy)
    counts = [(it.heard, it.stored + it.duplicate) for it in ends]
    assert counts == [(2, 2), (2, 2), (2, 2)]
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(sightings)) == 4


@pytest.mark.one_server
def test_only_what_one_sender_sends_of_one_signal_is_understood_together(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[tuple[Signal, str | None, int]] = []

    def noted(signal: Signal, requests: Sequence[bytes], **others: Any) -> Heard:
        groups.append((signal, others["key_team"], len(requests)))
        return understand_signal(signal, requests, **others)

    monkeypatch.setattr(collector.groups, "understand_signal", noted)
    many = [(Sender(TENANT, "many"), Signal.METRICS, b"")] * 5
    assert len(end_of_all(database, *many, items=Limits().spans // 2)) == len(many)
    assert [count for _, _, count in groups] == [2, 2, 1], "as many items as one may have"
    groups.clear()
    ours, theirs = Sender(TENANT, "ours"), Sender(TENANT, "theirs")
    told = [(ours, theirs)[n % 2] for n in range(1, 11)]
    ends = end_of_all(
        database,
        *((sender, Signal.TRACES, spans_of(n)) for n, sender in enumerate(told, 1)),
        *((ours, Signal.LOGS, b"") for _ in range(5)),
    )
    assert [it.stored for it in ends] == [2] * 10 + [0] * 5
    assert sorted(groups) == [
        (Signal.LOGS, "ours", 5),
        (Signal.TRACES, "ours", 5),
        (Signal.TRACES, "theirs", 5),
    ]
    with database.read() as session:
        found = select(sightings.c.trace_id, owners.c.team).join(
            owners, owners.c.id == sightings.c.owner_id
        )
        teams = {trace.bytes[0]: team for trace, team in session.execute(found)}
    assert teams == {n: sender.team for n, sender in enumerate(told, 1)}
