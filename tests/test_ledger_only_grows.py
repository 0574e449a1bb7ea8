"""What is posted stays: the database itself refuses to change it."""

import pytest
from filled_ledger import put_charge
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from store.postgres.sessions import Database
from store.tables.ledger import charges

pytestmark = pytest.mark.one_server


@pytest.mark.parametrize(
    "statement",
    ["UPDATE charges SET amount = 0", "DELETE FROM charges", "TRUNCATE charges"],
)
def test_a_charge_can_be_neither_changed_nor_deleted(database: Database, statement: str) -> None:
    with database.write() as session:
        put_charge(session, "2026-10-20T12:00", "1.25")
    with (
        pytest.raises(ProgrammingError, match="the ledger only grows: post a correction"),
        database.write() as session,
    ):
        session.execute(text(statement))
    with database.read() as session:
        assert str(session.scalar(select(func.sum(charges.c.amount)))) == "1.250000000000"
