"""Fault: senders of alerts killed while what they send to fails, on a database of their own.

Alone, for as many rounds as wanted:

    PYTHONPATH=tests python -m faults.senders --rounds 200 [--seed N] [--lost PER-CENT]
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import psycopg
from faults.stage import Fault, Stage
from senders_torture import Found, tortured
from slack_in_trouble import Trouble

from app.local_postgres import local_postgres
from migrations.run import upgrade

ROUNDS = 12
"""Each time that it is made in a soak."""


def senders_killed(stage: Stage) -> Counter[str]:
    """Eight senders and a Slack in trouble, judged by themselves."""
    server = stage.house.server
    name = f"senders_{stage.chance.getrandbits(32)}"
    with psycopg.connect(server.url_of("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    upgrade(server.url_of(name))
    rounds = int(stage.long(ROUNDS, 3))
    found = tortured(server.url_of(name), rounds=rounds, seed=stage.chance.getrandbits(32))
    for broken in found.broken:
        stage.oracle.is_broken(f"alerts: {broken}")
    return counted(found)


def counted(found: Found) -> Counter[str]:
    """What a torture found, in numbers."""
    numbers = {name: value for name, value in asdict(found).items() if isinstance(value, int)}
    return Counter(numbers | {f"answered {kind}": times for kind, times in found.answers.items()})


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m faults.senders")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--lost", type=int, default=0, help="answers lost, per cent")
    asked = parser.parse_args()
    seed = int.from_bytes(os.urandom(4), "big") if asked.seed is None else asked.seed
    with (
        tempfile.TemporaryDirectory(prefix="senders-") as folder,
        local_postgres(Path(folder) / "postgres") as server,
    ):
        upgrade(server.url)
        found = tortured(
            server.url, rounds=asked.rounds, seed=seed, trouble=Trouble(lost=asked.lost)
        )
    print(f"seed {seed}, {found.seconds:.0f} s")
    print(json.dumps(dict(counted(found)), indent=2))
    for broken in found.broken:
        print(f"BROKEN: {broken}")
    return 1 if found.broken else 0


SENDERS = [Fault("senders of alerts killed", senders_killed, behind=True)]

if __name__ == "__main__":
    sys.exit(main())
