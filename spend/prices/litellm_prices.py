"""A price list of LiteLLM's shape (``model_prices_and_context_window.json``) as lines of our book.

An object: ``"provider/model"`` -> its prices in USD for one unit, under some 170 names, among
``litellm_provider``, ``mode``, and where they were read (``source``). It tells no dates: a price
holds from when it is known, and for what was not priced before. What no line can say is counted.

Source: the file as LiteLLM 1.40 to 1.109 ships it. Its numbers may have exponents.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn

from spend import money
from spend.prices.bands import EDGES
from spend.prices.feeds import ALWAYS, CURRENCY, Feed
from spend.prices.litellm_names import Named, NotSayableError, named
from spend.prices.prices import SUPPLEMENT, PriceLine
from spend.written_rows import LONGEST_TEXT, Refusal, RowsRefusedError

PROVIDER: Final = "litellm_provider"
"""Every entry has it: by this a file is known to have this shape."""
SAMPLE: Final = "sample_spec"
"""An entry that explains the others."""

# Their name of a price -> our meter.
_METERS: Final = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
    "input_cost_per_image_token": "input_image",
    "output_cost_per_image_token": "output_image",
    "output_cost_per_image": "images",
    "input_cost_per_request": "requests",
    "input_cost_per_query": "requests",
}
_OF_SECONDS: Final = ("input_cost_per_second", "output_cost_per_second")
_SAID_ELSEWHERE: Final = frozenset(
    {*_OF_SECONDS, "tiered_pricing", "search_context_cost_per_query"}
)
_WITH_SECONDS: Final = frozenset({"audio_transcription", "audio_speech"})
"""Modes in which a second is one of audio; in others it is one of video, or of a rented machine."""
_WITHOUT_OUTPUT: Final = frozenset({"embedding", "rerank", "audio_transcription"})

_OF_TOKENS: Final = frozenset(_METERS.values()) - {"images", "requests"}
_WHOLES: Final = frozenset({"images", "seconds"})

_TIERS: Final = {"batches": "batch", "priority": "priority", "flex": "flex"}
_NAME: Final = re.compile(
    r"(?P<price>\w+?)(?:_above_(?P<above>\d{1,9})k_tokens)?(?:_(?P<tier>batches|priority|flex))?"
)
_SAYS_A_PRICE: Final = re.compile(r"cost|pric|multiplier|provider_specific_entry")

# Part of a name that no meter has -> what it is a price of, for people.
_NO_METER: Final = (
    ("uplift", "a region's surcharge: enter it as an uplift"),
    ("provider_specific_entry", "a region's or tier's surcharge: enter it as an uplift"),
    ("off_peak", "by the hour of the day"),
    ("reasoning", "reasoning apart from output"),
    ("citation", "by the citation"),
    ("character", "by the character"),
    ("pixel", "by the pixel"),
    ("page", "by the page"),
    ("ocr", "by the page"),
    ("video", "of video"),
    ("per_second", "by the second of what is no audio"),
    ("cache_", "a cache of audio, images, or for other times"),
    ("dbu", ""),  # the same price in another unit
    ("per_image", "of images that are read, or by their size"),
    ("grounding", "tools, by what calls do not tell"),
    ("search", "tools, by what calls do not tell"),
    ("code_interpreter", "tools, by what calls do not tell"),
    ("vector_store", "storage"),
    ("computer_use", "tools, by what calls do not tell"),
    ("_token_", "service tiers of other names"),
)
_OTHERWISE: Final = "by what has no meter"

_Price = tuple[str, str, int, Decimal]
"""Meter, service tier, above how many tokens of prompt, and the price of 1,000,000."""


def is_litellm(text: str) -> bool:
    """Whether a JSON text looks like such a list."""
    return f'"{PROVIDER}"' in text and text.lstrip()[:1] == "{"


def litellm_feed(text: str, *, source: str, entered_by: str | None = None) -> Feed:
    """All that such a list says in lines, in USD. RowsRefusedError where it makes no sense."""
    refusals: list[Refusal] = []
    left_out: Counter[str] = Counter()
    found: dict[tuple[object, ...], PriceLine] = {}
    disputed: set[tuple[object, ...]] = set()
    for place, (key, entry) in enumerate(_entries(text).items(), 1):
        if key == SAMPLE:
            continue
        reading = _Entry(place, key, entry, refusals)
        for line in reading.lines(source, entered_by):
            if found.setdefault(line.subject, line).unit_price != line.unit_price:
                disputed.add(line.subject)
                reading.left_out.add("two entries for one model that disagree")
        left_out.update(reading.left_out)
    if not found and not refusals:
        refusals.append(Refusal(1, "file", "has no prices"))
    if refusals:
        raise RowsRefusedError(refusals)
    return Feed(
        tuple(line for subject, line in found.items() if subject not in disputed), dict(left_out)
    )


def _entries(text: str) -> Mapping[str, Any]:
    try:
        # Through a float, 2.5e-07 would no longer be 2.5e-07.
        found = json.loads(
            text, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_such_number
        )
    except (ValueError, ArithmeticError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise RowsRefusedError([Refusal(line, "file", f"not JSON: {error}")]) from error
    if not isinstance(found, dict):
        raise RowsRefusedError([Refusal(1, "file", "must be an object: model -> its prices")])
    return found


def _no_such_number(written: str) -> NoReturn:
    raise ValueError(f"{written} is no price")


class _Entry:
    """One model of the list while it is read."""

    def __init__(self, place: int, key: str, entry: object, refusals: list[Refusal]) -> None:
        self._place = place
        self._key = key
        self._entry: Mapping[str, Any] = entry if isinstance(entry, dict) else {}
        self._refusals = refusals
        self._mode = str(self._entry.get("mode"))
        self.left_out: set[str] = set()
        if not self._entry:
            self._refuse("", "must be an object")

    def lines(self, source: str, entered_by: str | None) -> Iterator[PriceLine]:
        """Its lines; what cannot be said goes to ``left_out``."""
        try:
            name = named(self._key, str(self._entry.get(PROVIDER) or ""))
        except NotSayableError as not_sayable:
            self.left_out.add(str(not_sayable))
            return
        prices = self._once(
            [*self._prices(self._entry, 0), *self._tiered(), *self._seconds(), *self._search()]
        )
        if not any(price for _meter, _tier, _above, price in prices):
            reason = "free or unknown, as every price is 0" if prices else "no price"
            self.left_out.add(reason)
            return
        reference = str(self._entry.get("source") or "")
        sound = reference.isprintable() and len(reference) <= LONGEST_TEXT
        said = reference if reference and sound else None
        for meter, tier, above, price in prices:
            yield _line(name, meter, tier, above, price, source, said, entered_by)

    def _once(self, prices: list[_Price]) -> list[_Price]:
        """What is priced by the token is not priced by the image or second as well.

        The list has either as another way to say the same; both would be charged.
        """
        by_token = {meter for meter, _tier, _above, price in prices if price} & _OF_TOKENS
        twice = {meter for meter, *_ in prices} & _WHOLES if by_token else set()
        if twice:
            self.left_out.add("by the image or second what is priced by the token too")
        return [each for each in prices if each[0] not in twice]

    def _prices(self, said: Mapping[str, Any], above: int) -> Iterator[_Price]:
        for name, value in said.items():
            if value is None or not _SAYS_A_PRICE.search(name) or name in _SAID_ELSEWHERE:
                continue
            parts = _NAME.fullmatch(name)
            meter = _METERS.get(parts["price"]) if parts else None
            if parts is None or meter is None:
                self._tell_no_meter(name, value)
                continue
            edge = int(parts["above"]) * 1000 if parts["above"] else above
            if edge not in {0, *EDGES}:
                self.left_out.add(f"above {edge:,} tokens")
                continue
            price = self._price(name, value)
            if price is None or (not price and self._is_nothing(meter)):
                continue
            yield meter, _TIERS.get(parts["tier"] or "", ""), edge, price

    def _is_nothing(self, meter: str) -> bool:
        """Whether a price of 0 says that there is nothing to price."""
        return meter in {"images", "requests"} or (
            meter == "output" and self._mode in _WITHOUT_OUTPUT
        )

    def _tiered(self) -> Iterator[_Price]:
        """Prices by the prompt's size, as a list of ranges."""
        tiers = self._entry.get("tiered_pricing")
        for tier in tiers if isinstance(tiers, list) else ():
            limits = tier.get("range") if isinstance(tier, dict) else None
            start = limits[0] if isinstance(limits, list) and limits else None
            if not isinstance(start, Decimal) or start not in {0, *EDGES}:
                self.left_out.add("above other sizes of prompts")
                continue
            yield from self._prices(tier, int(start))

    def _seconds(self) -> Iterator[_Price]:
        written = [
            (name, self._entry[name]) for name in _OF_SECONDS if self._entry.get(name) is not None
        ]
        if not written:
            return
        prices = {self._price(name, value) for name, value in written} - {None, Decimal(0)}
        if self._mode not in _WITH_SECONDS or len(prices) > 1:
            self.left_out.add("by the second of what is no audio")
            return
        yield from (("seconds", "", 0, price) for price in prices if price)

    def _search(self) -> Iterator[_Price]:
        """Web searches: sayable where their price does not depend on what calls do not tell."""
        sizes = self._entry.get("search_context_cost_per_query")
        if not isinstance(sizes, dict):
            return
        prices = {self._price(f"search.{size}", value) for size, value in sizes.items()} - {None}
        if len(prices) > 1:
            self.left_out.add("tools, by what calls do not tell")
            return
        yield from (("tool_calls", "", 0, price) for price in prices if price)

    def _price(self, name: str, value: object) -> Decimal | None:
        """For 1,000,000 units, in 6 decimals, half to even; None: it cannot be said."""
        if not isinstance(value, Decimal):
            self._refuse(name, "must be a number")
        elif value < 0:
            self._refuse(name, "must not be negative")
        elif not value.is_finite() or value.adjusted() + 6 >= money.PRICE_LIMIT.adjusted():
            self._refuse(name, f"must be less than {money.PRICE_LIMIT} for 1,000,000")
        else:
            price = money.quantised(value.scaleb(6, money.ROUNDING))
            if price or not value:
                return price
            self.left_out.add("finer than the finest price")
        return None

    def _tell_no_meter(self, name: str, value: object) -> None:
        if not value or (isinstance(value, dict) and not any(value.values())):
            return
        if "reasoning" in name and value == self._entry.get("output_cost_per_token"):
            return
        told = next((told for part, told in _NO_METER if part in name), _OTHERWISE)
        if told:
            self.left_out.add(told)

    def _refuse(self, name: str, reason: str) -> None:
        where = f"{self._key}.{name}" if name else self._key
        self._refusals.append(Refusal(self._place, where[:LONGEST_TEXT], reason))


def _line(
    name: Named,
    meter: str,
    tier: str,
    above: int,
    price: Decimal,
    source: str,
    reference: str | None,
    entered_by: str | None,
) -> PriceLine:
    return PriceLine(
        book=SUPPLEMENT,
        provider=name.provider,
        model=name.model,
        meter=meter,
        unit_price=price,
        currency=CURRENCY,
        valid_from=ALWAYS,
        region=name.region,
        service_tier=tier,
        above_tokens=above,
        source=source,
        reference=reference,
        entered_by=entered_by,
    )
