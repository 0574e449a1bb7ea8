"""Bedrock's streams, Cohere's and Ollama's protocols, for ``model_server.py``."""

import base64
import json
import struct
import uuid
import zlib
from collections.abc import Iterator
from typing import Any, Final

Json = dict[str, Any]

TEXT: Final = "Hello from the stand-in."
WORDS: Final = ("Hello ", "from the ", "stand-in.")

# What Cohere bills is less than what its model reads: it does not charge for its own preamble.
COHERE_USAGE: Final[Json] = {
    "billed_units": {"input_tokens": 1000, "output_tokens": 50},
    "tokens": {"input_tokens": 1066, "output_tokens": 54},
}
OLLAMA_USAGE: Final[Json] = {
    "total_duration": 20_000_000,
    "prompt_eval_count": 1000,
    "eval_count": 50,
}


def cohere(request: Json) -> Json:
    """Cohere's chat (v2)."""
    text = {"type": "text", "text": TEXT}
    return {
        "id": str(uuid.uuid4()),
        "finish_reason": "COMPLETE",
        "message": {"role": "assistant", "content": [text]},
        "usage": COHERE_USAGE,
        "model": request["model"],
    }


def cohere_events(request: Json) -> Iterator[Json]:
    """The same as a stream of events."""
    yield {"type": "message-start", "id": cohere(request)["id"]}
    for word in WORDS:
        delta = {"message": {"content": {"text": word}}}
        yield {"type": "content-delta", "index": 0, "delta": delta}
    yield {"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": COHERE_USAGE}}


def ollama(request: Json) -> Json:
    """Ollama's chat."""
    return {
        "model": request["model"],
        "created_at": "2026-11-22T12:00:00Z",
        "message": {"role": "assistant", "content": TEXT},
        "done": True,
        "done_reason": "stop",
        **OLLAMA_USAGE,
    }


def ollama_lines(request: Json) -> Iterator[bytes]:
    """The same as a stream: a line each, the last one with the usage."""
    whole = ollama(request)
    for word in WORDS:
        begun = {"model": whole["model"], "created_at": whole["created_at"], "done": False}
        yield json.dumps({**begun, "message": {"role": "assistant", "content": word}}).encode()
    yield json.dumps({**whole, "message": {"role": "assistant", "content": ""}}).encode()


def titan() -> Json:
    """Amazon Titan's embedding."""
    return {"embedding": [0.1, 0.2, 0.3], "inputTextTokenCount": 11}


def converse_frames(answer: Json) -> Iterator[bytes]:
    """Bedrock's Converse as a stream."""
    yield frame("messageStart", {"role": "assistant"})
    for word in WORDS:
        yield frame("contentBlockDelta", {"contentBlockIndex": 0, "delta": {"text": word}})
    yield frame("contentBlockStop", {"contentBlockIndex": 0})
    yield frame("messageStop", {"stopReason": answer["stopReason"]})
    told = {"usage": answer["usage"], "metrics": answer["metrics"]}
    yield frame("metadata", told)


def invoke_frames(events: Iterator[Json], usage: Json) -> Iterator[bytes]:
    """Claude's own stream within Bedrock's; the last event has Bedrock's counts too."""
    for event in events:
        if event["type"] == "message_stop":
            event["amazon-bedrock-invocationMetrics"] = {
                "inputTokenCount": usage["input_tokens"],
                "outputTokenCount": usage["output_tokens"],
                "cacheReadInputTokenCount": usage["cache_read_input_tokens"],
                "cacheWriteInputTokenCount": usage["cache_creation_input_tokens"],
                "invocationLatency": 60,
                "firstByteLatency": 20,
            }
        coded = base64.b64encode(json.dumps(event).encode()).decode()
        yield frame("chunk", {"bytes": coded})


def token_headers(usage: Json) -> dict[str, str]:
    """The headers by which Bedrock tells the usage of what it was asked in a model's own words."""
    names = {
        "input": "input_tokens",
        "output": "output_tokens",
        "cache-read-input": "cache_read_input_tokens",
        "cache-write-input": "cache_creation_input_tokens",
    }
    return {f"x-amzn-bedrock-{ours}-token-count": str(usage[name]) for ours, name in names.items()}


def frame(kind: str, content: Json) -> bytes:
    """One message of AWS's binary event stream."""
    payload = json.dumps(content).encode()
    headers = b"".join(
        struct.pack("!B", len(name)) + name + b"\x07" + struct.pack("!H", len(value)) + value
        for name, value in (
            (b":event-type", kind.encode()),
            (b":content-type", b"application/json"),
            (b":message-type", b"event"),
        )
    )
    prelude = struct.pack("!II", 16 + len(headers) + len(payload), len(headers))
    begun = prelude + struct.pack("!I", zlib.crc32(prelude)) + headers + payload
    return begun + struct.pack("!I", zlib.crc32(begun))
