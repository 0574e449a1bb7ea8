"""A local stand-in for model providers: OpenAI's, Anthropic's, Gemini's and Bedrock's protocols.

    python tests/capturing/model_server.py --port 9900

Every answer has the usage below, so that what an instrumentation reports has a known truth. Model
``error-429`` always fails, ``flaky`` fails the first time; a model with ``tool`` in its name asks
for the first tool it is offered, once. Standard library only, so that it runs in any venv.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import unquote

import other_protocols as others
from what_is_said import given_to, new_id, said, wants_tool, words_of

Json = dict[str, Any]

# 1000 in (400 cached), 50 out (20 reasoning), in each provider's words.
CHAT_USAGE: Final[Json] = {
    "prompt_tokens": 1000,
    "completion_tokens": 50,
    "total_tokens": 1050,
    "prompt_tokens_details": {"cached_tokens": 400, "audio_tokens": 7},
    "completion_tokens_details": {"reasoning_tokens": 20, "audio_tokens": 3},
}
RESPONSES_USAGE: Final[Json] = {
    "input_tokens": 1000,
    "input_tokens_details": {"cached_tokens": 400},
    "output_tokens": 50,
    "output_tokens_details": {"reasoning_tokens": 20},
    "total_tokens": 1050,
}
EMBEDDING_USAGE: Final[Json] = {"prompt_tokens": 11, "total_tokens": 11}
# 300 fresh + 580 read from the cache + 120 written to it.
MESSAGES_USAGE: Final[Json] = {
    "input_tokens": 300,
    "cache_read_input_tokens": 580,
    "cache_creation_input_tokens": 120,
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 20},
    "output_tokens": 50,
    "service_tier": "standard",
}
GEMINI_USAGE: Final[Json] = {
    "promptTokenCount": 1000,
    "cachedContentTokenCount": 400,
    "candidatesTokenCount": 30,
    "thoughtsTokenCount": 20,
    "totalTokenCount": 1050,
}
CONVERSE_USAGE: Final[Json] = {
    "inputTokens": 300,
    "cacheReadInputTokens": 580,
    "cacheWriteInputTokens": 120,
    "outputTokens": 50,
    "totalTokens": 1050,
}

CHUNK_SECONDS: Final = 0.02
_failed: set[str] = set()
_served: list[tuple[str, str, int]] = []
"""Path, model and status of every call since it was last asked for: the truth of a scenario."""
_lock = threading.Lock()


def chat(request: Json) -> Json:
    """OpenAI's chat completion."""
    tool = wants_tool(request)
    message: Json = {"role": "assistant", "content": None if tool else said(request)}
    if tool:
        function = {"name": tool, "arguments": json.dumps(given_to(tool))}
        message["tool_calls"] = [{"id": new_id("call_"), "type": "function", "function": function}]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tool else "stop"}
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(time.time()),
        "model": f"{request['model']}-2026-01-01",
        "choices": [{**choice, "logprobs": None}],
        "usage": CHAT_USAGE,
        "service_tier": "default",
        "system_fingerprint": "fp_stand_in",
    }


def chat_chunks(request: Json) -> Iterator[Json]:
    """The same as a stream; usage comes only where it is asked for."""
    whole = chat(request)
    shared = {name: whole[name] for name in ("id", "created", "model", "system_fingerprint")}
    shared["object"] = "chat.completion.chunk"
    message = whole["choices"][0]["message"]
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    if "tool_calls" in message:
        deltas.append({"tool_calls": [{"index": 0, **message["tool_calls"][0]}]})
    else:
        deltas += [{"content": word} for word in words_of(message["content"])]
    for delta in deltas:
        yield {**shared, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    ended = whole["choices"][0]["finish_reason"]
    yield {**shared, "choices": [{"index": 0, "delta": {}, "finish_reason": ended}]}
    if (request.get("stream_options") or {}).get("include_usage"):
        yield {**shared, "choices": [], "usage": CHAT_USAGE}


def responses(request: Json) -> Json:
    """OpenAI's Responses API."""
    tool = wants_tool(request)
    text = {"type": "output_text", "text": said(request), "annotations": []}
    item: Json = {"id": new_id("msg_"), "type": "message", "role": "assistant", "content": [text]}
    if tool:
        item = {"id": new_id("fc_"), "type": "function_call", "call_id": new_id("call_")}
        item |= {"name": tool, "arguments": "{}"}
    return {
        "id": new_id("resp_"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed",
        "model": f"{request['model']}-2026-01-01",
        "output": [{**item, "status": "completed"}],
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": RESPONSES_USAGE,
        "service_tier": "default",
    }


def responses_events(request: Json) -> Iterator[Json]:
    """The same as a stream of events."""
    whole = responses(request)
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    item = whole["output"][0]
    yield {"type": "response.output_item.added", "output_index": 0, "item": item}
    if item["type"] == "message":
        at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
        for word in words_of(item["content"][0]["text"]):
            yield {"type": "response.output_text.delta", **at, "delta": word, "logprobs": []}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": "response.completed", "response": whole}


def embeddings(request: Json) -> Json:
    """OpenAI's embeddings."""
    vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2, 0.3]}
    model = f"{request['model']}-resp"
    answer = {"object": "list", "data": [vector], "model": model, "usage": EMBEDDING_USAGE}
    # Mistral's client insists on an id; OpenAI gives none.
    return {"id": new_id("embd-"), **answer} if "mistral" in model else answer


