"""Counts as the meters of ``spend/meters.py``: disjoint, plausible, or not there at all.

Emitters disagree on what ``input`` holds: with the cache's part (OpenAI's way) or without it
(Anthropic's way), under the same name. The dialect's table decides, arithmetic corrects it, and
where the two differ the call says so (``usage_conflict``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from collector.dialects.table import BESIDE_TOKENS
from collector.understanding.columns import Columns, Floats
from collector.understanding.counts import Counts, Flags, nowhere, read_counts
from collector.understanding.otlp import Ints
from spend.meters import LARGEST_COUNT, METER_NAMES


@dataclass(frozen=True, slots=True)
class Usage:
    """What each span says that the call consumed."""

    meters: Mapping[str, Counts]
    conflict: Flags
    """The table and the arithmetic disagree on what the counts mean."""
    refused: Mapping[int, list[str]]
    """Span -> why all of its usage was refused."""

    @property
    def any(self) -> Flags:
        """Which spans carry usage, refused or not."""
        has = np.zeros(len(self.conflict), dtype=bool)
        for counts in self.meters.values():
            if counts.somewhere:
                has |= counts.told
        has[list(self.refused)] = True
        return has


def read_usage(
    columns: Columns,
    *,
    beside_cache: Flags,
    reasoning_apart: Flags,
    rest_is_reasoning: Flags,
    cache_read_twice: Flags,
    reasoning_twice: Flags,
    failed: Flags,
) -> Usage:
    """The meters of each span.

    ``beside_cache`` says where the table holds that ``input`` leaves out the cache's part,
    ``reasoning_apart`` where ``output`` leaves out reasoning, ``rest_is_reasoning`` where it does
    and only the total has it, ``cache_read_twice`` and ``reasoning_twice`` where ``input`` and
    ``output`` have that part twice.
    """
    told, refused = read_counts(columns)
    raw = _unless_silent(told, failed, list(refused))

    cached = raw["cache_read"].or_zero + _writes(raw)
    given = _either(raw["input"], raw["input_beside_cache"])
    given = _once(raw["cache_read"], given, cache_read_twice)
    raw["total"] = _once(raw["cache_read"], raw["total"], cache_read_twice)
    output = _either(raw["output"], raw["output_beside_reasoning"])
    output = _without_prompt(output, given, raw["total"])
    output = _once(raw["reasoning"], output, reasoning_twice)
    # No answer comes from an empty prompt: the emitter was told of the answer alone.
    given = Counts(given.value, given.told & ~((given.value + cached == 0) & (output.value > 0)))
    rest = _rest(raw, given, output, rest_is_reasoning)
    raw["reasoning"] = _either(raw["reasoning"], rest)
    reasoning_apart = reasoning_apart | rest.told
    lies = _lies_beside(raw, given, output, cached, beside_cache, reasoning_apart)
    uncached = Counts(np.where(lies.cache, given.value, given.value - cached), given.told)
    thought = raw["reasoning"].or_zero
    said = Counts(np.where(lies.reasoning, output.value + thought, output.value), output.told)
    uncached, said = _plus(uncached, raw["input_extra"]), _plus(said, raw["output_extra"])
    meters = {
        "input": uncached,
        "cache_read": raw["cache_read"],
        "cache_write": _unsplit(raw),
        "cache_write_5m": raw["cache_write_5m"],
        "cache_write_1h": raw["cache_write_1h"],
        "output": said,
        # Parts of a class cannot exceed it: audio can sit in the cached share of a prompt.
        "reasoning": _at_most(raw["reasoning"], said),
        "input_audio": _at_most(raw["input_audio"], uncached),
        "output_audio": _at_most(raw["output_audio"], said),
        "input_image": _at_most(raw["input_image"], uncached),
        "output_image": _at_most(raw["output_image"], said),
        "tool_calls": raw["tool_calls"],
        "images": raw["images"],
        # A second that has begun is billed.
        "seconds": _measured(columns, "audio_s", np.ceil),
        "prefill_ms": _measured(columns, "prefill_s", np.rint, 1000),
        "decode_ms": _measured(columns, "decode_s", np.rint, 1000),
    }
    _refuse_large(meters, refused)
    return Usage({name: meters[name] for name in METER_NAMES}, lies.conflict, refused)


def _measured(
    columns: Columns, column: str, rounded: Callable[[Floats], Floats], units: int = 1
) -> Counts:
    """A column of seconds in whole units; what cannot be is not told."""
    if not columns.tells(column):
        return nowhere(columns)
    measured = columns.number(column) * units
    sane = (measured >= 0) & (measured <= LARGEST_COUNT)
    return Counts(rounded(np.where(sane, measured, 0)).astype(np.int64), sane)


def _refuse_large(meters: Mapping[str, Counts], refused: dict[int, list[str]]) -> None:
    """Each count may be plausible, and their sum not."""
    for name in ("input", "output"):
        counts = meters[name]
        if counts.somewhere:
            for row in np.flatnonzero(counts.told & (counts.value > LARGEST_COUNT)).tolist():
                refused.setdefault(row, []).append(f"usage: {name} is too large in all")


def _unless_silent(
    told: Mapping[str, Counts], failed: Flags, refused: list[int]
) -> dict[str, Counts]:
    """The counts, but none of spans that were refused, or whose counts are all zero."""
    # Zero in and zero out of a call that went well is an emitter that was told nothing.
    silent = ~failed
    for name, counts in told.items():
        if counts.somewhere and name not in BESIDE_TOKENS:
            silent &= counts.or_zero == 0
    silent[refused] = True
    heard = dict.fromkeys(told, ~silent)
    for name in BESIDE_TOKENS:
        if told[name].somewhere:
            heard[name] = ~silent | (told[name].or_zero > 0)
    return {
        name: Counts(counts.value, counts.told & heard[name]) if counts.somewhere else counts
        for name, counts in told.items()
    }


@dataclass(frozen=True, slots=True)
class _Beside:
    """What the counts leave out."""

    cache: Flags
    """Input leaves out the cache's part."""
    reasoning: Flags
    """Output leaves out reasoning."""
    conflict: Flags
    """The arithmetic says so, and the table did not."""


