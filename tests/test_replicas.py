"""What is read from a standby is true: of a moment that it says, with what the asker wrote, and
never an error that the primary would not have.
"""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from conftest import fresh_database
from doctored import found, only
from fastapi.testclient import TestClient
from filled_ledger import at, described, put_cell, put_run
from serving import eventually
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from standing_by import backends_stopped, held, over, standby_of
from test_pages_preferences import OURS, token

from api import reading
from api.app import NOUNS, PAGES, QUESTIONS, create_app
from api.settings import ApiSettings
from api.spending import spend
from app.examination import standby as doctor
from app.examination.findings import State
from app.local_postgres import LocalPostgres
from store.completeness import complete_until
from store.postgres import replica as replicas
from store.postgres.replica import Position, Replica
from store.postgres.sessions import Database, open_database

pytestmark = pytest.mark.one_server

NOW = at("2026-10-20T12:00")
SPEND = "/v1/spend?from=2026-10-01&to=2026-10-31"
PRICES = "/v1/prices"
POSITION = reading.POSITION
PRICE = {"provider": "openai", "model": "gpt-4o", "meter": "input", "unit_price": "2.50",
         "currency": "USD", "valid_from": "2026-01-01T00:00:00Z"}  # fmt: skip


@dataclass
class Asked:
    """An API over a primary and its standby."""

    api: TestClient
    primary: Database
    replica: Replica
    refuses: bool = False
    """Whether the replica leaves everything to the primary."""
    by_replica: list[Position] = field(default_factory=list)
    """For each question that a session of the standby was opened for, what it had to hold."""

    def state(self) -> str:
        return str(self.api.get("/readyz").json()["replica"])

    def comes_back(self) -> None:
        eventually(lambda: self.state() == "answers", "the replica answers")

    def is_of_replica(self, ask: Callable[[], Any]) -> bool:
        before = len(self.by_replica)
        answer = ask()
        assert answer.status_code in {200, 304}, answer.text
        return len(self.by_replica) > before


