"""Logfire's own instrumentations of clients."""

from typing import Final

from collector.dialects.table import Dialect, Mark, Verdict

LOGFIRE: Final = Dialect(
    name="logfire",
    scopes=("logfire.*",),
    marks=(Mark("logfire.span_type", {"pending_span": Verdict.OTHER}),),
)
