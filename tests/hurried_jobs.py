"""``spanledger jobs`` with a clock that ticks every second, so that a test need not wait for it.

    python -P tests/hurried_jobs.py URL WEBHOOK

The timetable, its locks and its records are those of the product; the prices that come with a
version are left out, as they take seconds.
"""

import sys
import threading
from dataclasses import replace
from datetime import timedelta

from jobs import timetable
from jobs.context import JobSettings
from store.postgres.sessions import open_database

NEEDED = ("roll", "charge", "budgets", "alerts")


def main(url: str, webhook: str) -> None:
    for name in list(timetable.JOBS):
        if name in NEEDED:
            timetable.JOBS[name] = replace(timetable.JOBS[name], every=1)
        else:
            del timetable.JOBS[name]
    settings = JobSettings(
        slack_webhook_url=webhook,
        allow_private_destinations=True,
        settle_window=timedelta(0),
    )
    timetable.start_clock(open_database(url, application="hurried jobs"), settings)
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
