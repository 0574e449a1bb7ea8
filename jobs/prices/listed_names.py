"""Finds by which name the public lists have a model that was called, once for each name."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Final

from genai_prices.data import providers
from genai_prices.types import ModelInfo, Provider

from jobs.prices.price_feed import SOURCE
from spend.models import bare_name, maker_of, prefix_of
from spend.providers import PROVIDERS, provider_named
from store.postgres.sessions import Database
from store.prices import listings
from store.prices.books import Pair

AT_ONCE: Final = 500
"""Names looked up in one transaction: at worst a second's work."""

Spellings = Mapping[Pair, str]
"""Provider and a name without what people spell in many ways -> the model as a list has it."""

_SPELLED: Final = re.compile(r"[^a-z0-9]+")


def look_up_new(database: Database, tenant: int, *, now: datetime) -> int:
    """Looks up what was called and not looked for yet, or in older lists; returns how many."""
    done = 0
    with database.read() as session:
        supplement = listings.supplement(session)
        source = f"{SOURCE}, supplement {supplement.newest}" if supplement.pairs else SOURCE
        pairs = listings.not_looked_up(session, tenant, source)
    spelled = spellings(supplement.pairs)
    for start in range(0, len(pairs), AT_ONCE):
        found = {
            pair: listed(*pair) or in_supplement(*pair, spelled)
            for pair in pairs[start : start + AT_ONCE]
        }
        with database.write() as session:
            listings.remember(session, tenant, found, source=source, now=now)
        done += len(found)
    return done


def listed(provider: str, model: str) -> Pair | None:
    """The list's (provider, model) for ours; None when it has none.

    The provider is one of ``spend/providers.py`` and is taken by its id alone: the list's own
    guessing takes Azure for OpenAI, and an engine of ours for whoever made the model. Open weights
    have a price of their own at whoever sells them: no other seller's list is borrowed for them.
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
    place = None if found is None else _place_of(found)
    if not _is_open(model):
        return place
    if place is not None and place[0] == provider:
        return place
    spelled = _spellings_of_list().get((provider, _plain(model)))
    return None if spelled is None else (provider, spelled)


def in_supplement(provider: str, model: str, spelled: Spellings) -> Pair | None:
    """What the supplement calls a model of the same provider; None when it does not otherwise."""
    name = spelled.get((provider, _plain(model)))
    if name is None and provider_named(prefix_of(model)) == provider:
        name = spelled.get((provider, _plain(model.partition("/")[2])))
    return None if name in {None, model} else (provider, str(name))


def spellings(pairs: Iterable[Pair]) -> Spellings:
    """How a list's models are found however they are spelled, where that is unmistakable."""
    found: dict[Pair, set[str]] = {}
    for provider, model in pairs:
        found.setdefault((provider, _plain(model)), set()).add(model)
    return {plain: next(iter(models)) for plain, models in found.items() if len(models) == 1}


def _plain(model: str) -> str:
    """Of open weights the bare letters and digits: ``llama3.3-70b`` is ``Llama-3.3-70B``."""
    return _SPELLED.sub("", bare_name(model)) if _is_open(model) else model.lower()


def _is_open(model: str) -> bool:
    maker = maker_of(model)
    return maker is not None and maker.open_weights


@cache
def _spellings_of_list() -> Spellings:
    return spellings((seller.id, model.id) for seller in providers for model in seller.models)


@cache
def _by_id() -> dict[str, Provider]:
    return {provider.id: provider for provider in providers}


def _place_of(model: ModelInfo) -> Pair:
    """Where in the list a model stands: with the seller, or whose list the seller borrows."""
    return _places()[id(model)]


@cache
def _places() -> dict[int, Pair]:
    return {id(model): (seller.id, model.id) for seller in providers for model in seller.models}
