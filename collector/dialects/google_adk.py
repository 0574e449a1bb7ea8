"""Google's agent kit (ADK).

Its count of the answer meant something else in each age: none before 1.5, the total to 1.9, the
answer without its thoughts to 2.2, all of it from 2.3. The model's own usage, which
``call_llm`` hands on where content is kept, tells the cache's part and the thoughts.
"""

from typing import Final

from collector.dialects.provider_usage import raw_columns, raw_usage
from collector.dialects.table import SPAN_NAME, Dialect, Mark, Meaning, Unpacked, Verdict
from spend.providers import ENGINES, PROVIDERS

_GOOGLE: Final = frozenset({"google"})
_OTHERS: Final = (PROVIDERS | ENGINES) - _GOOGLE
_ANSWER: Final = "gcp.vertex.agent.llm_response"

GOOGLE_ADK: Final = Dialect(
    name="google-adk",
    who="Google's agent kit, schema 1 and 2.",
    to_know=(
        "1.8, 1.22, 1.30, 2.2 and 2.13; not whether a call streamed; to 1.26 no model "
        "of a failed call."
    ),
    scopes=("gcp.vertex.agent*",),
    columns={
        **raw_columns(_ANSWER, at="usage_metadata"),
        "reasoning": (
            "gen_ai.usage.experimental.reasoning_tokens",
            *raw_columns(_ANSWER, at="usage_metadata")["reasoning"],
        ),
        "session": ("gcp.vertex.agent.session_id",),
        "response_model": ("gcp.vertex.agent.llm_response.model_version",),
    },
    # What it lies in is an agent; what lies in it, since 1.17, the same call once more.
    marks=(Mark(SPAN_NAME, {"call_llm": Verdict.CALL}, scope="gcp.vertex.agent*"),),
    unpacks=(
        raw_usage(_ANSWER, at="usage_metadata"),
        Unpacked(_ANSWER, {"model_version": f"{_ANSWER}.model_version"}),
    ),
    reasoning_apart=(Meaning("gcp.vertex.agent*", before=(2, 3), providers=_GOOGLE),),
    # Over LiteLLM the answer's count has its reasoning, and 2.3 adds it.
    reasoning_twice=(Meaning("gcp.vertex.agent*", since=(2, 3), providers=_OTHERS),),
)
