"""The replica that the settings name, for the API to answer from and for the doctor to look at."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from app.database import opened
from app.settings import Settings
from store.replica import Replica, look
from store.sessions import Database

_PATIENCE: Final = 3.0
_PAUSE: Final = 0.05


@contextmanager
def replica_for(
    settings: Settings, primary: Database, *, pool_size: int
) -> Iterator[Replica | None]:
    """The replica of ``primary``, looked at while the block lasts; None: none is set."""
    url = settings.read_database_url
    if url is None:
        yield None
        return
    with (
        opened(url, application="api replica", pool_size=pool_size) as standby,
        opened(url, application="api lookout", pool_size=1) as lookout,
    ):
        replica = Replica(primary, standby, lookout, most_behind=settings.read_behind_seconds)
        replica.start()
        try:
            yield replica
        finally:
            replica.stop()


def trouble_with(standby: Database, primary: Database) -> str | None:
    """Why a standby would not answer questions now, for people; None: it has what the primary has.

    It is given some seconds to catch up.
    """
    try:
        with primary.engine.connect() as connection:
            wanted = look(connection)
        until = time.monotonic() + _PATIENCE
        while True:
            with standby.engine.connect() as connection:
                seen = look(connection)
            if not seen.replays:
                return "it is no standby: the primary answers everything"
            if seen.house != wanted.house:
                return "it is a standby of another server, or another database"
            if seen.position >= wanted.position:
                return None
            if time.monotonic() > until:
                missing = wanted.position - seen.position
                return f"{missing:,} bytes behind, and did not catch up in {_PATIENCE:.0f} s"
            time.sleep(_PAUSE)
    except SQLAlchemyError as error:
        return f"away: {str(getattr(error, 'orig', error)).splitlines()[0]}"
