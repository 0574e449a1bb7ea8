"""The machine that doctor runs on: its settings, doors, disks and clock."""

import ctypes
import os
import shutil
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from app.database import left_behind
from app.doors import addresses
from app.examination.findings import Finding, Looking, State
from app.settings import PREFIX, Settings, unknown_settings
from collector.spool.state import SPOOL, look
from store import runs

_CLOCKS_APART: Final = timedelta(seconds=5)
_LEAST_FREE: Final = 2 * 1024**3
_GIB: Final = 1024**3
_NOBODY_KEEPS_IT: Final = 5
"""What adjtimex(2) answers while nothing has set the clock right: TIME_ERROR."""


def variables() -> Iterator[Finding]:
    """Settings that are none."""
    unknown = unknown_settings(os.environ)
    for line in unknown:
        yield Finding("settings", State.LOOK, line)
    if not unknown:
        yield Finding("settings", State.WELL, "all known")


def doors(settings: Settings) -> Iterator[Finding]:
    """Whether somebody listens where the settings say."""
    for name, address in addresses(settings).items():
        if not address.port:
            continue
        try:
            with socket.create_connection((address.host, address.port), timeout=2):
                yield Finding(name, State.WELL, f"somebody listens at {address}")
        except OSError:
            said = f"nobody listens at {address}"
            yield Finding(name, State.LOOK, said, "is serve running?")


def in_plain_text(settings: Settings) -> Iterator[Finding]:
    """Whether keys travel to other machines for everybody to read."""
    plain = [str(each) for each in addresses(settings).values() if not each.is_loopback]
    if plain and settings.tls_cert is None and not settings.trusted_proxies:
        said = f"keys go to {', '.join(plain)} for everybody on the way to read"
        yield Finding("TLS", State.LOOK, said, "set TLS_CERT, or TRUSTED_PROXIES: docs/access.md")


def disks(settings: Settings) -> Iterator[Finding]:
    """What is free where this machine keeps something, each disk once."""
    seen: set[int] = set()
    for folder in (settings.data_dir, settings.data_dir / SPOOL, settings.data_dir / "postgres"):
        there = _nearest(folder)
        if (disk := there.stat().st_dev) in seen:
            continue
        seen.add(disk)
        free = shutil.disk_usage(there).free
        yield disk_finding(settings, folder, free)


def disk_finding(settings: Settings, folder: Path, free: int) -> Finding:
    """How it is with ``free`` bytes on the disk of a folder."""
    said = f"{free / _GIB:.1f} GiB free for {folder}"
    if free <= _LEAST_FREE:
        return Finding("disk", State.WRONG, said, "make room: a full disk stops Postgres")
    root = settings.data_dir / SPOOL
    try:
        to_come = settings.spool_bytes - look(root).size if settings.spool else 0
    except OSError:
        to_come = 0
    if free - to_come <= _LEAST_FREE:
        said += f", and the spool may take {to_come / _GIB:.1f} of it"
        return Finding("disk", State.LOOK, said, f"make room, or lower {PREFIX}SPOOL_BYTES")
    return Finding("disk", State.WELL, said)


def _nearest(folder: Path) -> Path:
    """The folder, or the one above it that exists."""
    while not folder.exists():
        folder = folder.parent
    return folder


def no_database(settings: Settings) -> Finding:
    """That DATA_DIR has no Postgres; what else it has tells whether it ever had one."""
    if left := left_behind(settings):
        said = f"{settings.data_dir} has {left} of a database that is not there"
        do = f"is {PREFIX}DATABASE_URL not set? Else put postgres/ back from your backup"
        return Finding("database", State.WRONG, said, do)
    said = f"nothing in {settings.data_dir} yet"
    return Finding("database", State.WRONG, said, "spanledger serve begins")


def kept_clock() -> Iterator[Finding]:
    """Whether something keeps this machine's clock right, where the system tells."""
    synchronised = _synchronised()
    if synchronised is None:
        return
    if synchronised:
        yield Finding("time", State.WELL, "this machine's clock is kept right")
    else:
        said = "nothing keeps this machine's clock right"
        yield Finding("time", State.LOOK, said, "run chrony, or systemd-timesyncd")


def _synchronised() -> bool | None:
    """As the kernel knows it, whichever program sets it; None: it does not tell."""
    if sys.platform != "linux":
        return None
    # struct timex, whose first field (modes) of 0 only asks; it has at most 208 bytes.
    answer: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    return None if answer < 0 else answer != _NOBODY_KEEPS_IT


def clocks(looking: Looking) -> Iterator[Finding]:
    """The clock here beside the database's."""
    apart = abs(runs.server_time(looking.session) - datetime.now(UTC))
    said = f"{apart.total_seconds():.1f} s from the database's"
    if apart < _CLOCKS_APART:
        yield Finding("clock", State.WELL, said)
    else:
        yield Finding("clock", State.WRONG, said, "have NTP keep the clocks of both machines")
