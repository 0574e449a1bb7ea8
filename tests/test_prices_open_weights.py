"""The same open weights at every seller and on our own machines: as many prices, and one pool.

Names are those that instrumentations of each seller's clients send.
"""

from datetime import timedelta
from decimal import Decimal

import pytest
from filled_ledger import SEARCH, at, put_cell
from sqlalchemy import select

from jobs.charging import charge
from jobs.context import JobContext
from jobs.prices.listed_names import in_supplement, listed, look_up_new, spellings
from jobs.prices.price_feed import feed
from spend.calls import Route
from spend.capacity.pools import Pool, pool_of
from spend.prices.litellm_prices import litellm_feed
from spend.prices.prices import SUPPLEMENT, PriceBook, PriceLine
from spend.providers import place_of_call
from store.postgres.sessions import Database
from store.prices import books
from store.tables.ledger import charges
from store.tables.prices import model_names
from store.tenants import TENANT

NOW = at("2026-11-20")

# Invented prices of sellers that the list does not have, in LiteLLM's shape.
ALSO = litellm_feed(
    """{
    "fireworks_ai/accounts/fireworks/models/llama-v3p3-70b-instruct": {
      "litellm_provider": "fireworks_ai", "input_cost_per_token": 9.1e-07},
    "azure_ai/Llama-3.3-70B-Instruct": {
      "litellm_provider": "azure_ai", "input_cost_per_token": 7.1e-07},
    "azure_ai/gpt-oss-120b": {
      "litellm_provider": "azure_ai", "input_cost_per_token": 1.6e-07},
    "sambanova/Meta-Llama-3.3-70B-Instruct": {
      "litellm_provider": "sambanova", "input_cost_per_token": 6e-07},
    "hosted_vllm/meta-llama/Llama-3.3-70B-Instruct": {
      "litellm_provider": "hosted_vllm", "input_cost_per_token": 4e-07}
    }""",
    source="also",
).lines
SPELLED = spellings({(each.provider, each.model) for each in ALSO})

POOL = Pool(
    name="llama on our own machines",
    valid_from=at("2026-01-01"),
    valid_to=None,
    cost_per_hour=Decimal(49),
    currency="USD",
    match={"deployment": ["self-hosted"]},
    provider="vllm",
)


def route_of(told: str | None, model: str, host: str | None) -> Route:
    place = place_of_call(told=told, model=model, host=host)
    return Route(
        provider=place.provider, model=model, deployment=place.deployment, region=place.region
    )


def line_of(route: Route) -> PriceLine | None:
    """What prices the input of a call, of both lists."""
    names = {}
    if route.provider and route.model:
        found = listed(route.provider, route.model) or in_supplement(
            route.provider, route.model, SPELLED
        )
        if found:
            names[route.provider, route.model] = found
    return PriceBook((*feed().lines, *ALSO), names).line(route, "input", band=0, at=NOW)


