"""A bucket that speaks S3 holds days as a folder does."""

import logging
from collections.abc import Iterator

import pytest
from archiving import archive, hear_some, kept
from bucket_stand_in import Bucket, bucket
from filled_ledger import asking
from sighted import NOON
from test_calls import show

from store.archive.archive_files import folder_of
from store.archive.archived_days import all_days
from store.postgres.sessions import Database
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

SECRET = "a secret that nobody must see"


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "stand-in")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with bucket() as made:
        yield made


def test_calls_go_to_a_bucket_and_are_explained_from_there(
    database: Database, held: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    ids = hear_some(database)
    before = [show(database, *each) for each in ids]
    archive(database, f"s3://calls/here?region=eu-1&scheme=http&endpoint_override={held.url}")
    assert kept(database) == 0
    folder = f"here/{folder_of(TENANT, NOON.date())}"
    names = ("joined_calls.parquet", "manifest.json", "sightings.parquet")
    assert [each for each in sorted(held.objects) if folder in each] == [
        f"{folder}/{name}" for name in names
    ]
    assert [{**show(database, *each), "archived": False} for each in ids] == before
    held.away = True
    answer = asking(database).get(f"/v1/calls/{1:032x}/{1:016x}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "3")
    assert held.url not in answer.text
    with database.read() as session:
        assert SECRET not in f"{all_days(session, TENANT)}{caplog.text}"


def test_a_bucket_that_is_away_costs_nothing(database: Database, held: Bucket) -> None:
    ids = hear_some(database)
    held.away = True
    with pytest.raises(Exception, match="the archive at s3://calls"):
        archive(database, f"s3://calls?region=eu-1&scheme=http&endpoint_override={held.url}")
    assert kept(database) == len(ids)
    held.away = False
    archive(database, f"s3://calls?region=eu-1&scheme=http&endpoint_override={held.url}")
    assert kept(database) == 0
