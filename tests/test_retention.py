"""What is kept for a time only: nothing of it is lost on the way, and no number moves."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from archiving import KEPT, LATER, archive, context, hear_some, kept, settle
from owned import apply, moved, rules
from points import NOON as POINTS_AT
from points import Point, metrics
from pyarrow.fs import LocalFileSystem
from sighted import NOON, hear, heard, sighting
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from test_calls import LITELLM, set_prices, show, total
from test_metrics_understood import CALL, USAGE

from app.errors import WrongSetting
from app.settings import read_settings
from collector.signals import Signal
from collector.understanding.by_signal import understand_signal
from jobs.charging import reprice
from jobs.context import JobContext, JobSettings
from jobs.keeping import archive_days
from spend.archive_addresses import NONE
from spend.calls import Role
from store.archive import archived_days
from store.archive.archive_files import NotWhatIsThere, write_day
from store.archive.archive_places import ArchiveAway, Opened
from store.dictionaries import Known
from store.intake import retention
from store.intake.intake import Batch, Heard, put_down
from store.postgres.partitions import ensure, name_of
from store.postgres.sessions import Database
from store.prices import repricings
from store.tables.heard import batches, heard_from, joined_calls, sightings
from store.tables.ledger import charges
from store.tables.readings import told
from store.tables.rollups import cells
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

MIDNIGHT = NOON.replace(hour=23, minute=59, second=59)


def books(database: Database) -> list[tuple[Any, ...]]:
    """What the ledger and the cells come to, whoever posted it when."""
    by = (charges.c.slot, charges.c.owner_id, charges.c.payer_id, charges.c.kind, charges.c.meter)
    used = (cells.c.slot, cells.c.owner_id, cells.c.route_id, cells.c.calls, cells.c.input)
    with database.read() as session:
        money = session.execute(
            select(*by, func.sum(charges.c.amount), func.count()).group_by(*by).order_by(*by)
        )
        return [*map(tuple, money), *map(tuple, session.execute(select(*used).order_by(*used)))]


def partitions(database: Database) -> list[str]:
    with database.read() as session:
        names = (name_of(table, NOON.date()) for table in ("sightings", "joined_calls"))
        return [name for name in names if session.scalar(select(func.to_regclass(name)))]


def note_of(database: Database) -> archived_days.ArchivedDay | None:
    with database.read() as session:
        return archived_days.one_day(session, TENANT, NOON.date())


def killed(database_url: str, folder: Path, at: str) -> int:
    """The exit code of a process that archives and is killed on the way."""
    child = Path(__file__).with_name("killed_archiving.py")
    done = subprocess.run(  # noqa: S603  # that very file
        [sys.executable, "-P", child, database_url, folder, LATER.isoformat(), at],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    return done.returncode


def test_killed_anywhere_nothing_is_lost_and_the_next_run_goes_on(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    with database.write() as session:
        ensure(session, NOON.date(), NOON.date())
    ids = hear_some(database)
    before, booked = [show(database, *each) for each in ids], books(database)
    for at in ("writing", "dropping"):
        assert killed(database_url, tmp_path, at) == -signal.SIGKILL
        assert (kept(database), len(partitions(database))) == (len(ids), 2)
        assert (note_of(database) is None) == (at != "dropping")
    archive(database, tmp_path)
    assert (kept(database), partitions(database), books(database)) == (0, [], booked)
    assert [{**show(database, *each), "archived": False} for each in ids] == before
    assert not list(tmp_path.rglob("*.part"))


def test_corrections_of_a_dropped_time_are_those_of_one_that_is_kept(
    database: Database, another_database: Database, tmp_path: Path
) -> None:
    """Late calls, twins across midnight, re-pricing, a reorganisation."""
    both = database, another_database
    for each in both:
        hear_some(each)
    archive(database, tmp_path)
    for each in both:
        assert books(each) == books(another_database)
        set_prices(each, input="3", output="11")
        with each.write() as session:
            starts = NOON.replace(hour=0)
            repricings.request(
                session, TENANT, starts, starts + timedelta(days=2), dry_run=False, now=LATER
            )
        reprice.run(context(each, None))
        apply(each, rules(moved("search", "discovery", from_="2026-10-14")))
        hear(each, [sighting(90, start_at=LATER), sighting(1, 77, start_at=LATER)], LATER)
        settle(each, LATER + timedelta(hours=1))
    assert kept(database) == 2
    assert books(database) == books(another_database)
    assert total(database) == total(another_database)
    assert total(database)["calls"] == total(database, team="discovery")["calls"] == 6


def test_what_still_waits_keeps_its_day(database: Database, tmp_path: Path) -> None:
    set_prices(database, input="2.5", output="10")
    hear(database, [sighting(1)])
    assert archive(database, tmp_path).note.startswith("0 days dropped")
    settle(database)
    with database.write() as session:
        session.execute(update(cells).values(charged=False))
    assert archive(database, tmp_path).note.startswith("0 days dropped, 0 sightings; 1 wait")
    assert [each.waits_for for each in archive_days.plan(context(database, tmp_path))] == [
        "1 of its cells are not charged"
    ]
    with database.write() as session:
        session.execute(update(cells).values(charged=True))
    assert archive(database, tmp_path).note.startswith("1 days dropped")


def test_nothing_is_dropped_where_nobody_said_so(database: Database) -> None:
    hear(database, [sighting(1)])
    settle(database)
    settings = context(database, None, settings=JobSettings())
    assert archive_days.run(settings).note == "nothing is dropped: RETENTION_DAYS is not set"
    with pytest.raises(ArchiveAway):
        archive_days.run(context(database, None))
    assert kept(database) == 1


def test_without_an_archive_calls_are_gone_and_their_sums_stay(database: Database) -> None:
    hear_some(database)
    before = books(database)
    archive(database, NONE)
    assert (kept(database), books(database)) == (0, before)
    found = note_of(database)
    assert found is not None
    assert (found.place, found.sightings) == (None, 6)


def test_who_reads_for_long_is_let_finish_and_a_file_that_changed_is_written_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each takes a second.
    monkeypatch.setattr("jobs.keeping.archive_days._TRIES", 1)
    with database.write() as session:
        ensure(session, NOON.date(), NOON.date())
    ids = hear_some(database)
    with database.read() as reader:
        reader.execute(select(func.count()).select_from(sightings))
        assert archive(database, tmp_path).note.startswith("1 days dropped, 1 sightings; 1 wait")
    assert kept(database) == len(ids) - 1
    for file in tmp_path.rglob("sightings.parquet"):
        file.write_bytes(file.read_bytes()[:-1] + b"?")
    archive(database, tmp_path)
    assert kept(database) == 0
    assert show(database, *ids[0])["archived"]


def test_what_changed_after_it_was_written_is_not_dropped(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear_some(database)
    remember = archived_days.remember

    def change(session: Session, *written: Any) -> None:
        session.execute(update(sightings).values(output=51))
        remember(session, *written)

    monkeypatch.setattr(archived_days, "remember", change)
    with pytest.raises(NotWhatIsThere):
        archive(database, tmp_path)
    monkeypatch.undo()
    assert kept(database) == 7
    archive(database, tmp_path)
    assert show(database, 1, 1)["usage"]["output_tokens"] == 51


def test_who_comes_late_writes_nothing_over_a_day_that_was_dropped(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs at once, as the connection was lost that held the lock of one of them."""
    ids = hear_some(database)
    plan = archive_days.plan

    def plan_and_be_late(late: JobContext) -> list[archive_days.Planned]:
        planned = plan(late)
        monkeypatch.setattr(archive_days, "plan", plan)
        archive(database, tmp_path)
        return planned

    monkeypatch.setattr(archive_days, "plan", plan_and_be_late)
    with pytest.raises(NotWhatIsThere, match="dropped meanwhile"):
        archive(database, tmp_path)
    assert all(show(database, *each)["archived"] for each in ids)
    at = Opened(str(tmp_path), LocalFileSystem(), str(tmp_path))
    with database.read() as session, pytest.raises(NotWhatIsThere, match="had 6 sightings, now 0"):
        write_day(session, TENANT, NOON.date(), at, lambda _: None, 6)
    assert all(show(database, *each)["archived"] for each in ids)


