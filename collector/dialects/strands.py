"""Strands agents. It calls itself the provider, and its time to first token is in milliseconds.

An agent's span repeats all that the agent ever used, over all its invocations.
"""

from typing import Final

from collector.dialects.table import Dialect

STRANDS: Final = Dialect(
    name="strands",
    who="Strands agents.",
    to_know="1.62; names itself as the provider, tells no reasoning and no answer's id.",
    scopes=("strands.*",),
    own={"ttft_ms": ("gen_ai.server.time_to_first_token",)},
)