@pytest.mark.parametrize(
    ("told", "model", "host", "seller", "price"),
    [
        ("groq", "llama-3.3-70b-versatile", "api.groq.com", "groq", "0.59"),
        ("openai", "llama-3.3-70b-versatile", "api.groq.com", "groq", "0.59"),
        (None, "groq/llama-3.3-70b-versatile", None, "groq", "0.59"),
        ("cerebras", "llama-3.3-70b", None, "cerebras", "0.85"),
        ("openai", "llama3.3-70b", "api.cerebras.ai", "cerebras", "0.85"),
        (
            "openai",
            "meta-llama/Llama-3.3-70B-Instruct-Turbo",
            "api.together.xyz",
            "together",
            "0.88",
        ),
        (
            "together_ai",
            "together_ai/meta-llama/Llama-3.3-70B-Instruct-Turbo",
            None,
            "together",
            "0.88",
        ),
        (
            "workers-ai.chat",
            "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
            None,
            "cloudflare",
            "0.293",
        ),
        (
            "openai",
            "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
            "api.cloudflare.com",
            "cloudflare",
            "0.293",
        ),
        (
            "aws.bedrock",
            "meta.llama3-3-70b-instruct-v1:0",
            "bedrock-runtime.us-east-1.amazonaws.com",
            "aws",
            "0.72",
        ),
        ("aws.bedrock", "us.meta.llama3-3-70b-instruct-v1:0", None, "aws", "0.72"),
        (
            "fireworks",
            "accounts/fireworks/models/llama-v3p3-70b-instruct",
            "api.fireworks.ai",
            "fireworks",
            "0.91",
        ),
        (
            "fireworks_ai",
            "fireworks_ai/accounts/fireworks/models/llama-v3p3-70b-instruct",
            None,
            "fireworks",
            "0.91",
        ),
        (
            "azure.ai.inference",
            "Llama-3.3-70B-Instruct",
            "acme.services.ai.azure.com",
            "azure",
            "0.71",
        ),
        ("az.ai.inference", "llama-3.3-70b-instruct", None, "azure", "0.71"),
        ("sambanova", "Meta-Llama-3.3-70B-Instruct", None, "sambanova", "0.6"),
        ("novita", "meta-llama/llama-3.3-70b-instruct", None, "novita", "0.135"),
        ("openai", "openai/gpt-oss-120b", "api.groq.com", "groq", "0.15"),
        ("openai", "gpt-oss-120b", "api.cerebras.ai", "cerebras", "0.35"),
        ("openai", "@cf/openai/gpt-oss-120b", "api.cloudflare.com", "cloudflare", "0.35"),
        ("openrouter", "openai/gpt-oss-120b", "openrouter.ai", "openrouter", "0.1"),
        # Azure borrows OpenAI's list for OpenAI's own models only.
        ("openai", "gpt-oss-120b", "acme.openai.azure.com", "azure", "0.16"),
    ],
)
def test_open_weights_cost_what_their_own_seller_asks(
    told: str | None, model: str, host: str | None, seller: str, price: str
) -> None:
    route = route_of(told, model, host)
    line = line_of(route)
    assert line is not None
    assert (line.provider, route.provider) == (seller, seller)
    assert line.unit_price == Decimal(price)
    assert pool_of([POOL], route, SEARCH, NOW) is None


@pytest.mark.parametrize(
    ("told", "model", "host"),
    [
        ("vllm", "meta-llama/Llama-3.3-70B-Instruct", None),
        ("openai", "meta-llama/Llama-3.3-70B-Instruct", "10.0.0.5:8000"),
        ("openai", "llama-3.3-70b-versatile", "gpu-1:8000"),
        ("openai", "hosted_vllm/meta-llama/Llama-3.3-70B-Instruct", None),
        ("vllm", "openai/gpt-oss-120b", "gpu-1:8000"),
        ("openai", "openai/gpt-oss-120b", "vllm.ai.svc:8000"),
        ("ollama", "llama3.3:70b", "localhost:11434"),
    ],
)
def test_on_our_own_machines_they_have_no_sellers_price_and_one_pool(
    told: str, model: str, host: str | None
) -> None:
    route = route_of(told, model, host)
    assert line_of(route) is None
    assert pool_of([POOL], route, SEARCH, NOW) is POOL


def test_a_seller_whose_price_nobody_lists_has_no_neighbours_price() -> None:
    for told, model, host in (
        ("openai", "meta-llama/Llama-3.3-70B-Instruct", None),
        ("openai", "openai/gpt-oss-120b", "llm.example.com"),
        ("huggingface", "meta-llama/Llama-3.3-70B-Instruct", None),
        ("acme", "llama-3.3-70b-versatile", None),
        ("fireworks", "llama-3.3-70b-versatile", None),
        ("groq", "meta-llama/Llama-3.3-70B-Instruct-Turbo", None),
    ):
        assert line_of(route_of(told, model, host)) is None, (told, model, host)


@pytest.mark.one_server
def test_a_supplement_prices_what_waited_under_whatever_name(database: Database) -> None:
    called = route_of("az.ai.inference", "llama-3.3-70b-instruct", None)
    with database.write() as session:
        put_cell(session, "2026-11-19T10:00", SEARCH, called, charged=False, input=1_000_000)
    charge.run(JobContext(database=database, now=NOW))
    assert look_up_new(database, TENANT, now=NOW) == 0
    with database.write() as session:
        books.replace_list(session, ALSO, now=NOW, book=SUPPLEMENT)
    assert look_up_new(database, TENANT, now=NOW + timedelta(hours=1)) == 1 + 4
    assert look_up_new(database, TENANT, now=NOW + timedelta(hours=1)) == 0
    charge.run(JobContext(database=database, now=NOW + timedelta(hours=1)))
    with database.read() as session:
        assert session.scalars(select(charges.c.amount)).all() == [Decimal("0.71")]
        found = session.execute(
            select(model_names.c.listed_provider, model_names.c.listed_model).where(
                model_names.c.model == called.model
            )
        ).one()
    assert tuple(found) == ("azure", "Llama-3.3-70B-Instruct")
