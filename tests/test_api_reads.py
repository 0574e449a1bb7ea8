"""A question costs the same however many calls there were: it reads rollups, never calls."""

import itertools
from typing import Any

from filled_ledger import asking
from sqlalchemy import event

from store.postgres.sessions import Database

OCTOBER = {"from": "2026-10-01", "to": "2026-11-01"}


def test_a_month_is_asked_of_the_rollups_alone(database: Database) -> None:
    """However many calls there were: no statement reads sightings or joined calls."""
    asked: list[str] = []
    client = asking(database)

    def listen(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(database.engine, "before_cursor_execute", listen)
    for path, group_by in itertools.product(("spend", "performance"), ("day,team,model", "")):
        client.get(f"/v1/{path}", params=OCTOBER | {"group_by": group_by}).raise_for_status()
    client.get("/v1/statements/2026-10").raise_for_status()
    assert asked
    assert not [each for each in asked if "sightings" in each or "joined_calls" in each]