def message(request: Json) -> Json:
    """Anthropic's message."""
    tool = wants_tool(request)
    block: Json = {"type": "text", "text": said(request)}
    if tool:
        block = {"type": "tool_use", "id": new_id("toolu_"), "name": tool, "input": given_to(tool)}
    return {
        "id": new_id("msg_01"),
        "type": "message",
        "role": "assistant",
        "model": request["model"],
        "content": [block],
        "stop_reason": "tool_use" if tool else "end_turn",
        "stop_sequence": None,
        "usage": MESSAGES_USAGE,
    }


def message_events(request: Json) -> Iterator[Json]:
    """The same as a stream: the first usage has one output token, the last all of them."""
    whole = message(request)
    begun = {**MESSAGES_USAGE, "output_tokens": 1}
    start = {**whole, "content": [], "stop_reason": None, "usage": begun}
    yield {"type": "message_start", "message": start}
    block = whole["content"][0]
    empty = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
    yield {"type": "content_block_start", "index": 0, "content_block": empty}
    if block["type"] == "text":
        for word in words_of(block["text"]):
            delta = {"type": "text_delta", "text": word}
            yield {"type": "content_block_delta", "index": 0, "delta": delta}
    else:
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 50}}
    yield {"type": "message_stop"}


def generated(request: Json) -> Json:
    """Gemini's answer."""
    tools = request.get("tools") or [{}]
    offered = tools[0].get("functionDeclarations") or []
    tool = wants_tool({**request, "tools": offered})
    call: Json = {"functionCall": {"name": tool, "args": {}}}
    part: Json = call if tool else {"text": said(request)}
    candidate = {"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}
    return {
        "candidates": [candidate],
        "usageMetadata": GEMINI_USAGE,
        "modelVersion": f"{request['model']}-001",
        "responseId": new_id("Rsp"),
    }


def generated_parts(request: Json) -> Iterator[Json]:
    """The same as a stream: each part tells what was used so far."""
    whole = generated(request)
    so_far = {"promptTokenCount": 1000, "cachedContentTokenCount": 400, "thoughtsTokenCount": 20}
    so_far |= {"candidatesTokenCount": 10, "totalTokenCount": 1030}
    begun = {**whole["candidates"][0]}
    begun.pop("finishReason")
    yield {**whole, "candidates": [begun], "usageMetadata": so_far}
    yield whole


CONVERSE: Final[Json] = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello from the stand-in."}]}},
    "stopReason": "end_turn",
    "usage": CONVERSE_USAGE,
    "metrics": {"latencyMs": 20},
}
"""Bedrock's Converse."""

# By the last word of the path.
ANSWERS: Final[dict[str, Callable[[Json], Json]]] = {
    "v2/chat": others.cohere,
    "api/chat": others.ollama,
    "completions": chat,
    "responses": responses,
    "embeddings": embeddings,
    "messages": message,
    "invoke": lambda request: others.titan() if "titan" in request["model"] else message(request),
    "generateContent": generated,
}
STREAMS: Final[dict[str, Callable[[Json], Iterator[Json]]]] = {
    "completions": chat_chunks,
    "responses": responses_events,
    "messages": message_events,
    "v2/chat": others.cohere_events,
}
# Streams that are no server-sent events: the type of their content, and their pieces.
PIECES: Final[dict[str, tuple[str, Callable[[Json], Iterator[bytes]]]]] = {
    "converse-stream": (
        "application/vnd.amazon.eventstream",
        lambda _: others.converse_frames(CONVERSE),
    ),
    "invoke-with-response-stream": (
        "application/vnd.amazon.eventstream",
        lambda request: others.invoke_frames(message_events(request), MESSAGES_USAGE),
    ),
    "api/chat": (
        "application/x-ndjson",
        lambda request: (line + b"\n" for line in others.ollama_lines(request)),
    ),
}
FIXED: Final[dict[str, Json]] = {
    "converse": CONVERSE,
    "count_tokens": {"input_tokens": 300},
    "countTokens": {"totalTokens": 1000},
    "embedContent": {"embedding": {"values": [0.1]}},
    "batchEmbedContents": {"embeddings": [{"values": [0.1]}]},
}


