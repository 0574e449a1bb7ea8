"""A second public list, of LiteLLM's shape: read without loss, beside the first, which wins."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from filled_ledger import SEARCH, asking, at, put_cell
from sqlalchemy import func, insert, select

from app.commands import prices as prices_command
from jobs.prices.price_feed import feed
from spend.calls import Route
from spend.prices.discrepancies import AGREED, DISPUTED, SINGLE, compared, counted
from spend.prices.litellm_prices import is_litellm, litellm_feed
from spend.prices.prices import LIST, SUPPLEMENT, PriceLine
from spend.written_rows import RowsRefusedError
from store.postgres.sessions import Database
from store.prices import books
from store.tables.prices import model_names, prices
from store.tenants import TENANT

NOW = "2026-11-20T12:00"

# Written for this test: the shape is LiteLLM's, the numbers are ours.
LISTED = """{
  "sample_spec": {"litellm_provider": "one of many", "input_cost_per_token": 0},
  "acme/large-1": {
    "litellm_provider": "acme", "mode": "chat", "source": "https://acme.example/prices",
    "input_cost_per_token": 2.5e-06, "output_cost_per_token": 1E-05,
    "input_cost_per_token_above_200k_tokens": 5e-6,
    "cache_read_input_token_cost": 2.5e-07, "cache_creation_input_token_cost": 3.125e-06,
    "cache_creation_input_token_cost_above_1hr": 5e-06,
    "cache_creation_input_token_cost_above_1hr_above_200k_tokens": 1e-05,
    "input_cost_per_token_batches": 1.25e-06, "output_cost_per_token_flex": 5e-06,
    "output_cost_per_token_above_200k_tokens_priority": 3e-05,
    "input_cost_per_audio_token": 4e-05, "output_cost_per_audio_token": 8e-05,
    "output_cost_per_reasoning_token": 1e-05,
    "search_context_cost_per_query": {"search_context_size_low": 0.01,
      "search_context_size_medium": 0.01, "search_context_size_high": 0.01},
    "supports_vision": true, "max_tokens": 8192
  },
  "azure/gpt-4o": {"litellm_provider": "azure", "input_cost_per_token": 2.5e-06},
  "azure/eu/gpt-4o": {"litellm_provider": "azure", "input_cost_per_token": 2.75e-06},
  "azure/global-standard/gpt-4o": {"litellm_provider": "azure", "input_cost_per_token": 2.5e-06},
  "bedrock/eu-west-2/meta.llama3-3-70b-instruct-v1:0": {
    "litellm_provider": "bedrock", "input_cost_per_token": 9.5e-07},
  "bedrock/us-east-1/1-month-commitment/cohere.command": {
    "litellm_provider": "bedrock", "input_cost_per_second": 0.011},
  "us.anthropic.claude-x-v1:0": {
    "litellm_provider": "bedrock_converse", "input_cost_per_token": 3.3e-06},
  "fireworks_ai/accounts/fireworks/models/llama-v3p3-70b-instruct": {
    "litellm_provider": "fireworks_ai", "input_cost_per_token": 9e-07,
    "output_cost_per_token": 9e-07},
  "acme/hears": {"litellm_provider": "acme", "mode": "audio_transcription",
    "input_cost_per_second": 0.0001, "output_cost_per_second": 0.0},
  "acme/paints": {"litellm_provider": "acme", "mode": "image_generation",
    "output_cost_per_image": 0.04},
  "acme/paints-by-token": {"litellm_provider": "acme", "output_cost_per_image": 0.04,
    "output_cost_per_image_token": 3e-05},
  "acme/embeds": {"litellm_provider": "acme", "mode": "embedding",
    "input_cost_per_token": 1.3e-07, "output_cost_per_token": 0.0},
  "acme/steps": {"litellm_provider": "acme", "tiered_pricing": [
    {"range": [0, 32000.0], "input_cost_per_token": 1e-06},
    {"range": [32000.0, 128000.0], "input_cost_per_token": 2e-06}]},
  "acme/odd": {"litellm_provider": "acme", "input_cost_per_token": 1e-06,
    "input_cost_per_character": 1e-06, "cache_read_input_token_cost": 1e-13,
    "output_cost_per_video_per_second": 0.1,
    "input_cost_per_token_above_77k_tokens": 1e-06, "output_cost_per_reasoning_token": 4e-06,
    "search_context_cost_per_query": {"search_context_size_low": 0.01,
      "search_context_size_high": 0.02}, "regional_processing_uplift_multiplier_eu": 1.1},
  "1024-x-1024/acme/paints": {"litellm_provider": "acme", "output_cost_per_image": 0.05},
  "ollama/llama3": {"litellm_provider": "ollama", "input_cost_per_token": 0.0},
  "acme/free": {"litellm_provider": "acme", "input_cost_per_token": 0, "output_cost_per_token": 0},
  "acme/unpriced": {"litellm_provider": "acme", "max_tokens": 100},
  "gemini/two": {"litellm_provider": "gemini", "input_cost_per_token": 1e-06},
  "two": {"litellm_provider": "vertex_ai-language-models", "input_cost_per_token": 2e-06}
}"""


def said() -> dict[tuple[str, ...], str]:
    """What the lines of LISTED say: where -> price."""
    found = litellm_feed(LISTED, source="litellm x", entered_by="Ada")
    return {
        (
            each.provider,
            each.model,
            *filter(None, (each.region, each.service_tier, each.meter)),
            *([str(each.above_tokens)] if each.above_tokens else []),
        ): f"{each.unit_price.normalize():f}"
        for each in found.lines
    }


def test_every_price_that_a_line_can_say_is_exact() -> None:
    assert said() == {
        ("acme", "large-1", "input"): "2.5",
        ("acme", "large-1", "output"): "10",
        ("acme", "large-1", "input", "200000"): "5",
        ("acme", "large-1", "cache_read"): "0.25",
        ("acme", "large-1", "cache_write_5m"): "3.125",
        ("acme", "large-1", "cache_write_1h"): "5",
        ("acme", "large-1", "cache_write_1h", "200000"): "10",
        ("acme", "large-1", "batch", "input"): "1.25",
        ("acme", "large-1", "flex", "output"): "5",
        ("acme", "large-1", "priority", "output", "200000"): "30",
        ("acme", "large-1", "input_audio"): "40",
        ("acme", "large-1", "output_audio"): "80",
        ("acme", "large-1", "tool_calls"): "10000",
        ("azure", "gpt-4o", "input"): "2.5",
        ("azure", "gpt-4o", "eu", "input"): "2.75",
        ("aws", "meta.llama3-3-70b-instruct-v1:0", "eu-west-2", "input"): "0.95",
        ("aws", "us.anthropic.claude-x-v1:0", "input"): "3.3",
        ("fireworks", "accounts/fireworks/models/llama-v3p3-70b-instruct", "input"): "0.9",
        ("fireworks", "accounts/fireworks/models/llama-v3p3-70b-instruct", "output"): "0.9",
        ("acme", "hears", "seconds"): "100",
        ("acme", "paints", "images"): "40000",
        ("acme", "paints-by-token", "output_image"): "30",
        ("acme", "embeds", "input"): "0.13",
        ("acme", "steps", "input"): "1",
        ("acme", "steps", "input", "32000"): "2",
        ("acme", "odd", "input"): "1",
    }
    (line,) = (each for each in litellm_feed(LISTED, source="s").lines if each.model == "embeds")
    assert (line.book, line.currency, line.source, line.reference) == (SUPPLEMENT, "USD", "s", None)
    first = litellm_feed(LISTED, source="s", entered_by="Ada").lines[0]
    assert (first.reference, first.entered_by) == ("https://acme.example/prices", "Ada")


def test_what_no_line_can_say_is_counted_by_reason() -> None:
    assert litellm_feed(LISTED, source="x").left_out == {
        "a region's surcharge: enter it as an uplift": 1,
        "above 77,000 tokens": 1,
        "by a commitment": 1,
        "by an image's size and quality": 1,
        "by the character": 1,
        "by the image or second what is priced by the token too": 1,
        "finer than the finest price": 1,
        "free or unknown, as every price is 0": 1,
        "no price": 1,
        "of software that runs on machines of one's own": 1,
        "of video": 1,
        "reasoning apart from output": 1,
        "tools, by what calls do not tell": 1,
        "two entries for one model that disagree": 1,
    }


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ("[", "file"),
        ("[]", "file"),
        ("{}", "file"),
        ('{"a/b": {"litellm_provider": "a", "input_cost_per_token": NaN}}', "file"),
        (
            '{"a/b": {"litellm_provider": "a", "input_cost_per_token": 1e999999999}}',
            "a/b.input_cost_per_token",
        ),
        (
            '{"a/b": {"litellm_provider": "a", "input_cost_per_token": -1e-6}}',
            "a/b.input_cost_per_token",
        ),
        (
            '{"a/b": {"litellm_provider": "a", "input_cost_per_token": "1e-6"}}',
            "a/b.input_cost_per_token",
        ),
        (
            '{"a/b": {"litellm_provider": "a", "output_cost_per_token": 1e6}}',
            "a/b.output_cost_per_token",
        ),
        ('{"a/b": [1], "c": {"litellm_provider": "a", "input_cost_per_token": 1e-6}}', "a/b"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused_whole(wrong: str, field: str) -> None:
    with pytest.raises(RowsRefusedError) as refused:
        litellm_feed(wrong, source="x")
    assert [each.field for each in refused.value.refusals] == [field]


@pytest.mark.parametrize(
    "odd",
    [
        '"mode": ["chat"]',
        '"source": "a\\u0000b"',
        '"tiered_pricing": [1, {"range": "all"}, {"range": [true]}]',
        '"search_context_cost_per_query": "free"',
        f'"input_cost_per_token_above_{"9" * 5000}k_tokens": 1',
        '"output_cost_per_image": {}, "cache_read_input_token_cost": null',
    ],
)
def test_what_is_odd_beside_a_price_takes_nothing_from_it(odd: str) -> None:
    text = f'{{"a/b": {{"litellm_provider": "a", "input_cost_per_token": 1e-06, {odd}}}}}'
    if "image" in odd:
        with pytest.raises(RowsRefusedError, match="output_cost_per_image: must be a number"):
            litellm_feed(text, source="x")
        return
    (line,) = litellm_feed(text, source="x").lines
    assert line.unit_price == Decimal(1)
    assert line.reference is None


@pytest.mark.parametrize("key", ["", "a/", "a/*", "a/b\\u0000c", "a/b\\ud800", "x" * 301])
def test_a_model_that_no_call_can_name_is_counted(key: str) -> None:
    said = '{"litellm_provider": "a", "input_cost_per_token": 1e-06}'
    found = litellm_feed(f'{{"{key}": {said}, "a/good": {said}}}', source="x")
    assert [line.model for line in found.lines] == ["good"]
    assert sum(found.left_out.values()) == 1


def test_a_file_is_known_by_its_shape() -> None:
    assert is_litellm(LISTED)
    assert not is_litellm('[{"provider": "openai"}]')
    assert not is_litellm("provider,model\nlitellm_provider,x\n")


def line(price: str, book: str = LIST, **others: Any) -> PriceLine:
    told: dict[str, Any] = {"provider": "openai", "model": "gpt-4o", "meter": "input"}
    return PriceLine(
        book=book,
        unit_price=Decimal(price),
        currency="USD",
        valid_from=at("2026-01-01"),
        **(told | others),
    )


@pytest.mark.parametrize(
    ("listed", "other", "state", "difference"),
    [
        ("2.5", "2.5", AGREED, "0.00"),
        ("2.5", "2.5125", AGREED, "0.50"),
        ("2.5", "2.513", DISPUTED, "0.52"),
        ("2.5", "1", DISPUTED, "-60.00"),
        ("0", "1", DISPUTED, None),
        ("0", "0", AGREED, None),
        ("2.5", None, SINGLE, None),
        (None, "2.5", SINGLE, None),
    ],
)
def test_two_prices_agree_are_in_dispute_or_stand_alone(
    listed: str | None, other: str | None, state: str, difference: str | None
) -> None:
    (found,) = compared(
        [line(listed)] if listed else [],
        [line(other, SUPPLEMENT)] if other else [],
        {},
        {("openai", "gpt-4o"): 7},
        at=at(NOW),
    )
    assert (found.state, found.calls) == (state, 7)
    assert found.difference == (difference and Decimal(difference))


def test_prices_are_compared_for_one_seller_region_tier_and_size_of_prompt() -> None:
    listed = [
        line("2"),
        line("1", service_tier="batch"),
        line("4", above_tokens=200_000),
        line("9", provider="groq", model="openai/gpt-oss-120b"),
        line("8", valid_to=at("2026-02-01"), meter="output"),
    ]
    other = [
        line("2.2", SUPPLEMENT, provider="azure", model="gpt-4o-2024-08-06", region="eu"),
        line("1", SUPPLEMENT, model="gpt-4o-2024-08-06", service_tier="batch"),
        line("5", SUPPLEMENT, provider="vllm", model="openai/gpt-oss-120b"),
        line("3", SUPPLEMENT, meter="output"),
    ]
    names = {
        ("azure", "gpt-4o-2024-08-06"): ("openai", "gpt-4o"),
        ("openai", "gpt-4o-2024-08-06"): ("openai", "gpt-4o"),
    }
    found = compared(listed, other, names, {}, at=at(NOW))
    assert counted(found) == {DISPUTED: 1, SINGLE: 5, AGREED: 1}
    disputed = found[0]
    assert (disputed.provider, disputed.region) == ("azure", "eu")
    assert disputed.difference == Decimal(10)
    alone = {(each.provider, each.meter, each.above_tokens) for each in found[1:6]}
    assert ("vllm", "input", 0) in alone, "nobody else's price is the one of our own machines"


def test_calls_count_for_the_price_of_the_name_that_they_are_listed_by() -> None:
    (found,) = compared(
        [line("2")],
        [line("3", SUPPLEMENT)],
        {("openai", "gpt-4o-2024-08-06"): ("openai", "gpt-4o")},
        {("openai", "gpt-4o-2024-08-06"): 7, ("openai", "gpt-4o"): 1, ("openai", "o9"): 5},
        at=at(NOW),
    )
    assert found.calls == 8


def run(database_url: str, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    monkeypatch.setenv("SPANLEDGER_DATABASE_URL", database_url)
    return CliRunner().invoke(prices_command.command, arguments)


@pytest.mark.one_server
def test_a_supplement_is_imported_compared_and_replaced(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [each for each in feed().lines if each.provider == "azure" or each.model == "gpt-4o"]
    with database.write() as session:
        books.replace_list(session, few, now=at("2026-11-01"))
        sold = Route(provider="azure", model="gpt-4o", deployment="api", region="eu")
        put_cell(session, "2026-11-19T10:00", SEARCH, sold, calls=12, input=5)
        session.execute(
            insert(model_names).values(
                tenant_id=TENANT,
                provider="azure",
                model="gpt-4o",
                listed_provider="openai",
                listed_model="gpt-4o",
                source="x",
                looked_up_at=at("2026-11-01"),
            )
        )
    file = tmp_path / "prices.json"
    file.write_text(LISTED)
    told = run(database_url, monkeypatch, "import", str(file), "--by", "Ada").output
    assert "26 prices of 11 models read: 26 lines entered the supplement, 0 closed" in told
    assert "\n      1  by the character\n" in told
    file.write_text(LISTED.replace("2.75e-06", "2.8e-06"))
    again = run(database_url, monkeypatch, "import", str(file), "--format", "litellm").output
    assert "1 lines entered the supplement, 1 closed" in again
    with database.read() as session:
        held = select(func.count()).where(prices.c.book == SUPPLEMENT)
        assert session.scalar(held) == 27, "closed, never overwritten"
        assert session.scalar(held.where(prices.c.known_to.is_(None))) == 26
    shown = run(database_url, monkeypatch, "compare").output
    assert "azure gpt-4o" in shown
    assert "+12.00" in shown
    assert "the list wins where it has one" in shown
    answer = asking(database, now=NOW).get("/v1/prices/discrepancies?used=true").json()
    (found,) = answer["discrepancies"]
    assert found == {
        "provider": "azure",
        "model": "gpt-4o",
        "region": "eu",
        "service_tier": "",
        "meter": "input",
        "above_tokens": 0,
        "list_price": "2.50",
        "supplement_price": "2.80",
        "difference_percent": "12.00",
        "state": "disputed",
        "calls": 12,
    }
    assert answer["compared"]["disputed"] == 1
    client = asking(database, now=NOW)
    above = client.get("/v1/prices/discrepancies", params={"above": "15"}).json()
    assert above["discrepancies"] == []
    for wrong in ({"above": "-1"}, {"above": "x"}, {"state": "x"}, {"limit": 0}):
        assert client.get("/v1/prices/discrepancies", params=wrong).status_code == 422
    file.write_text('{"a/b": {"litellm_provider": "a", "input_cost_per_token": -1}}')
    refused = run(database_url, monkeypatch, "import", str(file))
    assert refused.exit_code == 1
    assert "line 1, a/b.input_cost_per_token: must not be negative" in refused.output
    with database.read() as session:
        assert session.scalar(held.where(prices.c.known_to.is_(None))) == 26, "the old is kept"
