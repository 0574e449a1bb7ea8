"""What a request says, whichever signal it holds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from collector.errors import Malformed
from collector.signals import Request, Signal
from collector.understanding.content import Keeping
from collector.understanding.metric_requests import read_metrics
from collector.understanding.metrics import understand_metrics
from collector.understanding.otlp import read_spans
from collector.understanding.otlp_logs import read_records
from collector.understanding.salvage import Salvaged, salvage
from collector.understanding.understand import understand
from store.intake.intake import Heard, Part


def understand_signal(
    signal: Signal,
    requests: Sequence[bytes],
    *,
    tenant: int,
    received_at: datetime,
    key_team: str | None = None,
    keeping: Keeping | None = None,
) -> Heard:
    """What some serialised requests of a signal hold: sightings, readings, and what is none.

    Each request is understood as if it were alone, but five thousand spans together in half the
    time. ``key_team`` is the team of the key they came with, where it has one; ``keeping`` says
    what of their content is kept, where any is. Nothing in an item
    makes this raise; one whose bytes cannot be read is refused, alone. Raises
    ``collector.errors.Malformed`` where of some request no item can be read.
    """
    told = partial(
        understand_metrics
        if signal is Signal.METRICS
        else partial(understand, signal=signal, keeping=keeping),
        tenant=tenant,
        received_at=received_at,
        key_team=key_team,
    )
    try:
        return told(requests)
    except Malformed as refusal:
        saved = [_saved(signal, request, refusal) for request in requests]
    heard: Heard = told([each.request for each in saved])
    why = f"{signal.items}: bytes that cannot be read"
    parts = [
        _also_refused(part, {why: one.lost}) for part, one in zip(heard.parts, saved, strict=True)
    ]
    return replace(heard, parts=parts)


def with_left_out(heard: Heard, requests: Sequence[Request]) -> Heard:
    """The same with the items that their doors had left out of these requests."""
    parts = [
        _also_refused(part, one.left_out) for part, one in zip(heard.parts, requests, strict=True)
    ]
    return replace(heard, parts=parts)


def _saved(signal: Signal, request: bytes, refusal: Malformed) -> Salvaged:
    """What is left of a request that may be the one which was refused."""
    if _is_readable(signal, request):
        return Salvaged(request, kept=0, lost=0)
    with suppress(Malformed):
        saved = salvage(request, partial(_is_readable, signal))
        if saved.kept:
            return saved
    raise refusal


def _also_refused(part: Part, more: Mapping[str, int]) -> Part:
    count = sum(more.values())
    if not count:
        return part
    return replace(part, heard=part.heard + count, refused=Counter(part.refused) + Counter(more))


def _is_readable(signal: Signal, request: bytes) -> bool:
    try:
        match signal:
            case Signal.TRACES:
                read_spans([request])
            case Signal.LOGS:
                read_records([request])
            case Signal.METRICS:
                read_metrics(request)
    except Malformed:
        return False
    return True
