"""A process that archives, and is killed with ``kill -9`` at a given point of it.

``python killed_archiving.py DATABASE_URL FOLDER NOW writing|noting|dropping``
"""

import os
import signal
import sys
from datetime import datetime

from jobs.context import JobContext, JobSettings
from jobs.keeping import archive_days
from store.archive import archived_days
from store.postgres.sessions import open_database


def die(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(url: str, place: str, now: str, at: str) -> None:
    context = JobContext(
        database=open_database(url, application="tests"),
        now=datetime.fromisoformat(now),
        settings=JobSettings(retention_days=30, archive=place),
        progress=die if at == "writing" else lambda _line: None,
    )
    # Once the files are written, or within the transaction that drops the day.
    setattr(archived_days, "remember" if at == "noting" else "is_dropped", die)
    archive_days.run(context)


if __name__ == "__main__":
    main(*sys.argv[1:])