def test_where_more_is_kept_again_what_was_not_dropped_stays(
    database: Database, tmp_path: Path
) -> None:
    hear_some(database)
    with database.write() as session:
        retention.take_from(session, TENANT, LATER.date())
        retention.freeze(session, TENANT)
    more = JobSettings(retention_days=400, archive=str(tmp_path))
    assert archive(database, tmp_path, settings=more).note.startswith("0 days dropped")
    assert kept(database) == 7


def test_a_call_that_is_partly_dropped_is_counted_once(database: Database, tmp_path: Path) -> None:
    """A sighting of a day that is kept, of a call of one that is not: later news leave it alone."""
    same: dict[str, Any] = {"response_id": "chatcmpl-123456789"}
    server: dict[str, Any] = {"emitter": LITELLM, "role": Role.SERVER, "parent_span_id": 1}
    next_day = MIDNIGHT + timedelta(seconds=2)
    hear(database, [sighting(1, 1, start_at=MIDNIGHT, **same)])
    hear(database, [sighting(1, 2, start_at=next_day, **same, **server)])
    settle(database)
    assert total(database)["calls"] == 1
    now = NOON + timedelta(days=KEPT + 3)
    archive(database, tmp_path, now=now)
    assert kept(database) == 1
    before = [show(database, 1, span) for span in (1, 2)]
    assert [each["archived"] for each in before] == [True, True]
    assert [len(each["sightings"]) for each in before] == [2, 2]
    # In its trace, as long after as can be that is still taken.
    hear(database, [sighting(1, 3, start_at=next_day + timedelta(days=2), parent_span_id=2)], now)
    settle(database, now)
    assert total(database)["calls"] == 2
    assert [show(database, 1, span) for span in (1, 2)] == before


