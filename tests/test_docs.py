"""What the documents name, there is."""

import re
import tomllib
from pathlib import Path

import pytest
from fastapi.routing import APIRoute

from api.app import PAGES
from api.pages.navigation import SECTIONS
from app.cli import COMMANDS

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "requirements/README.md"]
)


def project(path: str) -> dict[str, list[str]]:
    described = tomllib.loads((ROOT / path).read_text(encoding="utf-8"))["project"]
    extras = described.get("optional-dependencies", {}).values()
    return {
        "dependencies": [*described["dependencies"], *(one for extra in extras for one in extra)]
    }


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings
    }


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_inside_the_repository_lead_somewhere(document: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_direct_dependency_says_why_it_is_here_and_no_other_is_named() -> None:
    text = (ROOT / "docs/decisions/dependencies.md").read_text(encoding="utf-8")
    explained = {
        line.split("|")[1].strip()
        for line in text.splitlines()
        if line.startswith("| ") and not line.startswith("| package ")
    }
    needed = {
        re.split(r"[^\w-]", dependency)[0]
        for path in ("pyproject.toml", "sdk/pyproject.toml")
        for dependency in project(path)["dependencies"]
    }
    assert explained == needed | {"setuptools"}


def test_the_commands_in_the_readme_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\bspanledger ([a-z]+)\b(?![-.])", "\n".join(code_in(text))))
    assert named <= set(COMMANDS)
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(code_in(text)))) <= targets


def code_in(text: str) -> list[str]:
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [*blocks, *re.findall(r"`([^`\n]+)`", text)]


def test_files_named_in_the_documents_exist() -> None:
    folders = "api|app|collector|docs|jobs|migrations|reports|requirements|sdk|spend|store|tests"
    named = {
        (document.name, path)
        for document in DOCUMENTS
        for path in re.findall(
            rf"`((?:{folders})/[\w./-]+\.\w+)`", document.read_text(encoding="utf-8")
        )
    }
    assert {(name, path) for name, path in named if not (ROOT / path).exists()} == set()


def test_modules_named_in_modules_exist() -> None:
    packages = (
        "api",
        "app",
        "bench",
        "collector",
        "jobs",
        "migrations",
        "reports",
        "spend",
        "store",
    )
    names = "|".join((*packages, "deploy", "docs", "sdk", "tests"))
    file = re.compile(rf"(?<![\w./:-])((?:{names})/[\w./-]+\.(?:md|py|toml|typ|yaml)\b)")
    dotted = re.compile(rf"``((?:{'|'.join(packages)})(?:\.\w+)+)``")
    stale = []
    for module in (path for package in packages for path in (ROOT / package).rglob("*.py")):
        text = module.read_text(encoding="utf-8")
        stale += [(module.name, path) for path in file.findall(text) if not (ROOT / path).exists()]
        stale += [(module.name, path) for path in dotted.findall(text) if not there_is(path)]
    assert stale == []


def there_is(dotted: str) -> bool:
    """Whether ``store.closing.part``, say, is a package, a module, or a word of a module."""
    path, name = ROOT.joinpath(*dotted.split(".")), ""
    while not path.is_dir() and not path.with_suffix(".py").exists():
        path, name = path.parent, path.name
    held_in = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return not name or bool(re.search(rf"\b{name}\b", held_in.read_text(encoding="utf-8")))


def test_each_point_of_the_specification_is_held_by_tests_that_there_are() -> None:
    text = (ROOT / "docs/otlp.md").read_text(encoding="utf-8")
    section = text.split("## The specification, point by point")[1].split("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    modules = {path.stem: path.read_text("utf-8") for path in (ROOT / "tests").glob("test_*.py")}
    tests = set(re.findall(r"^def (test_\w+)", "\n".join(modules.values()), re.MULTILINE))
    for point, _, held_by in rows:
        named = re.findall(r"`(\w+)`", held_by)
        assert named, point
        assert set(named) <= tests | modules.keys(), point


def test_every_page_stands_in_its_document() -> None:
    text = (ROOT / "docs/pages.md").read_text(encoding="utf-8")
    told = {_shape(path.partition("?")[0]) for path in re.findall(r"`(/[^`\s]*)`", text)}
    # Forms of a page that stands there, and what no person asks for.
    parts = re.compile(r"/(?:new|edit|remove|revoke)$|^/assets/")
    pages = {
        _shape(route.path)
        for module in PAGES
        for route in module.router.routes
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and not parts.search(route.path)
    }
    assert pages - told == set()
    assert {place.path for section in SECTIONS for place in section.places} <= told


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


def test_nothing_in_the_documents_names_a_machine_or_a_registry() -> None:
    texts = [*DOCUMENTS, *ROOT.glob("*.toml"), *ROOT.glob("requirements/*.txt")]
    private = re.compile(r"/(?:home|root|work)/|https?://[\w.]*pypi")
    assert [str(path) for path in texts if private.search(path.read_text("utf-8"))] == []
