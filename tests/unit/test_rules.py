"""What an order is told about its model: refused, offered and adapted by the same rules."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.catalog import rules
from core.providers import registry
from core.providers.models import VideoModel
from core.spec import FIELDS, GenerationSpec, Reference
from tests.factories.generations import build_spec
from tests.factories.models import FIFTEEN

IMAGE = "images/ab/x.jpg"
NAMED = {model.id: model for model in FIFTEEN}
MODELS = (*registry.models(), *FIFTEEN)
WORDS = ("480p", "720p", "768p", "1080p", "4K"), ("16:9", "9:16", "1:1", "21:9", "image")


@st.composite
def orders(draw: st.DrawFn, model: VideoModel) -> GenerationSpec:
    """Any order, most of them not makeable as they stand."""
    resolutions, ratios = WORDS
    reference = st.builds(
        Reference, st.sampled_from(["image"] * 6 + ["video", "sound"]), st.sampled_from(["", "style"]), st.just(IMAGE)
    )
    return build_spec(
        model_id=model.id,
        resolution=draw(st.sampled_from((*model.resolutions, *resolutions))),
        duration_seconds=draw(st.integers(1, 35)),
        aspect_ratio=draw(st.sampled_from((*model.aspect_ratios, *ratios))),
        negative_prompt=draw(st.sampled_from(["", "rain"])),
        start_image_key=draw(st.sampled_from([None, IMAGE])),
        end_image_key=draw(st.sampled_from([None, IMAGE])),
        generate_audio=draw(st.booleans()),
        enhance_prompt=draw(st.booleans()),
        seed=draw(st.sampled_from([None, 7])),
        fps=draw(st.sampled_from([None, 24, 30, 60])),
        references=tuple(draw(st.lists(reference, max_size=40))),
    )


@given(data=st.data(), model=st.sampled_from(MODELS))
def test_adapted_order_is_taken(data: st.DataObject, model: VideoModel) -> None:
    """Whatever was wished for: it is refused for nothing but an image that is needed and missing. Again, a no-op."""
    wanted = data.draw(orders(model))
    adapted = rules.adapt(wanted, model)
    refused = rules.check(model, adapted.spec)

    assert set(refused) <= ({"startImagePath"} if not model.text_to_video and not wanted.start_image_key else set())
    assert rules.adapt(adapted.spec, model).changes == ()
    assert (adapted.spec.prompt, adapted.spec.model_id) == (wanted.prompt, model.id)
    assert {change.field for change in adapted.changes} == {
        name for name in FIELDS if getattr(adapted.spec, name) != getattr(wanted, name)
    }
    if not rules.check(model, wanted):
        assert adapted.changes == ()


@given(data=st.data(), model=st.sampled_from(MODELS))
def test_what_is_offered_passes(data: st.DataObject, model: VideoModel) -> None:
    """Of an order that can be made every value that is offered can be taken, and every other one is refused as said."""
    spec = rules.adapt(data.draw(orders(model)), model).spec
    if not model.text_to_video:
        spec = replace(spec, start_image_key=IMAGE)
    offered = rules.choices(model, spec)
    assert set(offered) == set(rules.FIELD_NAMES) - {"visuals", "references"}
    for field, choices in offered.items():
        assert choices == rules.choices_of(model, spec, field)
        for choice in choices:
            found = rules.problems(model, replace(spec, **_with(model, spec, field, choice.value)))
            assert (found == []) is (choice.reason is None)
            assert choice.rule in {"", *(problem.rule for problem in found)}


def _with(model: VideoModel, spec: GenerationSpec, field: str, value: Any) -> dict[str, Any]:
    """The setting of a spec that is this value of a field."""
    role = model.reference_roles[0] if model.reference_roles else ""
    return {
        "resolution": {"resolution": value},
        "seconds": {"duration_seconds": value},
        "ratio": {"aspect_ratio": value},
        "start": {"start_image_key": IMAGE if value else None},
        "end": {"end_image_key": IMAGE if value else None},
        "sound": {"generate_audio": bool(value)},
        "enhance": {"enhance_prompt": bool(value)},
        "negative": {"negative_prompt": "rain" if value else ""},
        "seed": {"seed": 7 if value else None},
        "fps": {"fps": value or None},
        **{
            f"{kind}s": {"references": _referring(spec, Reference(kind, role, IMAGE), value)}
            for kind in ("image", "video", "sound")
        },
    }[field]


def _referring(spec: GenerationSpec, reference: Reference, number: Any) -> tuple[Reference, ...]:
    """References of a spec, with so many of one kind."""
    others = tuple(each for each in spec.references if each.kind != reference.kind)
    return (*others, *(reference,) * (number if isinstance(number, int) else 0))


def order(model_id: str, **changes: Any) -> GenerationSpec:
    """A makeable order of one of the fifteen, with changes."""
    return replace(rules.adapt(build_spec(), NAMED[model_id]).spec, **changes)


@pytest.mark.parametrize(
    ("model_id", "changes", "field", "rule", "allowed"),
    [
        ("hailuo-2.3", {"resolution": "1080p", "duration_seconds": 10}, "duration", "short-at-1080p", (6,)),
        ("hailuo-2.3", {"resolution": "4K", "duration_seconds": 10}, "resolution", "domain", ("768p",)),
        ("hailuo-2.3", {"duration_seconds": 7}, "duration", "domain", (6, 10)),
        ("hailuo-02", {"resolution": "512p"}, "startImagePath", "rule-3", (1,)),
        ("kling-2.6", {"generate_audio": True}, "generateAudio", "sound-is-pro", (0,)),
        ("kling-2.6", {"seed": 1}, "seed", "domain", (0,)),
        ("wan-2.7", {"fps": 24}, "fps", "domain", (0, 30)),
        (
            "veo-3.1",
            {"duration_seconds": 8, "references": [("image", "asset", IMAGE)] * 4},
            "references",
            "domain",
            (0, 1, 2, 3),
        ),
        ("veo-3.1", {"references": [("image", "style", IMAGE)]}, "references.0.role", "domain", ("asset",)),
        ("seedance-2.0", {"references": [("image", "style", IMAGE)]}, "references.0.role", "domain", ()),
        ("veo-3.1", {"references": [("video", "asset", IMAGE)]}, "references", "domain", (0,)),
        ("seedance-2.0", {"references": [("video", "", IMAGE)] * 4}, "references", "domain", (0, 1, 2, 3)),
        ("seedance-2.0", {"references": [("sound", "", IMAGE)]}, "references", "sounds-with-pictures", ()),
        ("hailuo-2.3", {"references": [("image", "", IMAGE)]}, "references", "domain", (0,)),
        ("seedance-2.0", {"seed": -1}, "seed", "domain", ()),
    ],
)
def test_problem_names_field_rule_and_what_is_allowed(
    model_id: str, changes: dict[str, Any], field: str, rule: str, allowed: tuple[Any, ...]
) -> None:
    """A program that is refused knows which field broke which rule, and what the field could have instead."""
    first = next(one for one in rules.problems(NAMED[model_id], order(model_id, **changes)) if one.field == field)
    assert (first.rule, first.allowed) == (rule, allowed)


def test_rule_speaks_at_the_field_of_then() -> None:
    """Its own sentence stands at each field that is not as it says."""
    wanted = order("grok-imagine", duration_seconds=12, resolution="720p", references=[("image", "", IMAGE)])
    refused = rules.check(NAMED["grok-imagine"], replace(wanted, start_image_key=IMAGE))
    sentence = "With references a clip has 720 lines and 10 seconds at most, and no start image."
    assert {field: str(said) for field, said in refused.items()} == {"duration": sentence, "startImagePath": sentence}


def test_sound_that_is_always_there_is_no_setting() -> None:
    """Whether an order asks for sound or not, a model that always makes it takes it as it is."""
    for sound in (True, False):
        wanted = order("omni-1.2", generate_audio=sound)
        assert rules.check(NAMED["omni-1.2"], wanted) == {}
        assert rules.adapt(wanted, NAMED["omni-1.2"]).spec.generate_audio is sound
    assert [choice.value for choice in rules.choices_of(NAMED["omni-1.2"], order("omni-1.2"), "sound")] == [1]


@pytest.mark.parametrize(
    ("model_id", "changes", "given_up"),
    [
        ("hailuo-2.3", {"resolution": "1080p", "duration_seconds": 10}, {"resolution": "768p"}),
        ("ray-3.2", {"start_image_key": IMAGE, "duration_seconds": 10}, {"duration_seconds": 5}),
        ("omni-1.2", {"start_image_key": IMAGE, "references": [("image", "subject", IMAGE)]}, {"references": None}),
        ("veo-3.1", {"duration_seconds": 4, "resolution": "4K"}, {"resolution": "720p"}),
        ("kling-2.6", {"start_image_key": IMAGE}, {"aspect_ratio": "image"}),
        ("hailuo-02", {"resolution": "512p"}, {"resolution": "768p"}),
        ("grok-imagine", {"duration_seconds": 14, "references": [("image", "", IMAGE)]}, {"duration_seconds": 10}),
        ("wan-2.7", {"fps": 50}, {"fps": 30}),
    ],
)
def test_what_is_given_up(model_id: str, changes: dict[str, Any], given_up: dict[str, Any]) -> None:
    """Sound goes before resolution, length, ratio, end image, references and start image; the rule is the reason."""
    adapted = rules.adapt(order(model_id, **changes), NAMED[model_id])
    assert {change.field: change.given for change in adapted.changes} == given_up
    assert all(change.reason or change.field == "fps" for change in adapted.changes)


def test_references_that_are_too_many_are_the_last_ones() -> None:
    """The first ones stay, in a role that the model knows; a video does not stay where it takes none."""
    given = tuple(Reference("image", "style", f"images/ab/{number}.jpg") for number in range(5))
    adapted = rules.adapt(order("veo-3.1", references=(Reference("video", "", "x"), *given)), NAMED["veo-3.1"])
    assert adapted.spec.references == tuple(each._replace(role="asset") for each in given[:3])


def test_refusal_carries_what_programs_need() -> None:
    """The error of an order has sentences by field, and the same with rules and allowed values beside."""
    with pytest.raises(errors.InvalidRequest) as refused:
        rules.require(build_spec(model_id="kling-2.5", duration_seconds=7))
    assert {field: said.code for field, said in refused.value.fields.items()} == {"duration": "model_makes_durations"}
    assert [(one.field, one.rule, one.allowed) for one in refused.value.problems] == [("duration", "domain", (5, 10))]


def test_settings_kept_without_images_wait_for_them() -> None:
    """What is kept for later orders is not refused for images that come along then."""
    assert rules.require(build_spec(model_id="svd", duration_seconds=4), without_images=True).id == "svd"
    with pytest.raises(errors.InvalidRequest):
        rules.require(build_spec(model_id="svd", duration_seconds=5), without_images=True)
