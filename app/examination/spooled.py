"""What waits for Postgres on this machine's disk."""

from datetime import datetime, timedelta

from app.examination.findings import Finding, State
from app.settings import Settings
from collector.spool.folders import QUARANTINE
from collector.spool.state import NEARLY, SPOOL, look


def spool_finding(settings: Settings, now: datetime) -> Finding:
    """How the spool is, seen from outside."""
    root = settings.data_dir / SPOOL
    try:
        there = look(root)
    except OSError as error:
        return Finding("spool", State.WRONG, f"cannot be read: {error}")
    if there.quarantined:
        said = f"{there.quarantined} records could not be stored: {root / QUARANTINE}"
        return Finding("spool", State.WRONG, said, "docs/settings.md, spool/quarantine")
    if not there.oldest_at:
        if settings.spool:
            return Finding("spool", State.WELL, "nothing waits")
        said = "off: spans are lost while Postgres is away"
        return Finding("spool", State.LOOK, said, "unset SPANLEDGER_SPOOL")
    said = f"{there.waiting:,} bytes wait for Postgres, since {there.oldest_at:%Y-%m-%d %H:%M} UTC"
    hours = (now - there.oldest_at) / timedelta(hours=1)
    if max(there.size / settings.spool_bytes, hours / settings.spool_hours) > NEARLY:
        return Finding("spool", State.WRONG, f"{said}: it takes little more", "bring Postgres back")
    return Finding("spool", State.LOOK, said, "is a collector running that can store it?")
