"""Envoy's AI gateway: OpenInference's words, or (since 1.1, when asked) the conventions'.

Source: envoyproxy/ai-gateway 1.1, ``internal/tracing``. ``llm.system`` is the protocol that the
client spoke, ``gen_ai.provider.name`` the backend's.
"""

from typing import Final

from collector.dialects.table import Dialect, Mark, Meaning, Verdict

_SCOPE: Final = "envoyproxy/ai-gateway"

ENVOY: Final = Dialect(
    name="envoy-ai-gateway",
    who="Envoy's AI gateway, in both of its vocabularies.",
    to_know="Its access logs have names that whoever runs it chooses, and are not read.",
    scopes=(_SCOPE,),
    columns={"cache_write": ("llm.token_count.prompt_details.cache_creation",)},
    marks=(
        # Counting is not using.
        Mark("openinference.span.kind", {"token_counter": Verdict.OTHER}, scope=_SCOPE),
        Mark("gen_ai.operation.name", {"tokenize": Verdict.OTHER}, scope=_SCOPE),
    ),
    first_token_events_late=True,
    serves=True,
    # Of Anthropic's messages it hands input_tokens on raw; what it translated, it has counted in.
    # Why an answer ended tells which of the two it was.
    beside_cache=(
        Meaning(
            _SCOPE,
            unless="llm.token_count.prompt",
            where={
                "gen_ai.response.finish_reasons.0": frozenset(
                    {"end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"}
                )
            },
        ),
    ),
)
