"""What of all that was understood together is each request's."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from collector.understanding.otlp import Ints, Spans
from store.intake.intake import Part

Told = Iterable[tuple[int, str]]
"""For each span: the request it came in, and a reason."""


def parts_of(
    spans: Spans,
    kept: Ints,
    *,
    refused: Told = (),
    usage_refused: Told = (),
    usage_conflicts: Told = (),
) -> list[Part]:
    """The parts of the requests that the spans came in; ``kept`` are those that are sightings."""
    heard = np.bincount(spans.request, minlength=spans.requests).tolist()
    stay = np.bincount(spans.request[kept], minlength=spans.requests).tolist()
    counts = (_counted(told, spans.requests) for told in (refused, usage_refused, usage_conflicts))
    return [
        Part(all_of_it, all_of_it - calls - lost.total(), lost, without_usage, contradict)
        for all_of_it, calls, lost, without_usage, contradict in zip(
            heard, stay, *counts, strict=True
        )
    ]


def _counted(told: Told, requests: int) -> list[Counter[str]]:
    """For each request reason -> spans."""
    counts = [Counter[str]() for _ in range(requests)]
    for request, reason in told:
        counts[request][reason] += 1
    return counts
