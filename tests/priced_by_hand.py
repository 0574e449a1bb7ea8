"""What the calls of tests/priced_month.py cost, by hand.

One call at a time, in Fraction, by rules written down for these prices alone: no code is shared
with what is checked but the value types. Two things are of more than one call: how far a month has
come (volume steps), and a pool's hour.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

from priced_month import (
    BATCH,
    EDGES,
    EMBEDDED,
    EUROPE,
    HOUR,
    LARGE,
    MONTH_ENDS,
    NOBODYS,
    NOW,
    OURS,
    PAINT,
    POOL_COST,
    PRICE_CHANGE,
    RERANK,
    START,
    STEPPED,
    STEPPED_TOO,
    WRITES,
    Amounts,
    Call,
)

from spend.calls import Outcome
from spend.ids import content_id


@dataclass(frozen=True)
class Cost:
    """Of one meter at one place: how much, at which prices per million (list, ours)."""

    quantity: int
    listed: Fraction | None
    ours: Fraction


def round6(value: Fraction) -> Fraction:
    return Fraction(round(value * 10**6), 10**6)  # half to even


def chat(call: Call) -> Iterator[tuple[str, int, str | None, str]]:
    """Meter, quantity, list price, contract price: of the model with a contract for all meters."""
    used = Counter(call.usage)
    batch, eu = call.route.service_tier == "batch", call.route.region == "eu"
    standard = "3.333333" if call.slot >= PRICE_CHANGE else "2.5"
    text = "1.25" if batch else "5" if call.prompt > LARGE else standard
    # The uplift of Europe is on the list's prices: 10 %.
    listed, listed_output = ("4.4", "13.2") if eu else ("4", "12")
    yield "input", used["input"], listed, text
    yield "cache_read", used["cache_read"], listed, "0.000001"
    for name in WRITES:
        yield name, used[name], listed, "3.125" if eu else text
    audio = used["output_audio"]
    yield "output", used["output"] - audio, listed_output, "10"
    yield "output_audio", audio, listed_output, "80"
    yield "tool_calls", used["tool_calls"], None, "10000"


def big(call: Call) -> Iterator[tuple[str, int, Fraction]]:
    """Meter, quantity, list price with its uplift."""
    used = Counter(call.usage)
    us, eu = call.route.region == "us", Fraction("1.075") if call.route.region == "eu" else 1
    text = Fraction("0.5") if us else round6(Fraction("1.000001") * eu)
    for name in ("input", "cache_read", *WRITES):
        yield name, used[name], text
    yield "output", used["output"], round6(Fraction("3.3" if us else "7.77") * eu)
    if call.outcome is Outcome.OK:
        yield "requests", 1, round6(Fraction(5000) * eu)


def costs_of(call: Call) -> list[tuple[str, Cost]] | None:
    """What is charged of one call, volume steps aside (their price is 0); None: unpriced."""
    if call.usage is None and call.route is not RERANK:
        return None if call.outcome is Outcome.OK else []
    used = Counter(call.usage or {})
    if call.route is NOBODYS:
        return None
    if call.route in {BATCH, EUROPE}:
        lines = [
            (meter, Cost(n, None if listed is None else Fraction(listed), Fraction(ours)))
            for meter, n, listed, ours in chat(call)
        ]
    elif call.route.model == "big":
        percent = Fraction(20 if call.slot >= PRICE_CHANGE else 15)
        lines = []
        for meter, n, listed in big(call):
            less = Fraction("33.333333") if meter == "output" else percent
            lines.append((meter, Cost(n, listed, round6(listed * (100 - less) / 100))))
    elif call.route is EMBEDDED:
        listed = Fraction("0.02")
        lines = [("input", Cost(used["input"], listed, round6(listed * Fraction("0.99"))))]
    elif call.route is PAINT:
        lines = [("images", Cost(used["images"], Fraction(40000), Fraction(39600)))]
    elif call.route is RERANK:
        lines = [("requests", Cost(int(call.outcome is Outcome.OK), None, Fraction(2000)))]
    else:
        read = ("input", "cache_read", *WRITES)
        lines = [(name, Cost(used[name], None, Fraction(0))) for name in read]
        lines.append(("output", Cost(used["output"], None, Fraction(1))))
    return [(meter, cost) for meter, cost in lines if cost.quantity]


def oracle(calls: Sequence[Call]) -> tuple[Amounts, int]:
    """What the ledger is to say, and how many calls are without a price."""
    found: dict[tuple[Any, ...], list[Cost]] = defaultdict(list)
    unpriced = 0
    for call in calls:
        if call.route is OURS:
            continue
        lines = costs_of(call)
        unpriced += lines is None
        for meter, cost in lines or ():
            found[*call.place, meter].append(cost)
    sums: Amounts = {}
    for key, lines in found.items():
        quantity, ours = 0, Fraction(0)
        listed: Fraction | None = Fraction(0)
        for cost in lines:
            quantity += cost.quantity
            ours += cost.quantity * cost.ours / 10**6
            if listed is not None and cost.listed is not None:
                listed += cost.quantity * cost.listed / 10**6
            else:
                listed = None
        sums[key] = (quantity, listed, ours)
    in_steps(sums)
    return sums | pool_hours([call for call in calls if call.route is OURS]), unpriced


def in_steps(sums: Amounts) -> None:
    """Prices the input of the model with volume steps: unit by unit, through each month."""
    stepped = {content_id(STEPPED), content_id(STEPPED_TOO)}
    keys = sorted(key for key in sums if key[2] in stepped and key[4] != "output")
    for _month, of_month in groupby(keys, lambda key: key[0] >= MONTH_ENDS):
        before = 0
        for _slot, of_slot in groupby(of_month, lambda key: key[0]):
            here = list(of_slot)
            total = sum(sums[key][0] for key in here)
            left = [sums[key][0] for key in here]
            cost = [Fraction(0)] * len(here)
            for edge, end, price in zip(
                EDGES, (*EDGES[1:], 10**18), ("3", "2.000001", "0.7"), strict=True
            ):
                in_step = max(0, min(before + total, end) - max(before, edge))
                for at, part in enumerate(apportioned(in_step, left)):
                    left[at] -= part
                    cost[at] += part * Fraction(price) / 10**6
            for key, amount in zip(here, cost, strict=True):
                sums[key] = (sums[key][0], None, amount)
            before += total


def apportioned(whole: int, weights: Sequence[int]) -> list[int]:
    """By largest remainder; of equal ones the first."""
    if not whole:
        return [0] * len(weights)
    exact = [Fraction(whole * weight, sum(weights)) for weight in weights]
    parts = [int(each) for each in exact]
    order = sorted(range(len(weights)), key=lambda at: (parts[at] - exact[at], at))
    for at in order[: whole - sum(parts)]:
        parts[at] += 1
    return parts


def pool_hours(calls: Sequence[Call]) -> Amounts:
    """Each hour's cost: the time in which somebody was served by work, the rest idle."""
    sums: Amounts = {}
    for number in range((NOW - START) // HOUR + 1):
        hour = START + number * HOUR
        work: Counter[tuple[Any, ...]] = Counter()
        busy = 0
        for call in calls:
            if hour <= call.slot < hour + HOUR:
                used = Counter(call.usage or {})
                read = used["input"] + sum(used[name] for name in WRITES)
                work[call.place] += read + 4 * used["output"]
                busy += call.timed_us
        whole = int(POOL_COST * 10**12)
        busy = min(busy, 3_600_000_000) if sum(work.values()) else 0
        of_calls, idle = apportioned(whole, [busy, 3_600_000_000 - busy])
        places = sorted(work)
        parts = apportioned(of_calls, [work[place] for place in places])
        for place, part in zip(places, parts, strict=True):
            if part:
                amount = Fraction(part, 10**12)
                sums[*place, "pool"] = (work[place], amount, amount)
        if idle:
            sums[hour, "idle"] = (0, Fraction(idle, 10**12), Fraction(idle, 10**12))
    return sums
