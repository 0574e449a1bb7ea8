"""docs/tutorial.md, followed to the letter: from a clean clone to an alert that is received.

Its commands run as they stand, in a bash in a terminal, against the ports that they name: in a
network of its own, so that nothing else on this machine is in the way; where there can be none, in
the network of this machine if those ports are free there, else not at all. What is cloned is what
is committed.

So that it does not take minutes, the clone begins with a .venv that sees the packages of this one;
with --bare-machine (make tutorial) it has none, and ``make`` builds it before (as ``make run``
would, but with a network: from the package index, with the user's own settings of it).
"""

import contextlib
import html
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from own_network import own_network
from serving import eventually
from terminals import Terminal
from told_steps import File, Opened, Pressed, Shown, Typed, steps

from app.doors import listen
from app.settings import Settings

pytestmark = pytest.mark.one_server

ROOT = Path(__file__).parent.parent
DOCUMENT = "docs/tutorial.md"
PATIENCE = 180
"""Seconds until something is shown: a machine that runs other tests is slow to start a server."""
NEEDED = ("bash", "curl", "git", "make", "python3", "setsid")
PROGRAM = """#!{python}
from app.cli import main

main()
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What is committed here."""
    missing = [each for each in NEEDED if shutil.which(each) is None]
    if missing or not (ROOT / ".git").exists():
        pytest.skip(f"this takes a checkout, and {', '.join(missing) or 'git'}")
    folder = tmp_path / "spanledger"
    git("clone", "--quiet", str(ROOT), str(folder))
    return folder


@pytest.fixture
def setting_up(request: pytest.FixtureRequest, clone: Path) -> float:
    """Seconds that the clone's .venv took."""
    began = time.monotonic()
    if request.config.getoption("--bare-machine"):
        subprocess.run(["make", "setup"], cwd=clone, check=True)  # noqa: S607  # whichever there is
    else:
        borrow_packages(clone)
    return time.monotonic() - began


def borrow_packages(clone: Path) -> None:
    """A .venv as ``make`` makes one: the clone's own code, with the packages of this Python."""
    place = clone / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)  # noqa: S603  # constant
    [packages] = place.glob("lib/python*/site-packages")
    # In a folder that is named here no .pth is read, so nothing of our checkout is installed.
    theirs = sysconfig.get_paths()["purelib"]
    (packages / "clone.pth").write_text(f"{clone}\n{clone}/sdk\n{theirs}\n")
    program = place / "bin/spanledger"
    program.write_text(PROGRAM.format(python=place / "bin/python"))
    program.chmod(0o755)
    (place / ".run").touch()


def git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  # constant
        ["git", *arguments],  # noqa: S607  # whichever git there is
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout


@pytest.fixture
def newcomer(clone: Path, tmp_path: Path) -> Iterator["Newcomer"]:
    with own_network() as within, ExitStack() as ends:
        if within is None and not usual_ports_are_free():
            pytest.skip("no network of its own can be had here, and the usual ports are taken")
        home = tmp_path / "home"
        home.mkdir()
        yield Newcomer(clone, home, within or [], ends)


def usual_ports_are_free() -> bool:
    usual = Settings(_env_file=None)
    try:
        for address in (usual.api_addr, usual.otlp_http_addr, usual.otlp_grpc_addr):
            listen(address).close()
    except OSError:
        return False
    return True


class Newcomer:
    """Does what the document says."""

    def __init__(self, clone: Path, home: Path, within: list[str], ends: ExitStack) -> None:
        self._clone, self._within, self._ends = clone, within, ends
        self._environment = {
            "HOME": str(home),
            "PATH": os.pathsep.join(
                dict.fromkeys(str(Path(shutil.which(each) or "").parent) for each in NEEDED)
            ),
            "LANG": "C.UTF-8",
            "TERM": "xterm",
        }
        self._terminals: dict[str, Terminal] = {}
        self._last = ""

    def types(self, step: Typed) -> None:
        """In a terminal whose last commands came to their end, and did not fail."""
        self.has_gone_well()
        if step.terminal not in self._terminals:
            terminal = Terminal(self._within, self._clone, self._environment)
            self._terminals[step.terminal] = terminal
            self._ends.callback(terminal.close)
        self._last = step.terminal
        self._terminals[step.terminal].type(step.commands)

    def sees(self, step: Shown) -> None:
        terminal = self._terminals[self._last]
        with contextlib.suppress(AssertionError):  # told below, with what there is instead
            eventually(
                lambda: step.missing_in(terminal.shown) is None or terminal.done,
                "it is shown",
                PATIENCE,
            )
        missing = step.missing_in(terminal.shown)
        assert missing is None, f"there is no {missing!r} in:\n{terminal.shown}"

    def opens(self, step: Opened) -> None:
        address = step.address
        if address == "printed":
            self.has_gone_well()
            address = re.findall(r"http://\S+", self._terminals[self._last].shown)[-1]
        page = ""

        def there() -> bool:
            nonlocal page
            page = self._page(address)
            return all(words in page for words in step.words)

        try:
            eventually(there, "the page says so")
        except AssertionError:
            missing = [words for words in step.words if words not in page]
            pytest.fail(f"{address} lacks {missing}: {page}")

    def presses(self, step: Pressed) -> None:
        self._last = step.terminal
        self._terminals[step.terminal].press_ctrl_c()

    def has_gone_well(self) -> None:
        """What was typed in terminal 2 came to its end; in terminal 1 it goes on."""
        for name, terminal in self._terminals.items():
            if name != "1":
                terminal.wait_until_done("what was typed")
            assert terminal.failed == [], terminal.shown

    def _page(self, address: str) -> str:
        """Its words, as they follow each other."""
        asked = [*self._within, "curl", "--silent", "--fail", address]
        found = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603  # our own page
        seen = re.sub(r"<(script|style|svg)\b.*?</\1>|<[^>]*>", " ", found.stdout, flags=re.DOTALL)
        return " ".join(html.unescape(seen).split())


def test_the_commands_of_the_tutorial_run_as_they_stand_from_a_clean_clone_to_an_alert(
    clone: Path, setting_up: float, newcomer: Newcomer, capsys: pytest.CaptureFixture[str]
) -> None:
    told: list[str] = []
    began = time.monotonic()
    for step in steps((clone / DOCUMENT).read_text(encoding="utf-8")):
        match step:
            case Typed():
                newcomer.types(step)
            case Shown():
                newcomer.sees(step)
            case Opened():
                newcomer.opens(step)
            case Pressed():
                newcomer.presses(step)
            case File():
                assert step.text == (clone / step.path).read_text(encoding="utf-8"), step.path
        told.append(f"{time.monotonic() - began:6.1f} s  {str(step)[:80]}")
    with capsys.disabled():
        print(f"\n{setting_up:6.1f} s to set it up, then", *told, sep="\n  ")  # noqa: T201  # make tutorial
