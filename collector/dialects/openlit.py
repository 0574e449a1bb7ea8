"""OpenLIT."""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Meaning, Verdict

_CACHING = frozenset({"anthropic", "aws"})

OPENLIT: Final = Dialect(
    name="openlit",
    scopes=("openlit.*",),
    # A failed call has no attribute at all, only its name: "chat gpt-5".
    marks=(
        Mark(
            SPAN_NAME, {"chat ?*": Verdict.CALL, "embeddings ?*": Verdict.CALL}, scope="openlit.*"
        ),
    ),
    beside_cache=(Meaning("openlit.*", providers=_CACHING),),
    ttft_only_streaming=True,
)
