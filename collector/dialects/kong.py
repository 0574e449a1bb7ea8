"""Kong's AI gateway: the conventions' words on a span ``kong.gen_ai`` beneath its plugin's.

Source: Kong's reference of span attributes (gateway 3.13 and 3.14), and its OTLP encoder, which
writes every number as a double.
"""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Verdict

KONG: Final = Dialect(
    name="kong",
    who="Kong's AI gateway.",
    to_know="The consumer is the team.",
    scopes=("kong-internal",),
    columns={
        "team": ("kong.auth.consumer.name",),
        "project": ("kong.workspace.name",),
        # "hit": out of its semantic cache.
        "cache_hit": ("kong.gen_ai.cache.status",),
        # "oneshot", "stream" or "realtime"
        "streaming": ("kong.gen_ai.request.mode",),
    },
    # Its other spans are of the way through the gateway.
    marks=(
        Mark(SPAN_NAME, {"kong.gen_ai": Verdict.CALL, "*": Verdict.OTHER}, scope="kong-internal"),
    ),
    serves=True,
)
