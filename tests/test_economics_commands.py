"""``pools economics`` and ``what-if`` in a terminal of 80 columns."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filled_ledger import CLAUDE, GPT, LLAMA, SEARCH, SUPPORT, at, put_cell

from app import tables
from app.cli import cli
from jobs.charging import charge
from jobs.context import JobContext
from spend.capacity.pool_files import pool_of_fields
from spend.prices.prices import CONTRACT, PriceLine
from store.capacity import pools
from store.postgres.sessions import Database
from store.prices import books
from store.tenants import TENANT

pytestmark = pytest.mark.one_server

NOW = at("2026-10-20T12:05")
Run = Callable[..., Result]


@pytest.fixture
def run(
    database: Database, database_url: str, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    monkeypatch.setenv("SPANLEDGER_DATA_DIR", str(data_dir))
    monkeypatch.setattr(tables, "WIDEST", 80)
    fields = {
        "name": "llama on 8 x H100",
        "cost_per_hour": "49.24",
        "from": "2026-10-10",
        "to": "2026-10-20T12:00",
        "match": {"provider": ["vllm"]},
        "capacity_per_hour": "50700000",
    }
    lines = [
        PriceLine(CONTRACT, provider, model, meter, Decimal(price), "USD", at("2026-01-01"))
        for provider, model, meter, price in (
            ("groq", "llama", "input", "0.59"),
            ("groq", "llama", "output", "0.79"),
            ("openai", "gpt-4o", "input", "2.5"),
            ("openai", "gpt-4o", "output", "10"),
        )
    ]
    with database.write() as session:
        books.enter_contract(session, TENANT, lines, now=at("2026-01-01"))
        pools.declare(session, TENANT, pool_of_fields(fields, currency="USD", now=NOW))
        for day in range(10, 20):
            slot = f"2026-10-{day}T09:00"
            used: dict[str, Any] = {"input": 7_200_000 + day * 10**6, "output": 180_000}
            put_cell(session, slot, SEARCH, LLAMA, calls=900, charged=False, **used)
            put_cell(session, slot, SUPPORT, LLAMA, calls=200, charged=False, input=6_000_000)
        put_cell(session, "2026-10-12", SEARCH, GPT, charged=False, input=10**6, output=10**6)
        put_cell(session, "2026-10-13", SEARCH, CLAUDE, calls=7, charged=False, input=10**5)
    charge.run(JobContext(database=database, now=NOW))

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, catch_exceptions=False)

    return invoke


def test_both_fit_into_80_columns_and_say_what_the_api_says(run: Run) -> None:
    october = ("--from", "2026-10-01", "--timezone", "UTC")
    pool = run(
        *("pools", "economics", "llama on 8 x H100", "--against", "groq/llama"),
        *(*october, "--to", "2026-11-01"),
    )
    assert pool.exit_code == 0, pool.output
    there = run(
        *("what-if", *october, "--until", "2026-11-01", "--to", "groq/llama"),
        *("--pool", "llama on 8 x H100", "--tokenizer", "1.1", "--tokenizer-high", "1.4"),
    )
    assert there.exit_code == 0, there.output
    for told in ("43.6611", "12,132.46", "the API is cheaper", "167.4 %"):
        assert told in pool.stdout
    for told in ("-12,", "7 calls have no price here", "By the range of tokens", "busiest hour"):
        assert told in there.stdout
    for shown in (pool.stdout, there.stdout):
        assert max(map(len, shown.splitlines())) <= 80


def test_what_makes_no_sense_is_told_in_a_line(run: Run) -> None:
    for arguments, told in (
        (("pools", "economics", "nobody"), "no pool is called 'nobody'"),
        (("pools", "economics", "llama on 8 x H100", "--against", "x"), "--against: 'x' is not"),
        (("pools", "economics", "llama on 8 x H100", "--from", "x"), "from: 'x' is neither"),
        (("what-if",), "targets: "),
        (("what-if", "--to", "groq/none"), "groq/none has no price in USD"),
        (("what-if", "--to", "groq/llama", "--tokenizer", "0"), "targets.0.tokenizer: '0'"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1, arguments
        assert told in result.stderr
