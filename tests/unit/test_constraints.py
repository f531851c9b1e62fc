"""The language of rules on flat fields, tried on fifteen real models with all fields of their own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.providers import constraints, registry
from core.providers.constraints import Value
from core.providers.models import CapabilityRule, Condition, VideoModel
from tests.factories.models import FIFTEEN

NAMED = {model.id: model for model in FIFTEEN}
MODELS = (*registry.models(), *FIFTEEN)


def broken_ids(model: VideoModel, **values: Value) -> list[str]:
    """The rules that a default order with these values breaks."""
    known = constraints.constraints(model)
    return [rule.id for rule in known.broken({**constraints.defaults(model), **values})]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_model_as_it_is_declared(model: VideoModel) -> None:
    """Every value of every field can be had somehow, and what an order begins with breaks no rule."""
    assert constraints.mistakes(model) == []


@pytest.mark.parametrize(
    ("model_id", "values", "broken"),
    [
        ("hailuo-2.3", {"resolution": "1080p", "seconds": 6}, []),
        ("hailuo-2.3", {"resolution": "1080p", "seconds": 10}, ["short-at-1080p"]),
        ("hailuo-02", {"end": 1}, ["end-image-needs-start"]),
        ("hailuo-02", {"start": 1, "end": 1, "resolution": "512p"}, ["rule-2"]),
        ("hailuo-02", {"resolution": "512p"}, ["rule-3"]),
        ("omni-1.2", {"images": 2, "start": 1}, ["references-alone"]),
        ("omni-1.2", {"task": "edit", "source_seconds": 7, "seconds": 7}, []),
        ("omni-1.2", {"task": "edit", "source_seconds": 7}, ["rule-3"]),
        ("omni-1.2", {"task": "extend", "source_seconds": 7, "seconds": 12}, ["rule-4"]),
        ("kling-2.6", {"sound": 1}, ["sound-is-pro"]),
        ("kling-2.6", {"sound": 1, "tier": "pro"}, []),
        ("kling-2.6", {"start": 1}, ["rule-3"]),
        ("kling-2.6", {"start": 1, "ratio": "image"}, []),
        ("kling-v3", {"shots": 3, "shot_seconds": 5}, []),
        ("kling-v3", {"shots": 3, "shot_seconds": 4}, ["rule-1"]),
        ("kling-v3", {"shots": 6, "shot_seconds": 5}, ["rule-5"]),
        ("kling-v3", {"resolution": "4K"}, ["rule-8"]),
        ("kling-v3", {"resolution": "4K", "tier": "4k"}, []),
        ("seedance-2.0", {"start": 1, "images": 1}, ["frames-or-references"]),
        ("seedance-2.0", {"sounds": 1}, ["sounds-with-pictures"]),
        ("seedance-2.0", {"sounds": 1, "videos": 1}, []),
        ("seedance-2.0", {"sounds": 1, "images": 9}, []),
        ("seedance-2.5", {"ratio": "image"}, ["rule-4"]),
        ("seedance-2.5", {"ratio": "image", "images": 30}, []),
        ("ray-3.2", {"seconds": 10, "loop": 1}, ["rule-1"]),
        ("ray-3.2", {"hdr": 1, "seconds": 10}, ["rule-3"]),
        ("ray-3.2", {"hdr": 1, "seconds": 10, "keyframes": 2}, []),
        ("ray-3.2", {"hdr": 1, "resolution": "540p"}, ["rule-2"]),
        ("grok-imagine", {"images": 1, "seconds": 11}, ["rule-1"]),
        ("grok-imagine", {"resolution": "1080p"}, ["rule-2"]),
        ("h3", {"ratio": "image"}, ["rule-1"]),
        ("h3", {"ratio": "image", "images": 1}, []),
        ("veo-3.1", {"images": 1, "seconds": 6}, ["rule-1"]),
        ("veo-3.1", {"resolution": "4K", "seconds": 4}, ["rule-2"]),
        ("wan-2.7", {"source_video": 1, "start": 1}, ["rule-1"]),
        ("wan-3.0", {"end": 1, "sounds": 1, "videos": 1}, ["rule-2"]),
    ],
)
def test_rules_of_real_models(model_id: str, values: Mapping[str, Value], broken: list[str]) -> None:
    """What each vendor refuses is refused by the rule that says so, and nothing else is."""
    assert broken_ids(NAMED[model_id], **values) == broken


@given(data=st.data(), model=st.sampled_from(MODELS))
def test_nearest_breaks_no_rule_and_is_the_best_of_all(data: st.DataObject, model: VideoModel) -> None:
    """From any wish there is a way to what can be made, and no more precious field is given up than has to be."""
    known = constraints.constraints(model)
    wish = {field: data.draw(st.sampled_from(domain), label=field) for field, domain in known.domains.items()}
    wanted = {field: [wish[field], *(v for v in domain if v != wish[field])] for field, domain in known.domains.items()}
    found = known.nearest(wanted)

    assert found is not None
    assert list(known.broken(found)) == []
    assert list(found) == list(known.domains)
    first_given_up = next((field for field in found if found[field] != wish[field]), None)
    if first_given_up is not None:  # with all before it as they are, no way keeps it
        kept = {field: wanted[field] for field in known.domains}
        for field in known.domains:
            kept[field] = [wish[field]]
            if field == first_given_up:
                break
        assert known.nearest(kept) is None


@given(data=st.data(), model=st.sampled_from(FIFTEEN))
def test_what_fits_breaks_no_rule_about_it(data: st.DataObject, model: VideoModel) -> None:
    """With all rules kept, every value that fits keeps them, every other one breaks one."""
    known = constraints.constraints(model)
    drawn = {field: [data.draw(st.sampled_from(domain), label=field)] for field, domain in known.domains.items()}
    values = known.nearest({field: [*drawn[field], *domain] for field, domain in known.domains.items()})
    assert values is not None
    for field, domain in known.domains.items():
        fitting = known.fitting(values, field)
        assert values[field] in fitting
        for value in domain:
            assert (value in fitting) is (list(known.broken({**values, field: value})) == [])


def rule(when: Mapping[str, Condition], then: Mapping[str, Condition], name: str = "") -> CapabilityRule:
    """A rule with some sentence."""
    return CapabilityRule(when, then, "So it is.", id=name)


_IS_LONG, _SMALL = {"seconds": Condition((10,))}, {"resolution": Condition(("720p",))}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"rules": [rule({"extent": Condition((5,))}, _SMALL)]}, "rule-1 speaks of a field extent"),
        ({"rules": [rule({}, {"seconds": Condition(same_as="extent")})]}, "speaks of a field extent"),
        ({"rules": [rule(_IS_LONG, {"resolution": Condition(("1080",))})]}, "resolution '1080', which no order"),
        ({"rules": [rule(_IS_LONG, {})]}, "rule-1 says nothing"),
        ({"rules": [rule(_IS_LONG, {"seconds": Condition()})]}, "does not say what seconds has to be"),
        ({"rules": [rule(_IS_LONG, _SMALL, "one"), rule(_IS_LONG, _SMALL, "one")]}, "Two rules are named one"),
        ({"rules": [rule({"seconds": Condition((5,))}, {"resolution": Condition(("1080p",))})]}, "by default breaks"),
        ({"rules": [rule(_IS_LONG, {"seconds": Condition((5,))})]}, "No order can have seconds 10"),
        ({"rules": [rule({"start": Condition((1,))}, _SMALL)]}, "start 1, which no order"),
        ({"further": {"seconds": (1, 2)}}, "Every order has a field seconds"),
        ({"further": {"tier": ()}}, "needs values"),
    ],
)
def test_mistakes_are_named(changes: dict[str, Any], complaint: str) -> None:
    """A rule that is misspelt, never true, or in the way of everything is named with what is wrong in it."""
    model = replace(FIFTEEN[0], durations=(5, 10), default_seconds=5, resolutions=("720p", "1080p"), rules=())
    wrong = constraints.mistakes(replace(model, start_image=False, **changes))
    assert any(complaint in sentence for sentence in wrong), wrong


def test_search_by_counts_is_no_walk_through_the_product() -> None:
    """31 x 4 x 11 references with a wish that breaks every rule: few values are tried of each field."""
    model = NAMED["seedance-2.5"]
    known = constraints.constraints(model)
    tried = {field: known.one_of_a_kind(field, domain) for field, domain in known.domains.items()}
    assert len(tried["sounds"]) == 2
    assert len(tried["seconds"]) == 1
    wish = {field: list(reversed(domain)) for field, domain in known.domains.items()}
    found = known.nearest(wish)
    assert found is not None
    assert (found["start"], found["images"], found["ratio"]) == (1, 0, "image")
