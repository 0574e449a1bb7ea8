"""A network of its own, with nothing in it but this machine: the usual ports are free there.

Linux only. As root, or where the kernel lets everybody make user namespaces; else it is what it is.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

# The loopback of a new network is down: SIOCSIFFLAGS, IFF_UP.
_UP_AND_WAIT: Final = """
import fcntl, signal, socket, struct
with socket.socket() as made:
    fcntl.ioctl(made, 0x8914, struct.pack("16sH14x", b"lo", 1))
print("up", flush=True)
signal.pause()
"""


@contextmanager
def own_network() -> Iterator[list[str] | None]:
    """What is put before a command so that it runs in there; None: none can be had here."""
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        yield None
        return
    as_root = os.geteuid() == 0
    new = ["--net"] if as_root else ["--user", "--map-current-user", "--keep-caps", "--net"]
    holder = subprocess.Popen(  # noqa: S603  # constant
        ["unshare", *new, sys.executable, "-c", _UP_AND_WAIT],  # noqa: S607  # util-linux
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with holder:
        assert holder.stdout
        up = holder.stdout.readline() == "up\n"
        enter = ["--net"] if as_root else ["--user", "--preserve-credentials", "--net"]
        try:
            yield ["nsenter", f"--target={holder.pid}", *enter] if up else None
        finally:
            holder.kill()
