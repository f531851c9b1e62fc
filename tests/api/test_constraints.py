"""Programs are told what a model can make, and by which rule an order was refused."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.catalog import rules
from core.providers import registry
from core.providers.models import VideoModel
from tests.api.conftest import Client, picture, refusal
from tests.factories.generations import build_spec, load_generation
from tests.factories.models import able_demo


@pytest.fixture
def able() -> Iterator[VideoModel]:
    """The demo takes a seed, frame rates and references."""
    with able_demo() as model:
        yield model


def upload(client: Client, width: int = 64) -> str:
    """The path of an image that was brought."""
    answer = client.post(
        "/upload-image", files={"file": ("shoe.png", picture(width), "image/png")}, data={"type": "reference"}
    )
    path: str = answer.json()["filePath"]
    return path


def problems(answer: Any) -> list[tuple[str, str, list[Any]]]:
    """Field, rule and what is allowed, of a refusal."""
    assert answer.status_code == 422, answer.text
    return [(one["field"], one["rule"], one["allowed"]) for one in answer.json()["error"]["problems"]]


def test_model_tells_what_it_is_judged_by(ana: Client, able: VideoModel) -> None:
    """Domains, rules with ids and sentences, sizes, and what becomes of images, in data."""
    [demo] = [model for model in ana.get("/models").json()["models"] if model["id"] == able.id]

    domains = {one["name"]: one for one in demo["constraints"]["domains"]}
    assert domains["seconds"] == {"name": "seconds", "field": "duration", "values": list(range(1, 17))}
    assert domains["images"] == {"name": "images", "field": "references", "values": [0, 1, 2, 3]}
    assert domains["fps"]["values"] == [0, 24, 50]
    rule = demo["constraints"]["rules"][1]
    nothing = {"values": None, "atLeast": None, "atMost": None, "sameAs": None}
    assert rule == {
        "id": "short-at-4k",
        "when": {"resolution": nothing | {"values": ["4K"]}},
        "then": {"seconds": nothing | {"atMost": 8}},
        "sentence": "At 4K a clip has 8 seconds at most.",
    }
    assert {"resolution": "1080p", "aspectRatio": "9:16", "width": 1080, "height": 1920} in demo["frameSizes"]
    assert (demo["alwaysAudio"], demo["seed"], demo["frameRates"]) == (False, True, [24, 50])
    assert demo["references"] == {"images": 3, "videos": 1, "sounds": 0, "roles": ["subject", "style"]}
    needs = {"maxBytes": 3_700_000, "minSide": 0, "maxSide": None, "maxRatio": None, "exact": False}
    assert demo["imageNeeds"] == needs


def test_flags_are_told_as_rules(ana: Client) -> None:
    """Whoever reads the rules alone knows all that does not go together."""
    models = {model["id"]: model["constraints"]["rules"] for model in ana.get("/models").json()["models"]}
    assert [rule["id"] for rule in models["svd"]] == ["needs-start-image"]
    assert [rule["sentence"] for rule in models["svd"]] == ["Stable Video Diffusion needs a start image."]
    assert [rule["id"] for rule in models["fal-kling-2.5-turbo"]] == ["end-image-needs-start"]


def test_refusal_names_rule_and_what_is_allowed(ana: Client, able: VideoModel) -> None:
    """The published fields stay as they are; rules and allowed values stand beside."""
    body = ana.order(resolution="4K", duration=12)
    answer = ana.post("/generate", json=body)
    assert refusal(answer) == (422, "invalid_request", {"duration": "At 4K a clip has 8 seconds at most."})
    assert problems(answer) == [("duration", "short-at-4k", list(range(1, 9)))]

    several = ana.post("/generate-batch", json={"generations": [ana.order(), body]})
    assert [field for field, _rule, _allowed in problems(several)] == ["generations.1.duration"]

    kept = ana.post("/presets", json={"name": "Long", "settings": _settings(resolution="4K", duration=12)})
    assert problems(kept) == [("duration", "short-at-4k", list(range(1, 9)))]

    estimate = ana.post("/estimate-credits", json={"modelId": able.id, "resolution": "4K", "duration": 12}).json()
    assert estimate["estimate"]["feasible"] is False
    [reason] = estimate["estimate"]["reasons"]
    assert (reason["field"], reason["rule"], reason["allowed"]) == ("duration", "short-at-4k", list(range(1, 9)))


def _settings(**changes: Any) -> dict[str, Any]:
    return {"modelId": "demo-film", "resolution": "720p", "duration": 5, "aspectRatio": "16:9"} | changes


@pytest.mark.usefixtures("able")
def test_seed_and_frames_are_ordered_and_shown(ana: Client) -> None:
    """They are kept with the clip; a model that has none refuses them."""
    row = load_generation(ana.generate(seed=0, fps=50))
    assert (row.seed, row.fps) == (0, 50)
    shown = ana.get(f"/generations/{row.id}").json()["generation"]
    assert (shown["seed"], shown["fps"], shown["references"]) == (0, 50, [])
    for wrong in ({"seed": -1}, {"seed": 2**32}, {"fps": 30}, {"fps": 0}):
        assert list(refusal(ana.post("/generate", json=ana.order(**wrong)))[2]) == list(wrong)
    kling = ana.order(modelId="kling-2.5", resolution="720p", duration=5, seed=3, fps=24)
    assert set(refusal(ana.post("/generate", json=kling))[2]) == {"seed", "fps"}


@pytest.mark.usefixtures("able")
def test_references_are_ordered_and_shown(ana: Client) -> None:
    """Images that were uploaded, each in its role, in the order in which they were given."""
    paths = [upload(ana, width) for width in (64, 80)]
    wanted = [
        {"filePath": paths[0], "kind": "image", "role": "style"},
        {"filePath": paths[1], "kind": "image", "role": "subject"},
    ]
    clip = ana.generate(references=wanted)

    assert ana.get(f"/generations/{clip}").json()["generation"]["references"] == wanted
    [listed] = ana.get("/generations").json()["generations"]
    assert listed["references"] == wanted
    assert load_generation(clip).spec.references == tuple(
        (each["kind"], each["role"], each["filePath"]) for each in wanted
    )


@pytest.mark.usefixtures("able")
def test_references_when_they_are_refused(ana: Client, ben: Client) -> None:
    """Somebody else's image, too many, an unknown role, a sound, what is no video: each with the field it is about."""
    mine, theirs = upload(ana), upload(ben, 96)

    def refused(*references: dict[str, str]) -> dict[str, str]:
        return refusal(ana.post("/generate", json=ana.order(references=references)))[2]

    good = {"filePath": mine, "role": "style"}
    assert set(refused(good, good | {"filePath": theirs})) == {"references.1.filePath"}
    assert refused(*[good] * 4) == {"references": "Demo Film takes 3 reference images at most."}
    assert set(refused(good, {"filePath": mine})) == {"references.1.role"}
    assert refused(good | {"kind": "sound"}) == {
        "references": "Demo Film takes no sounds as references. Remove them or choose another model."
    }
    assert refused(good | {"kind": "video"}) == {
        "references.0.filePath": "This is a file of another kind. "
        "Choose an image, a video or a sound as it is asked for."
    }
    assert set(refused(good | {"kind": "hologram"})) == {"references"}
    assert set(refused({"role": "style"})) == {"references"}
    answer = ana.post("/generate", json=ana.order(references=[good], duration=12))
    assert problems(answer) == [("duration", "short-with-references", list(range(1, 11)))]


def test_references_where_the_model_takes_none(ana: Client) -> None:
    """They are refused before anything is reserved."""
    body = ana.order(references=[{"filePath": upload(ana)}])
    assert refusal(ana.post("/generate", json=body))[2] == {
        "references": "Demo Film takes no references. Remove them or choose another model."
    }


def test_every_rule_field_is_told_by_its_name_in_bodies(able: VideoModel) -> None:
    """No field of an order is unknown to the API."""
    assert set(rules.FIELD_NAMES) >= set(rules.choices(able, rules.adapt(build_spec(), registry.model(able.id)).spec))
