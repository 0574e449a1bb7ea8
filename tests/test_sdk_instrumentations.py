"""Which GenAI instrumentations instrument() switches on: one for each client library, once."""

import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import spanledger
from opentelemetry.sdk.trace import TracerProvider
from spanledger import harmless, instrumentations

# What an installed instrumentation looks like: a module with an instrumentor (one object for all
# who ask), and a dist-info folder that names it as an entry point.
INSTRUMENTOR = """
class DependencyConflictError(Exception):
    conflict = type("Conflict", (), {{"found": {found!r}}})

class Instrumentor:
    _only = None
    is_instrumented_by_opentelemetry = False
    calls = []

    def __new__(cls):
        cls._only = cls._only or object.__new__(cls)
        return cls._only

    def instrument(self, **options):
        self.calls.append(options)
        {body}
        self.is_instrumented_by_opentelemetry = True
"""
WORKS = "pass"
CONFLICTS = "raise DependencyConflictError()"
BREAKS = "raise RuntimeError('broken')"


class Site:
    """A folder of installed distributions."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(
        self,
        distribution: str,
        *,
        entry: str = "client",
        body: str = WORKS,
        found: str | None = None,
        group: str = "opentelemetry_instrumentor",
        code: str | None = None,
    ) -> None:
        module = self.module_name(distribution)
        text = INSTRUMENTOR.format(body=body, found=found) if code is None else code
        (self.folder / f"{module}.py").write_text(text)
        info = self.folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        )
        (info / "entry_points.txt").write_text(f"[{group}]\n{entry} = {module}:Instrumentor\n")

    @staticmethod
    def module_name(distribution: str) -> str:
        return "fake_" + distribution.replace("-", "_")

    def module(self, distribution: str) -> ModuleType | None:
        return sys.modules.get(self.module_name(distribution))

    def calls(self, distribution: str) -> list[dict[str, Any]]:
        module = self.module(distribution)
        return module.Instrumentor.calls if module else []


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(harmless, "_said", set())
    monkeypatch.delenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", raising=False)
    monkeypatch.delenv("ANTHROPIC_OPEN_TELEMETRY", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    yield Site(tmp_path)
    for name in [name for name in sys.modules if name.startswith("fake_")]:
        del sys.modules[name]


def switch_on(*families: str) -> list[str]:
    return instrumentations.switch_on(families or instrumentations.FAMILIES, None)


OTEL = "opentelemetry-instrumentation-openai-v2"
OTEL_NEW = "opentelemetry-instrumentation-genai-openai"
OPENLLMETRY = "opentelemetry-instrumentation-openai"
OPENINFERENCE = "openinference-instrumentation-openai"


def test_instrument_switches_on_what_is_installed_with_the_provider_it_was_given(
    site: Site,
) -> None:
    site.install(OPENLLMETRY)
    provider = TracerProvider(shutdown_on_exit=False)
    for _ in range(2):
        spanledger.instrument(endpoint="http://127.0.0.1:1", tracer_provider=provider)
    (options,) = site.calls(OPENLLMETRY)
    assert options["tracer_provider"] is provider
    provider.shutdown()


def test_of_several_families_one_is_switched_on_for_each_library(site: Site) -> None:
    for distribution in (OPENINFERENCE, OPENLLMETRY, OTEL, OTEL_NEW):
        site.install(distribution)
    site.install("openinference-instrumentation-groq")
    site.install("opentelemetry-instrumentation-mistralai")
    site.install("openinference-instrumentation-mistralai")
    assert switch_on() == [
        "openinference-instrumentation-groq",
        "opentelemetry-instrumentation-mistralai",
        OTEL_NEW,
    ]
    assert site.module(OTEL) is None
    assert site.module(OPENLLMETRY) is None
    assert site.module(OPENINFERENCE) is None


@pytest.mark.parametrize(
    ("installed", "families", "chosen"),
    [
        ([OTEL, OPENLLMETRY], (), OTEL),
        ([OPENLLMETRY, OPENINFERENCE], (), OPENLLMETRY),
        ([OTEL, OPENLLMETRY, OPENINFERENCE], ("openinference", "opentelemetry"), OPENINFERENCE),
        ([OTEL, OPENLLMETRY], ("openinference", "openllmetry"), OPENLLMETRY),
        (
            [
                "openinference-instrumentation-llama-index",
                "opentelemetry-instrumentation-llamaindex",
            ],
            (),
            "opentelemetry-instrumentation-llamaindex",
        ),
        (
            [
                "opentelemetry-instrumentation-google-generativeai",
                "opentelemetry-instrumentation-google-genai",
            ],
            (),
            "opentelemetry-instrumentation-google-genai",
        ),
        (
            ["opentelemetry-instrumentation-bedrock", "opentelemetry-instrumentation-botocore"],
            (),
            "opentelemetry-instrumentation-botocore",
        ),
    ],
)
def test_the_order_of_preference_holds(
    site: Site, installed: list[str], families: tuple[str, ...], chosen: str
) -> None:
    for distribution in installed:
        site.install(distribution)
    assert switch_on(*families) == [chosen]


def test_no_family_asked_for_means_none_is_switched_on(site: Site) -> None:
    site.install(OTEL)
    provider = TracerProvider(shutdown_on_exit=False)
    spanledger.instrument(
        endpoint="http://127.0.0.1:1", instrumentations=[], tracer_provider=provider
    )
    assert site.calls(OTEL) == []
    provider.shutdown()


def test_what_somebody_has_instrumented_already_is_left_alone_whatever_the_family(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install(OTEL)
    site.install(OPENINFERENCE)
    theirs = __import__(site.module_name(OPENINFERENCE)).Instrumentor()
    theirs.instrument()
    assert switch_on() == []
    assert switch_on("opentelemetry") == []
    assert len(site.calls(OPENINFERENCE)) == 1
    monkeypatch.setattr(theirs, "is_instrumented_by_opentelemetry", False)
    assert switch_on() == [OTEL]


def test_an_instrumentation_that_fails_makes_way_for_the_next_family(site: Site) -> None:
    site.install(OTEL_NEW, code="import opentelemetry.util.of_another_version\n")
    site.install(OTEL, body=CONFLICTS, found="openai 0.1")
    site.install(OPENLLMETRY, body=BREAKS)
    site.install(OPENINFERENCE)
    assert switch_on() == [OPENINFERENCE]


def ours(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """What we warned of: threads of a test before may still say that nobody hears them."""
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    return [record for record in said if record.name.startswith("spanledger")]


def test_a_library_whose_calls_nobody_can_see_is_said_once(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.install(OTEL, body=BREAKS)
    site.install(OPENLLMETRY, body=CONFLICTS, found="openai 0.1")
    for _ in range(2):
        assert switch_on() == []
    (record,) = ours(caplog)
    assert record.getMessage().startswith("calls of openai are not seen")
    assert OTEL in record.getMessage()
    assert OPENLLMETRY in record.getMessage()


@pytest.mark.parametrize("code", [None, "import client_library_that_is_not_installed\n"])
def test_an_instrumentation_without_its_client_library_is_nothing_to_talk_about(
    site: Site, caplog: pytest.LogCaptureFixture, code: str | None
) -> None:
    site.install(OTEL, body=CONFLICTS, code=code)
    assert switch_on() == []
    assert ours(caplog) == []


@pytest.mark.parametrize(
    "distribution",
    [
        "opentelemetry-instrumentation-httpx",
        "opentelemetry-instrumentation-chromadb",
        "some-instrumentation-openai",
        "opentelemetry-instrumentation",
    ],
)
def test_what_makes_no_model_call_is_not_touched(site: Site, distribution: str) -> None:
    site.install(distribution)
    assert switch_on() == []
    assert site.module(distribution) is None


def test_entry_points_of_other_groups_are_not_touched(site: Site) -> None:
    site.install(OPENINFERENCE, group="openinference_instrumentor")
    assert switch_on() == []


def test_the_standard_variable_excludes_by_entry_point_name(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install(OTEL, entry="openai")
    site.install("opentelemetry-instrumentation-groq", entry="groq")
    monkeypatch.setenv("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "redis, openai")
    assert switch_on() == ["opentelemetry-instrumentation-groq"]


def test_a_client_that_makes_its_own_spans_gets_no_second_reporter(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution = "opentelemetry-instrumentation-anthropic"
    site.install(distribution)
    client = site.folder / "anthropic"
    client.mkdir()
    (client / "__init__.py").write_text("raise RuntimeError('finding out must not import it')")
    (client / "_tracing.py").write_text("")
    assert switch_on() == []
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY", "false")
    assert switch_on() == [distribution]


def test_nothing_switches_the_recording_of_prompts_on(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed: list[str] = []
    site.install(OTEL)
    environment = type(os.environ)
    monkeypatch.setattr(environment, "__setitem__", lambda _, name, __: changed.append(name))
    provider = TracerProvider(shutdown_on_exit=False)
    spanledger.instrument(endpoint="http://127.0.0.1:1", tracer_provider=provider)
    assert changed == []
    assert set(site.calls(OTEL)[0]) == {"tracer_provider", "raise_exception_on_conflict"}
    provider.shutdown()
