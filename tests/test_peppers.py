"""Machines of one database have one pepper, or say at their start that they have not."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from app.errors import WrongSetting
from app.first_look import look_after_database
from app.pepper import pepper_for, refuse_another_pepper
from app.settings import Settings
from store.access.keys import create_key, revoke_key
from store.postgres.sessions import Database
from store.tables.access import keys
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def machine(folder: Path) -> Settings:
    """Whose pepper is made on first use, as nobody set one."""
    return Settings(data_dir=folder, spool=False)


def key_of(database: Database, settings: Settings) -> str:
    with database.write() as session:
        made = create_key(
            session,
            tenant=TENANT,
            kind="ingest",
            name="search",
            team=None,
            pepper=pepper_for(settings),
            now=NOW,
        )
    return made.split("_")[2][:8]


def test_a_machine_whose_pepper_opens_no_key_says_so_and_does_not_start(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    one, two = machine(tmp_path / "one"), machine(tmp_path / "two")
    refuse_another_pepper(two, database, NOW)
    made = key_of(database, one)
    refuse_another_pepper(one, database, NOW)
    with pytest.raises(WrongSetting, match=r"SPANLEDGER_KEY_PEPPER: .* \(search\) .* another"):
        refuse_another_pepper(two, database, NOW)
    with pytest.raises(WrongSetting):
        look_after_database(two, database_url, {}, Event())
    # Whoever lost the pepper for good begins anew.
    with database.write() as session:
        assert revoke_key(session, made, tenant=TENANT, now=NOW)
    refuse_another_pepper(two, database, NOW)


def test_a_machine_that_opens_some_keys_or_cannot_tell_starts(
    database: Database, tmp_path: Path
) -> None:
    one, two = machine(tmp_path / "one"), machine(tmp_path / "two")
    key_of(database, one)
    key_of(database, two)
    refuse_another_pepper(one, database, NOW)
    refuse_another_pepper(two, database, NOW)
    with database.write() as session:
        session.execute(keys.update().values(pepper_mark=None))  # as of before
    refuse_another_pepper(machine(tmp_path / "three"), database, NOW)
