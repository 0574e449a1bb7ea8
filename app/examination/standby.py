"""Whether the replica that questions are to be answered from can."""

import time
from collections.abc import Iterator
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from app.database import opened
from app.examination.findings import Finding, Looking, State
from store.postgres.replica import Seen, look
from store.postgres.sessions import Database

_PATIENCE: Final = 3.0
_PAUSE: Final = 0.05
_NAME: Final = "SPANLEDGER_READ_DATABASE_URL"


def replica(looking: Looking) -> Iterator[Finding]:
    """It is a standby of our database, and has what that has, or will have it in a moment."""
    url = looking.settings.read_database_url
    if url is None:
        return
    primary = look(looking.session.connection())
    with opened(url, application="doctor", pool_size=1) as standby:
        try:
            yield _found(standby, primary)
        except SQLAlchemyError as error:
            said = (
                f"away, the primary answers: {str(getattr(error, 'orig', error)).splitlines()[0]}"
            )
            yield Finding("replica", State.WRONG, said, f"start it, or unset {_NAME}")


def _found(standby: Database, primary: Seen) -> Finding:
    until = time.monotonic() + _PATIENCE
    while True:
        with standby.engine.connect() as connection:
            seen = look(connection)
        if not seen.replays or seen.house != primary.house:
            said = "no standby of this database: the primary answers everything"
            return Finding("replica", State.WRONG, said, f"let {_NAME} name a standby, or unset it")
        if seen.position >= primary.position:
            return Finding("replica", State.WELL, "has all that was committed when it was asked")
        if time.monotonic() > until:
            behind = primary.position - seen.position
            said = f"{behind:,} bytes behind, and did not catch up in {_PATIENCE:.0f} s"
            return Finding("replica", State.LOOK, said, "does it replay? docs/growing.md")
        time.sleep(_PAUSE)
