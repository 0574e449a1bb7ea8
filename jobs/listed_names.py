"""Finds by which name the price list has a model that was called, once for each name."""

from datetime import datetime
from functools import cache
from typing import Final

from genai_prices.data import providers
from genai_prices.types import ModelInfo, Provider

from jobs.price_feed import SOURCE
from spend.models import prefix_of
from spend.providers import PROVIDERS, provider_named
from store import listings
from store.books import Pair
from store.sessions import Database

AT_ONCE: Final = 500
"""Names looked up in one transaction: at worst a second's work."""


def look_up_new(database: Database, tenant: int, *, now: datetime) -> int:
    """Looks up what was called and not looked for yet, or in an older list; returns how many."""
    done = 0
    with database.read() as session:
        pairs = listings.not_looked_up(session, tenant, SOURCE)
    for start in range(0, len(pairs), AT_ONCE):
        found = {pair: listed(*pair) for pair in pairs[start : start + AT_ONCE]}
        with database.write() as session:
            listings.remember(session, tenant, found, source=SOURCE, now=now)
        done += len(found)
    return done


def listed(provider: str, model: str) -> Pair | None:
    """The list's (provider, model) for ours; None when it has none.

    The provider is one of ``spend/providers.py`` and is taken by its id alone: the list's own
    guessing takes Azure for OpenAI, and an engine of ours for whoever made the model.
    """
    if provider not in PROVIDERS:
        return None
    seller = _by_id().get(provider)
    if seller is None:
        return None
    found = seller.find_model(model, all_providers=providers)
    if found is None and provider_named(prefix_of(model)) == provider:
        # "groq/llama-3.3-70b", as gateways write it.
        found = seller.find_model(model.partition("/")[2], all_providers=providers)
    return None if found is None else _place_of(found)


@cache
def _by_id() -> dict[str, Provider]:
    return {provider.id: provider for provider in providers}


def _place_of(model: ModelInfo) -> Pair:
    """Where in the list a model stands: with the seller, or whose list the seller borrows."""
    return _places()[id(model)]


@cache
def _places() -> dict[int, Pair]:
    return {id(model): (seller.id, model.id) for seller in providers for model in seller.models}
