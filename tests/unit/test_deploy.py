"""The worked deployments are what their checkers accept, and name only what there is."""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from outhaul.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE = sorted((DEPLOY / "compose").glob("*.yaml"))
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
MANIFESTS = [path for path in KUBERNETES if not path.stem.endswith("patch")]
TOOLS = Path(sys.executable).parent
NOT_SETTINGS = {"OUTHAUL_URL", "OUTHAUL_KEY"}


def checked(*command: str | Path) -> None:
    """The checker is content."""
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def names_in(text: str) -> set[str]:
    return set(re.findall(r"\bOUTHAUL_[A-Z_]+", text)) - NOT_SETTINGS


def test_yaml_is_well_formed_and_tidy() -> None:
    """No key twice, nothing that readers of YAML take differently."""
    rules = {
        "extends": "default",
        "rules": {
            "document-start": "disable",
            "line-length": {"max": 100},
            "truthy": {"check-keys": False},
            "comments": {"min-spaces-from-content": 1},
        },
    }
    checked(TOOLS / "yamllint", "--strict", "-d", json.dumps(rules), DEPLOY)


def test_compose_files_follow_their_specification() -> None:
    """Every one by the schema of Compose."""
    checked(TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", *COMPOSE)


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifests_follow_the_kubernetes_api(path: Path) -> None:
    """Strictly: a property that the API does not know is refused, not passed over."""
    for document in documents(path):
        kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_the_dockerfile_follows_good_practice() -> None:
    """And installs only extras that there are."""
    checked(TOOLS / "hadolint", "Dockerfile")
    extras = re.search(r"'\.\[([a-z,]+)\]'", (ROOT / "Dockerfile").read_text())
    assert extras is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(extras[1].split(",")) <= set(project["optional-dependencies"])


@pytest.mark.parametrize(
    "path", [ROOT / "Dockerfile", *sorted((DEPLOY).rglob("*.*"))], ids=lambda path: path.name
)
def test_only_settings_that_exist_are_set(path: Path) -> None:
    """A misspelt variable would be passed over in silence."""
    known = {f"OUTHAUL_{name.upper()}" for name in Settings.model_fields}
    assert names_in(path.read_text()) - known == set()


def _containers() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in MANIFESTS:
        for document in documents(path):
            pod = document.get("spec", {}).get("template", {}).get("spec")
            for container in (pod or {}).get("containers", ()):
                yield f"{path.stem} {document['metadata']['name']}", pod | container


def _environments() -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Of each container of ours: its place, the command if not the image's, its variables."""
    for path in COMPOSE:
        for name, service in documents(path)[0]["services"].items():
            if service.get("image") == "outhaul":
                yield f"{path.stem} {name}", service.get("command", []), service["environment"]
    for path in MANIFESTS:
        shared = {
            name: value
            for document in documents(path)
            if document["kind"] == "ConfigMap"
            for name, value in document["data"].items()
        }
        for document in documents(path):
            pod = document.get("spec", {}).get("template", {}).get("spec", {})
            for container in pod.get("containers", ()):
                if container["image"].startswith("outhaul"):
                    own = {one["name"]: one.get("value", "x") for one in container["env"]}
                    if "envFrom" in container:
                        own = shared | own
                    yield (
                        f"{path.stem} {document['metadata']['name']}",
                        container.get("args", []),
                        own,
                    )


def test_settings_fit_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every container of ours would start, as far as its settings decide."""
    found = 0
    for place, command, variables in _environments():
        with monkeypatch.context() as patched:
            for name, value in variables.items():
                patched.setenv(name, re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value))
            # The image's own command listens on every address.
            host = {} if command else {"host": "0.0.0.0"}
            settings = Settings(**host)  # type: ignore[arg-type]  # the rest comes as variables
            assert (settings.catalog is not None) == ("many" in place)
            if settings.catalog is not None:
                settings.check_node()
        found += 1
    assert found == 2 + 4


def test_pods_are_locked_down() -> None:
    """No root, no more rights than at their start, no key of the cluster, bounded memory."""
    found = dict(_containers())
    assert found
    for name, container in found.items():
        assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert container["automountServiceAccountToken"] is False, name
        assert "memory" in container["resources"]["limits"], name


def test_services_lead_somewhere() -> None:
    """The labels that a Service selects are those of a pod, and its ports those of a container."""
    for path in MANIFESTS:
        found = documents(path)
        pods = [
            document["spec"]["template"]
            for document in found
            if "template" in document.get("spec", {})
        ]
        for service in (document for document in found if document["kind"] == "Service"):
            selector = service["spec"]["selector"].items()
            [pod] = [pod for pod in pods if selector <= pod["metadata"]["labels"].items()]
            ports = {port["name"] for port in pod["spec"]["containers"][0]["ports"]}
            assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports
