"""What deploy/ says, read: its parts, with what each is started with."""

import functools
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).parent.parent
DEPLOY: Final = ROOT / "deploy"
DATA_DIR: Final = "/var/lib/spanledger"
BOTH: Final = {"DATABASE_URL", "KEY_PEPPER"}


@dataclass(frozen=True)
class Started:
    """A part as it is started somewhere."""

    where: str
    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    secrets: frozenset[str] = frozenset()
    """Names of settings, without SPANLEDGER_, that are there in any case."""
    grace: float = 0
    """Seconds between SIGTERM and SIGKILL."""
    leaves: float = 0
    """Of these, how many pass before SIGTERM."""

    @property
    def part(self) -> str:
        return self.argv[0]


def files() -> list[Path]:
    return [path for path in sorted(DEPLOY.rglob("*")) if path.is_file()]


@functools.cache
def documents(folder: str) -> list[dict[str, Any]]:
    """All objects of a folder of manifests, without what is kustomize's alone."""
    return [
        document
        for path in sorted((DEPLOY / "kubernetes" / folder).glob("*.yaml"))
        if path.name != "kustomization.yaml"
        for document in yaml.safe_load_all(path.read_text("utf-8"))
    ]


def manifests() -> list[dict[str, Any]]:
    return [*documents("base"), *documents("migrate"), *documents("example")]


def pods() -> dict[str, dict[str, Any]]:
    """Specifications of pods, by the name of what makes them."""
    found = {}
    for document in manifests():
        spec = document.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template")
        if template:
            found[document["metadata"]["name"]] = template["spec"]
    return found


@functools.cache
def shared_settings(folder: str) -> dict[str, str]:
    """What the generated ConfigMap holds."""
    text = (DEPLOY / "kubernetes" / folder / "kustomization.yaml").read_text("utf-8")
    lines = yaml.safe_load(text).get("configMapGenerator", [{"literals": []}])[0]["literals"]
    return dict(line.split("=", 1) for line in lines)


@functools.cache
def compose() -> dict[str, Any]:
    made: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return made


def ours() -> dict[str, dict[str, Any]]:
    """The services of the compose file that run our image."""
    services = compose()["services"]
    return {name: each for name, each in services.items() if "spanledger" in each["image"]}


@functools.cache
def units() -> dict[str, dict[str, list[str]]]:
    """Services of systemd, each with what all have in common: key → its values."""
    common = _unit(DEPLOY / "systemd/spanledger-.service.d/common.conf")
    found = {}
    for path in sorted((DEPLOY / "systemd").glob("*.service")):
        own = _unit(path)
        found[path.stem] = {key: common.get(key, []) + own.get(key, []) for key in common | own}
    return found


def settings_example() -> dict[str, str]:
    """spanledger.env.example, with what is commented out there."""
    text = (DEPLOY / "systemd/spanledger.env.example").read_text("utf-8")
    return dict(re.findall(r'^(?:# )?(SPANLEDGER_\w+)="(.*)"$', text, re.MULTILINE))


def started() -> Iterator[Started]:
    """Every part, wherever it is started."""
    yield from _containers()
    yield from _services()
    for name, unit in units().items():
        argv = shlex.split(unit["ExecStart"][0])[1:]
        grace = float(unit.get("TimeoutStopSec", ["90"])[0])
        yield Started(f"systemd {name}", tuple(argv), settings_example(), frozenset(BOTH), grace)


def _containers() -> Iterator[Started]:
    for name, pod in pods().items():
        for folder in ("base", "example"):
            (container,) = pod["containers"]
            shared = {**shared_settings("base"), **shared_settings(folder)}
            values = {each["name"]: each.get("value", "sl_x") for each in container.get("env", [])}
            before = container.get("lifecycle", {}).get("preStop", {}).get("exec", {})
            yield Started(
                f"kubernetes {name}, {folder}",
                tuple(container["args"]),
                (shared if "envFrom" in container else {}) | values,
                frozenset(mounted(pod, optional=False)),
                pod.get("terminationGracePeriodSeconds", 30),
                float(before.get("command", ["", "0"])[1]),
            )


def _services() -> Iterator[Started]:
    for name, service in ours().items():
        yield Started(
            f"compose {name}",
            tuple(service["command"]),
            service["environment"],
            frozenset(each["target"].removeprefix("SPANLEDGER_") for each in service["secrets"]),
            float(str(service.get("stop_grace_period", "10s")).removesuffix("s")),
        )


def addresses(environment: dict[str, str]) -> dict[str, int]:
    """Ports that are opened to others, by what opens them."""
    return {
        name: int(value.rpartition(":")[2])
        for name, value in environment.items()
        if name.endswith("_ADDR") and value.startswith("0.0.0.0:")
    }


def mounted(pod: dict[str, Any], *, optional: bool) -> set[str]:
    """Names of settings that a pod finds as files, of those that may be missing or the others."""
    found = set()
    for volume in pod.get("volumes", []):
        sources = [each["secret"] for each in volume.get("projected", {}).get("sources", [])]
        for secret in [*sources, *([volume["secret"]] if "secret" in volume else [])]:
            if secret.get("optional", False) is optional:
                for item in secret["items"]:
                    assert item["path"] == f"SPANLEDGER_{item['key']}"
                    found.add(item["key"])
    return found


def _unit(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        key, equals, value = line.partition("=")
        if equals and not line.startswith(("#", ";")):
            found.setdefault(key, []).append(value)
    return found
