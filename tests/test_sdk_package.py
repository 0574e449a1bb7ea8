"""What is handed out as spanledger-sdk: typed, by itself, and described as it is."""

import inspect
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import spanledger
from sdk_process import run_application

SDK = Path(__file__).parent.parent / "sdk"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "sdk"
    shutil.copytree(SDK / "spanledger", source / "spanledger")
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(SDK / name, source)
    build = "from setuptools.build_meta import build_wheel; print(build_wheel('..'))"
    done = subprocess.run(  # noqa: S603 - our own build, with this Python
        [sys.executable, "-c", build], cwd=source, capture_output=True, text=True, check=True
    )
    return zipfile.ZipFile(folder / done.stdout.splitlines()[-1])


def test_the_wheel_is_typed_and_holds_the_sdk_alone(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert "spanledger/py.typed" in names
    modules = {f"spanledger/{path.name}" for path in (SDK / "spanledger").glob("*.py")}
    assert names == modules | {"spanledger/py.typed"}


def test_the_wheel_imports_nothing_of_the_server(wheel: zipfile.ZipFile) -> None:
    script = """
import sys
import spanledger
servers = {"api", "app", "collector", "jobs", "migrations", "reports", "spend", "store"}
heavy = {"sqlalchemy", "fastapi", "pandas", "pyarrow", "pydantic", "grpc"}
print(spanledger.__file__)
print(sorted((servers | heavy) & set(sys.modules)))
"""
    ended = run_application(script, path=str(wheel.filename))
    assert ended.code == 0, ended.err
    where, loaded = ended.out.splitlines()
    assert where.startswith(str(wheel.filename))
    assert loaded == "[]"


def test_the_readme_names_every_argument_and_every_variable_that_is_heeded() -> None:
    readme = (SDK / "README.md").read_text()
    for name in inspect.signature(spanledger.instrument).parameters:
        assert f"`{name}`" in readme
    code = "".join(path.read_text() for path in (SDK / "spanledger").glob("*.py"))
    heeded = set(re.findall(r'"((?:SPANLEDGER|OTEL|ANTHROPIC)_[A-Z_]+)"', code))
    assert {"SPANLEDGER_ENDPOINT", "OTEL_SDK_DISABLED"} <= heeded
    assert [name for name in sorted(heeded) if name not in readme] == []
