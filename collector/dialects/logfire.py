"""Logfire's own instrumentations of clients: what the cache served is in the raw usage alone.

A call that streams is two spans: the request's, which ends when the headers came and knows no
usage, and one without a length, written when the stream was read to its end.
"""

from typing import Final

from collector.dialects.provider_usage import raw_columns, raw_usage
from collector.dialects.table import SPAN_NAME, Dialect, Mark, Unpacked, Verdict

_OLD: Final = raw_columns("response_data", at="usage")
_AGENTS: Final = raw_columns("usage")

LOGFIRE: Final = Dialect(
    name="logfire",
    who="Logfire's instrumentations of clients and of OpenAI's agents.",
    to_know=(
        "3.25, 4.41 and 5.2; a stream is two spans, joined by model and time; its first"
        " token is not told."
    ),
    scopes=("logfire.*",),
    columns={
        **{
            column: names + _OLD[column] + _AGENTS[column]
            for column, names in raw_columns("gen_ai.usage.raw").items()
        },
        "request_model": ("logfire.request.model",),
    },
    own={
        "streaming": ("logfire.request.stream", "logfire.span_type"),
        "after_stream": ("logfire.span_type",),
        "duration_s": ("duration",),
        "response_id": ("gen_ai.response.id", "response_id"),
    },
    # Before version 4 its spans name no operation.
    marks=(
        Mark("logfire.span_type", {"pending_span": Verdict.OTHER}),
        Mark(
            SPAN_NAME,
            {
                "Chat Completion with *": Verdict.CALL,
                "Completion with *": Verdict.CALL,
                "Responses API*": Verdict.CALL,
                "Message with *": Verdict.CALL,
                "Embedding Creation with *": Verdict.CALL,
                "Image Generation with *": Verdict.CALL,
                "streaming response from *": Verdict.CALL,
            },
            scope="logfire.*",
        ),
    ),
    unpacks=(
        raw_usage("gen_ai.usage.raw"),
        # All that versions before 4 tell of a stream's usage, and of Anthropic's.
        raw_usage("response_data", at="usage", own=True),
        # That of OpenAI's agents.
        raw_usage("usage", own=True),
        Unpacked(
            "request_data",
            {"model": "logfire.request.model", "stream": "logfire.request.stream"},
            own=True,
        ),
    ),
    yes=("log",),
)
