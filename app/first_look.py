"""The collector's database at the start: waited for, or looked after later where it is known."""

import hmac
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.addresses import Address
from app.database import bring_up_to_date, opened
from app.doors import refuse_strangers
from app.errors import DatabaseTooNew, DatabaseUnavailable, WrongSetting
from app.pepper import pepper_for, refuse_another_pepper
from app.settings import Settings
from collector.spool.folders import put_file
from collector.spool.state import SPOOL

log = structlog.get_logger(__name__)

_PATIENCE: Final = 60
"""Seconds that a database which nobody here has seen yet is waited for."""
_PAUSE: Final = 0.5


def look_after_database(
    settings: Settings, url: str, doors: dict[str, Address], stop: Event
) -> None:
    """Bring it up to date, and refuse to open doors to strangers.

    A database that was there before may be away: then the doors open at once, what comes goes to
    the spool, and a thread does this as soon as it is back. One that nobody has seen is waited
    for, as its address may be wrong. Raises DatabaseUnavailable and WrongSetting.
    """

    def look(wait: float) -> None:
        bring_up_to_date(url, wait=wait)
        with opened(url, application="collector") as database:
            refuse_strangers(doors, database)
            refuse_another_pepper(settings, database, datetime.now(UTC))
        _note(settings, url)

    if not settings.spool or not _is_known(settings, url):
        look(_PATIENCE)
        return
    try:
        look(0)
    except DatabaseTooNew:
        raise  # our workers would write to a shape that they do not know
    except DatabaseUnavailable as error:
        log.warning("the doors open before the database is there", why=str(error))
        Thread(target=_look_later, args=[look, stop], daemon=True).start()


def _look_later(look: Callable[[float], None], stop: Event) -> None:
    while not stop.wait(_PAUSE):
        try:
            look(0)
        except (DatabaseTooNew, WrongSetting) as error:
            log.error("stopping", why=str(error))  # noqa: TRY400 - it says it all
            stop.set()
        except DatabaseUnavailable:
            continue
        except SQLAlchemyError:
            log.exception("the database cannot be brought up to date")
            stop.wait(10 * _PAUSE)
        else:
            return


def _is_known(settings: Settings, url: str) -> bool:
    with suppress(OSError):
        return _path(settings).read_text() == _digest(settings, url)
    return False


def _note(settings: Settings, url: str) -> None:
    if not settings.spool or _is_known(settings, url):
        return
    path = _path(settings)
    # Whoever cannot write here is told by the spool itself.
    with suppress(OSError):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        put_file(path, _digest(settings, url))


def _path(settings: Settings) -> Path:
    return settings.data_dir / SPOOL / "database"


def _digest(settings: Settings, url: str) -> str:
    """It stands for the URL, and does not give away its password."""
    return hmac.digest(pepper_for(settings), url.encode(), "sha256").hex()