def events_of(events: Iterator[Json], *, done: bool) -> Iterator[bytes]:
    """Events as the lines of a stream."""
    for number, event in enumerate(events):
        head = f"event: {event['type']}\n" if "type" in event else ""
        if head:
            event.setdefault("sequence_number", number)
        yield f"{head}data: {json.dumps(event)}\n\n".encode()
    if done:
        yield b"data: [DONE]\n\n"


class Provider(BaseHTTPRequestHandler):
    """Answers by path, whatever stands before it (``/openai/deployments/x/chat/completions``)."""

    protocol_version = "HTTP/1.1"
    called = ("", "")

    def do_GET(self) -> None:
        """``/served``: what was answered since the last time; else a list of models."""
        if self.path == "/served":
            told = list(_served)
            _served.clear()
            self._send({"calls": told})
            return
        self._send({"object": "list", "data": [{"id": "gpt-4o-mini", "object": "model"}]})

    def do_POST(self) -> None:
        """A call to a model."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        request: Json = json.loads(body or b"{}")
        path = self.path.partition("?")[0]
        pieces = path.replace(":", "/").split("/")
        if "models" in pieces:
            request.setdefault("model", pieces[pieces.index("models") + 1])
        elif "deployments" in pieces:
            request.setdefault("model", pieces[pieces.index("deployments") + 1])
        elif "model" in pieces:
            request["model"] = unquote(pieces[pieces.index("model") + 1])
        request.setdefault("model", "gpt-4o-mini")
        self.called = (path, str(request["model"]))
        if self._fails(str(request["model"])):
            return
        time.sleep(CHUNK_SECONDS)
        self._answer(path, request)

    def _answer(self, path: str, request: Json) -> None:
        pieces = path.replace(":", "/").split("/")
        method = "/".join(pieces[-2:]) if pieces[-1] == "chat" else pieces[-1]
        if request.get("stream") and method in STREAMS:
            self._stream(events_of(STREAMS[method](request), done=method == "completions"))
        elif method == "streamGenerateContent":
            self._stream(events_of(generated_parts(request), done=False))
        elif method in PIECES and (request.get("stream", True) or method not in ANSWERS):
            kind, pieces_of = PIECES[method]
            self._stream(pieces_of(request), kind)
        elif method in ANSWERS:
            told = others.token_headers(MESSAGES_USAGE) if method == "invoke" else {}
            self._send(ANSWERS[method](request), told=told)
        elif method in FIXED:
            self._send(FIXED[method])
        else:
            self._send({"error": {"message": f"no such path: {path}"}}, 404)

    def _fails(self, model: str) -> bool:
        if "error-429" in model:
            error = {"type": "rate_limit_error", "code": "rate_limited", "message": "slow down"}
            told = {"x-amzn-errortype": "ThrottlingException"}
            self._send({"type": "error", "error": error}, 429, told=told)
            return True
        with _lock:
            first = "flaky" in model and model not in _failed
            _failed.symmetric_difference_update({model} if "flaky" in model else ())
        if first:
            self._send({"error": {"type": "server_error", "message": "try again"}}, 500)
        return first

    def _send(self, answer: Json, status: int = 200, told: Mapping[str, str] | None = None) -> None:
        body = json.dumps(answer).encode()
        if self.command == "POST":
            _served.append((*self.called, status))
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.send_header("x-request-id", new_id("req_"))
        self.send_header("request-id", new_id("req_"))
        for name, value in (told or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, pieces: Iterator[bytes], kind: str = "text/event-stream") -> None:
        _served.append((*self.called, 200))
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in pieces:
            self._chunk(piece)
            time.sleep(CHUNK_SECONDS)
        self._chunk(b"")

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


def main() -> None:
    """Serve until interrupted."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--port", type=int, default=9900)
    port = options.parse_args().port
    with ThreadingHTTPServer(("127.0.0.1", port), Provider) as server:
        print(f"models on http://127.0.0.1:{port}", flush=True)  # noqa: T201 - a command
        server.serve_forever()


if __name__ == "__main__":
    main()
