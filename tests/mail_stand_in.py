"""A local SMTP server that stands in for a mail relay: it keeps what it gets, refuses as told."""

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Mailbox:
    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refusals: dict[str, str] = field(default_factory=dict)
    """Recipient → reply."""
    reply_to_data: str = "250 taken"
    dies: bool = False
    """Takes a mail and says nothing more."""


class _Talking(socketserver.StreamRequestHandler):
    server: "_Serving"

    def handle(self) -> None:
        box, to = self.server.box, list[str]()
        self._say("220 stand-in")
        for line in iter(self.rfile.readline, b""):
            said = line.decode().strip()
            command = said.upper()
            if command.startswith("RCPT"):
                address = said.partition("<")[2].partition(">")[0]
                reply = box.refusals.get(address, "250 ok")
                to += [address] if reply.startswith("250") else []
                self._say(reply)
            elif command == "DATA":
                self._say("354 go on")
                raw = b"".join(iter(self.rfile.readline, b".\r\n"))
                if box.reply_to_data.startswith("250"):
                    mail = message_from_bytes(raw, policy=policy.default)
                    assert isinstance(mail, EmailMessage)
                    box.mails.append(mail)
                    box.recipients.append(to)
                if box.dies:
                    return
                self._say(box.reply_to_data)
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, reply: str) -> None:
        self.wfile.write(f"{reply}\r\n".encode())


class _Serving(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    box: Mailbox


@contextlib.contextmanager
def mail_stand_in() -> Iterator[Mailbox]:
    """Serves on a free port of loopback."""
    with _Serving(("127.0.0.1", 0), _Talking) as server:
        server.box = Mailbox(f"smtp://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.box
        finally:
            server.shutdown()
            thread.join()
