"""The files of deploy/: each is taken by who reads it, and says what the product needs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from compose_spec import PyCompose

from core import config, setting_files, storage_settings
from core.config import Settings
from core.worker import endings
from core.worker.health import HealthServer, Pulse
from deploy import probe
from tests.deploy import kustomize, nginx
from tests.system.app import ROOT, free_port

DEPLOY = ROOT / "deploy"
ROLES = tuple(endings.STOP_SECONDS)
WEB_SECONDS = 25
"""More than a web process takes: its connections have 5 s, and a balancer 10 s to forget it."""
BESIDE_SETTINGS = {"FORWARDED_ALLOW_IPS", "PYTHONUNBUFFERED", "HOME", "PATH"}
SEARCHED = f"{Path(sys.executable).parent}:{os.environ['PATH']}:/usr/sbin"


def run(*command: str | Path) -> str:
    """What a program says of a file, which must be taken."""
    program = shutil.which(command[0], path=SEARCHED) or str(command[0])
    ended = subprocess.run([program, *command[1:]], capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout + ended.stderr


def check_settings(names: Mapping[str, object]) -> None:
    """Every variable that is handed over is a setting of ours, or one of the few beside them."""
    ours = {name.upper() for name in Settings.model_fields} | set(storage_settings.VARIABLES) | BESIDE_SETTINGS
    unknown = [name for name in names if name not in ours and not setting_files.is_known(name, None)]
    assert [name for name in unknown if not name.startswith("OIDC_")] == []
    assert config.unknown_names(names, []) == []


def test_dockerfile() -> None:
    """Hadolint has nothing to say."""
    assert run("hadolint", DEPLOY / "Dockerfile") == ""


def test_yaml() -> None:
    """All YAML is well formed, without a key that stands twice."""
    rules = "{extends: relaxed, rules: {line-length: {max: 140}, key-duplicates: enable}}"
    assert run("yamllint", "--strict", "-d", rules, DEPLOY) == ""


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, its merges and variables resolved."""
    text = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
    text = re.sub(r"\$\{STUDIO_IMAGE:\?[^}]*\}", "registry.example.org/studio:0.1.0", text)
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    assert "${" not in text
    found = {name: value for name, value in yaml.safe_load(text).items() if not name.startswith("x-")}
    assert isinstance(found, dict)
    return found


def test_compose(compose: Mapping[str, Any]) -> None:
    """It is a compose file, and every network, secret and volume that is named is there."""
    PyCompose.from_yaml(yaml.safe_dump(dict(compose))).validate()
    for service in compose["services"].values():
        named = [volume.split(":")[0] for volume in service.get("volumes", ())]
        assert {name for name in named if "/" not in name} <= set(compose["volumes"])
        for path in (name for name in named if name.startswith("./")):
            assert (DEPLOY / path).exists(), path
    assert {path["file"].split("/")[1] for path in compose["secrets"].values()} == {"secrets"}


def test_compose_of_our_image(compose: Mapping[str, Any]) -> None:
    """Each of our containers is one role, cannot write outside its places, and is waited for until it has ended."""
    ours = {name: each for name, each in compose["services"].items() if "studio:" in each["image"]}
    assert set(ours) == {"migrate", "web-1", "web-2", *ROLES}
    for name, service in ours.items():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert [volume.split(":")[1] for volume in service["volumes"]] == ["/data"]
        check_settings(service["environment"])
        given = {value for value in service["environment"].values() if str(value).startswith("/run/secrets/")}
        assert given == {f"/run/secrets/{secret}" for secret in service["secrets"]}
        if name in ROLES:
            assert service["command"][2:4] == ["--role", name]
            assert int(service["stop_grace_period"].rstrip("s")) >= endings.STOP_SECONDS[name]
            assert service["healthcheck"]["test"][:3] == ["CMD", "python", "deploy/probe.py"]
    assert ours["submit"]["volumes"] == ours["dispatcher"]["volumes"]  # the journal of what was sent


