"""Logfire's own instrumentations of clients."""

from typing import Final

from collector.dialects.provider_usage import raw_columns, raw_usage
from collector.dialects.table import Dialect, Mark, Verdict

LOGFIRE: Final = Dialect(
    name="logfire",
    scopes=("logfire.*",),
    columns=raw_columns("gen_ai.usage.raw"),
    marks=(Mark("logfire.span_type", {"pending_span": Verdict.OTHER}),),
    # The cache's part stands only here.
    unpacks=(raw_usage("gen_ai.usage.raw"),),
)
