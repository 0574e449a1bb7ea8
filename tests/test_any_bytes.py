"""Whatever bytes come: they are understood, refused in part or refused, and accounted for."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from deliveries import as_otlp_json
from doors import JSON, PROTOBUF, Doors, open_doors
from fuzzing.seeds import requests
from fuzzing.targets import ANSWERS, ENCODINGS, TARGETS, packed
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from records import Record, logs
from spans import Told, heard, request
from test_understand_anything import BAGS, RECORDS, SPANS

from collector.limits import Limits
from collector.otlp_json.request import to_protobuf
from collector.signals import Signal
from store.postgres.sessions import Database

SEEDS = requests()
PLACE = st.floats(0, 1, exclude_max=True)
Mutation = Callable[[bytes], bytes]


def flipped(at: float, bit: int) -> Mutation:
    def mutate(body: bytes) -> bytes:
        place = int(at * len(body))
        changed = bytes([body[place] ^ 1 << bit]) if body else b""
        return body[:place] + changed + body[place + 1 :]

    return mutate


def swapped(one: float, other: float, size: int) -> Mutation:
    def mutate(body: bytes) -> bytes:
        first, second = sorted((int(one * len(body)), int(other * len(body))))
        middle = body[first + size : second]
        return body[:first] + body[second : second + size] + middle + body[first : first + size]

    return mutate


def spliced(at: float, value: int) -> Mutation:
    """Another length (or tag, or digit) in the place of one."""

    def mutate(body: bytes) -> bytes:
        place = int(at * len(body))
        return body[:place] + bytes([value | 0x80, value >> 1 & 0x7F]) + body[place + 1 :]

    return mutate


def wrapped(at: float) -> Mutation:
    """A length of nearly 2**64 in the place of one: a decoder that adds it up begins anew."""

    def mutate(body: bytes) -> bytes:
        place = int(at * len(body))
        return body[:place] + b"\xff" * 9 + b"\x01" + body[place + 1 :]

    return mutate


def cut_off(at: float) -> Mutation:
    return lambda body: body[: int(at * len(body))]


def doubled(at: float, size: int) -> Mutation:
    def mutate(body: bytes) -> bytes:
        place = int(at * len(body))
        return body[:place] + body[place : place + size] + body[place:]

    return mutate


MUTATIONS = st.lists(
    st.one_of(
        st.builds(flipped, PLACE, st.integers(0, 7)),
        st.builds(swapped, PLACE, PLACE, st.integers(1, 40)),
        st.builds(spliced, PLACE, st.integers(0, 255)),
        st.builds(doubled, PLACE, st.integers(1, 300)),
        st.builds(wrapped, PLACE),
        st.builds(cut_off, PLACE),
    ),
    max_size=5,
)


def mutated(body: bytes, mutations: list[Mutation]) -> bytes:
    for mutate in mutations:
        body = mutate(body)
    return body


@settings(max_examples=60, deadline=None)
@given(seed=st.sampled_from(SEEDS), mutations=MUTATIONS, as_json=st.booleans())
def test_a_request_that_is_spoiled_is_understood_or_refused(
    seed: tuple[Signal, bytes], mutations: list[Mutation], *, as_json: bool
) -> None:
    signal, body = seed
    first = bytes([tuple(Signal).index(signal)])
    if as_json:
        TARGETS["json"](first + mutated(as_otlp_json(body, signal), mutations))
    else:
        TARGETS["protobuf"](first + mutated(body, mutations))
        TARGETS["cut"](mutated(body, mutations))


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 4), st.integers(0, 255), st.binary(max_size=3000), MUTATIONS)
def test_a_compressed_body_that_is_spoiled_is_unpacked_or_refused(
    encoding: int, how: int, body: bytes, mutations: list[Mutation]
) -> None:
    spoiled = mutated(packed(body, ENCODINGS[encoding]), mutations)
    TARGETS["compressed"](bytes([encoding, 0]) + spoiled)
    TARGETS["compressed"](bytes([encoding, how]) + body)


@settings(max_examples=25, deadline=None)
@given(st.lists(SPANS, max_size=3), st.lists(RECORDS, max_size=3), BAGS)
def test_protobuf_and_json_of_one_request_give_equal_rows(
    spans: list[Told], records: list[Record], resource: dict[str, object]
) -> None:
    # JSON has one NaN, and a record's fingerprint is of all bits of its numbers.
    assume("nan" not in repr((spans, records, resource)))
    for signal, body in (
        (Signal.TRACES, request(*spans, resource=resource)),
        (Signal.LOGS, logs(*records, resource=resource)),
    ):
        converted = to_protobuf(as_otlp_json(body, signal), signal, Limits())
        assert converted.left_out == {}
        one, other = heard(body, signal=signal), heard(converted.body, signal=signal)
        assert one.sightings.equals(other.sightings)
        assert (one.heard, one.refused, one.usage_refused) == (
            other.heard,
            other.refused,
            other.usage_refused,
        )
        assert (one.owners, one.routes, one.emitters) == (
            other.owners,
            other.routes,
            other.emitters,
        )


@pytest.fixture
def doors(database: Database) -> Iterator[Doors]:
    with open_doors(database) as opened:
        yield opened


@pytest.mark.one_server
@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.sampled_from(SEEDS),
    inside=MUTATIONS,
    outside=st.just([]) | MUTATIONS,
    as_json=st.booleans(),
    encoding=st.sampled_from(ENCODINGS),
)
def test_whatever_is_posted_is_answered_and_accounted_for(
    doors: Doors,
    seed: tuple[Signal, bytes],
    inside: list[Mutation],
    outside: list[Mutation],
    encoding: str,
    *,
    as_json: bool,
) -> None:
    signal, whole = seed
    body = mutated(as_otlp_json(whole, signal) if as_json else whole, inside)
    body = mutated(packed(body, encoding), outside)
    kind = JSON if as_json else PROTOBUF
    answer = doors.post(body, kind, path=signal.path, content_encoding=encoding)
    assert answer.status in ANSWERS, answer
    assert answer.headers["content-type"] == kind
    sums = doors.accounted()
    assert sums.pop("heard") == sum(sums.values())


@pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has wheels for Linux x86-64 only")
def test_what_coverage_finds_breaks_nothing_either(tmp_path: Path) -> None:
    ran = subprocess.run(  # noqa: S603  # this very program
        [sys.executable, "-m", "fuzzing", "exchange", "--seconds", "3", "--keep", str(tmp_path)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, "no finding" in ran.stdout) == (0, True), ran.stdout + ran.stderr
