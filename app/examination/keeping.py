"""Whether calls that are no longer kept went where they are to go, and are there."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from app.examination.findings import Finding, Looking, State
from app.job_settings import spooled_for
from store.archive.archive_files import MANIFEST
from store.archive.archive_places import ArchiveAway, opened
from store.archive.archived_days import all_days
from store.archive.day_dropping import days_held
from store.intake.retention import guard_for
from store.tenants import TENANT

_PATIENCE: Final = timedelta(days=2)
"""After which a day that is due should have gone."""


def archive(looking: Looking) -> Iterator[Finding]:
    """Days that are due are gone, and the newest that went is there to be read."""
    kept = looking.settings.retention_days
    found = list(_unread(looking))
    if kept is not None:
        guard = guard_for(spooled_for(looking.settings))
        before = looking.now.date() - timedelta(days=kept) - guard - _PATIENCE
        due = days_held(looking.session, before)
        if due:
            said = f"{len(due)} days should have gone, the first of them {due[0]}"
            found.append(
                Finding("archive", State.LOOK, said, "spanledger archive run --dry-run says why")
            )
        elif not found:
            found.append(Finding("archive", State.WELL, f"no call is older than {kept} days"))
    yield from found


def _unread(looking: Looking) -> Iterator[Finding]:
    days = [each for each in all_days(looking.session, TENANT) if each.place is not None]
    if not days:
        return
    newest = days[-1]
    try:
        with opened(str(newest.place)) as at:
            there = at.is_there(at.path(str(newest.folder), MANIFEST))
    except ArchiveAway as away:
        yield Finding("archive", State.WRONG, str(away), "its calls cannot be explained meanwhile")
        return
    if not there:
        said = f"the files of {newest.day} are not at {newest.place}"
        yield Finding("archive", State.WRONG, said, "spanledger archive verify")