def test_bookkeeping_of_dropped_days_is_forgotten(database: Database, tmp_path: Path) -> None:
    hear_some(database)
    archive(database, tmp_path)
    with database.read() as session:
        left = {
            table.name: session.scalar(select(func.count()).select_from(table))
            for table in (batches, heard_from, told, joined_calls)
        }
    assert (left["batches"], left["heard_from"], left["joined_calls"]) == (0, 0, 0)
    assert left["told"]
    archive(database, tmp_path, now=LATER + timedelta(days=80))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(told)) == 0


def test_what_is_taken_never_moves_back(database: Database, tmp_path: Path) -> None:
    archive(database, tmp_path)
    archive(database, tmp_path, now=LATER - timedelta(days=20))
    with database.read() as session:
        assert retention.kept_from(session, TENANT) == (LATER - timedelta(days=KEPT)).date()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"RETENTION_DAYS": "90"}, "SPANLEDGER_RETENTION_DAYS: set SPANLEDGER_ARCHIVE too"),
        ({"RETENTION_DAYS": "0", "ARCHIVE": "none"}, "SPANLEDGER_RETENTION_DAYS: Input should be"),
        ({"ARCHIVE": "s3://AKIA:hidden@bucket"}, "AWS_SECRET_ACCESS_KEY"),
        ({"ARCHIVE": "s3://bucket?secret_key=hidden"}, "region, endpoint_override, scheme"),
        ({"ARCHIVE": "archive"}, "an absolute path"),
        ({"ARCHIVE": "gs://bucket"}, "an absolute path"),
    ],
)
def test_a_wrong_setting_is_told_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], why: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"SPANLEDGER_{name}", value)
    with pytest.raises(WrongSetting, match=why) as refused:
        read_settings()
    assert "hidden" not in str(refused.value)


def test_what_a_sender_was_told_is_safe_is_taken_after_its_last_day(
    database: Database, tmp_path: Path
) -> None:
    """It waited on a collector's disk meanwhile."""
    hear_some(database)
    day = timedelta(days=1)
    settings = JobSettings(retention_days=KEPT, archive=str(tmp_path), spooled=day)
    now, late = NOON + (KEPT + 2) * day, heard([sighting(60), sighting(1, 1)])

    def fates(what: Heard) -> tuple[int, int, int]:
        with database.write() as session:
            (said,) = put_down(session, Batch(TENANT, now, [what]), Known()).accounts
        return said.stored, said.duplicate, sum(said.refused.values())

    archive(database, tmp_path, now=now, settings=settings)
    assert fates(late) == (0, 0, 2)
    assert fates(replace(late, acknowledged=True)) == (1, 1, 0)
    settle(database, now)
    assert total(database)["calls"] == 7
    archive(database, tmp_path, now=now + 3 * day, settings=settings)
    assert show(database, 60, 1)["archived"]
    # Never again once it is dropped: nobody knows then whether it is there.
    assert fates(replace(late, acknowledged=True)) == (0, 0, 2)
    assert kept(database) == 1


def test_a_data_point_of_a_day_that_is_not_kept_is_refused_and_told(
    database: Database, tmp_path: Path
) -> None:
    archive(database, tmp_path, now=POINTS_AT + timedelta(days=KEPT))
    said = {**CALL, "gen_ai.token.type": "input"}
    told = [
        metrics(USAGE, [Point(10, calls=1, at=at, since=at - 60, attributes=said)])
        for at in (-86_400, 60)
    ]
    points = understand_signal(
        Signal.METRICS, told, tenant=TENANT, received_at=POINTS_AT + timedelta(hours=1)
    )
    with database.write() as session:
        done = put_down(session, Batch(TENANT, POINTS_AT, [points]), Known())
    old, new = done.accounts
    assert dict(old.refused) == {"time_unix_nano: too_old, its day is not kept any more": 1}
    assert (new.refused, new.stored) == ({}, 1)
