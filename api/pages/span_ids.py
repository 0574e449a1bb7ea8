"""Trace and span ids as people paste them: with blanks, dashes, in capitals."""

import re
from typing import Final
from uuid import UUID

from spend.ids import signed

_TRACE: Final = re.compile("[0-9a-f]{32}")
_SPAN: Final = re.compile("[0-9a-f]{16}")


def trace_id_of(text: str) -> UUID | None:
    """The trace id that a text is; None: it is none."""
    bare = _bare(text)
    return UUID(hex=bare) if _TRACE.fullmatch(bare) else None


def span_id_of(text: str) -> int | None:
    """The span id that a text is, signed as it is stored; None: it is none."""
    bare = _bare(text)
    return signed(bare) if _SPAN.fullmatch(bare) else None


def _bare(text: str) -> str:
    return text.strip().replace("-", "").lower()
