"""The replica that the settings name, for the API to answer from."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.database import opened
from app.settings import Settings
from store.postgres.replica import Replica
from store.postgres.sessions import Database


@contextmanager
def replica_for(
    settings: Settings,
    primary: Database,
    *,
    pool_size: int,
    trace: Callable[[Database], None] = lambda _standby: None,
) -> Iterator[Replica | None]:
    """The replica of ``primary``, looked at while the block lasts; None: none is set.

    ``trace`` is given what questions are answered from.
    """
    url = settings.read_database_url
    if url is None:
        yield None
        return
    with (
        opened(url, application="api replica", pool_size=pool_size) as standby,
        opened(url, application="api lookout", pool_size=1) as lookout,
    ):
        trace(standby)
        replica = Replica(primary, standby, lookout, most_behind=settings.read_behind_seconds)
        replica.start()
        try:
            yield replica
        finally:
            replica.stop()
