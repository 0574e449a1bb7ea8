"""A part of the product does not outlive the one that started it."""

import socket
import subprocess
import sys

HANGS = """
import sys, threading
from app import life

life.ALONE_SECONDS = 0.1
life.Life(int(sys.argv[1]), print).ready({})
threading.Thread(target=threading.Event().wait).start()
"""


def test_a_process_that_hangs_ends_soon_after_its_parent() -> None:
    ours, theirs = socket.socketpair()
    with subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-c", HANGS, str(theirs.fileno())], pass_fds=[theirs.fileno()]
    ) as process:
        theirs.close()
        assert ours.recv(64) == b"{}\n"
        ours.close()
        assert process.wait(timeout=30) == 1
