"""LiteLLM's ``otel`` callback, in its SDK and in its proxy."""

from typing import Final

from collector.dialects.table import SPAN_NAME, Dialect, Mark, Unpacked, Verdict

LITELLM: Final = Dialect(
    name="litellm",
    scopes=("litellm*",),
    columns={
        "request_model": ("litellm.provider.model",),
        "server": ("hidden_params.api_base",),
        "cache_read": ("metadata.usage_object.cached",),
        "reasoning": ("metadata.usage_object.reasoning",),
        "input_audio": ("metadata.usage_object.input_audio",),
        "output_audio": ("metadata.usage_object.output_audio",),
        "team": ("metadata.user_api_key_team_alias", "metadata.user_api_key_team_id"),
        "project": ("metadata.user_api_key_project_alias", "metadata.user_api_key_project_id"),
        "user": ("metadata.user_api_key_user_id", "metadata.user_api_key_end_user_id"),
        "cost_given": ("gen_ai.cost.total_cost",),
    },
    # The provider's answer once more, beneath the call.
    marks=(Mark(SPAN_NAME, {"raw_gen_ai_request": Verdict.OTHER}, scope="litellm*"),),
    unpacks=(
        Unpacked(
            "metadata.usage_object",
            {
                "prompt_tokens_details.cached_tokens": "metadata.usage_object.cached",
                "prompt_tokens_details.audio_tokens": "metadata.usage_object.input_audio",
                "completion_tokens_details.reasoning_tokens": "metadata.usage_object.reasoning",
                "completion_tokens_details.audio_tokens": "metadata.usage_object.output_audio",
            },
        ),
        Unpacked("hidden_params", {"api_base": "hidden_params.api_base"}, own=True),
    ),
)
