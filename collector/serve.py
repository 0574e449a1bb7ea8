"""Opens both doors and keeps them open until told to stop; then answers what is inside and ends."""

import asyncio
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from threading import Event
from typing import Final

import grpc
import grpc.aio

from collector.http_server import BACKLOG, http_server
from collector.limits import Limits
from collector.otlp_grpc import grpc_server
from collector.otlp_http import HttpDoor
from collector.receive import Receiver
from collector.spare_memory import give_back
from collector.spool.state import Place
from store.metrics.metric_text import Certificates, no_certificates
from store.postgres.sessions import Database
from store.steps import Lost, Steps, none_lost, untold

GRACE: Final = 6
"""Seconds that requests have to be answered once the doors are closed."""
_LEAST: Final = 1.0
"""Seconds in which what is understood can be put down, however long the answers took."""

Ready = Callable[[dict[str, str]], None]


@dataclass(frozen=True, slots=True)
class Tls:
    """What both doors show that they are who they are."""

    http: ssl.SSLContext
    grpc: grpc.ServerCredentials
    shown: Certificates = no_certificates
    """How long they are good."""


def run(
    *,
    database: Database,
    http_addr: str | socket.socket,
    grpc_addr: str,
    pepper: bytes,
    ready: Ready,
    stop: Event,
    limits: Limits | None = None,
    spool: Place | None = None,
    tls: Tls | None = None,
    steps: Steps = untold,
    lost: Lost = none_lost,
) -> None:
    """Serve until ``stop`` is set, then close the doors, answer what came in, and return.

    Addresses are ``host:port``; port 0 picks a free one. For HTTP it may be a socket that listens
    already, and that other processes may take connections from, too. ``ready`` is called once, when
    both doors are open, with their addresses as ``{"otlp_http": "127.0.0.1:4318", ...}``.
    ``pepper`` is what keys are hashed with (``store/access/keys.py``). ``spool`` is where requests
    are kept while the database is away; without it senders are told to come again. Other processes
    may listen at the same address for gRPC: the kernel spreads connections over them. ``tls``:
    without it both doors speak in the open. ``steps`` is told what is done, where we are traced,
    and ``lost`` tells how much of that nobody got. Raises OSError, naming the address, where it
    cannot listen.
    """
    receiver = Receiver(
        database,
        pepper,
        limits=limits or Limits(),
        spool=spool,
        steps=steps,
        lost=lost,
        certificates=tls.shown if tls else no_certificates,
    )
    receiver.start()
    ends = time.monotonic()
    try:
        with asyncio.Runner(loop_factory=_new_event_loop) as runner:
            ends = runner.run(_serve(receiver, http_addr, grpc_addr, ready, stop, tls)) + GRACE
    finally:
        receiver.stop(max(_LEAST, ends - time.monotonic()))


def _new_event_loop() -> asyncio.AbstractEventLoop:
    """That of uvloop where there is one: not on Windows."""
    loops = import_module("uvloop" if find_spec("uvloop") else "asyncio")
    loop: asyncio.AbstractEventLoop = loops.new_event_loop()
    return loop


async def _serve(
    receiver: Receiver,
    http_addr: str | socket.socket,
    grpc_addr: str,
    ready: Ready,
    stop: Event,
    tls: Tls | None,
) -> float:
    """Gives the moment, by the monotonic clock, at which it was told to stop."""
    grpc_door = grpc_server(receiver, receiver.limits)
    with _listening(http_addr) if isinstance(http_addr, str) else http_addr as listener:
        http_door = http_server(
            HttpDoor(receiver), receiver.limits, grace=GRACE, tls=tls.http if tls else None
        )
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(http_door.serve(sockets=[listener]))
            try:
                grpc_at = await _open_grpc(grpc_door, grpc_addr, tls.grpc if tls else None)
                while not (http_door.started or serving.done()):  # noqa: ASYNC110 - all it has
                    await asyncio.sleep(0.005)
                ready({"otlp_http": _name(listener), "otlp_grpc": grpc_at})
                tasks.create_task(give_back(receiver.in_flight, stop))
                while not stop.is_set():  # noqa: ASYNC110 - a threading.Event wakes no loop
                    await asyncio.sleep(0.1)
            finally:
                told = time.monotonic()
                http_door.should_exit = True
                await grpc_door.stop(GRACE)
    return told


@contextmanager
def _listening(address: str) -> Iterator[socket.socket]:
    host, port = _split(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(BACKLOG)
        except OSError as error:
            raise OSError(error.errno, f"cannot listen at {address}: {error.strerror}") from None
        yield listener


async def _open_grpc(
    server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials | None
) -> str:
    host, port = _split(address)
    bracketed = f"[{host}]" if ":" in host else host
    try:
        at = f"{bracketed}:{port}"
        if credentials is None:
            bound = server.add_insecure_port(at)
        else:
            bound = server.add_secure_port(at, credentials)
    except RuntimeError as error:
        raise OSError(f"cannot listen at {address}: {error}") from None
    await server.start()
    return f"{bracketed}:{bound}"


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _name(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
