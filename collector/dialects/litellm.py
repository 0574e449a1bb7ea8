"""LiteLLM: the ``otel`` callback of its SDK and of its proxy, and the proxy's new one (``v2``).

Where a span is there already (the proxy's own, or the application's), the first writes the call's
attributes on that, and no span of its own: so the kind of call tells, not the span's name.
"""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Unpacked, Verdict

# litellm.types.utils.CallTypes; those with an "a" before are the asynchronous ones.
_CALL_TYPES: Final = {
    "*batch*": Verdict.AGGREGATE,
    **dict.fromkeys(
        (
            "*file*",
            "*vector_store*",
            "*container*",
            "*sandbox*",
            "*thread*",
            "*assistant*",
            "*fine_tuning*",
            "*mcp*",
            "*skill*",
            "*list*",
            "*retrieve*",
            "*delete*",
            "*moderation",
            "*count_tokens",
        ),
        Verdict.OTHER,
    ),
    **dict.fromkeys(
        (
            "*completion",
            "*completions",
            "*responses",
            "*responses_websocket",
            "*anthropic_messages",
            "*generate_content*",
            "*embedding*",
            "*rerank",
            "*image_*",
            "*speech",
            "*transcription",
            "*realtime",
            "*video*",
            "*ocr",
            "*pass*through*",
        ),
        Verdict.CALL,
    ),
}

LITELLM: Final = Dialect(
    name="litellm",
    who="LiteLLM's `otel` callback, its new tracer (`v2`), and its proxy.",
    to_know=(
        "1.106; embeddings and failures have no id: client and gateway are one only in "
        "one trace; the cause of a retry is not told."
    ),
    scopes=("litellm*",),
    # What the deployment is called that was asked; the rest may be the proxy's name for it.
    own={
        "request_model": ("litellm.provider.model",),
        "alias": ("litellm.model_group", "gen_ai.request.model"),
    },
    columns={
        "operation": ("litellm.call_type",),
        "server": ("hidden_params.api_base",),
        "cache_read": ("metadata.usage_object.cached", "metadata.usage_object.read"),
        "cache_write": ("metadata.usage_object.written", "metadata.usage_object.created"),
        "cache_write_5m": ("metadata.usage_object.written_5m",),
        "cache_write_1h": ("metadata.usage_object.written_1h",),
        "reasoning": ("metadata.usage_object.reasoning",),
        "input_audio": ("metadata.usage_object.input_audio",),
        "output_audio": ("metadata.usage_object.output_audio",),
        "tool_calls": ("metadata.usage_object.searches", "metadata.usage_object.searched"),
        "audio_s": ("metadata.usage_object.seconds",),
        "streaming": ("litellm.request.streaming",),
        "team": (
            "metadata.user_api_key_team_alias",
            "metadata.user_api_key_team_id",
            "litellm.team.alias",
            "litellm.team.id",
        ),
        "project": ("metadata.user_api_key_project_alias", "metadata.user_api_key_project_id"),
        "user": (
            "metadata.user_api_key_end_user_id",
            "litellm.end_user.id",
            "metadata.user_api_key_user_id",
            "litellm.metadata.user_api_key_user_id",
        ),
        "cost_given": ("gen_ai.cost.total_cost", "litellm.cost.total"),
        # Told only of answers that were found in the cache.
        "cache_hit": ("hidden_params.cache_key",),
    },
    marks=(
        # The provider's answer once more, beneath the call.
        Mark(SPAN_NAME, {"raw_gen_ai_request": Verdict.OTHER}, scope="litellm*"),
        Mark("litellm.call_type", _CALL_TYPES),
        Mark("llm.request.type", _CALL_TYPES, scope="litellm*"),
        # Of a call that failed early there may be nothing but the name.
        Mark(SPAN_NAME, {"litellm_request": Verdict.CALL}, scope="litellm*"),
    ),
    unpacks=(
        Unpacked(
            "metadata.usage_object",
            {
                "prompt_tokens_details.cached_tokens": "metadata.usage_object.cached",
                "cache_read_input_tokens": "metadata.usage_object.read",
                "cache_creation_input_tokens": "metadata.usage_object.written",
                "prompt_tokens_details.cache_creation_tokens": "metadata.usage_object.created",
                "prompt_tokens_details.cache_creation_token_details.ephemeral_5m_input_tokens": (
                    "metadata.usage_object.written_5m"
                ),
                "prompt_tokens_details.cache_creation_token_details.ephemeral_1h_input_tokens": (
                    "metadata.usage_object.written_1h"
                ),
                "prompt_tokens_details.audio_tokens": "metadata.usage_object.input_audio",
                "completion_tokens_details.reasoning_tokens": "metadata.usage_object.reasoning",
                "completion_tokens_details.audio_tokens": "metadata.usage_object.output_audio",
                "server_tool_use.web_search_requests": "metadata.usage_object.searches",
                "prompt_tokens_details.web_search_requests": "metadata.usage_object.searched",
                "seconds": "metadata.usage_object.seconds",
            },
        ),
        Unpacked(
            "hidden_params",
            {"api_base": "hidden_params.api_base", "cache_key": "hidden_params.cache_key"},
            own=True,
        ),
    ),
    # resp_ and base64 of "litellm:custom_llm_provider:openai;model_id:...;response_id:resp_..."
    wrapped_ids={"resp_bGl0ZWxsbT": "response_id:"},
    # A cache's key: a hash, maybe within a namespace.
    yes=("[0-9a-f]" * 64, "*:" + "[0-9a-f]" * 64),
)
