"""The terms of a pool in words: what each component costs, what a kilowatt-hour does, what runs."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from api.pages.formats import Formats
from spend.capacity.pool_costs import Component, Depreciation, Energy, ForTerm, Recurring
from spend.capacity.pools import Pool
from spend.capacity.tariffs import HOURS, WEEKDAYS, Rate, Tariff


def terms_in_words(component: Component, currency: str, told: Formats) -> str:
    """How a component's cost of an hour comes about."""
    terms = component.terms
    if isinstance(terms, Recurring):
        times = "" if terms.quantity == 1 else f"{_plain(terms.quantity)} × "  # noqa: RUF001 - a sign of multiplication
        return f"{times}{told.unit_price(terms.amount, currency)} a{_n(terms.per)} {terms.per}"
    if isinstance(terms, ForTerm):
        times = "" if terms.quantity == 1 else f"{_plain(terms.quantity)} × "  # noqa: RUF001 - likewise
        return f"{times}{told.money(terms.amount, currency)} for {terms.months} months in advance"
    if isinstance(terms, Depreciation):
        words = (
            f"{told.money(terms.purchase, currency)} less {told.money(terms.residual, currency)}"
            f" over {terms.life_months} months, in a straight line"
        )
        if terms.disposed_for is None:
            return words
        return f"{words}; sold for {told.money(terms.disposed_for, currency)}"
    return _energy(terms, currency, told)


def _energy(terms: Energy, currency: str, told: Formats) -> str:
    names = ", ".join(dict.fromkeys(each.name for each in terms.tariffs))
    fixed = [each for each in terms.tariffs if len({rate.price for rate in each.rates}) == 1]
    price = f"the tariff {names}"
    if len(terms.tariffs) == 1 and fixed:
        price = f"{told.unit_price(fixed[0].rates[0].price, currency)} a kWh"
    measured = " Measured where the machines tell it." if terms.measured else ""
    watts = f"{_plain(terms.idle_watts)} W idle to {_plain(terms.watts)} W busy"
    if terms.watts == terms.idle_watts:
        watts = f"{_plain(terms.watts)} W"
    return f"{watts} × PUE {_plain(terms.pue)} × {price}.{measured}"  # noqa: RUF001 - likewise


def tariffs_of(pool: Pool) -> list[Tariff]:
    """Every tariff that its components name."""
    found: dict[Tariff, None] = {}
    for component in pool.components:
        if isinstance(component.terms, Energy):
            found |= dict.fromkeys(component.terms.tariffs)
    return list(found)


def rate_in_words(rate: Rate) -> str:
    """The local hours that a price of a tariff holds in."""
    parts = [_hours(sorted(rate.hours))]
    if len(rate.weekdays) < len(WEEKDAYS):
        parts.append(", ".join(WEEKDAYS[day] for day in sorted(rate.weekdays)))
    if len(rate.months) < 12:  # noqa: PLR2004 - of a year
        parts.append("months " + ", ".join(str(month) for month in sorted(rate.months)))
    return "; ".join(parts)


def _hours(hours: Sequence[int]) -> str:
    if len(hours) == len(HOURS):
        return "all hours"
    runs: list[list[int]] = []
    for hour in hours:
        if runs and runs[-1][1] == hour:
            runs[-1][1] = hour + 1
        else:
            runs.append([hour, hour + 1])
    if len(runs) > 1 and runs[0][0] == 0 and runs[-1][1] == len(HOURS):
        # Over midnight it is one.
        runs[0][0] = runs.pop()[0]
    return ", ".join(f"{start:02d}:00 to {end:02d}:00" for start, end in runs)


def match_in_words(match: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Which calls run on it: dimension, and its values."""
    return [(name.replace("_", " "), " or ".join(values)) for name, values in match.items()]


def capacity_in_words(pool: Pool, told: Formats) -> str:
    """What it can do, as far as that is declared."""
    weight = f"uncached input + {_plain(pool.output_weight)} × output tokens"  # noqa: RUF001 - likewise
    if pool.capacity_per_hour is not None:
        return f"{told.number(pool.capacity_per_hour)} work units an hour ({weight}), as declared"
    if pool.capacity_per_unit is not None:
        return (
            f"{told.number(pool.capacity_per_unit)} work units an hour for each unit ({weight}),"
            " as declared"
        )
    return "not declared: it is taken to be busy while a call is in flight, as measured"


def _n(per: str) -> str:
    return "n" if per == "hour" else ""


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
