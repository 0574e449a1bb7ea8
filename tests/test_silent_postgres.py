"""A Postgres that swallows everything and never answers: nobody waits for it, nothing is lost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event

import pytest
from doors import call, open_doors, request
from faults.proxy import Proxy, Weather
from serving import eventually
from spooled import NOON
from sqlalchemy import select
from test_intake import Request, Seen

from collector.batches import Writer
from collector.deadlines import Deadlines
from collector.limits import Limits
from collector.spool.state import Bounds, Place, look
from store.postgres.sessions import Database, open_database
from store.tables.heard import sightings


@contextmanager
def proxied(database: Database) -> Iterator[tuple[Proxy, Database]]:
    """The same database behind a network with weather."""
    url = database.engine.url
    proxy = Proxy((str(url.host), url.port or 5432), Random(1))
    url = url.set(host="127.0.0.1", port=proxy.port)
    through = open_database(url.render_as_string(hide_password=False), application="tests")
    try:
        yield proxy, through
    finally:
        through.engine.dispose()
        proxy.close()


@pytest.mark.one_server
def test_a_postgres_that_swallows_everything_costs_nobody_a_span(
    database: Database, tmp_path: Path
) -> None:
    place = Place(tmp_path, Bounds())
    with proxied(database) as (proxy, through), open_doors(through, spool=place) as doors:
        assert doors.post(request(call(1))).status == 200
        with proxy.under(Weather(blackhole=True)):
            # Each would wait for 2.5 s, and there are six.
            began = time.monotonic()
            for number in range(2, 8):
                assert doors.post(request(call(number))).status == 200
            assert time.monotonic() - began < 12, "only the first one waited"
        eventually(lambda: look(tmp_path).waiting == 0, "the spool is stored")
        with database.read() as session:
            assert sorted(session.scalars(select(sightings.c.span_id))) == list(range(1, 8))


class Heedful(Database):
    """A database that says when it was hung up on."""

    hung_up = Event()

    def hang_up(self) -> None:
        super().hang_up()
        Heedful.hung_up.set()


@pytest.mark.one_server
def test_a_connection_that_never_answers_is_hung_up_on(database: Database) -> None:
    with proxied(database) as (proxy, through):
        heedful = Heedful(through.engine)
        deadlines = Deadlines(heedful, longest=0.5)
        deadlines.start()
        writer = Writer(heedful, Limits(), deadlines)
        writer.start()
        first = writer.put(Request([Seen(1)]).heard(), NOON)
        assert first.accounts.result(10)[0].stored == 1
        [line] = heedful._connections
        with proxy.under(Weather(blackhole=True)):
            second = writer.put(Request([Seen(2)]).heard(), NOON)
            assert Heedful.hung_up.wait(10)
            eventually(lambda: line.closed, "whoever waited was told that the connection is lost")
        assert second.accounts.result(20)[0].stored == 1, "over a new connection"
        assert writer.stop(10)
        deadlines.stop()
