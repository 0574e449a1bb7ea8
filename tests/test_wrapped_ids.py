"""A gateway's id of an answer is known for the provider's that is in it."""

from base64 import b64encode

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from collector.understanding.scrub import LONGEST
from collector.understanding.wrapped_ids import without_wrapping

INNER = "resp_0123456789abcdef0123456789abcdef"


def wrapped(inner: str, model_id: str = "None") -> str:
    said = f"litellm:custom_llm_provider:openai;model_id:{model_id};response_id:{inner}"
    return f"resp_{b64encode(said.encode()).decode()}"


def unwrapped(*texts: str | None) -> list[str | None]:
    found: list[str | None] = without_wrapping(pa.array(texts, pa.string())).to_pylist()
    return found


def test_what_the_provider_called_its_answer_is_taken_out() -> None:
    long = wrapped(INNER, "0" * 64)
    assert len(long) > LONGEST
    assert unwrapped(wrapped(INNER), None, long, "gpt-4o") == [INNER, None, INNER, "gpt-4o"]


def test_a_sealed_id_is_short_and_still_its_own() -> None:
    one, other = (f"resp_{letter * 400}" for letter in "ab")
    first, again, second = unwrapped(one, one, other)
    assert first == again != second
    assert first is not None
    assert len(first) < LONGEST


@given(st.lists(st.one_of(st.text(), st.text(alphabet="Abl0+/=_").map(lambda t: f"resp_{t}"))))
def test_other_texts_stay(texts: list[str]) -> None:
    assert unwrapped(*texts) == texts


@given(st.binary())
def test_nothing_that_is_wrapped_makes_it_raise(content: bytes) -> None:
    unwrapped("resp_bGl0ZWxsbT" + b64encode(content).decode())
