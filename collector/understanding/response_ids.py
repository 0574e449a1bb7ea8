"""Ids of answers: which are a provider's, so that two sightings with one of them are one call.

An id that a library made up, or that names a part of an answer, would join calls that have
nothing to do with each other. Only shapes that providers are known to give are taken; a UUID is
what gateways and tracers make up.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from collector.understanding.columns import ABSENT, Columns
from collector.understanding.distinct import distinct
from collector.understanding.otlp import Ints
from collector.understanding.scrub import LONGEST
from spend.calls import Route

# Eight characters and more behind the prefix: stand-in servers answer "chatcmpl-123" to all.
_ANYWHERE: Final = r"(?:(?:chatcmpl|cmpl|gen|embd|rerank)-|resp_)[\w.-]{8}[\w.-]*"
# An OpenAI output item is msg_… too, and is no answer.
_MESSAGE: Final = r"msg_\w{8}\w*"
_NO_MESSAGES: Final = frozenset({"openai", "azure"})
_OF_PROVIDER: Final = {
    "google": r"[A-Za-z0-9_-]{18,35}|[A-Za-z0-9_]{36,64}",
    "mistral": r"[0-9a-f]{32}",
    "together": r"[A-Za-z0-9]{6,12}-[A-Za-z0-9]{4,12}-[0-9a-f]{12,20}",
}


def _shapes(provider: str | None) -> str:
    shapes = [_ANYWHERE]
    if provider not in _NO_MESSAGES:
        shapes.append(_MESSAGE)
    if provider in _OF_PROVIDER:
        shapes.append(_OF_PROVIDER[provider])
    return f"^(?:{'|'.join(shapes)})$"


def are_providers(ids: pa.StringArray, provider: str | None) -> pa.BooleanArray:
    """Which ids look like those that ``provider`` (an id of ours, or None) gives its answers."""
    # A text of that length may have been cut, and is then no id any more.
    whole = pc.less(pc.binary_length(ids), LONGEST)
    return pc.and_(whole, pc.match_substring_regex(ids, _shapes(provider)))


def response_ids(columns: Columns, group: Ints, routes: Sequence[Route]) -> pa.StringArray:
    """Each span's id of the answer, null where none is told or it is no provider's.

    ``group`` is each span's row in ``routes``.
    """
    told = columns.text("response_id")
    if not (told != ABSENT).any():
        return pa.nulls(len(columns), pa.string())
    providers = list(dict.fromkeys(route.provider for route in routes))
    place = {provider: number for number, provider in enumerate(providers)}
    seller = np.array([place[route.provider] for route in routes])[group]
    firsts, alike = distinct([told, seller], len(columns))
    texts = [columns.texts[index] if index != ABSENT else None for index in told[firsts].tolist()]
    ids = pa.array(texts, pa.string())
    for number in np.unique(seller[firsts]).tolist():
        real = are_providers(ids, providers[number])
        ids = pc.if_else(
            pa.array(seller[firsts] == number),
            pc.if_else(real, ids, pa.scalar(None, pa.string())),
            ids,
        )
    return ids.take(pa.array(alike))