@pytest.fixture(scope="module")
def standby(
    postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalPostgres]:
    with standby_of(postgres, tmp_path_factory.mktemp("standby") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def over_both(postgres: LocalPostgres, standby: LocalPostgres) -> Iterator[Asked]:
    with fresh_database(postgres) as url, pytest.MonkeyPatch.context() as patched:
        # Seconds of a person are none of a test's, and a busy machine is no replica that hangs.
        patched.setattr(replicas, "_LOOKS_EVERY", 0.05)
        patched.setattr(replicas, "_HANGS_AFTER", 60)
        patched.setattr(replicas, "_GOOD_FOR", 60)
        name = url.rpartition("/")[2]
        with psycopg.connect(url, autocommit=True) as connection:
            # As servers are that are not a test's.
            connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = on")
        primary = open_database(url, application="tests")
        with over(primary, standby.url_of(name)) as near:
            app = create_app(primary, ApiSettings(), lambda: NOW, near)
            described(app)
            with TestClient(app, headers=OURS) as api:
                asked = Asked(api, primary, near)
                count(asked, patched)
                yield asked
        primary.engine.dispose()


@pytest.fixture
def asked(over_both: Asked) -> Asked:
    """One for all tests, who leave in it what they like."""
    over_both.refuses = False
    over_both.api.cookies.clear()
    over_both.comes_back()
    replayed(over_both)
    over_both.by_replica.clear()
    return over_both


def count(asked: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    read = asked.replica.read

    @contextmanager
    def counted(since: Position) -> Iterator[Session]:
        if asked.refuses:
            raise replicas.NotNear
        with read(since) as session:
            asked.by_replica.append(since)
            yield session

    monkeypatch.setattr(asked.replica, "read", counted)


HOURS = itertools.count()


def settled(asked: Asked) -> str:
    """As the jobs leave it: one more call, and until when it is complete then."""
    slot = at("2026-10-18") + timedelta(hours=next(HOURS))
    until = f"{slot + timedelta(hours=1):%Y-%m-%dT%H:%M}"
    with asked.primary.write() as session:
        put_cell(session, f"{slot:%Y-%m-%dT%H:%M}", calls=1, charged=False)
    with asked.primary.write() as session:
        for job in ("roll", "charge"):
            put_run(session, job, until, finished=until)
    return f"{until}:00Z"


def replayed(asked: Asked) -> None:
    """The standby has all that was committed."""
    since = replicas.written(asked.primary)

    def has() -> bool:
        try:
            with asked.replica.read(since):
                return True
        except (replicas.NotNear, SQLAlchemyError):  # or what it replays sends us away
            return False

    eventually(has, "the standby has it all")


def test_a_lagging_replica_never_says_complete(asked: Asked, standby: LocalPostgres) -> None:
    def told() -> tuple[int, str]:
        answer = asked.api.get(SPEND).json()
        return answer["total"]["calls"], answer["complete_until"]

    first = settled(asked)
    replayed(asked)
    calls, until = told()
    assert until == first
    with held(standby):
        second = settled(asked)
        asked.by_replica.clear()
        assert told() == (calls, first)
        assert asked.by_replica, "nobody asked the replica"
        with asked.primary.read() as session:
            assert complete_until(session) == at(second)
    replayed(asked)
    assert told() == (calls + 1, second)


def test_what_was_just_written_is_read_back(asked: Asked, standby: LocalPostgres) -> None:
    with held(standby):
        posted = asked.api.post(PRICES, json=PRICE)
        assert posted.status_code == 201
        position = posted.headers[POSITION]
        # Who says nothing gets what there was a moment before, who says it what they wrote.
        assert asked.api.get(PRICES).json()["prices"] == []
        mine = asked.api.get(PRICES, headers={POSITION: position})
        assert [each["unit_price"] for each in mine.json()["prices"]] == ["2.50"]
        assert int(mine.headers[POSITION]) >= int(position)
    replayed(asked)
    back = {POSITION: position}
    assert asked.is_of_replica(lambda: asked.api.get(PRICES, headers=back))
    assert len(asked.api.get(PRICES, headers=back).json()["prices"]) == 1


def test_a_browser_reads_back_what_it_wrote(asked: Asked, standby: LocalPostgres) -> None:
    fields = {"name": "a view of ours", "form_token": token(asked.api, "/explore")}
    replayed(asked)
    with held(standby):
        posted = asked.api.post("/explore", data=fields, follow_redirects=False)
        assert posted.status_code == 303, posted.text
        said = next(
            each for each in posted.headers.get_list("set-cookie") if reading.COOKIE in each
        )
        assert "Max-Age=61; Path=/; HttpOnly; SameSite=Lax" in said
        assert "a view of ours" in asked.api.get("/explore").text
        asked.api.cookies.clear()
        assert asked.is_of_replica(lambda: asked.api.get("/explore"))
        assert "a view of ours" not in asked.api.get("/explore").text
    replayed(asked)


def test_a_browser_never_goes_back_in_time(asked: Asked, standby: LocalPostgres) -> None:
    with held(standby):
        settled(asked)
        # The primary answers now, and then the replica would.
        asked.refuses = True
        assert not asked.is_of_replica(lambda: asked.api.get("/explore"))
        asked.refuses = False
        assert not asked.is_of_replica(lambda: asked.api.get("/explore"))
        asked.api.cookies.clear()
        assert asked.is_of_replica(lambda: asked.api.get("/explore"))


def test_an_etag_of_something_newer_is_never_answered_with_the_old(
    asked: Asked, standby: LocalPostgres
) -> None:
    replayed(asked)
    with held(standby):
        old = asked.api.get(SPEND).headers["ETag"]
        settled(asked)
        asked.refuses = True
        new = asked.api.get(SPEND).headers["ETag"]
        asked.refuses = False
        assert old != new
        # The same as the replica's: of the moment that it is of. Another: the primary is asked.
        same = asked.api.get(SPEND, headers={"If-None-Match": old})
        assert (same.status_code, same.headers["ETag"]) == (304, old)
        newer = asked.api.get(SPEND, headers={"If-None-Match": new})
        assert (newer.status_code, newer.headers["ETag"]) == (304, new)
        other = asked.api.get(SPEND, headers={"If-None-Match": '"another"'})
        assert (other.status_code, other.headers["ETag"]) == (200, new)


def test_a_replica_too_far_behind_is_done_without(asked: Asked, standby: LocalPostgres) -> None:
    name = str(asked.primary.engine.url.database)
    with over(asked.primary, standby.url_of(name), most_behind=0.3) as strict:
        eventually(lambda: strict.state == "answers", "it answers")
        with held(standby):
            settled(asked)
            eventually(lambda: strict.state == "behind", "it is seen to be behind")
            with pytest.raises(replicas.NotNear), strict.read(replicas.NOWHERE):
                pass
        eventually(lambda: strict.state == "answers", "it answers again")


def test_a_replica_that_is_away_is_done_without(asked: Asked, standby: LocalPostgres) -> None:
    assert asked.is_of_replica(lambda: asked.api.get(SPEND))
    assert standby.pid
    os.kill(standby.pid, signal.SIGINT)
    eventually(lambda: not standby.alive(), "the standby is gone")
    try:
        for _ in range(3):
            assert not asked.is_of_replica(lambda: asked.api.get(SPEND))
        eventually(lambda: asked.state() == "away", "it is seen to be away")
    finally:
        standby.recover()
    asked.comes_back()
    assert asked.is_of_replica(lambda: asked.api.get(SPEND))


def test_a_replica_that_hangs_is_done_without(
    asked: Asked, standby: LocalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    replayed(asked)
    monkeypatch.setattr(replicas, "_HANGS_AFTER", 0.5)
    monkeypatch.setattr(replicas, "_GOOD_FOR", 1)
    with backends_stopped(standby):
        assert not asked.is_of_replica(lambda: asked.api.get(SPEND))
        eventually(lambda: asked.state() == "away", "it is seen to hang")
        assert not asked.is_of_replica(lambda: asked.api.get(SPEND))
    asked.comes_back()


def test_a_conflict_with_recovery_is_asked_again_of_the_primary(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(asked)
    replayed(asked)
    asked_of: list[bool] = []

    def interrupted(session: Session) -> Any:
        asked_of.append(bool(session.scalar(text("SELECT pg_is_in_recovery()"))))
        if asked_of == [True]:
            with asked.primary.engine.begin() as connection:
                connection.execute(text("LOCK TABLE cells IN ACCESS EXCLUSIVE MODE"))
            session.execute(text("SELECT pg_sleep(20)"))
        return complete_until(session)

    monkeypatch.setattr(spend, "complete_until", interrupted)
    answer = asked.api.get(SPEND)
    assert answer.status_code == 200
    assert asked_of == [True, False]


@pytest.mark.parametrize("place", ["/v1/months", "/v1/budgets", "/settings/keys"])
def test_what_decides_is_read_from_the_primary(asked: Asked, place: str) -> None:
    assert not asked.is_of_replica(lambda: asked.api.get(place))


def test_what_was_known_at_a_moment_is_read_from_the_primary(asked: Asked) -> None:
    then = f"{SPEND}&as_known_at=2026-10-20T11:00:00Z"
    assert not asked.is_of_replica(lambda: asked.api.get(then))
    assert asked.is_of_replica(lambda: asked.api.get(SPEND))


def test_a_question_with_a_body_is_read_from_the_replica(asked: Asked) -> None:
    before = len(asked.by_replica)
    asked.api.post("/v1/what-if", json={"targets": [{"to": "openai/gpt-4o"}]})
    assert len(asked.by_replica) > before


def test_the_lists_of_places_name_routes_that_there_are() -> None:
    modules = [module for module, _permission in NOUNS] + [*PAGES, *QUESTIONS]
    paths = {str(route.path) for each in modules for route in each.router.routes}
    assert set(reading.FROM_PRIMARY) | set(reading.ASKED_WITH_A_BODY) <= paths


def test_a_position_that_is_none_is_refused(asked: Asked) -> None:
    for wrong in ("0/1A2B", "-1", "1e9", "9" * 30, "\uff11"):
        answer = asked.api.get(SPEND, headers=[(POSITION.encode(), wrong.encode())])
        assert answer.status_code == 422
        assert answer.json()["field"] == POSITION
    asked.api.cookies.set(reading.COOKIE, "nonsense")
    assert asked.api.get(SPEND).status_code == 200


def found_out(wrong: Replica) -> bool:
    return str(wrong._why).startswith("READ_DATABASE_URL")


def test_a_server_that_is_no_standby_of_ours_is_never_asked(
    asked: Asked, standby: LocalPostgres
) -> None:
    own = asked.primary.engine.url.set(drivername="postgresql")
    for url in (own.render_as_string(hide_password=False), standby.url_of("postgres")):
        with over(asked.primary, url) as wrong:
            eventually(partial(found_out, wrong), "it is found out")
            assert wrong.state == "away"
            with pytest.raises(replicas.NotNear), wrong.read(replicas.NOWHERE):
                pass
        with asked.primary.read() as session:
            finding = only(found(doctor.replica, session, read_database_url=url))
        assert (finding.state, finding.said[:10]) == (State.WRONG, "no standby")


def test_the_doctor_says_how_the_replica_is(asked: Asked, standby: LocalPostgres) -> None:
    def told(url: str) -> tuple[State, str]:
        with asked.primary.read() as session:
            finding = only(found(doctor.replica, session, read_database_url=url))
        return finding.state, finding.said

    url = standby.url_of(str(asked.primary.engine.url.database))
    assert told(url)[0] is State.WELL
    with held(standby):
        settled(asked)
        state, said = told(url)
        assert (state, "bytes behind" in said) == (State.LOOK, True)
    state, said = told("postgresql://somebody@127.0.0.1:1/spanledger")
    assert (state, said[:5]) == (State.WRONG, "away,")
    with asked.primary.read() as session:
        assert found(doctor.replica, session) == []


def test_who_has_no_replica_is_told_no_position(database: Database) -> None:
    with TestClient(create_app(database, ApiSettings(), lambda: NOW)) as api:
        answer = api.get("/explore")
        assert POSITION not in answer.headers
        assert reading.COOKIE not in answer.headers.get("set-cookie", "")
        assert api.get("/readyz").json() == {"status": "ok"}
