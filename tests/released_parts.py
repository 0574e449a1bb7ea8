"""Collector, jobs and API of whichever version Python finds, in one process.

    python -P tests/released_parts.py URL

says where it hears OTLP and which files its modules are from, then answers each line on stdin with
one of JSON: ``jobs`` has them work, anything else is a path of the API.

What is imported here lies where the version before has it: a new RELEASED may need another line.
"""

import json
import sys
from datetime import UTC, datetime
from queue import Queue
from threading import Event, Thread
from typing import Any

from fastapi.testclient import TestClient
from store.sessions import open_database

from api.app import create_app
from api.settings import ApiSettings
from collector.serve import run
from jobs.context import JobContext
from jobs.timetable import run_job

PACKAGES = {"api", "app", "collector", "jobs", "migrations", "reports", "spend", "store"}


def now() -> datetime:
    return datetime.now(UTC)


def main(url: str) -> None:
    database = open_database(url, application="the version before")
    opened: Queue[dict[str, str]] = Queue()
    stop = Event()
    hearing = Thread(
        target=run,
        kwargs={
            "database": database,
            "http_addr": "127.0.0.1:0",
            "grpc_addr": "127.0.0.1:0",
            "pepper": b"a pepper for tests",
            "ready": opened.put,
            "stop": stop,
        },
    )
    hearing.start()
    client = TestClient(create_app(database, ApiSettings(), now))
    # What that version lacks would come from this one, which is installed, without a word.
    ours = [sys.modules[name] for name in sys.modules if name.partition(".")[0] in PACKAGES]
    code = [module.__file__ for module in ours if module.__file__]
    say({**opened.get(timeout=30), "code": code})
    for line in sys.stdin:
        asked = line.strip()
        if asked == "jobs":
            for name in ("roll", "charge"):
                run_job(name, JobContext(database, now(), by_hand=True))
            say("done")
        else:
            say(client.get(asked).json())
    stop.set()
    hearing.join()


def say(told: Any) -> None:
    print(json.dumps(told), flush=True)  # noqa: T201  # how it answers


if __name__ == "__main__":
    main(sys.argv[1])
