"""The secret that keys are hashed with and secrets sealed, kept beside the data, not in it."""

import os
import secrets
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from app.errors import WrongSetting
from app.settings import PREFIX, Settings
from store.access.keys import by_pepper
from store.postgres.sessions import Database
from store.tenants import TENANT

_SOME: Final = 3


def pepper_for(settings: Settings) -> bytes:
    """The pepper of the settings, or the one in DATA_DIR, made on first use.

    Without the pepper that they were made with, no keys are found any more and no secret of a
    channel opens: keep it with backups.
    Raises WrongSetting when DATA_DIR cannot hold it.
    """
    if settings.key_pepper:
        return settings.key_pepper.encode()
    kept = _place(settings)
    try:
        if not kept.exists():
            _make(kept)
        return kept.read_text().strip().encode()
    except OSError as error:
        raise WrongSetting(
            f"{PREFIX}DATA_DIR: {kept} cannot be kept there ({error.strerror}); "
            f"set {PREFIX}KEY_PEPPER, or another folder"
        ) from error


def refuse_another_pepper(settings: Settings, database: Database, now: datetime) -> None:
    """Raises WrongSetting where all keys were made with another pepper: none would open anything.

    Whoever sends would be told that its key is bad, and drop what it has.
    """
    with database.read() as session:
        made = by_pepper(session, tenant=TENANT, pepper=pepper_for(settings), now=now)
    if made.elsewhere and not made.here:
        raise WrongSetting(
            f"{PREFIX}KEY_PEPPER: the keys of this database ({', '.join(made.elsewhere[:_SOME])})"
            " were made with another pepper, and open nothing here: set the one of the machine"
            f" that made them (key.pepper in its {PREFIX}DATA_DIR). Where that is gone for good,"
            " revoke them (spanledger keys revoke) and make new ones"
        )


def has_pepper(settings: Settings) -> bool:
    """Whether there is one, without making it."""
    return bool(settings.key_pepper) or _place(settings).exists()


def _place(settings: Settings) -> Path:
    return settings.data_dir / "key.pepper"


def _make(kept: Path) -> None:
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = kept.with_name(f"{kept.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    # Whole or not at all, and the first of several processes wins.
    with suppress(FileExistsError):
        os.link(draft, kept)
    draft.unlink()
