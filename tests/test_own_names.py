"""A name without a prefix is heard only from those whose word it is."""

from spans import Told, call, heard, only, request

from collector.dialects import DIALECTS

BARE = {
    "model": "llama",
    "input_tokens": 5,
    "output_tokens": 7,
    "cache_read_tokens": 3,
    "ttft_ms": 4,
    "request_id": "r",
    "department": "search",
}


def test_names_without_a_prefix_count_only_where_they_are_spoken() -> None:
    """A vector store's ``model`` or a queue's ``input_tokens`` is nobody's usage."""
    foreign = only(heard(request(call(attributes=BARE))))
    assert not foreign.usage
    assert foreign.route.model == "gpt-4o"
    assert (foreign.ttft_us, foreign.owner.team) == (None, "unallocated")
    assert "request_id" not in foreign.details
    scope = "com.anthropic.claude_code.tracing"
    own = only(heard(request(Told(scope=scope, attributes={**BARE, "span.type": "llm_request"}))))
    assert own.usage == {"input": 5, "output": 7, "cache_read": 3}
    assert (own.route.model, own.ttft_us, own.owner.team) == ("llama", 4000, "search")
    assert own.details["request_id"] == "r"


def test_every_name_without_a_prefix_is_some_dialects_own() -> None:
    for dialect in DIALECTS:
        shared = {key for keys in dialect.columns.values() for key in keys}
        shared |= {unpacked.attribute for unpacked in dialect.unpacks if not unpacked.own}
        shared |= {mark.attribute for mark in dialect.marks if mark.scope == "*"}
        # With brackets: what is taken out of an attribute, which nobody sends.
        assert all("." in key or "(" in key for key in shared), dialect.name