@pytest.mark.parametrize("name", ["base", "overlays/small", "overlays/company"])
def test_kubernetes(name: str) -> None:
    """Every resource is one of the API, strictly; workloads are hardened, asked how they are, and given time to end."""
    resources = kustomize.built(DEPLOY / "kubernetes" / name)
    for resource in resources:
        kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)
    (settings,) = (each["data"] for each in resources if each["kind"] == "ConfigMap")
    check_settings(settings)
    workloads = {each["metadata"]["name"]: each for each in resources if each["kind"] in ("Deployment", "StatefulSet")}
    assert set(workloads) == {"web", *ROLES}
    assert workloads["submit"]["kind"] == "StatefulSet"  # its journal lies on a volume of its own
    budgets = {each["metadata"]["name"] for each in resources if each["kind"] == "PodDisruptionBudget"}
    assert budgets == set(workloads)
    for role, workload in workloads.items():
        check_pod(role, workload["spec"])
    (job,) = (each for each in resources if each["kind"] == "Job")
    assert job["spec"]["template"]["spec"]["containers"][0]["command"][:3] == ["python", "-m", "core.admin"]


def check_pod(role: str, spec: Mapping[str, Any]) -> None:
    """One workload."""
    pod = spec["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"].startswith("registry.example.org/studio:")
    assert pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    labels = spec["template"]["metadata"]["labels"]
    assert spec["selector"]["matchLabels"] == labels
    assert pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"] == labels
    assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(container)
    volumes = {volume["name"] for volume in pod["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in spec.get("volumeClaimTemplates", ())}
    assert {mount["name"] for mount in container["volumeMounts"]} == volumes
    if role in ROLES:
        assert container["command"][:4] == ["python", "worker.py", "--role", role]
    assert pod["terminationGracePeriodSeconds"] >= endings.STOP_SECONDS.get(role, WEB_SECONDS)


def test_overlays_say_something() -> None:
    """What an overlay patches arrives: another host, and numbers of its own."""
    base, small, company = (
        {(each["kind"], each["metadata"]["name"]): each for each in kustomize.built(DEPLOY / "kubernetes" / name)}
        for name in ("base", "overlays/small", "overlays/company")
    )
    assert company["Ingress", "web"]["spec"]["rules"][0]["host"] != base["Ingress", "web"]["spec"]["rules"][0]["host"]
    assert small["Deployment", "web"]["spec"]["replicas"] == 1
    assert "replicas" not in company["Deployment", "collect"]["spec"]  # its number is the autoscaler's
    assert company["ConfigMap", "studio"]["data"] != base["ConfigMap", "studio"]["data"]


def units() -> Iterator[tuple[str, str]]:
    """Name and text of each unit of systemd."""
    for path in sorted((DEPLOY / "systemd").iterdir()):
        yield path.name, path.read_text(encoding="utf-8")


def test_systemd(tmp_path: Path) -> None:
    """Systemd takes every unit, where it is there to be asked; each is hardened, and given the time its role needs."""
    for name, text in units():
        role = re.sub(r"studio-|@|\.service", "", name)
        said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
        assert (said["NoNewPrivileges"], said["ProtectSystem"], said["User"]) == ("true", "strict", "studio")
        names = re.findall(r"([A-Z_]+)=", " ".join(re.findall("^Environment=(.*)$", text, re.M)))
        check_settings(dict.fromkeys(names))
        if role != "migrate":
            assert int(said["TimeoutStopSec"]) >= endings.STOP_SECONDS.get(role, 10)
        if role in ROLES:
            assert f"--role {role} " in said["ExecStart"]
        tried = re.sub(r"/opt/studio/venv/bin/\w+", sys.executable, text).replace("%i", "1")
        (tmp_path / name.replace("@", "@1")).write_text(tried, encoding="utf-8")
    if shutil.which("systemd-analyze"):
        found = run("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *sorted(tmp_path.iterdir()))
        assert found == ""


def test_nginx(tmp_path: Path) -> None:
    """Nginx takes it, and so does who looks for what can go wrong with it.

    Left out: the app itself decides by which names it answers, so it gets the one that was asked for with its port; and
    the page's websocket and event stream must not wait in a buffer.
    """
    conf = nginx.configured(tmp_path, port=free_port(), nodes=[8501, 8502])
    assert "test is successful" in run("nginx", "-t", "-c", conf, "-p", tmp_path)
    assert "No issues found" in run("gixy", "--skips", "host_spoofing,proxy_buffering_off", conf)


def test_probe() -> None:
    """A health check is good when the address answers with a 2xx, and bad when it does not or nobody is there."""
    pulse = Pulse()
    with HealthServer(pulse, "submit").serving("127.0.0.1", 0) as port:
        address = f"http://127.0.0.1:{port}"
        assert probe.main([f"{address}/health"]) == 0
        assert probe.main([f"{address}/ready"]) == 1
        pulse.beat()
        assert probe.main([f"{address}/ready"]) == 0
    assert probe.main([f"{address}/health"]) == 1
