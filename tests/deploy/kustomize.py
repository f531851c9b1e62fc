"""What our overlays use of Kustomize, and no more: its own program cannot be had from a package registry.

Anything else in a kustomization fails, so that nothing is taken for tested that is not.
"""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]
_KNOWN = {
    *("apiVersion", "kind", "namespace", "labels", "resources", "images"),
    *("replicas", "configMapGenerator", "patches"),
}


def built(folder: Path) -> list[Resource]:
    """The resources of a kustomization, after its generators, images, numbers and patches."""
    said = yaml.safe_load((folder / "kustomization.yaml").read_text(encoding="utf-8"))
    assert set(said) <= _KNOWN, set(said) - _KNOWN
    found: list[Resource] = []
    for name in said["resources"]:
        path = folder / name
        found += built(path) if path.is_dir() else list(documents(path))
    for generator in said.get("configMapGenerator", ()):
        _generate(found, generator)
    for image in said.get("images", ()):
        for container in _containers(found):
            if container["image"] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    for wanted in said.get("replicas", ()):
        for each in _named(found, {"name": wanted["name"]}, kinds=("Deployment", "StatefulSet")):
            each["spec"]["replicas"] = wanted["count"]
    for patch in said.get("patches", ()):
        for operation in yaml.safe_load(patch["patch"]):
            for each in _named(found, patch["target"]):
                _patch(each, operation)
    for each in found:
        if "namespace" in said:
            each["metadata"]["namespace"] = said["namespace"]
    return found


def documents(path: Path) -> Iterator[Resource]:
    """The resources of one file."""
    return iter(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def _generate(found: list[Resource], generator: Mapping[str, Any]) -> None:
    values = dict(literal.split("=", 1) for literal in generator["literals"])
    if generator.get("behavior") == "merge":
        (before,) = _named(found, {"kind": "ConfigMap", "name": generator["name"]})
        before["data"] |= values
    else:
        made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": values}
        found.append(made)


def _containers(found: list[Resource]) -> Iterator[Resource]:
    for each in found:
        yield from each.get("spec", {}).get("template", {}).get("spec", {}).get("containers", ())


def _named(found: list[Resource], target: Mapping[str, str], *, kinds: tuple[str, ...] = ()) -> list[Resource]:
    """Those that a target means; one that means none is a slip."""
    kinds = kinds or (target["kind"],)
    matching = [each for each in found if each["kind"] in kinds and each["metadata"]["name"] == target["name"]]
    assert matching, target
    return matching


def _patch(resource: Resource, operation: Mapping[str, Any]) -> None:
    """RFC 6902, `replace` and `remove` of what is there."""
    *parents, last = (step.replace("~1", "/").replace("~0", "~") for step in operation["path"].split("/")[1:])
    place: Any = resource
    for step in parents:
        place = place[int(step)] if isinstance(place, list) else place[step]
    key = int(last) if isinstance(place, list) else last
    assert operation["op"] in ("replace", "remove"), operation
    assert place[key] is not None
    if operation["op"] == "remove":
        del place[key]
    else:
        place[key] = copy.deepcopy(operation["value"])
