"""What a reviewer would say again and again."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("api", "app", "collector", "jobs", "migrations", "reports", "spend", "store")
FOLDERS = tuple(f"{package}/" for package in PACKAGES)
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
# Names that say nothing of what is inside.
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "core", "tools"}
# Where the present moment may be asked for: the edges, and the clock of the jobs.
EDGES = ("app/", "jobs/timetable.py", "tests/", "bench/", "sdk/", "collector/receive.py")


def tracked() -> list[Path]:
    """What git has, or all files where this is no checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607  # whichever git there is
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        hidden = re.compile(r"/(\.|build/|dist/|__pycache__/|.*egg-info)")
        found = [path for path in ROOT.rglob("*") if not hidden.search(str(path)[len(str(ROOT)) :])]
    return [path for path in found if path.is_file()]


FILES = tracked()
MODULES = [path for path in FILES if path.suffix == ".py"]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_point_down() -> None:
    # A process of its own: it switches off the loggers of whoever calls it.
    judged = subprocess.run(  # noqa: S603  # the linter beside this Python
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=ROOT,
        capture_output=True,
        check=False,
        text=True,
    )
    assert judged.returncode == 0, judged.stdout


def test_only_our_own_traces_and_the_demo_load_the_sdk_of_opentelemetry() -> None:
    # import-linter sees no parts of a distribution: all of OpenTelemetry is one to it.
    heavy = re.compile(r"^\s*(from|import) opentelemetry\.(sdk|exporter)", re.MULTILINE)
    found = {name(path) for path in MODULES if heavy.search(path.read_text())}
    ours = {each for each in found if each.startswith(FOLDERS)}
    assert {str(Path(each).parent) for each in ours} == {"app/demo", "app/telemetry"}


def test_every_package_is_in_the_contract_of_layers() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench"}
    assert packages == set(PACKAGES)
    assert set(settings["importlinter"]["root_packages"]) == packages


def test_what_is_no_python_is_installed_with_its_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    installed = {
        path
        for package, patterns in settings["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package.replace(".", "/")).glob(pattern)
    }
    there = {path for path in FILES if path.suffix != ".py" and name(path).startswith(FOLDERS)}
    assert there
    assert there - installed == set()


def test_no_file_is_too_long_to_read() -> None:
    lines = {name(path): len(path.read_text().splitlines()) for path in MODULES}
    # A migration and a table of data are read from top to bottom once.
    assert {
        path: length
        for path, length in lines.items()
        if length > LONGEST_FILE and not path.startswith("migrations/versions/")
    } == {}


def test_no_function_is_too_long_to_see_at_once() -> None:
    long = {}
    for path in MODULES:
        if name(path).startswith(("tests/", "migrations/versions/")):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                # From its docstring on: a long signature says no more than it must.
                length = (node.end_lineno or 0) - node.body[0].lineno + 1
                if length > LONGEST_FUNCTION:
                    long[f"{name(path)}:{node.name}"] = length
    assert long == {}


def test_modules_are_named_for_what_they_hold() -> None:
    assert [name(path) for path in MODULES if path.stem in NAMELESS] == []


def test_time_is_an_argument_below_the_edges() -> None:
    asks = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.time(_ns)?)\(")
    # Nobody, the edges neither, makes a moment without a zone.
    naive = re.compile(r"\butcnow\(|datetime\.now\(\)")
    for path in MODULES:
        text = path.read_text()
        if not name(path).startswith(EDGES):
            assert not asks.search(text), f"{name(path)} asks for the time"
        assert not naive.search(text) or name(path).startswith("tests/"), name(path)


def test_money_is_no_float() -> None:
    for path in MODULES:
        if not name(path).startswith("spend/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and re.search("price|cost|amount", node.name):
                floats = [part for part in ast.walk(node) if is_float(part)]
                assert floats == [], f"{name(path)}:{node.name}"


def is_float(node: ast.AST) -> bool:
    """A number written with a point, or a place that is said to hold one."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, float)
    said = getattr(node, "annotation", None) or getattr(node, "returns", None)
    return isinstance(said, ast.Name) and said.id == "float"


def test_whoever_silences_a_tool_says_why() -> None:
    silent = re.compile(
        r"#\s*(noqa|type:\s*ignore)(?P<code>[:\[][^#]*?)?\s*(?P<reason>(#|-|—).*)?$"
    )
    for path in MODULES:
        if path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            said = silent.search(line)
            if said:
                where = f"{name(path)}:{number}"
                assert said["code"], f"{where} silences everything"
                assert said["reason"], f"{where} gives no reason"


def test_no_file_knows_this_machine_or_a_registry() -> None:
    # In parts, as this file is looked at too.
    parts = (
        ("/ro", "ot/"),
        ("/wo", "rk/"),
        ("/Us", "ers/"),
        ("file", r"s\.pythonhosted"),
        ("pypi", r"\.org/simple"),
        ("index", "-url"),
    )
    forbidden = re.compile("|".join(first + second for first, second in parts))
    for path in FILES:
        if path.name == "test_docs.py":
            continue  # looks for the same
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found = forbidden.search(text)
        assert not found, f"{name(path)} says {found[0] if found else ''}"
