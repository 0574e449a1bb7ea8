"""How a pool-hour is split over the calls that used it: methods, by name and version.

Each gives every user of the hour a whole number, its weight, and says by which method it did: where
a model server's times are missing, work units stand in. docs/pools.md tells what they are good for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

from spend import money
from spend.meters import CACHE_WRITES, INPUTS

WORK_UNITS: Final = "work-units-v1"
TOKENS: Final = "tokens-v1"
GPU_SECONDS: Final = "gpu-seconds-v1"
PREFILL_DECODE: Final = "prefill-decode-v1"
METHODS: Final = (WORK_UNITS, TOKENS, GPU_SECONDS, PREFILL_DECODE)
SEATS: Final = "seats-v1"
"""By seats that were bought for teams, whatever they use: of subscriptions only."""

OUTPUT_WEIGHT: Final = Decimal(4)

_DIGITS: Final = 6
_HOUR_US: Final = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Weights:
    """What users of an hour weigh in its split."""

    method: str
    """By which they were weighed: not always the one asked for."""
    weights: tuple[int, ...]
    quantities: tuple[Decimal, ...]
    """What the lines of the ledger say was used: work units, tokens, or seconds of a server."""
    input: Decimal | None = None
    """What an uncached token of input, and a token of output, weighed; None: not by tokens."""
    output: Decimal | None = None


@dataclass(frozen=True, slots=True)
class HourSplit:
    """An hour's cost: ``idle + sum(parts)`` is all of it."""

    parts: tuple[Decimal, ...]
    """One for each user, in order."""
    idle: Decimal


@dataclass(frozen=True, slots=True)
class Busy:
    """How much of an hour was used, as whole numbers of some unit."""

    used: int
    unused: int
    idle_units: Decimal = Decimal(0)
    """Work that could still have been done; 0 where the capacity is not known."""

    @property
    def share(self) -> Fraction:
        """Of the hour, 0 to 1."""
        return Fraction(self.used, self.used + self.unused)


def uncached_input(usage: Mapping[str, int]) -> int:
    """Tokens that were read in full. What was written to a cache was read in full first."""
    return usage.get("input", 0) + sum(usage.get(meter, 0) for meter in CACHE_WRITES)


def work_units(usage: Mapping[str, int], output_weight: Decimal = OUTPUT_WEIGHT) -> Decimal:
    """The work of a call or a cell."""
    output = money.EXACT.multiply(output_weight, Decimal(usage.get("output", 0)))
    return money.EXACT.add(Decimal(uncached_input(usage)), output)


def weigh(
    method: str, uses: Sequence[Mapping[str, int]], output_weight: Decimal = OUTPUT_WEIGHT
) -> Weights:
    """What users of an hour weigh, from their usage by meter."""
    work = tuple(work_units(use, output_weight) for use in uses)
    units = Weights(WORK_UNITS, tuple(map(_whole, work)), work, Decimal(1), output_weight)
    if method == TOKENS:
        tokens = [sum(use.get(meter, 0) for meter in (*INPUTS, "output")) for use in uses]
        return Weights(TOKENS, tuple(tokens), tuple(map(Decimal, tokens)))
    if method == GPU_SECONDS:
        times = [_server_ms(use) for use in uses]
        if any(done and not time for done, time in zip(work, times, strict=True)):
            return units
        seconds = tuple(Decimal(time).scaleb(-3, money.EXACT) for time in times)
        return Weights(GPU_SECONDS, tuple(times), seconds)
    if method == PREFILL_DECODE:
        return _by_phases(uses) or units
    return units


def _by_phases(uses: Sequence[Mapping[str, int]]) -> Weights | None:
    """Weights such that prefill's share of all time goes by input read, decode's by output.

    Of an hour with input x and output y, that were p and d long: p/(p+d) is split by each one's
    part of x, d/(p+d) by its part of y. So a token read weighs p*y, one put out d*x. None: the
    time of a phase that was gone through is not known.
    """
    read, written = sum(map(uncached_input, uses)), sum(use.get("output", 0) for use in uses)
    prefill = sum(use.get("prefill_ms", 0) for use in uses)
    decode = sum(use.get("decode_ms", 0) for use in uses)
    if (read and not prefill) or (written and not decode):
        return None
    by_input, by_output = prefill * (written or 1), decode * (read or 1)
    tokens = [(uncached_input(use), use.get("output", 0)) for use in uses]
    return Weights(
        PREFILL_DECODE,
        tuple(input_ * by_input + output * by_output for input_, output in tokens),
        tuple(Decimal(input_ + output) for input_, output in tokens),
        Decimal(by_input),
        Decimal(by_output),
    )


def weight_of_call(
    usage: Mapping[str, int], method: str, by_input: Decimal | None, by_output: Decimal | None
) -> Decimal:
    """What one call weighed in an hour that was split so: to tell its part of its place."""
    if by_input is not None and by_output is not None:
        read = money.EXACT.multiply(by_input, Decimal(uncached_input(usage)))
        written = money.EXACT.multiply(by_output, Decimal(usage.get("output", 0)))
        return money.EXACT.add(read, written)
    if method == GPU_SECONDS:
        return Decimal(_server_ms(usage))
    return Decimal(sum(usage.get(meter, 0) for meter in (*INPUTS, "output")))


def busy_of(work: Decimal, capacity: Decimal | None, timed_us: int) -> Busy:
    """How much of an hour was used: work of a capacity (work units with at most 6 decimals).

    ``timed_us`` is the time that calls took together, in microseconds: without a capacity the pool
    was busy for that long, at most the hour.
    """
    if capacity is None:
        used = min(timed_us, _HOUR_US)
        return Busy(used, _HOUR_US - used)
    full = _whole(capacity)
    if not full:
        # It could do nothing, and did: whoever used it shares all of it.
        return Busy(1, 0) if work else Busy(0, 1)
    used = min(_whole(work), full)
    return Busy(used, full - used, Decimal(full - used).scaleb(-_DIGITS, money.EXACT))


def split_hour(cost: Decimal, weights: Sequence[int], busy: Busy) -> HourSplit:
    """Splits one hour over its users. One whose users weigh nothing is idle."""
    if not any(weights):
        return HourSplit(tuple(money.amount(0) for _ in weights), money.total([cost]))
    busy_cost, idle = money.split(cost, [busy.used, busy.unused])
    return HourSplit(money.split(busy_cost, weights), idle)


def _server_ms(usage: Mapping[str, int]) -> int:
    return usage.get("prefill_ms", 0) + usage.get("decode_ms", 0)


def _whole(units: Decimal) -> int:
    return int(units.scaleb(_DIGITS, money.EXACT))
