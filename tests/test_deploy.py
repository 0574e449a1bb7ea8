"""What deploy/ says would start, as it is meant to: held to the code, and read by linters."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click
import deployed
import kubernetes_validate
import pytest
import yaml
from deployed import DATA_DIR, DEPLOY, ROOT, Started, addresses, compose, ours, pods, started, units

from app.canary.doors import READING_KEY, SENDING_KEY
from app.cli import cli
from app.local_postgres import _STOP_SECONDS
from app.reference.settings import _marks
from app.setting_values import Takes
from app.settings import OF_THE_SDK, PREFIX, Settings, read_settings
from app.workers import _GRACE
from collector import health

OLDEST_KUBERNETES: Final = "1.32"
# What units may be exposed to at most, by systemd's own measure; without hardening it is 9.6.
MOST_EXPOSED: Final = 20
PARTS: Final = list(started())


def beside_python(tool: str) -> str:
    found = Path(sys.executable).with_name(tool)
    if not found.exists():
        pytest.skip(f"{tool} has no wheel for this machine")
    return str(found)


def installed(tool: str) -> str:
    return shutil.which(tool) or pytest.skip(f"{tool} is not installed here")


def told(*command: str) -> str:
    done = subprocess.run(  # noqa: S603  # linters
        command, cwd=ROOT, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(variable)


def test_yaml_is_written_as_one_reads_it() -> None:
    told(beside_python("yamllint"), "--strict", "-c", "deploy/.yamllint.yaml", "deploy")


def test_the_container_file_passes_its_linter() -> None:
    told(beside_python("hadolint"), "deploy/Containerfile")


def test_the_compose_file_is_one_for_compose_itself() -> None:
    told(beside_python("docker-compose"), "-f", "deploy/compose.yaml", "config", "--quiet")
    everything = ("--profile", "*", "config", "--quiet")
    told(beside_python("docker-compose"), "-f", "deploy/compose.yaml", *everything)


@pytest.mark.parametrize("version", [OLDEST_KUBERNETES, kubernetes_validate.latest_version()])
def test_every_manifest_is_of_its_schema(version: str) -> None:
    for document in deployed.manifests():
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("folder", [".", "migrate", "example"])
def test_kustomize_puts_the_manifests_together(folder: str) -> None:
    put = told(installed("kubectl"), "kustomize", f"deploy/kubernetes/{folder}")
    documents = list(yaml.safe_load_all(put))
    for document in documents:
        kubernetes_validate.validate(document, OLDEST_KUBERNETES, strict=True)
        if document["kind"] != "Namespace":
            assert document["metadata"]["namespace"] == "spanledger"
    assert (":latest" in put, "image: spanledger\n" in put) == (False, False)


@pytest.fixture
def unit_folder(tmp_path: Path) -> Path:
    """The units, where what they run is there."""
    folder = tmp_path / "units"
    shutil.copytree(DEPLOY / "systemd", folder)
    for path in folder.glob("*.service"):
        text = path.read_text("utf-8")
        path.write_text(text.replace("/opt/spanledger/bin/spanledger", "/bin/true"), "utf-8")
    return folder


def test_systemd_finds_nothing_wrong_with_the_units(unit_folder: Path) -> None:
    analyze = installed("systemd-analyze")
    # systemctl would look for manual pages, and need not be there.
    both = [*unit_folder.glob("*.service"), *unit_folder.glob("*.timer")]
    assert told(analyze, "verify", "--man=no", *map(str, both)) == ""


def test_the_units_are_exposed_to_little(unit_folder: Path) -> None:
    analyze = installed("systemd-analyze")
    if int(told(analyze, "--version").split()[1]) < 250:
        pytest.skip("this systemd cannot judge a file")
    for path in unit_folder.glob("*.service"):
        told(analyze, "security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(path))


def test_every_variable_is_a_setting() -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    known |= {SENDING_KEY, READING_KEY} | {f"{PREFIX}{name}" for name in OF_THE_SDK}
    # What Grafana is told, which tests/ of its own hold.
    sources = DEPLOY / "grafana/provisioning/datasources/spanledger.yaml"
    known |= set(re.findall(r"\$(SPANLEDGER_\w+)", sources.read_text("utf-8")))
    for path in deployed.files():
        used = set(re.findall(rf"\b{PREFIX}\w+", path.read_text("utf-8"))) - {PREFIX}
        assert used - known == set(), path.name


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.where)
def test_every_command_and_option_exists(part: Started) -> None:
    context = click.Context(cli)
    command = cli.get_command(context, part.part)
    assert command, part.argv
    command.make_context(part.part, list(part.argv[1:]), parent=context)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.where)
def test_what_each_part_is_told_is_what_it_starts_with(
    part: Started, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    values = {
        "DATABASE_URL": "postgresql://spanledger@postgres/spanledger",
        "KEY_PEPPER": "a pepper of some length",
    }
    for name in part.secrets:
        (tmp_path / f"{PREFIX}{name}").write_text(values[name], "utf-8")
    for variable, value in part.environment.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv(f"{PREFIX}SECRETS_DIR", str(tmp_path))
    settings = read_settings()
    if part.part != "canary":
        # Otherwise it would start a Postgres of its own, and nobody would see it.
        assert settings.database_url == values["DATABASE_URL"]
    if part.part not in {"canary", "migrate"}:
        assert settings.key_pepper == values["KEY_PEPPER"]


def test_what_may_be_missing_is_a_setting_too() -> None:
    for name, pod in pods().items():
        known = {each.upper() for each in Settings.model_fields}
        assert deployed.mounted(pod, optional=True) <= known, name


def test_every_part_has_the_time_that_it_takes_to_stop() -> None:
    api = _number_in("app/commands/api.py", "_GRACE")
    needed = {"collector": _GRACE, "api": api, "jobs": 30.0}
    needed["serve"] = sum(needed.values()) + 20 + _STOP_SECONDS
    checked = {part.part for part in PARTS if part.part in needed}
    assert checked == set(needed)
    for part in PARTS:
        if part.part in needed:
            assert part.grace > part.leaves + needed[part.part], part.where


def _number_in(path: str, name: str) -> float:
    """A constant of a module that need not be loaded."""
    for node in ast.parse((ROOT / path).read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return float(ast.literal_eval(node.value))
    raise AssertionError(f"{path} has no {name}")


def test_ports_are_those_that_are_opened_and_asked_at() -> None:
    opened: dict[str, dict[str, int]] = {}
    for name, pod in pods().items():
        (container,) = pod["containers"]
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", [])}
        environment = {each["name"]: each.get("value", "") for each in container.get("env", [])}
        assert sorted(addresses(environment).values()) == sorted(ports.values()), name
        opened[name] = ports
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            asked = container.get(probe, {})
            if "exec" in asked:
                (port,) = re.findall(r"http://127\.0\.0\.1:(\d+)/livez", str(asked))
                assert f"127.0.0.1:{port}" in environment.values(), name
            elif asked:
                assert asked["httpGet"]["port"] in ports, name
                assert asked["httpGet"]["path"] in health.PATHS
                assert (asked["httpGet"]["path"] == health.READY) is (probe == "readinessProbe")
    for service in (each for each in deployed.manifests() if each["kind"] == "Service"):
        (ports,) = [ports for name, ports in opened.items() if name in _selected(service)]
        for port in service["spec"]["ports"]:
            assert port["port"] == ports[port["targetPort"]], service["metadata"]["name"]
    exposed = re.search(r"^EXPOSE (.*)$", containerfile(), re.MULTILINE)
    assert exposed
    everywhere = {
        port for service in ours().values() for port in addresses(service["environment"]).values()
    }
    assert {int(port) for port in exposed[1].split()} == everywhere
    assert everywhere >= {port for ports in opened.values() for port in ports.values()}


def _selected(service: dict[str, Any]) -> set[str]:
    wanted = service["spec"]["selector"].items()
    return {
        each["metadata"]["name"]
        for each in deployed.manifests()
        if each["kind"] in {"Deployment", "StatefulSet"}
        and wanted <= each["spec"]["template"]["metadata"]["labels"].items()
    }


def test_prometheus_asks_services_that_there_are_by_the_rules_that_there_are() -> None:
    text = (DEPLOY / "prometheus.compose.yaml").read_text("utf-8")
    beside = (DEPLOY / "prometheus/prometheus.yaml").read_text("utf-8").replace("# - job", "- job")
    asked = {job["job_name"]: job for job in yaml.safe_load(text)["scrape_configs"]}
    assert set(asked) == set(re.findall(r"- job_name: (\S+)", beside))
    mounts = compose()["services"]["prometheus"]["volumes"]
    assert {"./prometheus.compose.yaml", "./prometheus/alerts.yaml"} <= {
        mount.partition(":")[0] for mount in mounts
    }
    for job in asked.values():
        ((target,),) = [each["targets"] for each in job["static_configs"]]
        name, _, port = target.partition(":")
        assert int(port) in addresses(ours()[name]["environment"]).values()
        secret = job["authorization"]["credentials_file"].removeprefix("/run/secrets/")
        assert secret in compose()["services"]["prometheus"]["secrets"]


def test_the_canary_knocks_at_doors_that_there_are() -> None:
    (container,) = pods()["spanledger-canary"]["containers"]
    services = {
        each["metadata"]["name"]: {port["port"] for port in each["spec"]["ports"]}
        for each in deployed.manifests()
        if each["kind"] == "Service"
    }
    knocked = re.findall(r"=http://([\w-]+):(\d+)", " ".join(container["args"]))
    assert len(knocked) == 3
    for name, port in knocked:
        assert int(port) in services[name]


def test_compose_publishes_what_is_opened_and_on_this_machine_alone() -> None:
    for name, service in compose()["services"].items():
        for published in service.get("ports", []):
            host, _, inside = published.partition(":")
            assert host == "127.0.0.1", name
            if name in ours():
                assert int(inside.partition(":")[2]) in addresses(service["environment"]).values()
        for port in re.findall(r"http://127\.0\.0\.1:(\d+)", str(service.get("healthcheck"))):
            if name in ours():
                assert int(port) in addresses(service["environment"]).values()


def images() -> Iterator[tuple[str, str]]:
    for name, service in compose()["services"].items():
        yield f"compose {name}", service["image"]
    for folder in ("base", "migrate", "example"):
        path = DEPLOY / "kubernetes" / folder / "kustomization.yaml"
        for image in yaml.safe_load(path.read_text("utf-8"))["images"]:
            yield f"kubernetes {folder}", f"{image.get('newName', image['name'])}:{image['newTag']}"
    for argument in re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", containerfile(), re.MULTILINE):
        yield "Containerfile", argument


def containerfile() -> str:
    return (DEPLOY / "Containerfile").read_text("utf-8")


def test_images_are_of_one_version_and_ours_of_this_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for where, image in images():
        name, _, tag = image.rpartition(":")
        assert name, where
        assert re.match(r"v?\d+\.\d+", tag), f"{where}: {image}"
        if name.endswith("spanledger"):
            assert tag == project["version"], where
    assert f"ARG VERSION={project['version']}" in containerfile()
    for pod in pods().values():
        assert pod["containers"][0]["image"] == "spanledger"


def test_what_must_stay_is_on_a_volume() -> None:
    named = compose()["volumes"]
    for service, folder in (("collector", DATA_DIR), ("postgres", "/var/lib/postgresql")):
        (mount,) = compose()["services"][service]["volumes"]
        source, _, target = mount.partition(":")
        assert source in named, service
        assert target == folder
    (collector,) = [each for each in deployed.manifests() if each["kind"] == "StatefulSet"]
    (claim,) = collector["spec"]["volumeClaimTemplates"]
    (container,) = collector["spec"]["template"]["spec"]["containers"]
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    assert mounts[claim["metadata"]["name"]] == DATA_DIR
    assert set(collector["spec"]["persistentVolumeClaimRetentionPolicy"].values()) == {"Retain"}
    assert f'VOLUME ["{DATA_DIR}"]' in containerfile()
    assert f"{PREFIX}DATA_DIR={DATA_DIR}" in containerfile()
    for name, unit in units().items():
        assert unit["StateDirectory"] == ["spanledger"], name
        assert f"{PREFIX}DATA_DIR=%S/spanledger" in unit["Environment"], name


def test_no_file_holds_a_secret() -> None:
    secret = {
        f"{PREFIX}{name.upper()}"
        for name, each in Settings.model_fields.items()
        for mark in [*each.metadata, *_marks(each.annotation)]
        if isinstance(mark, Takes) and mark.secret
    }
    assert f"{PREFIX}DATABASE_URL" in secret
    for part in PARTS:
        assert secret & part.environment.keys() == set(), part.where
    written = re.compile(
        r"^kind: Secret$|://\w+:[^@\s]+@|\bsl_(admin|read|ingest)_|"
        r"(?i:password)[^_\n]*[:=] *['\"]?\w{4}",
        re.MULTILINE,
    )
    for path in deployed.files():
        assert not written.search(path.read_text("utf-8")), path


def test_pods_are_restricted_as_kubernetes_calls_it() -> None:
    (user,) = re.findall(r"^USER (\d+):\1$", containerfile(), re.MULTILINE)
    namespaces = [each for each in deployed.manifests() if each["kind"] == "Namespace"]
    labels = namespaces[0]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    for name, pod in pods().items():
        security = pod["securityContext"]
        assert security["runAsNonRoot"] is True, name
        assert security["runAsUser"] == security["runAsGroup"] == int(user)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert all("hostPath" not in volume for volume in pod.get("volumes", []))
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }, name
            assert {"requests", "limits"} <= container["resources"].keys(), name


def test_containers_of_compose_can_do_no_more_than_they_must() -> None:
    for name, service in compose()["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert {"mem_limit", "pids_limit", "restart"} <= service.keys(), name
        assert not {"privileged", "network_mode", "user"} & service.keys()
    for name, service in ours().items():
        assert service["read_only"] is True, name
        assert "cap_add" not in service


def test_units_run_as_a_user_of_their_own_also_without_what_they_have_in_common() -> None:
    for path in (DEPLOY / "systemd").glob("*.service"):
        assert "\nUser=spanledger\n" in path.read_text("utf-8"), path.name


def test_the_image_has_every_package_and_nothing_that_lies_about() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    wanted = {each for each in packages["packages"]["find"]["include"] if "." not in each}
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    let_in = {rule[1:] for rule in rules if rule.startswith("!")}
    assert rules[0] == "*"
    assert wanted | {"sdk", "pyproject.toml", "README.md", "LICENSE"} <= let_in
    assert {path for path in let_in if not (ROOT / path).exists()} == set()
    for line in re.findall(r"^COPY (?!--from)(.*)$", containerfile(), re.MULTILINE):
        for source in line.split()[:-1]:
            assert source == "." or source in let_in, source


def test_the_command_by_hand_is_a_script_that_a_shell_can_read() -> None:
    script = DEPLOY / "systemd/spanledger"
    assert os.access(script, os.X_OK)
    told("sh", "-n", str(script))
    for line in (DEPLOY / "systemd/spanledger.env.example").read_text("utf-8").splitlines():
        if line.startswith(PREFIX):
            # systemd and a shell read it alike.
            assert shlex.split(line) == [line.replace('"', "")], line
