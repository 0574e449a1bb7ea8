"""Who may send, as the database said last: for a collector that starts while Postgres is away.

A file for each key that was good, named by its digest with the pepper, so the folder holds no key
and nothing that a key could be guessed from. A key that is revoked meanwhile works until the
database is asked again, as it does for a collector that runs; one that was revoked before is
forgotten within a minute, whether it is shown or not (``Gate``).
"""

import hmac
import json
from collections.abc import Container
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from collector.spool.folders import put_file


@dataclass(frozen=True, slots=True)
class KeptSender:
    """What the database said of a key that was good."""

    tenant: int
    team: str | None
    key_id: str
    expires_at: datetime | None
    """UTC; None: never."""


class KeptSenders:
    """What was said of keys, by name. Used by many threads and processes; raises nothing."""

    def __init__(self, folder: Path | None, pepper: bytes) -> None:
        """Nothing is kept without a folder."""
        self._folder = folder
        self._pepper = pepper

    def keep(self, name: bytes, sender: KeptSender) -> None:
        """The database said that it is good."""
        path = self._path(name)
        if path is None or self.find(name) == sender:
            return
        expires = sender.expires_at.isoformat() if sender.expires_at else None
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            put_file(path, json.dumps([sender.tenant, sender.team, sender.key_id, expires]))

    def forget(self, name: bytes) -> None:
        """The database said that it is not."""
        path = self._path(name)
        if path:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def forget_all_but(self, good: Container[str]) -> None:
        """The database said which ids of keys are good."""
        with suppress(OSError):
            for path in self._folder.iterdir() if self._folder else ():
                found = _read(path)
                if found is None or found.key_id not in good:
                    path.unlink(missing_ok=True)

    def find(self, name: bytes) -> KeptSender | None:
        """What was said last, if it was good."""
        path = self._path(name)
        return _read(path) if path else None

    def _path(self, name: bytes) -> Path | None:
        return (
            self._folder / hmac.digest(self._pepper, name, "sha256").hex() if self._folder else None
        )


def _read(path: Path) -> KeptSender | None:
    with suppress(OSError, ValueError, TypeError):
        tenant, team, key_id, *expires = json.loads(path.read_text())
        # Older ones do not say when.
        at = datetime.fromisoformat(expires[0]) if expires and expires[0] else None
        return KeptSender(tenant, team, key_id, at)
    return None
