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
from pathlib import Path

from collector.spool.folders import put_file


class KeptSenders:
    """Tenant, team and id of keys, by name. Used by many threads and processes; raises nothing."""

    def __init__(self, folder: Path | None, pepper: bytes) -> None:
        """Nothing is kept without a folder."""
        self._folder = folder
        self._pepper = pepper

    def keep(self, name: bytes, tenant: int, team: str | None, key_id: str = "") -> None:
        """The database said that it is good."""
        path = self._path(name)
        if path is None or self.find(name) == (tenant, team, key_id):
            return
        with suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            put_file(path, json.dumps([tenant, team, key_id]))

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
                if found is None or found[2] not in good:
                    path.unlink(missing_ok=True)

    def find(self, name: bytes) -> tuple[int, str | None, str] | None:
        """What was said last, if it was good."""
        path = self._path(name)
        return _read(path) if path else None

    def _path(self, name: bytes) -> Path | None:
        return (
            self._folder / hmac.digest(self._pepper, name, "sha256").hex() if self._folder else None
        )


def _read(path: Path) -> tuple[int, str | None, str] | None:
    with suppress(OSError, ValueError, TypeError):
        tenant, team, key_id = json.loads(path.read_text())
        return tenant, team, key_id
    return None
