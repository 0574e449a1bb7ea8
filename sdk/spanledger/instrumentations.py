"""Which of the GenAI instrumentations that are installed to switch on.

Several families instrument the same client libraries. Two of them on one library report each call
twice, so for each library one is chosen. They are found by their entry points, and told apart by
the names of their distributions: no list of client libraries has to be kept here.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.metadata import distributions
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spanledger.harmless import log, warn_once

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import EntryPoint

    from opentelemetry.trace import TracerProvider

GROUP = "opentelemetry_instrumentor"
FAMILIES = ("opentelemetry", "openllmetry", "openinference")

_GENAI = "opentelemetry-instrumentation-genai-"
_OPENINFERENCE = "openinference-instrumentation-"
_PLAIN = "opentelemetry-instrumentation-"

# OpenTelemetry's own that came before the prefix -genai-, with the library each one instruments.
_OPENTELEMETRY = {
    "botocore": "bedrock",
    "google-genai": "google-genai",
    "openai-agents-v2": "openai-agents",
    "openai-v2": "openai",
}
# OpenLLMetry shares its prefix with instrumentations that have nothing to do with models, so these
# have to be named: clients of models and frameworks above them; vector stores make no model call.
_OPENLLMETRY = frozenset(
    {
        "agno",
        "alephalpha",
        "anthropic",
        "bedrock",
        "cohere",
        "crewai",
        "google-generativeai",
        "groq",
        "haystack",
        "langchain",
        "litellm",
        "llamaindex",
        "mcp",
        "mistralai",
        "ollama",
        "openai",
        "openai-agents",
        "replicate",
        "sagemaker",
        "together",
        "transformers",
        "vertexai",
        "voyageai",
        "watsonx",
        "writer",
    }
)
# One library by two names.
_SAME = {"google-generativeai": "google-genai", "llamaindex": "llama-index"}
# Entry points that instrument another library than their distribution's name says.
_BY_ENTRY = {"aiobotocore": "aiobotocore"}


@dataclass(frozen=True)
class Candidate:
    """One instrumentation that is installed: its family, and the client library it is for."""

    family: str
    library: str
    distribution: str
    entry: EntryPoint

    @property
    def rank(self) -> tuple[bool, str]:
        """Order within a family: the -genai- packages are the successors of the others."""
        return (not self.distribution.startswith(_GENAI), self.distribution)


def candidates() -> list[Candidate]:
    """Every GenAI instrumentation installed, by the entry points of its distribution."""
    found: dict[tuple[str, str], Candidate] = {}
    for distribution in distributions():
        for entry in distribution.entry_points:
            if entry.group != GROUP:
                continue
            name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
            sort = _family_and_library(name)
            if sort is not None:
                family, library = sort
                library = _BY_ENTRY.get(entry.name, library)
                # The first on the path is the one that Python imports.
                found.setdefault((name, entry.name), Candidate(family, library, name, entry))
    return list(found.values())


def switch_on(families: Sequence[str], provider: TracerProvider | None) -> list[str]:
    """Switch on one instrumentation for each client library; the names of those switched on.

    ``families`` in order of preference. A library that is instrumented already, by whomever, is
    left as it is. ``provider`` is handed on; None means the global one.
    """
    unwanted = {name.strip() for name in _environ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS")}
    by_library: dict[str, list[Candidate]] = {}
    for candidate in candidates():
        by_library.setdefault(candidate.library, []).append(candidate)
    switched: list[str] = []
    for library, rivals in sorted(by_library.items()):
        if any(map(_is_on, rivals)) or _speaks_for_itself(library):
            log.debug("%s is instrumented already", library)
            continue
        wanted = [
            one for one in rivals if one.family in families and one.entry.name not in unwanted
        ]
        wanted.sort(key=lambda one: (families.index(one.family), one.rank))
        switched.extend(_switch_on_first(library, wanted, provider))
    return switched


def _switch_on_first(
    library: str, wanted: Sequence[Candidate], provider: TracerProvider | None
) -> Iterator[str]:
    """Try one after the other; an instrumentation may be installed and not fit the library."""
    problems = []
    for candidate in wanted:
        try:
            instrumentor = candidate.entry.load()()
            options: dict[str, Any] = {"raise_exception_on_conflict": True}
            if provider is not None:
                options["tracer_provider"] = provider
            instrumentor.instrument(**options)
        except Exception as error:  # noqa: BLE001 - somebody else's code; the next one may work
            log.debug("%s cannot be switched on: %r", candidate.distribution, error)
            if not _is_for_a_library_not_installed(error):
                problems.append(f"{candidate.distribution}: {type(error).__name__}: {error}")
            continue
        yield candidate.distribution
        return
    if problems:
        warn_once(f"on {library}", "calls of %s are not seen: %s", library, "; ".join(problems))


def _family_and_library(distribution: str) -> tuple[str, str] | None:
    if distribution.startswith(_GENAI):
        family, library = "opentelemetry", distribution[len(_GENAI) :]
    elif distribution.startswith(_OPENINFERENCE):
        family, library = "openinference", distribution[len(_OPENINFERENCE) :]
    elif not distribution.startswith(_PLAIN):
        return None
    else:
        plain = distribution[len(_PLAIN) :]
        if plain in _OPENTELEMETRY:
            family, library = "opentelemetry", _OPENTELEMETRY[plain]
        elif plain in _OPENLLMETRY:
            family, library = "openllmetry", plain
        else:
            return None
    return family, _SAME.get(library, library)


def _is_on(candidate: Candidate) -> bool:
    """Whether somebody has switched it on; never imports what nobody has imported."""
    if candidate.entry.value.partition(":")[0] not in sys.modules:
        return False
    try:
        return bool(candidate.entry.load()().is_instrumented_by_opentelemetry)
    except Exception:  # noqa: BLE001 - then it will fail again, audibly, when switched on
        return False


def _speaks_for_itself(library: str) -> bool:
    """Whether the client library makes spans of its own, as Anthropic's does since its 2.x.

    Those know more (cache writes by their lifetime), and another instrumentation on top would
    report each call twice. ``ANTHROPIC_OPEN_TELEMETRY=false`` is their own switch.
    """
    if library != "anthropic" or os.environ.get("ANTHROPIC_OPEN_TELEMETRY", "").lower() == "false":
        return False
    spec = find_spec("anthropic")
    folders = (spec.submodule_search_locations if spec else None) or ()
    return any((Path(folder) / "_tracing.py").exists() for folder in folders)


def _is_for_a_library_not_installed(error: Exception) -> bool:
    if type(error).__name__ == "DependencyConflictError":
        conflict = getattr(error, "conflict", None)
        return not getattr(conflict, "found", None) and not getattr(conflict, "found_any", None)
    missing = error.name or "" if isinstance(error, ModuleNotFoundError) else ""
    return bool(missing) and not missing.startswith(("opentelemetry", "openinference"))


def _environ(name: str) -> list[str]:
    return [part for part in os.environ.get(name, "").split(",") if part.strip()]
