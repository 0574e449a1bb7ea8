"""What a request holds is counted without reading any of it, exactly."""

import pytest
from deliveries import REQUESTS, sent
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st
from truths import VECTORS

from collector.frame import counted
from collector.signals import Signal

SEEDS = [
    each
    for scenario in ("litellm/sdk", "claude-code/default", "otel-genai/openai")
    for each in sent(scenario, (Signal.TRACES, Signal.LOGS))
]


def parsed(signal: Signal, body: bytes) -> tuple[int, int]:
    request, (of_resources, of_scopes, of_items) = REQUESTS[signal]
    resources = getattr(request.FromString(body), of_resources)
    scopes = [scope for resource in resources for scope in getattr(resource, of_scopes)]
    return sum(len(getattr(scope, of_items)) for scope in scopes), len(resources) + len(scopes)


@pytest.mark.parametrize("signal", [Signal.TRACES, Signal.LOGS])
def test_it_is_what_the_decoder_finds(signal: Signal) -> None:
    bodies = [file.read_bytes() for file in sorted(VECTORS.glob(f"*/*-{signal}-*.pb"))]
    assert bodies
    for body in [*bodies, b"".join(bodies), b""]:
        found = counted(body)
        assert found
        assert (found.items, found.groups) == parsed(signal, body)
        assert found.beside <= len(body) - 10 * found.items


@given(st.sampled_from(SEEDS), st.integers(0), st.binary(max_size=3))
@settings(max_examples=200, deadline=None)
def test_of_spoiled_bytes_it_counts_what_is_read(
    seed: tuple[Signal, bytes], at: int, spoiled: bytes
) -> None:
    signal, body = seed
    place = at % len(body)
    body = body[:place] + spoiled + body[place + len(spoiled) :]
    found = counted(body)
    try:
        read = parsed(signal, body)
    except DecodeError:
        return
    assert found
    assert (found.items, found.groups) == read
