"""Langfuse's SDK, 3 and later. It names no provider, and the kind of a span is in an attribute.

What ``usage_details`` means depends on who wrote it: its OpenAI client passes the provider's
usage on as it is; the LangChain handler, the JavaScript SDK and applications write buckets, each
beside the others: ``input`` is then without the cache and without audio, ``output`` without
reasoning.
"""

from dataclasses import replace
from typing import Final

from collector.dialects.provider_usage import raw_columns, raw_usage
from collector.dialects.table import Dialect, Mark, Unpacked, Verdict

_USAGE: Final = "langfuse.observation.usage_details"
_RAW: Final = raw_columns(_USAGE)
_INPUT_KINDS: Final = (
    "input+input_audio+input_audio_tokens+input_text+input_text_tokens+input_image"
    "+input_image_tokens+input_video+input_video_tokens+input_modality_*+input_flex"
)
_OUTPUT_KINDS: Final = (
    "output+output_reasoning+output_reasoning_tokens+output_audio+output_audio_tokens+output_text"
    "+output_text_tokens+output_image+output_image_tokens+output_modality_*"
    "+output_accepted_prediction_tokens+output_rejected_prediction_tokens"
    "+output_flex+output_flex_reasoning"
)
# Key -> column; the first key that is there counts.
_BUCKETS: Final = {
    _INPUT_KINDS: "input_beside_cache",
    "input_cache_read": "cache_read",
    "input_cached_tokens": "cache_read",
    "cache_read_input_tokens": "cache_read",
    "input_cache_read_input_tokens": "cache_read",
    "input_flex_cache_read": "cache_read",
    "cached_modality_*": "cache_read",
    "input_cache_creation": "cache_write",
    "cache_creation_input_tokens": "cache_write",
    "input_cache_creation_input_tokens": "cache_write",
    "input_cache_write_tokens": "cache_write",
    "cache_creation_ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation_ephemeral_1h_input_tokens": "cache_write_1h",
    "input_ephemeral_5m_input_tokens": "cache_write_5m",
    "input_ephemeral_1h_input_tokens": "cache_write_1h",
    "input_audio": "input_audio",
    "input_audio_tokens": "input_audio",
    _OUTPUT_KINDS: "output",
    "output_reasoning": "reasoning",
    "output_reasoning_tokens": "reasoning",
    "output_flex_reasoning": "reasoning",
    "output_audio": "output_audio",
    "output_audio_tokens": "output_audio",
}
# What the handler does not take out of the sums: the classes of the priority tier.
_PRIORITY: Final = {
    "input": "input",
    "output": "output",
    "input_priority_cache_read": "cache_read",
    "output_priority_reasoning": "reasoning",
}


def _usage() -> Unpacked:
    """Buckets, or else what a provider answered."""
    buckets, priority = (
        Unpacked(_USAGE, {key: _RAW[column][0] for key, column in keys.items()}, given=given)
        for keys, given in (
            (_BUCKETS, frozenset({"input", "output"})),
            (_PRIORITY, frozenset({"input_priority", "input_priority_cache_read"})),
        )
    )
    return replace(priority, otherwise=replace(buckets, otherwise=raw_usage(_USAGE)))


LANGFUSE: Final = Dialect(
    name="langfuse",
    who="Langfuse's SDK.",
    to_know=(
        "3.0 to 5.0; names no provider; in 3.0.8 its LangChain handler and its OpenAI "
        "client tell of one call in two traces, which stays two."
    ),
    scopes=("langfuse-sdk", "langfuse*"),
    columns={
        "provider": ("langfuse.metadata.ls_provider",),
        "request_model": ("langfuse.metadata.ls_model_name",),
        "response_model": ("langfuse.observation.model.name",),
        "operation": ("langfuse.observation.type",),
        "service_tier": ("langfuse.parameters.service_tier", "langfuse.metadata.service_tier"),
        "response_id": ("langfuse.metadata.id", "langfuse.output.id"),
        "finish_reason": ("langfuse.metadata.finish_reason",),
        "user": ("langfuse.user.id", "langfuse.metadata.user"),
        "session": ("langfuse.session.id", "langfuse.metadata.session"),
        "team": ("langfuse.metadata.team",),
        # JavaScript's spans leave their status open.
        "failed": ("langfuse.observation.level",),
        "error_message": ("langfuse.observation.status_message",),
        "first_token_at": ("langfuse.observation.completion_start_time",),
        **_RAW,
        "cost_given": ("langfuse.cost.total",),
    },
    # Both are "langfuse-sdk", and in asynchronous code their spans are in two traces.
    layers={"langfuse.metadata.ls_model_name": "langchain"},
    yes=("error",),
    marks=(
        Mark(
            "langfuse.observation.type",
            {"generation": Verdict.CALL, "embedding": Verdict.CALL, "*": Verdict.AGGREGATE},
        ),
    ),
    unpacks=(
        _usage(),
        Unpacked("langfuse.observation.cost_details", {"total": "langfuse.cost.total"}),
        Unpacked(
            "langfuse.observation.model.parameters",
            {"service_tier": "langfuse.parameters.service_tier"},
        ),
        # A part of an OpenAI answer has an id too, and no "object": only the whole one counts.
        Unpacked(
            "langfuse.observation.output",
            {"id": "langfuse.output.id"},
            given=frozenset({"object", "stop_reason", "choices"}),
        ),
        # Plain texts up to version 4, JSON since.
        *(
            Unpacked(f"langfuse.observation.metadata.{name}", {"": f"langfuse.metadata.{known}"})
            for name, known in {
                "ls_provider": "ls_provider",
                "ls_model_name": "ls_model_name",
                "service_tier": "service_tier",
                "id": "id",
                "finish_reason": "finish_reason",
                "langfuse_user_id": "user",
                "langfuse_session_id": "session",
                "team": "team",
            }.items()
        ),
        Unpacked("langfuse.trace.metadata.team", {"": "langfuse.metadata.team"}),
    ),
)
