"""What a request says, whichever signal it holds."""

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from collector.errors import Malformed
from collector.signals import Signal
from collector.understanding.metric_requests import read_metrics
from collector.understanding.metrics import understand_metrics
from collector.understanding.otlp import read_spans
from collector.understanding.otlp_logs import read_records
from collector.understanding.salvage import Salvaged, salvage
from collector.understanding.understand import understand
from store.intake import Heard


def understand_signal(
    signal: Signal,
    requests: Sequence[bytes],
    *,
    tenant: int,
    received_at: datetime,
    key_team: str | None = None,
) -> Heard:
    """What some serialised requests of a signal hold: sightings, readings, and what is none.

    ``key_team`` is the team of the key they came with, where it has one. Nothing in an item makes
    this raise; one whose bytes cannot be read is refused, alone. Raises
    ``collector.errors.Malformed`` where no item can be read.
    """
    told = partial(
        understand_metrics if signal is Signal.METRICS else partial(understand, signal=signal),
        tenant=tenant,
        received_at=received_at,
        key_team=key_team,
    )
    saved: list[Salvaged] = []
    try:
        return told(requests)
    except Malformed as refusal:
        with suppress(Malformed):
            saved = [salvage(request, partial(_is_readable, signal)) for request in requests]
        if not any(each.kept for each in saved):
            raise refusal from None
    heard: Heard = told([each.request for each in saved])
    lost = sum(each.lost for each in saved)
    refused = Counter(heard.refused) + Counter({f"{signal.items}: bytes that cannot be read": lost})
    return replace(heard, heard=heard.heard + lost, refused=refused)


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
