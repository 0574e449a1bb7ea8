"""The price list of ``genai-prices`` as lines of our own book. Data only: nothing is fetched.

What a line cannot say is counted, and told in the job's note:
- prices by the hour of the day (DeepSeek's off-peak): that of most hours is taken;
- a tier at an edge that ``spend/prices/bands.py`` does not have;
- a price that depends on what we are not told (which route, which kind of search).
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from importlib.metadata import version
from typing import Final

from genai_prices.data import providers
from genai_prices.types import (
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    StartDateConstraint,
    TieredPrices,
    TimeOfDateConstraint,
)

from spend import money
from spend.prices.bands import EDGES
from spend.prices.feeds import ALWAYS, CURRENCY, Feed
from spend.prices.prices import LIST, PriceLine, tier_of

SOURCE: Final = f"genai-prices {version('genai-prices')}"
HALF_A_DAY: Final = timedelta(hours=12)

TOKENS: Final = 1_000_000
METERS: Final = {
    "input_mtok": ("input", TOKENS),
    "cache_read_mtok": ("cache_read", TOKENS),
    "cache_write_mtok": ("cache_write_5m", TOKENS),
    "cache_write_1h_mtok": ("cache_write_1h", TOKENS),
    "output_mtok": ("output", TOKENS),
    "input_audio_mtok": ("input_audio", TOKENS),
    "output_audio_mtok": ("output_audio", TOKENS),
    "input_image_mtok": ("input_image", TOKENS),
    "output_image_mtok": ("output_image", TOKENS),
    "requests_kcount": ("requests", 1_000),
    # Of the tools that a provider bills, calls tell how often, not which: the search is the usual.
    "web_searches_kcount": ("tool_calls", 1_000),
    "audio_hours": ("seconds", 3_600),
}
"""Their names of prices -> our meter, and for how many units of it they are."""

SAID_AGAIN: Final = {"input_audio_hours": "audio_hours"}
"""Prices that the source has a second time, more precisely for what: where both are the same."""

NO_METER: Final = {
    "storage_searches_kcount": "searches of files, charged as web searches",
    "cache_audio_read_mtok": "caches of audio and images, charged as text",
    "cache_image_read_mtok": "caches of audio and images, charged as text",
    "output_reasoning_mtok": "reasoning and citations at a price of their own",
    "output_citation_mtok": "reasoning and citations at a price of their own",
    "input_document_kpages": "by the page",
    "input_annotated_document_kpages": "by the page",
    "input_video_mtok": "video",
    "output_video_mtok": "video",
    "input_mchars": "by the character",
    "input_text_messages_kcount": "by the message",
}
"""Prices that no line can say -> what they are, for people."""

TIER_CONTEXTS: Final = {"service_tier", "processing", "speed"}
"""What of a request chooses a service tier: service_tier=flex, processing=batch, speed=fast."""

Price = Decimal | TieredPrices


@cache
def feed() -> Feed:
    """All that the pinned version of the source says. Takes a second, so done once a process."""
    left_out: Counter[str] = Counter()
    lines: list[PriceLine] = []
    for provider in providers:
        for model in provider.models:
            reading = _Model(provider.id, model)
            lines.extend(_joined(reading.lines()))
            left_out.update(reading.left_out)
    return Feed(tuple(lines), dict(left_out))


class _Model:
    """One model of the source while it is read."""

    def __init__(self, provider: str, model: ModelInfo) -> None:
        self._provider = provider
        self._model = model
        self.left_out: set[str] = set()

    def lines(self) -> Iterator[PriceLine]:
        """Its lines: the standard prices, then those of service tiers."""
        standard = self._model.prices
        if isinstance(standard, ModelPrice):
            standard = [ConditionalPrice(prices=standard)]
        dated = [
            (_start(each), each.prices)
            for each in standard
            if not isinstance(each.constraint, TimeOfDateConstraint)
        ]
        by_the_hour = [
            (each.constraint, each.prices)
            for each in standard
            if isinstance(each.constraint, TimeOfDateConstraint)
        ]
        if by_the_hour:
            self.left_out.add("by the hour of the day, taken at the price of most hours")
            if sum((_length(hours) for hours, _prices in by_the_hour), timedelta()) > HALF_A_DAY:
                dated.append((None, by_the_hour[-1][1]))
        yield from self._stretches("", dated)
        by_tier: dict[str, list[tuple[date | None, ModelPrice]]] = {}
        for variant in self._model.price_variants or ():
            tier = self._tier(variant)
            if tier:
                by_tier.setdefault(tier, []).append((_start(variant), variant.prices))
        for tier, variants in by_tier.items():
            # Of variants the first that holds is taken, of standard prices the last.
            yield from self._stretches(tier, variants[::-1])

    def _tier(self, variant: PriceVariant) -> str:
        if len(variant.when) != 1 or not variant.when.keys() <= TIER_CONTEXTS:
            self.left_out.add("by what calls do not tell")
            return ""
        return tier_of(next(iter(variant.when.values())))

    def _stretches(
        self, tier: str, dated: list[tuple[date | None, ModelPrice]]
    ) -> Iterator[PriceLine]:
        """Lines for each stretch of time between the dates. Of prices that hold, the last wins."""
        undated = any(start is None for start, _prices in dated)
        dates = sorted({start for start, _prices in dated if start is not None})
        # Before its first date the source takes the first standard price, but no variant.
        begins: list[date | None] = [None, *dates] if undated or not tier else [*dates]
        for place, begin in enumerate(begins):
            holding = [
                prices
                for start, prices in dated
                if start is None or (begin is not None and start <= begin)
            ]
            prices = self._together(holding, tier) if holding else dated[0][1]
            end = begins[place + 1] if place + 1 < len(begins) else None
            yield from self._of(prices, tier, _midnight(begin) or ALWAYS, _midnight(end))

    def _together(self, holding: list[ModelPrice], tier: str) -> ModelPrice:
        """A standard price stands alone; variants override each other key by key."""
        if not tier:
            return holding[-1]
        keys = [
            {key: price for key, price in vars(prices).items() if price is not None}
            for prices in holding
        ]
        return ModelPrice(**{key: price for each in keys for key, price in each.items()})

    def _of(
        self, prices: ModelPrice, tier: str, valid_from: datetime, valid_to: datetime | None
    ) -> Iterator[PriceLine]:
        for key, price in vars(prices).items():
            if price is None:
                continue
            if key not in METERS:
                if key not in SAID_AGAIN or price != getattr(prices, SAID_AGAIN[key]):
                    self.left_out.add(NO_METER.get(key, "by what has no meter"))
                continue
            meter, units = METERS[key]
            for above, unit_price in self._tiers(price):
                yield PriceLine(
                    book=LIST,
                    provider=self._provider,
                    model=self._model.id,
                    meter=meter,
                    unit_price=_for_a_million(unit_price, units),
                    currency=CURRENCY,
                    valid_from=valid_from,
                    valid_to=valid_to,
                    service_tier=tier,
                    above_tokens=above,
                    source=SOURCE,
                )

    def _tiers(self, price: Price) -> Iterator[tuple[int, Decimal]]:
        if not isinstance(price, TieredPrices):
            yield 0, price
            return
        yield 0, price.base
        for tier in price.tiers:
            if tier.start in EDGES:
                yield tier.start, tier.price
            else:
                self.left_out.add(f"above {tier.start:,} tokens")


def _for_a_million(price: Decimal, units: int) -> Decimal:
    """A price for so many units, for 1,000,000 of them: 6 decimals, half to even."""
    return money.quantised(money.ROUNDING.divide(price * TOKENS, Decimal(units)))


def _start(price: ConditionalPrice | PriceVariant) -> date | None:
    constraint = price.constraint
    return constraint.start_date if isinstance(constraint, StartDateConstraint) else None


def _length(hours: TimeOfDateConstraint) -> timedelta:
    start, end = (
        timedelta(hours=each.hour, minutes=each.minute)
        for each in (hours.start_time, hours.end_time)
    )
    return (end - start) % timedelta(days=1)


def _joined(lines: Iterable[PriceLine]) -> list[PriceLine]:
    """Lines that follow each other at one price, as one: a meter's change cuts no other's."""
    joined: list[PriceLine] = []
    for line in sorted(lines, key=lambda each: (each.subject, each.valid_from)):
        last = joined[-1] if joined else None
        if (
            last is not None
            and last.subject == line.subject
            and last.valid_to == line.valid_from
            and last.unit_price == line.unit_price
        ):
            joined[-1] = replace(last, valid_to=line.valid_to)
        else:
            joined.append(line)
    return joined


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
