"""The public list: filled from the pinned source, mended without loss, found by our names."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import genai_prices
import pytest
from filled_ledger import SEARCH, at, put_cell, put_names
from sqlalchemy import func, select

from jobs.charging import charge
from jobs.context import JobContext
from jobs.prices import refresh_prices
from jobs.prices.listed_names import listed
from jobs.prices.price_feed import feed
from spend.calls import Route
from spend.canary import price_lines
from spend.prices.bands import band_of
from spend.prices.feeds import Feed
from spend.prices.prices import PriceBook
from spend.prices.rating import rates
from store.postgres.sessions import Database
from store.tables.ledger import charges
from store.tables.prices import model_names, prices
from store.tables.rollups import cells

pytestmark = pytest.mark.one_server

NOW = at("2026-11-20")


def run(database: Database, now: datetime = NOW, *, by_hand: bool = False) -> str:
    return refresh_prices.run(JobContext(database=database, now=now, by_hand=by_hand)).note


def counts(database: Database) -> tuple[int, int]:
    """Lines in the book, and those believed."""
    with database.read() as session:
        every = session.scalar(select(func.count()).select_from(prices))
        believed = session.scalar(select(func.count()).where(prices.c.known_to.is_(None)))
        return every or 0, believed or 0


def test_the_list_is_filled_once_and_unchanged_lines_stay(database: Database) -> None:
    many = len(feed().lines) + len(price_lines())
    assert many > 5000
    run(database)
    assert counts(database) == (many, many)
    assert "0 opened, 0 closed" in run(database, NOW + timedelta(days=1), by_hand=True)
    assert counts(database) == (many, many)


def test_a_changed_list_closes_lines_and_never_overwrites(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(database)
    lines = list(feed().lines)
    dearer = replace(lines[0], unit_price=lines[0].unit_price + 1, source="next")
    changed = Feed((dearer, *lines[2:]))
    monkeypatch.setattr(refresh_prices, "feed", lambda: changed)
    assert "1 opened, 2 closed" in run(database, NOW + timedelta(days=1))
    others = len(price_lines())
    assert counts(database) == (len(lines) + 1 + others, len(lines) - 1 + others)
    with database.read() as session:
        closed = session.scalars(select(prices.c.known_to).where(prices.c.known_to.is_not(None)))
        assert set(closed) == {NOW + timedelta(days=1)}


def test_a_clock_set_back_does_not_end_knowledge_before_it_began(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(database)
    monkeypatch.setattr(refresh_prices, "feed", lambda: Feed(feed().lines[1:]))
    assert "0 opened, 1 closed" in run(database, NOW - timedelta(days=1))


def sample(step: int) -> list[tuple[str, str]]:
    """Models of the list that have a price of input and of output."""
    priced = {
        meter: {(each.provider, each.model) for each in feed().lines if each.meter == meter}
        for meter in ("input", "output")
    }
    return sorted(priced["input"] & priced["output"])[::step]


@pytest.mark.parametrize("tokens", [1_000, 300_000])
@pytest.mark.parametrize("day", ["2026-01-10", "2026-10-25", "2026-11-20"])
def test_it_prices_as_its_source_does(day: str, tokens: int) -> None:
    # At noon the source's prices by the hour are those of most hours.
    moment = at(f"{day}T12:00")
    usage = genai_prices.Usage(input_tokens=tokens, output_tokens=1_000)
    book = PriceBook(feed().lines, {})
    compared = 0
    for provider, model in sample(9):
        try:
            theirs = genai_prices.calc_price(
                usage, model, provider_id=provider, genai_request_timestamp=moment
            )
        except (LookupError, ValueError):
            continue
        # A model's own name can match another one first.
        if theirs.model.id != model:
            continue
        found = rates(book, Route(provider, model), band=band_of(tokens), at=moment)
        charged = found.charge({"input": tokens, "output": 1_000, "requests": 1})
        assert charged is not None, (provider, model)
        ours = sum(each.amount for each in charged)
        # Prices with more than 6 decimals were rounded when they entered.
        assert abs(ours - theirs.total_price) <= Decimal("0.0000005") * (tokens + 1000) / 10**6
        compared += 1
    assert compared > 100


@pytest.mark.parametrize(
    ("provider", "model", "theirs", "ours"),
    [
        (
            "groq",
            "whisper-large-v3",
            {"audio_seconds": 7_200, "input_audio_seconds": 7_200},
            {"seconds": 7_200},
        ),
        ("openai", "whisper-1", {"audio_seconds": 61, "input_audio_seconds": 61}, {"seconds": 61}),
        (
            "anthropic",
            "claude-sonnet-4-5",
            {"input_tokens": 1_000, "output_tokens": 10, "web_searches": 3},
            {"input": 1_000, "output": 10, "tool_calls": 3},
        ),
        (
            "perplexity",
            "sonar",
            {"input_tokens": 1_000, "output_tokens": 10},
            {"input": 1_000, "output": 10, "requests": 1},
        ),
    ],
)
def test_what_is_not_of_tokens_costs_what_its_source_says(
    provider: str, model: str, theirs: dict[str, int], ours: dict[str, int]
) -> None:
    asked = genai_prices.calc_price(
        genai_prices.Usage(**theirs), model, provider_id=provider, genai_request_timestamp=NOW
    )
    found = rates(PriceBook(feed().lines, {}), Route(provider, model), band=0, at=NOW)
    charged = found.charge(ours)
    assert charged is not None
    # A price of an hour has no end in decimals: a second's was rounded when it entered.
    apart = abs(sum(each.amount for each in charged) - asked.total_price)
    assert apart <= Decimal("0.0000005") * ours.get("seconds", 0) / 10**6


@pytest.mark.parametrize(
    ("provider", "model", "found"),
    [
        ("openai", "gpt-4o", ("openai", "gpt-4o")),
        ("openai", "gpt-4o-2024-08-06", ("openai", "gpt-4o")),
        # Azure sells OpenAI's models at OpenAI's list, and stays Azure in every report.
        ("azure", "gpt-4o-2024-08-06", ("openai", "gpt-4o")),
        ("anthropic", "claude-sonnet-4-5-20250929", ("anthropic", "claude-sonnet-4-5")),
        ("groq", "openai/gpt-oss-120b", ("groq", "openai/gpt-oss-120b")),
        ("groq", "groq/openai/gpt-oss-120b", ("groq", "openai/gpt-oss-120b")),
        # What runs on our own machines costs what they cost.
        ("vllm", "openai/gpt-oss-120b", None),
        ("self-hosted", "gpt-4o", None),
        ("ollama", "llama3.3", None),
        ("openai", "our-own-finetune", None),
        ("huggingface", "whatever", None),
        ("nobody", "gpt-4o", None),
        # OpenAI's list is borrowed for what OpenAI sells, not for open weights.
        ("azure", "gpt-oss-120b", None),
        ("cerebras", "llama3.3-70b", ("cerebras", "llama-3.3-70b")),
    ],
)
def test_a_model_is_found_with_who_bills_and_nobody_else(
    provider: str, model: str, found: tuple[str, str] | None
) -> None:
    assert listed(provider, model) == found


def test_new_models_are_looked_up_once_and_priced(database: Database) -> None:
    run(database)
    dated = Route(provider="openai", model="gpt-4o-2024-08-06", deployment="api")
    own = Route(provider="openai", model="gpt-4o", deployment="self-hosted")
    with database.write() as session:
        put_cell(session, "2026-11-19T10:00", SEARCH, dated, charged=False, input=1_000_000)
        put_cell(session, "2026-11-19T10:00", SEARCH, own, charged=False, input=1_000_000)
        put_names(session, SEARCH, Route(provider=None, model=None))
    charge.run(JobContext(database=database, now=NOW))
    with database.read() as session:
        assert session.scalars(select(charges.c.amount)).all() == [Decimal("2.5")]
        assert session.scalar(select(func.count()).select_from(model_names)) == 2
        assert sorted(session.scalars(select(cells.c.unpriced_calls))) == [0, 1]
    assert "0 names looked up" in run(database)


def test_a_price_that_enters_the_list_later_prices_what_waited_and_nothing_else(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write() as session:
        route = Route(provider="openai", model="gpt-4o-2024-08-06", deployment="api")
        put_cell(session, "2026-11-19T10:00", SEARCH, route, charged=False, input=1_000_000)
    charge.run(JobContext(database=database, now=NOW))
    run(database)
    charge.run(JobContext(database=database, now=NOW))
    cheaper = Feed(
        tuple(
            replace(line, unit_price=Decimal(2)) if line.model == "gpt-4o" else line
            for line in feed().lines
        )
    )
    monkeypatch.setattr(refresh_prices, "feed", lambda: cheaper)
    run(database, NOW + timedelta(days=1), by_hand=True)
    charge.run(JobContext(database=database, now=NOW))
    with database.read() as session:
        posted = session.execute(select(charges.c.kind, charges.c.amount).order_by(charges.c.id))
        assert [tuple(row) for row in posted] == [("original", Decimal("2.5"))]
