"""Sends the calls, and tells which of them were acknowledged."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from app.canary import promises
from app.canary.calls import (
    MALFORMED,
    Call,
    Calls,
    Span,
    as_json_with_broken_neighbour,
    as_protobuf,
)
from app.canary.doors import JSON, PROTOBUF, Doors, Reply
from app.canary.promises import Proof

_REFUSED: Final = 400
_NO_KEY: Final = 401


def send_all(doors: Doors, calls: Calls, proof: Proof) -> list[Call]:
    """Sends all calls; those of which everything that is told was acknowledged."""
    taken = [
        *_over_protobuf(doors, calls, proof),
        *_over_json(doors, calls, proof),
        *_over_grpc(doors, calls, proof),
    ]
    _malformed(doors, proof)
    return [call for call in calls.all if all(told in taken for told in call.spans)]


def _over_protobuf(doors: Doors, calls: Calls, proof: Proof) -> list[Span]:
    """The first of two sightings, and a span that is sent again as its answer got lost."""
    told = [calls.twice.spans[0], calls.seen_by_two.spans[0]]
    reply = doors.send(as_protobuf(told), PROTOBUF)
    again = doors.send(as_protobuf(told[:1]), PROTOBUF)
    faults = [*_faults(reply, _partial(reply)), *_faults(again, _partial(again), "sent again: ")]
    if proof.tell(promises.TAKEN_PROTOBUF, faults, reply.said, reply.seconds):
        return told
    return []


def _over_json(doors: Doors, calls: Calls, proof: Proof) -> list[Span]:
    told = calls.beside.spans[0]
    reply = doors.send(as_json_with_broken_neighbour(told), JSON)
    if not proof.tell(promises.TAKEN_JSON, _faults(reply, None), reply.said, reply.seconds):
        proof.not_reached(promises.NEIGHBOURS, "the request was not taken")
        return []
    partial = reply.json().get("partialSuccess") or {}
    rejected, why = str(partial.get("rejectedSpans", "0")), str(partial.get("errorMessage", ""))
    faults = [] if rejected == "1" else [f"{rejected} spans were refused, and not 1: {why}"]
    proof.tell(promises.NEIGHBOURS, faults, f"1 refused: {why}")
    return [told] if rejected in {"0", "1"} else []


def _over_grpc(doors: Doors, calls: Calls, proof: Proof) -> list[Span]:
    """What comes by gRPC; where that is not offered, by HTTP."""
    told = [calls.over_grpc.spans[0], *calls.seen_by_two.spans[1:]]
    send: Callable[[bytes], Reply] = doors.send_over_grpc
    if doors.where.grpc is None:
        send = lambda body: doors.send(body, PROTOBUF)  # noqa: E731  # a name would say no more
    reply = send(as_protobuf(told))
    faults = _faults(reply, _partial(reply))
    proof.tell(promises.TAKEN_GRPC, faults, reply.said, reply.seconds)
    return [] if faults else told


def _malformed(doors: Doors, proof: Proof) -> None:
    reply = doors.send(MALFORMED, PROTOBUF)
    if reply.status == _NO_KEY:
        proof.not_reached(promises.MALFORMED, "the key is refused")
        return
    faults = [] if reply.status == _REFUSED else [f"{reply.said}, and not {_REFUSED}"]
    proof.tell(promises.MALFORMED, faults, reply.said, reply.seconds)


def _faults(reply: Reply, partial: str | None, before: str = "") -> Sequence[str]:
    if not reply.ok:
        return [before + reply.said]
    return [f"{before}acknowledged, but: {partial}"] if partial else []


def _partial(reply: Reply) -> str | None:
    """What an answer in protobuf says was not taken, or taken in part."""
    if reply.ok:
        with suppress(DecodeError):
            answered = ExportTraceServiceResponse.FromString(reply.body)
            return answered.partial_success.error_message or None
        return "the answer is none of OTLP"
    return None
