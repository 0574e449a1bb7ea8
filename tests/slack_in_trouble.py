"""A local stand-in for all that messages go to, in random trouble, that remembers what it showed.

Paths: /services/… is an incoming webhook of Slack, /api/… Slack's methods for a bot, /hook/… a
webhook of anybody's, which shows a message of one webhook-id once.
"""

import contextlib
import json
import random
import re
import select
import socket
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ALERT = re.compile(r"[Aa]lert (\d+)")


@dataclass
class Showing:
    """A message that people see."""

    alerts: frozenset[int]
    where: str
    """The path."""
    sender: int
    """Its process."""
    shown_at: float
    answered: bool
    """Whether the sender was told so, as far as it still lived."""
    too_late: bool
    """Whether it had stopped listening before it was told, or hung up on the answer."""


@dataclass
class Trouble:
    """How often of a hundred requests what happens; what is left is well."""

    limited: int = 8
    failed: int = 8
    refused: int = 2
    hangs: int = 4
    cut: int = 4
    lost: int = 0
    """It is shown, and no answer comes."""

    def happens(self, chance: random.Random) -> str:
        kinds = ("limited", "failed", "refused", "hangs", "cut", "lost")
        weights = [getattr(self, kind) for kind in kinds]
        return chance.choices((*kinds, "well"), (*weights, 100 - sum(weights)))[0]


@dataclass
class InTrouble:
    url: str
    chance: random.Random
    trouble: Trouble = field(default_factory=Trouble)
    showings: list[Showing] = field(default_factory=list)
    refused: set[tuple[int, str]] = field(default_factory=set)
    """(alert, path) that were answered 403."""
    answers: Counter[str] = field(default_factory=Counter)
    requests: list[tuple[float, int, str]] = field(default_factory=list)
    """When, from which process, for which path."""
    seen: set[str] = field(default_factory=set)
    """Ids of webhooks."""
    history: defaultdict[str, list[dict[str, Any]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)
    at_ease: bool = False
    """No trouble any more."""

    def decided(
        self, where: str, sender: int, body: dict[str, Any], webhook_id: str, *, too_late: bool
    ) -> tuple[str, Showing | None]:
        """What happens to a message, and its showing, if that is what happens."""
        shown = None
        alerts = frozenset(map(int, ALERT.findall(json.dumps(body))))
        with self.lock:
            happens = "well" if self.at_ease else self.trouble.happens(self.chance)
            self.answers[happens] += 1
            self.requests.append((time.time(), sender, where))
            if happens == "refused":
                self.refused |= {(each, where) for each in alerts}
            if happens in {"well", "lost"} and not (webhook_id and webhook_id in self.seen):
                self.seen |= {webhook_id} - {""}
                answered = happens == "well"
                shown = Showing(alerts, where, sender, time.time(), answered, too_late)
                self.showings.append(shown)
                if "metadata" in body:
                    self.history[body["channel"]].append({"metadata": body["metadata"]})
        return happens, shown


class Answering(BaseHTTPRequestHandler):
    server: "Serving"
    said_to_nobody = False

    def do_POST(self) -> None:
        slack = self.server.slack
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.endswith("conversations.history"):
            asked = dict(part.split("=", 1) for part in body.decode().split("&"))
            with slack.lock:
                messages = slack.history[asked["channel"]][-100:]
            self._say(200, json.dumps({"ok": True, "messages": messages}))
            return
        said = json.loads(body)
        bot = self.path.endswith("chat.postMessage")
        where = f"bot {said['channel']}" if bot else self.path
        sender = int(self.headers["User-Agent"].rpartition(" ")[2])
        webhook_id = self.headers.get("webhook-id", "")
        happens, shown = slack.decided(where, sender, said, webhook_id, too_late=self._is_gone())
        self._happen(happens, bot=bot)
        if shown and shown.answered and self._was_hung_up_on():
            shown.too_late = True

    def _is_gone(self) -> bool:
        """Whether whoever asked has hung up."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        with contextlib.suppress(OSError):
            return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
        return True

    def _was_hung_up_on(self) -> bool:
        """Whether the answer was not read to its end: then the connection ends with a reset."""
        self.connection.settimeout(30)
        try:
            self.connection.recv(1)
        except TimeoutError:
            return False
        except OSError:
            return True
        return self.said_to_nobody

    def _happen(self, happens: str, *, bot: bool) -> None:
        if happens in {"hangs", "lost"}:
            self.server.slack.closing.wait(2)
            self.close_connection = True
        elif happens == "cut":
            with contextlib.suppress(OSError):
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\no")
            self.close_connection = True
        elif happens == "limited":
            self._say(429, "ratelimited", {"Retry-After": "1"})
        elif happens == "failed":
            self._say(500, "")
        elif happens == "refused":
            said = json.dumps({"ok": False, "error": "not_in_channel"}) if bot else ""
            self._say(200 if bot else 403, said or "action_prohibited")
        else:
            self._say(200, json.dumps({"ok": True, "ts": "1.0"}) if bot else "ok")

    def _say(self, status: int, body: str, headers: dict[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())
        except OSError:  # whoever asked is gone
            self.said_to_nobody = True

    def log_message(self, *_: object) -> None:
        pass


class Serving(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    slack: InTrouble

    def handle_error(self, *_: object) -> None:
        """A sender that was killed is no error."""


@contextlib.contextmanager
def slack_in_trouble(chance: random.Random) -> Iterator[InTrouble]:
    """Serves on a free port of loopback."""
    server = Serving(("127.0.0.1", 0), Answering)
    server.slack = slack = InTrouble(f"http://127.0.0.1:{server.server_port}", chance)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield slack
    finally:
        slack.closing.set()
        server.shutdown()
        thread.join()
        server.server_close()
