"""What decides whether a commit lands tries one or two failed tests again, and nothing else."""

import os
import subprocess
from pathlib import Path

import pytest

RUN = Path(__file__).parent.parent / ".ci/run"
ONE_FAILED = "=== 1 failed, 5997 passed in 824.53s (0:13:44) ==="


def landed(
    folder: Path,
    closing: str,
    *,
    check: int,
    alone: int,
    pytest_ends: int = 1,
    alone_said: str = "1 passed in 3.02s",
) -> tuple[int, str, bool]:
    """Runs it where ``make check`` and pytest end so; answers its end, last line, second try."""
    said = f"; echo 'make: *** [Makefile:59: test] Error {pytest_ends}'" if check else ""
    programs = {
        "bin/make": f"echo '{closing}'{said}; exit {check}",
        ".venv/bin/python": f"touch tried; echo '{alone_said}'; exit {alone}",
        # Or it would install them.
        **dict.fromkeys(("bin/chromium", "bin/pgbouncer", "bin/promtool"), "exit 1"),
    }
    for name, text in programs.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    copy = folder / ".ci/run"
    copy.parent.mkdir()
    copy.write_bytes(RUN.read_bytes())
    done = subprocess.run(  # noqa: S603  # our own script
        ["/bin/sh", copy],
        env={"PATH": f"{folder / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()[-1], (folder / "tried").exists()


def test_what_passes_is_tried_once(tmp_path: Path) -> None:
    closing = "=== 5998 passed in 824.53s (0:13:44) ==="
    assert landed(tmp_path, closing, check=0, alone=1) == (0, closing, False)


def test_one_that_passes_alone_lands_and_is_told(tmp_path: Path) -> None:
    code, said, tried = landed(tmp_path, ONE_FAILED, check=2, alone=0)
    assert (code, tried) == (0, True)
    assert said.startswith(ONE_FAILED)
    assert "passed alone: mend it" in said


def test_one_that_fails_alone_does_not_land(tmp_path: Path) -> None:
    code, said, tried = landed(tmp_path, ONE_FAILED, check=2, alone=1)
    assert (code, tried) == (2, True)
    assert "did not pass alone either" in said


def test_one_that_is_skipped_alone_was_not_tried_and_does_not_land(tmp_path: Path) -> None:
    code, said, _ = landed(tmp_path, ONE_FAILED, check=2, alone=0, alone_said="1 skipped in 0.42s")
    assert code == 2
    assert "did not pass alone either" in said


@pytest.mark.parametrize(
    "closing",
    [
        "=== 3 failed, 5995 passed in 824.53s (0:13:44) ===",
        "=== 12 failed, 5986 passed in 824.53s (0:13:44) ===",
        "=== 1 failed, 5996 passed, 1 error in 824.53s (0:13:44) ===",
        "=== 1 error in 4.20s ===",
        "Found 1 error.",
    ],
)
def test_more_or_something_else_gets_no_second_try(tmp_path: Path, closing: str) -> None:
    code, _, tried = landed(tmp_path, closing, check=2, alone=0)
    assert (code, tried) == (2, False)


@pytest.mark.parametrize("broken", [2, 3], ids=["interrupted", "an error of pytest itself"])
def test_a_run_that_did_not_get_to_its_end_gets_no_second_try(tmp_path: Path, broken: int) -> None:
    closing = "=== 1 failed, 2000 passed in 300.53s (0:05:00) ==="
    code, _, tried = landed(tmp_path, closing, check=2, alone=0, pytest_ends=broken)
    assert (code, tried) == (2, False)
