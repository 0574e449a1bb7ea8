"""A day that is no longer kept is written down whole, dropped, and explained as ever."""

from pathlib import Path
from typing import Any

import pytest
from archiving import LATER, archive, hear_some, kept, settle
from filled_ledger import asking
from sighted import NOON, hear, sighting
from test_calls import list_calls, show, total

from store.archive.archived_days import all_days
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server


def unarchived(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "archived": None}


def test_an_archived_call_is_explained_as_before(database: Database, tmp_path: Path) -> None:
    ids = hear_some(database)
    before, spent = [show(database, *each) for each in ids], total(database)
    assert archive(database, tmp_path).note == "2 days dropped, 7 sightings; 2 old rows forgotten"
    assert kept(database) == 0
    after = [show(database, *each) for each in ids]
    assert [unarchived(each) for each in after] == [unarchived(each) for each in before]
    assert {each["archived"] for each in before} == {False}
    assert {each["archived"] for each in after} == {True}
    assert total(database) == spent


def test_a_list_says_from_when_on_calls_are_kept(database: Database, tmp_path: Path) -> None:
    hear_some(database)
    assert list_calls(database)["listed_from"] is None
    archive(database, tmp_path)
    listed = list_calls(database)
    assert (listed["calls"], listed["listed_from"]) == ([], "2026-10-16T00:00:00Z")
    # Also where all of it, and the day after it, was dropped.
    within = asking(database).get("/v1/calls?from=2026-10-14&to=2026-10-15").json()
    assert within["listed_from"] == "2026-10-15T00:00:00Z"
    page = asking(database).get("/calls?from=2026-10-01&to=2026-11-01").text
    assert "are not listed: their days are no longer kept" in page


def test_where_the_archive_is_away_a_call_is_not_told_to_be_none(
    database: Database, tmp_path: Path
) -> None:
    hear_some(database)
    archive(database, tmp_path / "there")
    (tmp_path / "there").rename(tmp_path / "moved")
    answer = asking(database).get(f"/v1/calls/{1:032x}/{1:016x}")
    assert (answer.status_code, answer.json()["title"]) == (503, "The archive is away")
    assert asking(database).get(f"/v1/calls/{77:032x}/{1:016x}").status_code == 404


def test_a_file_that_changed_on_its_disk_never_gives_another_answer(
    database: Database, tmp_path: Path
) -> None:
    hear_some(database)
    archive(database, tmp_path)
    asked, address = asking(database), f"/v1/calls/{7:032x}/{1:016x}"
    right, refused = asked.get(address).json(), 0
    for name in ("sightings", "joined_calls"):
        (file,) = tmp_path.glob(f"*/day={NOON.date()}/{name}.parquet")
        written = file.read_bytes()
        for place in range(0, len(written), len(written) // 12):
            file.write_bytes(written[:place] + bytes([written[place] ^ 4]) + written[place + 1 :])
            answer = asked.get(address)
            assert answer.status_code == 503 or answer.json() == right
            refused += answer.status_code == 503
        file.write_bytes(written)
    assert refused


def test_what_is_too_old_is_refused_and_a_dropped_day_takes_no_duplicate(
    database: Database, tmp_path: Path
) -> None:
    hear(database, [sighting(1)])
    settle(database)
    archive(database, tmp_path)
    assert hear(database, [sighting(1), sighting(2, start_at=LATER)], LATER) == 1
    settle(database, LATER)
    assert total(database)["calls"] == 1
    with database.read() as session:
        assert [each.day for each in all_days(session, TENANT)] == [NOON.date()]
