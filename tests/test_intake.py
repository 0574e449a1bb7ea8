"""What a batch becomes in the store: stored, duplicate, refused, and nothing unaccounted for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import numpy as np
import psycopg
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from spend.calls import Emitter, Owner, Route
from spend.ids import content_id
from store.dictionaries import Known, is_about_the_data
from store.intake.intake import Account, Batch, Heard, Part, Unaccounted, put_down
from store.postgres.partitions import ensure, strays
from store.postgres.sessions import Database
from store.sightings import SIGHTINGS
from store.tables.heard import batches, owners, sightings
from store.tenants import TENANT

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
OWNER = Owner(team="search", service="search-api")
ROUTE = Route(provider="openai", model="gpt-5")
EMITTER = Emitter(scope="test", version="1", dialect="genai")


@dataclass(frozen=True)
class Seen:
    """A sighting, as far as a test cares."""

    span: int
    trace: int = 1
    at: datetime = NOON
    owner: Owner = OWNER
    tokens: int | None = 10
    details: str | None = None
    response_id: str | None = None


@dataclass(frozen=True)
class Request:
    seen: Sequence[Seen]
    not_a_call: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)

    def heard(self) -> Heard:
        rows = [row(seen) for seen in self.seen]
        part = Part(
            heard=len(rows) + self.not_a_call + sum(self.refused.values()),
            not_a_call=self.not_a_call,
            refused=self.refused,
        )
        return Heard(
            parts=[part],
            part_of=np.zeros(len(rows), dtype=np.int64),
            sightings=pa.RecordBatch.from_pylist(rows, schema=SIGHTINGS),
            owners={content_id(seen.owner): seen.owner for seen in self.seen},
            routes={content_id(ROUTE): ROUTE},
            emitters={content_id(EMITTER): EMITTER},
        )


def row(seen: Seen) -> dict[str, object]:
    return {
        "tenant_id": TENANT,
        "trace_id": UUID(int=seen.trace).bytes,
        "span_id": seen.span,
        "day": seen.at.date(),
        "start_at": seen.at,
        "owner_id": content_id(seen.owner),
        "route_id": content_id(ROUTE),
        "outcome": 0,
        "input": seen.tokens,
        "details": seen.details,
        "emitter_id": content_id(EMITTER),
        "role": 1,
        "standing": 0,
        "response_id": seen.response_id,
    }


def put(database: Database, *requests: Request, known: Known | None = None) -> Sequence[Account]:
    batch = Batch(TENANT, NOON, [request.heard() for request in requests])
    with database.write() as session:
        return put_down(session, batch, known or Known()).accounts


def stored(database: Database) -> int:
    with database.read() as session:
        return session.execute(select(func.count()).select_from(sightings)).scalar_one()


def test_what_is_put_down_is_there_as_it_was_heard(database: Database) -> None:
    seen = Seen(span=-7, details='{"finish_reasons": ["stop"]}', response_id="chatcmpl-1")
    (account,) = put(database, Request([seen], not_a_call=2))
    assert (account.stored, account.not_a_call, account.heard) == (1, 2, 3)
    with database.read() as session:
        found = session.execute(select(sightings)).one()
        assert found.trace_id == UUID(int=1)
        assert (found.span_id, found.input, found.output) == (-7, 10, None)
        assert (found.start_at, found.day) == (NOON, NOON.date())
        owner = session.execute(select(owners)).one()
        assert (owner.id, owner.team, owner.service) == (found.owner_id, "search", "search-api")
        batch = session.execute(select(batches)).one()
        assert batch.id == found.batch_id
        assert batch.details[found.details_no] == {"finish_reasons": ["stop"]}
        assert (batch.heard, batch.stored, batch.not_a_call) == (3, 1, 2)
        assert batch.rolled_at is None


def test_a_span_sent_twice_is_stored_once_and_stays_as_it_was(database: Database) -> None:
    put(database, Request([Seen(1), Seen(2)]))
    (again,) = put(database, Request([Seen(2, tokens=99), Seen(3)]))
    assert (again.stored, again.duplicate) == (1, 1)
    assert stored(database) == 3
    with database.read() as session:
        kept = session.scalar(select(sightings.c.input).where(sightings.c.span_id == 2))
    assert kept == 10


def test_what_is_sent_again_leaves_none_of_its_details(database: Database) -> None:
    put(database, Request([Seen(n, details=f"[{n}]") for n in range(4)]))
    put(database, Request([Seen(n, details='"again"') for n in range(4)]))
    put(database, Request([Seen(n, details=f'"{n}"') for n in range(1, 6)]))
    with database.read() as session:
        first, second, third = session.scalars(select(batches.c.details).order_by(batches.c.id))
        found = session.execute(
            select(sightings.c.span_id, batches.c.details, sightings.c.details_no)
            .join(batches, batches.c.id == sightings.c.batch_id)
            .order_by(sightings.c.span_id)
        )
        told = [(span, details[number]) for span, details, number in found]
    assert told == [*((n, [n]) for n in range(4)), (4, "4"), (5, "5")]
    assert (first, second, third) == ([[0], [1], [2], [3]], None, [None, None, None, "4", "5"])


def test_of_one_span_in_two_requests_of_a_batch_the_earlier_request_has_it(
    database: Database,
) -> None:
    first, second = put(database, Request([Seen(1), Seen(1)]), Request([Seen(1), Seen(2)]))
    assert (first.stored, first.duplicate) == (1, 1)
    assert (second.stored, second.duplicate) == (1, 1)


def test_a_span_that_postgres_refuses_costs_no_other_span_its_place(database: Database) -> None:
    spans = [Seen(n, details=r'{"a": "\u0000"}' if n == 37 else "{}") for n in range(100)]
    good, bad = put(database, Request([Seen(1, trace=2)]), Request(spans))
    assert good.stored == 1
    assert bad.stored == 99
    assert bad.refused == {"cannot be stored (SQLSTATE 22P05)": 1}
    with database.read() as session:
        batch = session.execute(select(batches)).one()
    assert (batch.heard, batch.stored, batch.refused) == (101, 100, 1)
    assert batch.refused_for == {"cannot be stored (SQLSTATE 22P05)": 1}


@pytest.mark.one_server
@pytest.mark.parametrize("last", [Seen(1), Seen(9, tokens=None)])
def test_copied_straight_is_all_or_nothing(database: Database, last: Seen) -> None:
    refuse_rows_without_tokens(database)

    def straight(*seen: Seen) -> Sequence[Account]:
        with database.write() as session:
            batch = Batch(TENANT, NOON, [Request(seen).heard()])
            return put_down(session, batch, Known(), straight=True).accounts

    assert straight(Seen(1), Seen(2), Seen(2))[0].stored == 2
    with pytest.raises(psycopg.Error) as refusal:
        straight(Seen(3), last)
    assert is_about_the_data(refusal.value)
    assert stored(database) == 2


def refuse_rows_without_tokens(database: Database) -> None:
    """Of what collectors write Postgres refuses nothing that we know of."""
    with database.write() as session:
        session.execute(text("ALTER TABLE sightings ALTER COLUMN input SET NOT NULL"))


def test_a_refused_span_beside_duplicates_is_found_too(database: Database) -> None:
    refuse_rows_without_tokens(database)
    put(database, Request([Seen(n) for n in range(10)]))
    spans = [Seen(n, tokens=None if n == 15 else 10) for n in range(20)]
    (account,) = put(database, Request(spans))
    assert account.refused == {"cannot be stored (SQLSTATE 23502)": 1}
    assert (account.stored, account.duplicate, sum(account.refused.values())) == (9, 10, 1)


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_an_owner_that_postgres_refuses_costs_only_its_own_spans(
    database: Database, name: str
) -> None:
    (account,) = put(database, Request([Seen(1), Seen(2, owner=Owner(team=name)), Seen(3)]))
    assert account.stored == 2
    assert sum(account.refused.values()) == 1


def test_days_without_a_partition_are_kept_and_move_when_they_get_one(database: Database) -> None:
    early = datetime(1970, 1, 1, tzinfo=UTC)
    late = datetime(2554, 1, 1, tzinfo=UTC)
    put(database, Request([Seen(1, at=early), Seen(2, at=NOON), Seen(3, at=late)]))
    with database.read() as session:
        assert strays(session, date(2026, 1, 1), date(2026, 12, 31)) == [NOON.date()]
    with database.write() as session:
        made = ensure(session, NOON.date(), NOON.date() + timedelta(days=1))
        assert [(m.table, m.moved) for m in made if m.moved] == [("sightings", 1)]
    with database.write() as session:
        assert ensure(session, NOON.date(), NOON.date() + timedelta(days=1)) == []
        assert session.scalar(text("SELECT span_id FROM sightings_2026_11_20")) == 2
    (again,) = put(database, Request([Seen(2, at=NOON), Seen(4, at=NOON)]))
    assert (again.stored, again.duplicate) == (1, 1)
    assert stored(database) == 4


def test_numbers_that_do_not_add_up_are_not_stored(database: Database) -> None:
    heard = Request([Seen(1)]).heard()
    wrong = replace(heard, parts=[replace(heard.parts[0], heard=5)])
    with pytest.raises(Unaccounted), database.write() as session:
        put_down(session, Batch(TENANT, NOON, [wrong]), Known())
    assert stored(database) == 0


SEEN = st.builds(
    Seen,
    span=st.integers(0, 6),
    trace=st.integers(1, 2),
    at=st.sampled_from([NOON, NOON + timedelta(days=1), datetime(1971, 1, 1, tzinfo=UTC)]),
    owner=st.sampled_from([OWNER, Owner(team="a\0b")]),
    details=st.sampled_from([None, "{}", '"\\u0000"']),
)
REQUESTS = st.lists(
    st.builds(
        Request,
        seen=st.lists(SEEN, max_size=8),
        not_a_call=st.integers(0, 3),
        refused=st.dictionaries(st.sampled_from(["no id", "no start"]), st.integers(1, 3)),
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rounds=st.lists(REQUESTS, min_size=1, max_size=3))
def test_what_is_heard_is_stored_duplicate_not_a_call_or_refused(
    database: Database, rounds: list[list[Request]]
) -> None:
    before = stored(database)
    known = Known()
    accounts = [a for requests in rounds for a in put(database, *requests, known=known)]
    for account, request in zip(
        accounts, [r for requests in rounds for r in requests], strict=True
    ):
        assert account.heard == request.heard().parts[0].heard
        assert account.heard == (
            account.stored + account.duplicate + account.not_a_call + sum(account.refused.values())
        )
    assert stored(database) - before == sum(account.stored for account in accounts)
    with database.read() as session:
        names = ("heard", "stored", "duplicate", "not_a_call", "refused")
        columns = [func.sum(batches.c[name]) for name in names]
        heard, kept, duplicate, not_a_call, refused = tuple(session.execute(select(*columns)).one())
        assert heard == kept + duplicate + not_a_call + refused
        assert kept == stored(database)
