"""Brings a database to the newest shape, once, however many processes ask at a time."""

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.engine import make_url

from migrations.shapes import FOLDER
from store.tables import METADATA


def alembic_config(url: str) -> Config:
    """Alembic's configuration for a ``postgresql://`` URL; works from any folder."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    # attributes, not an option: a password may hold a percent sign.
    config.attributes["url"] = make_url(url).set(drivername="postgresql+psycopg")
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Applies what is missing; waits for another process that is doing so."""
    command.upgrade(alembic_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Undoes migrations down to ``revision`` ('base': all). Drops what they made, data included."""
    command.downgrade(alembic_config(url), revision)


def is_ours(thing: object, name: str | None, kind: str, reflected: bool, _to: object) -> bool:
    """Leaves out the partitions of a table: they are made by the clock, not by migrations."""
    table = name if kind == "table" else getattr(getattr(thing, "table", None), "name", None)
    return not reflected or table in METADATA.tables


def differences(connection: Connection) -> list[object]:
    """What Alembic would change to make the database what ``store/tables`` says: nothing."""
    context = MigrationContext.configure(connection, opts={"include_object": is_ours})
    return list(compare_metadata(context, METADATA))
