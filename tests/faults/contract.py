"""Asks the API everything that its contract allows, and much that it does not: schemathesis.

    PYTHONPATH=tests python -m faults.contract [--minutes 10] [--seed N]

Of each answer it is asked whether the contract knows its status, its media type, its shape and its
headers, whether what is no request of the contract was refused, and whether a key was needed where
one is; a 500 is none. What broke is told once for each route, with how to ask it again. Exit code 1
where anything did. Each round has its own ledger of odd names, and another seed.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import odd_ledger
import psycopg
import schemathesis
from fastapi import FastAPI
from filled_ledger import at
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from api.app import create_app
from api.settings import ApiSettings
from app.local_postgres import local_postgres
from migrations.run import upgrade
from store.postgres.sessions import open_database

PATIENCE: Final = 60
"""Seconds that one answer may take: a PDF of a ledger with names of 10,000 letters takes 20."""
SLOW: Final = "/v1/statements/{month}.pdf"
TAKEN_FOR_AN_ID: Final = "/v1/(budgets/check|alert-rules/test)"
"""With another method they are an id that is none, which is 422 and not 405."""
SHORT: Final = {"fuzzing": True}
LONG: Final = {"examples": True, "coverage": True, "fuzzing": True, "stateful": True}


@dataclass(slots=True)
class Told:
    """What came of it."""

    answers: dict[int, int] = field(default_factory=dict)
    """Status -> how often."""
    broken: dict[str, str] = field(default_factory=dict)
    """What broke -> how it is asked, and what was answered."""

    @property
    def asked(self) -> int:
        """How many requests."""
        return sum(self.answers.values())


def asked(
    app: FastAPI,
    key: str,
    *,
    examples: int,
    phases: Mapping[str, bool],
    seed: int = 1,
    seconds: float = 3600,
) -> Told:
    """Asks each operation of ``app`` with an admin's key, for about ``seconds`` at most."""
    config = SchemathesisConfig.from_dict(_config(key, examples, phases, seed))
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    told, until = Told(), time.monotonic() + seconds
    stream = from_schema(schema).execute()
    for event in stream:
        if isinstance(event, events.NonFatalError):
            told.broken[f"{event.label}: {type(event.value).__name__}"] = str(event.value)
        elif isinstance(event, events.FatalError):
            raise event.exception
        elif isinstance(event, events.ScenarioFinished):
            _note(event.recorder, told)
            if time.monotonic() > until:
                stream.stop()
    return told


def _config(key: str, examples: int, phases: Mapping[str, bool], seed: int) -> dict[str, Any]:
    names = ("examples", "coverage", "fuzzing", "stateful")
    return {
        "seed": seed,
        "headers": {"Authorization": f"Bearer {key}"},
        "continue-on-failure": True,
        "request-timeout": PATIENCE,
        "generation": {
            "deterministic": seed == 1,
            "max-examples": examples,
            "database": "none",
            "no-shrink": True,
        },
        "phases": {name: {"enabled": phases.get(name, False)} for name in names},
        # What the contract allows may still be refused: a month that is no month.
        "checks": {"positive_data_acceptance": {"enabled": False}},
        "operations": [
            {
                "include-path-regex": TAKEN_FOR_AN_ID,
                "checks": {"unsupported_method": {"enabled": False}},
            },
            {
                "include-path": SLOW,
                "enabled": phases.get("coverage", False),
                "generation": {"max-examples": 1},
            },
            # A number may stand for yes and no in an address.
            {
                "include-path": "/v1/rates",
                "checks": {"negative_data_rejection": {"enabled": False}},
            },
        ],
    }


def _note(recorder: Any, told: Told) -> None:
    for each in recorder.interactions.values():
        if each.response is not None:
            status = each.response.status_code
            told.answers[status] = told.answers.get(status, 0) + 1
    for case, checks in recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                answer = recorder.interactions[case].response
                said = "" if answer is None else f"{answer.status_code} {answer.content[:300]!r}"
                how = f"{failure.message}\n{check.failure_info.code_sample}\n{said}"
                told.broken.setdefault(f"{recorder.label}: {check.name}: {failure.title}", how)


def rounds(minutes: float, seed: int) -> Iterator[Told]:
    """One round after the other, until the time is over; at least one."""
    until = time.monotonic() + minutes * 60
    with (
        tempfile.TemporaryDirectory(prefix="contract-") as folder,
        local_postgres(Path(folder) / "data", durable=False) as server,
    ):
        while True:
            yield _round(server.url_of, seed, until - time.monotonic())
            seed += 1
            if time.monotonic() > until:
                return


def _round(url_of: Callable[[str], str], seed: int, seconds: float) -> Told:
    name = f"round_{seed}"
    with psycopg.connect(url_of("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    upgrade(url_of(name))
    database = open_database(url_of(name), application="contract")
    key = odd_ledger.fill(database)["admin"]
    settings = ApiSettings(key_pepper=odd_ledger.PEPPER)
    app = create_app(database, settings, lambda: at("2026-10-20T12:00"))
    told = asked(app, key, examples=20, phases=LONG, seed=seed, seconds=seconds)
    database.engine.dispose()
    return told


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.contract")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    seed = given.seed or int.from_bytes(os.urandom(3), "big") + 2
    broken: dict[str, str] = {}
    requests = 0
    for number, told in enumerate(rounds(given.minutes, seed)):
        requests += told.asked
        broken |= told.broken
        statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(told.answers.items()))
        print(f"contract: seed {seed + number}: {told.asked:,} requests ({statuses})", flush=True)
    for what, how in sorted(broken.items()):
        print(f"BROKEN {what}\n{how}\n", flush=True)
    print(f"contract: {requests:,} requests, {len(broken)} broken", flush=True)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