def _lies_beside(
    raw: Mapping[str, Counts],
    given: Counts,
    output: Counts,
    cached: Ints,
    beside_cache: Flags,
    reasoning_apart: Flags,
) -> _Beside:
    """What the table says of the counts, corrected by what their sums prove."""
    thought, total = raw["reasoning"].or_zero, raw["total"]
    if not (cached.any() or thought.any()):
        nowhere = np.zeros(len(cached), dtype=bool)
        return _Beside(nowhere, nowhere, nowhere)
    extra = raw["input_extra"].or_zero + raw["output_extra"].or_zero
    rest = total.value - given.or_zero - output.or_zero
    rest = np.where(total.told & given.told & output.told, rest, 0)
    rest = np.where((extra > 0) & (rest >= extra), rest - extra, rest)
    both = (rest > 0) & (cached > 0) & (thought > 0) & (rest == cached + thought)
    # The same rest can be the cache's part and the reasoning: then it proves neither.
    clear = (rest > 0) & (thought != cached)
    table = beside_cache, reasoning_apart
    whole = raw["input"], raw["output"]
    alone = raw["input_beside_cache"], raw["output_beside_reasoning"]
    found: list[Flags] = []
    conflict = np.zeros(len(rest), dtype=bool)
    for part, held, count, inner, outer in zip(
        (cached, thought), table, (given, output), alone, whole, strict=True
    ):
        certain = inner.told & ~outer.told
        twice = inner.told & outer.told & (part > 0)
        proven = (part > count.or_zero) & count.told
        proven |= both | (clear & (part > 0) & (rest == part))
        proven |= twice & (inner.value == outer.value)
        refuted = twice & (outer.value == inner.value + part)
        # A count told both ways explains itself: the table may leave it open.
        conflict |= proven & ~held & ~certain & ~twice
        found.append((proven | held | certain) & ~refuted)
    return _Beside(found[0], found[1], conflict)


def _rest(raw: Mapping[str, Counts], given: Counts, output: Counts, holds: Flags) -> Counts:
    """What the total has beyond input and output, where that is reasoning."""
    total = raw["total"]
    rest = total.value - given.value - output.value
    all_told = total.told & given.told & output.told & ~raw["reasoning"].told
    return Counts(rest, holds & all_told & (rest > 0))


def _plus(count: Counts, extra: Counts) -> Counts:
    if not extra.somewhere:
        return count
    return Counts(count.or_zero + extra.or_zero, count.told | extra.told)


def _once(part: Counts, whole: Counts, twice: Flags) -> Counts:
    """The whole with a part in it once, where it holds that ``twice``."""
    if not (part.somewhere and twice.any()):
        return whole
    again = np.minimum(part.or_zero, whole.value)
    return Counts(np.where(twice, whole.value - again, whole.value), whole.told)


def _without_prompt(output: Counts, given: Counts, total: Counts) -> Counts:
    """The answer's count, where an emitter put the total there: with the prompt in it."""
    if not total.somewhere:
        return output
    whole = output.told & total.told & (given.or_zero > 0) & (output.value == total.value)
    return Counts(np.where(whole, output.value - given.or_zero, output.value), output.told)


def _either(first: Counts, second: Counts) -> Counts:
    if not (first.somewhere and second.somewhere):
        return first if first.somewhere else second
    return Counts(np.where(first.told, first.value, second.value), first.told | second.told)


def _at_most(part: Counts, whole: Counts) -> Counts:
    if not part.somewhere:
        return part
    bounded = np.where(whole.told, np.minimum(part.value, whole.value), part.value)
    return Counts(bounded, part.told)


def _split(raw: Mapping[str, Counts]) -> Ints:
    return raw["cache_write_5m"].or_zero + raw["cache_write_1h"].or_zero


def _writes(raw: Mapping[str, Counts]) -> Ints:
    """All tokens written to the cache, told as a sum or by how long they live."""
    return np.maximum(raw["cache_write"].or_zero, _split(raw))


def _unsplit(raw: Mapping[str, Counts]) -> Counts:
    """Writes of which nobody says how long they live; not told where all of them are split."""
    if not raw["cache_write"].somewhere:
        return raw["cache_write"]
    rest = raw["cache_write"].or_zero - _split(raw)
    split = raw["cache_write_5m"].told | raw["cache_write_1h"].told
    return Counts(rest, raw["cache_write"].told & (~split | (rest > 0)))
