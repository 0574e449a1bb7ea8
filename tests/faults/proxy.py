"""A network that misbehaves when it is told to: a TCP proxy on loopback with weather."""

import asyncio
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

PIECE = 65_536


@dataclass(frozen=True)
class Weather:
    """What happens to the bytes of every connection, from the moment it is set."""

    latency: tuple[float, float] = (0.0, 0.0)
    """Seconds that each piece takes, at least and at most."""
    cut_requests: tuple[int, int] | None = None
    """After so many bytes towards the server, at least and at most, both ends are reset."""
    cut_answers: tuple[int, int] | None = None
    """The same for bytes from the server: (0, 0) loses the answer, whatever was done."""
    half_close: tuple[int, int] | None = None
    """After so many bytes the server is told that no more will come; answers still pass."""
    bytes_a_second: int | None = None
    blackhole: bool = False
    """Connections are taken, and nothing passes."""
    hold_answers: bool = False
    """What the server says stays here."""
    refuse: bool = False
    """New connections are reset, those that are there too."""


FINE = Weather()


class Line:
    """One connection, and what has passed since the weather changed."""

    def __init__(self, sender: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.ends = (sender, server)
        self.weather: Weather | None = None
        self.left: dict[str, int | None] = {}

    def abort(self) -> None:
        """Reset, not closed in good order: both ends see it at once."""
        for end in self.ends:
            held = end.get_extra_info("socket")
            with suppress(OSError):
                held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.transport.abort()


class Proxy:
    """Listens on a free port of loopback, and passes on to ``target`` what the weather lets by."""

    def __init__(self, target: tuple[str, int], chance: random.Random) -> None:
        self.target = target
        self.weather = FINE
        self.count: Counter[str] = Counter()
        """How often each kind of weather really struck."""
        self._chance = chance
        self._lines: set[Line] = set()
        self._changed = asyncio.Event()
        self._over = asyncio.Event()
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(ready)), name="proxy", daemon=True
        )
        self._thread.start()
        ready.wait(10)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @contextmanager
    def under(self, weather: Weather) -> Iterator[Counter[str]]:
        """That weather inside the block; gives the counts of what it did there."""
        before = self.count.copy()
        struck: Counter[str] = Counter()
        self._set(weather)
        try:
            yield struck
        finally:
            self._set(FINE)
            struck.update(self.count - before)

    def reset_all(self) -> int:
        """Reset the connections that are open; how many there were."""

        async def reset() -> int:
            return self._reset()

        return asyncio.run_coroutine_threadsafe(reset(), self._loop).result(10)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _set(self, weather: Weather) -> None:
        self._loop.call_soon_threadsafe(self._change, weather)

    def _change(self, weather: Weather) -> None:
        self.weather = weather
        self._changed.set()
        self._changed = asyncio.Event()
        if weather.refuse:
            self._reset()

    def _reset(self) -> int:
        lines = list(self._lines)
        for line in lines:
            line.abort()
        return len(lines)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0, backlog=512)
        self.port = int(server.sockets[0].getsockname()[1])
        ready.set()
        await self._over.wait()
        server.close()
        self._change(FINE)
        self._reset()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others, timeout=5)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(writer, writer)
        try:
            if self.weather.refuse:
                self.count["refused"] += 1
                line.abort()
                return
            back, onward = await asyncio.open_connection(*self.target)
        except OSError:
            self.count["nobody there"] += 1
            line.abort()
            return
        line = Line(writer, onward)
        self._lines.add(line)
        try:
            await asyncio.gather(
                self._pass(line, reader, onward, "request"),
                self._pass(line, back, writer, "answer"),
            )
        finally:
            self._lines.discard(line)
            line.abort()

    async def _pass(
        self, line: Line, here: asyncio.StreamReader, there: asyncio.StreamWriter, what: str
    ) -> None:
        try:
            while piece := await here.read(PIECE):
                weather = await self._let_by(what)
                if weather is not FINE and await self._struck(line, weather, what, piece, there):
                    return
                there.write(piece)
                await there.drain()
            await self._let_by(what)
            if there.can_write_eof():
                there.write_eof()
        except OSError:
            # One end was reset: so is the other.
            line.abort()

    async def _let_by(self, what: str) -> Weather:
        """Waits for better weather; the one that this piece meets."""
        while self.weather.blackhole or (what == "answer" and self.weather.hold_answers):
            self.count["held"] += 1
            await self._changed.wait()
        weather = self.weather
        if weather.latency[1]:
            self.count["late"] += 1
            await asyncio.sleep(self._chance.uniform(*weather.latency))
        return weather

    async def _struck(
        self, line: Line, weather: Weather, what: str, piece: bytes, there: asyncio.StreamWriter
    ) -> bool:
        """Whether the weather ended this way; what it lets through of the piece is written."""
        if line.weather is not weather:
            line.weather = weather
            line.left = {
                "request": self._some(weather.cut_requests),
                "answer": self._some(weather.cut_answers),
                "half": self._some(weather.half_close),
            }
        if weather.bytes_a_second:
            self.count["slow"] += 1
            await asyncio.sleep(len(piece) / weather.bytes_a_second)
        for limit, applies in ((what, True), ("half", what == "request")):
            left = line.left[limit]
            if left is None or not applies:
                continue
            if len(piece) < left:
                line.left[limit] = left - len(piece)
                continue
            self.count["half closed" if limit == "half" else f"{what} cut"] += 1
            there.write(piece[:left])
            if limit == "half":
                there.write_eof()
            else:
                await there.drain()
                line.abort()
            return True
        return False

    def _some(self, bounds: tuple[int, int] | None) -> int | None:
        return self._chance.randint(*bounds) if bounds else None
