"""The code of the version before this one, out of this repository's history, as a process."""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from serving import environment

# The last commit before the changes that this version is made of, and the shape that its code
# knows. A new version moves both to what was released last. No tag: the commit is in every full
# clone of main.
RELEASED = "be162843ad83c5580d412ed41106f23d4f796b24"
ITS_SHAPE = "0023"
ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "app", "collector", "jobs", "migrations", "reports", "spend", "store")


def released_code(folder: Path) -> Path:
    """Its packages, in a folder; skips the test where the history is not there."""
    packed = subprocess.run(  # noqa: S603  # constants
        ["git", "archive", "--format=tar", RELEASED, *PACKAGES],  # noqa: S607  # whichever there is
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if packed.returncode:
        pytest.skip(f"the history up to {RELEASED[:7]} is not here (a shallow clone, or no git)")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder


class Released:
    """Its collector, jobs and API at work (``released_parts.py``)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        found = self._told()
        self.http: str = found["otlp_http"]
        self.code: list[str] = found["code"]

    def asked(self, path: str) -> Any:
        """What its API answers."""
        assert self._process.stdin
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        return self._told()

    def works(self) -> None:
        """Its jobs count and charge what was heard."""
        assert self.asked("jobs") == "done"

    def _told(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())


@contextmanager
def released_at_work(code: Path, url: str) -> Iterator[Released]:
    """On a database at its own shape; ended with the block."""
    with subprocess.Popen(  # noqa: S603  # our own code
        [sys.executable, "-P", Path(__file__).with_name("released_parts.py"), url],
        env=environment(code.with_name("data")) | {"PYTHONPATH": str(code)},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Released(process)
        assert process.stdin
        process.stdin.close()
