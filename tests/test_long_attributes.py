"""Prompts are long and nobody's concern: they are not looked into, and nothing known is lost."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from spans import call, heard, only, request

from collector.understanding.attributes import KEYS
from collector.understanding.otlp import attributes_of

WANTED = frozenset(key.encode() for key in KEYS)
LONG = 256
UNREAD = "nobody.knows.this"


def written(key: str, size: int) -> bytes:
    value = AnyValue(string_value="x" * size)
    return KeyValue(key=key, value=value).SerializeToString()


def read(held: list[list[bytes]]) -> list[tuple[int, bytes, int]]:
    """Holder, key and length of each attribute that is left."""
    found = attributes_of(pa.array(held, pa.list_(pa.binary())), wanted=WANTED)
    return [
        (holder, found.key[said].as_py(), len(found.values["text"][said].as_py()))
        for holder, said in zip(found.holder.tolist(), found.said.tolist(), strict=True)
    ]


attribute = st.tuples(st.sampled_from(KEYS) | st.text(max_size=150), st.integers(0, 700))


@given(st.lists(st.lists(attribute, max_size=6), max_size=4))
def test_only_what_is_long_and_unknown_is_left_out(held: list[list[tuple[str, int]]]) -> None:
    found = read([[written(*each) for each in attributes] for attributes in held])
    assert found == [
        (holder, key.encode(), size)
        for holder, attributes in enumerate(held)
        for key, size in attributes
        # A key that no encoder of ours writes so is looked into, to be sure.
        if key in KEYS or len(written(key, size)) <= LONG or len(key.encode()) not in range(1, 128)
    ]


def test_a_known_key_is_found_however_it_is_encoded() -> None:
    key, value = b"gen_ai.request.model", AnyValue(string_value="x" * 300).SerializeToString()
    first, last = b"\x0a\x14" + key, b"\x12\xaf\x02" + value
    overlong = b"\x0a\x94\x00" + key
    raws = [first + last, last + first, overlong + last]
    assert read([raws]) == [(0, key, 300)] * 3


def test_a_prompt_costs_a_call_nothing_even_where_it_is_no_text() -> None:
    plain = request(call())
    # A list within lists, deeper than decoders go, and broken at its end.
    filler = "x" * 100_000
    prompted = request(call(attributes={**call().attributes, UNREAD: filler}))
    nested = prompted.replace(filler.encode(), b"\x2a\x02" * 50_000)
    told = [only(heard(body)) for body in (plain, prompted, nested)]
    assert told[0] == told[1] == told[2]
