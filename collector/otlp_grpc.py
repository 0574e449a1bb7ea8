"""The door for OTLP over gRPC: each signal's Export on raw bytes, answered as the spec says.

gRPC itself unpacks gzip and deflate, bounded by the largest message, refuses what is larger with
RESOURCE_EXHAUSTED, and methods that are not here (profiles) with UNIMPLEMENTED.
"""

import asyncio
import time
from collections.abc import Mapping
from functools import partial
from typing import Final
from urllib.parse import unquote

import grpc
import grpc.aio

from collector.answers import Code, Refusal, refusal_of, retry_info, success
from collector.came_from import CameFrom, is_local
from collector.errors import Busy, Malformed
from collector.limits import Limits, Share
from collector.other_signals import check_signal
from collector.receive import Receiver
from collector.signals import Request, Signal

DOOR: Final = "grpc"
_CODES: Final = {
    Code.INVALID_ARGUMENT: grpc.StatusCode.INVALID_ARGUMENT,
    Code.RESOURCE_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Code.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Code.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
}
_IDLE: Final = 600
"""Seconds that a connection may stay open without a request."""
_READING: Final = 8
"""Messages that are read at a time: gRPC does not say how large one is before all of it is here."""

Context = grpc.aio.ServicerContext[bytes, bytes]


class GrpcDoor:
    """The services."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._reading = asyncio.Semaphore(_READING)

    async def export(self, signal: Signal, _messages: object, context: Context) -> bytes:
        """Answer one request."""
        began = time.perf_counter()
        try:
            answer = await self._answer(signal, context)
        except Exception as error:  # noqa: BLE001 - told to the sender, counted and logged
            refusal = refusal_of(error)
            self._receiver.refused(DOOR, error, time.perf_counter() - began)
            # Its frames hold the request.
            error.__traceback__ = error.__context__ = None
        else:
            self._receiver.tally.answered(DOOR, "stored", time.perf_counter() - began)
            return answer
        await context.abort(_CODES[refusal.code], refusal.message, _trailers(refusal))
        raise AssertionError("unreachable: abort raises")

    async def _answer(self, signal: Signal, context: Context) -> bytes:
        headers = {str(name): str(value) for name, value in context.invocation_metadata() or ()}
        came = _came_from(headers, context.peer())
        sender = await self._receiver.admit(came)
        with self._receiver.in_flight.share(came.key) as share:
            request = await self._message(context, share)
            account = await self._receiver.hear(partial(_read, request, signal), sender, signal)
        return success(account, signal)

    async def _message(self, context: Context, share: Share) -> bytes:
        """The request, read when there is room for the largest that it may be."""
        limits = self._receiver.limits
        try:
            async with (
                asyncio.timeout(limits.answer_seconds),
                self._reading,
                asyncio.timeout(limits.body_pause_seconds),
            ):
                # Not from the iterator: that holds on to what it gave.
                message = await context.read()
        except TimeoutError:
            raise Busy("the request did not arrive in time") from None
        if not isinstance(message, bytes):
            raise Malformed("there is no message in the request")
        share.take(len(message))
        return message


def grpc_server(receiver: Receiver, limits: Limits) -> grpc.aio.Server:
    """A server that is not listening yet."""
    server = grpc.aio.server(options=_options(limits))
    door = GrpcDoor(receiver)
    for signal in Signal:
        # On the wire the same as unary; but so a message is read when we ask for it, not before.
        export = grpc.stream_unary_rpc_method_handler(partial(door.export, signal))
        handlers = grpc.method_handlers_generic_handler(signal.service, {"Export": export})
        server.add_generic_rpc_handlers((handlers,))
    return server


def _read(request: bytes, signal: Signal) -> Request:
    check_signal(request, signal)
    return Request(request)


def _options(limits: Limits) -> list[tuple[str, int]]:
    """What gRPC itself bounds. Connections that it ends are told so first, and lose no request."""
    return [
        ("grpc.so_reuseport", 1),
        ("grpc.max_receive_message_length", limits.request_bytes),
        ("grpc.max_concurrent_streams", 64),
        # What a stream holds of a message that nobody reads yet stays small.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", 65_536),
        ("grpc.max_allowed_incoming_connections", limits.connections),
        ("grpc.server_handshake_timeout_ms", int(limits.header_seconds * 1000)),
        ("grpc.max_connection_idle_ms", _IDLE * 1000),
        # A peer that is gone without a word is noticed; one that asks too often whether we are
        # there is told to stop.
        ("grpc.keepalive_time_ms", 60_000),
        ("grpc.keepalive_timeout_ms", 20_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ]


def _trailers(refusal: Refusal) -> tuple[tuple[str, bytes], ...]:
    """The status as Go, Java and .NET read it, and the delay where Python reads it."""
    status = ("grpc-status-details-bin", bytes(refusal.status().SerializeToString()))
    if refusal.code is not Code.UNAVAILABLE:
        return (status,)
    return (status, ("google.rpc.retryinfo-bin", bytes(retry_info().SerializeToString())))


def _came_from(headers: Mapping[str, str], peer: str) -> CameFrom:
    """By gRPC's name of a peer: 'ipv4:127.0.0.1:4711', 'ipv6:%5B::1%5D:4711', 'unix:…'."""
    family, _, address = unquote(peer).partition(":")
    host = address.rpartition(":")[0].strip("[]")
    return CameFrom.of(headers, host, local=family == "unix" or is_local(host))
