"""Whether the jobs run, and the books are closed."""

from collections.abc import Iterator
from datetime import timedelta
from textwrap import shorten
from typing import Final

from app.examination.findings import Finding, Looking, State
from jobs.timetable import JOBS
from spend.months.months import next_open
from store import runs
from store.months.months import held
from store.tenants import TENANT

_TIME_TO_CLOSE: Final = timedelta(days=10)
"""After the end of a month: bills of it come in its first days."""


def jobs(looking: Looking) -> Iterator[Finding]:
    """Whether each job ran when it was to, and how it ended."""
    latest = runs.latest(looking.session)
    for name, job in JOBS.items():
        last = latest.get(name)
        if last is None:
            do = "start the jobs: spanledger jobs"
            yield Finding(f"job {name}", State.WRONG, "never ran", do)
            continue
        ago = looking.now - last.finished_at
        late = ago > timedelta(seconds=3 * job.every + 60)
        did = f"failed: {last.note}" if last.failed else last.note
        said = shorten(f"{_told(ago)} ago: {did}", 90, placeholder=" …")
        if last.failed:
            yield Finding(f"job {name}", State.WRONG, said, f"spanledger jobs run {name}")
        elif late:
            yield Finding(f"job {name}", State.WRONG, said, "start the jobs: spanledger jobs")
        else:
            yield Finding(f"job {name}", State.WELL, said)


def _told(ago: timedelta) -> str:
    """Seconds up to two minutes, minutes up to two hours, then hours, then days."""
    seconds = int(ago.total_seconds())
    for unit, length in (("days", 86_400), ("hours", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def months(looking: Looking) -> Iterator[Finding]:
    """Whether a month that is over should have been closed, where somebody closes months."""
    due = next_open(held(looking.session, TENANT), looking.settings.calendar)
    if due is None:
        return
    ago = looking.now - due.period.end
    if ago > _TIME_TO_CLOSE:
        said = f"{due.name} was over {ago.days} days ago, and is open"
        yield Finding("months", State.LOOK, said, f"spanledger months close {due.name}")
    else:
        yield Finding("months", State.WELL, f"closed up to {due.name}")
