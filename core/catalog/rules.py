"""What a model can make of an order: `check` says what it cannot, `choices` what a form offers, `adapt` the nearest.

All three read the same flat fields, domains and rules (`core.providers.constraints`), so that what is offered passes
and what is adapted is taken. Nothing is rounded silently.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from core import errors, validation
from core.catalog import in_force
from core.catalog.adaptation import Adapted, Adjustment, adapt
from core.catalog.order_fields import flat, sentence
from core.errors import FieldProblem
from core.messages import Message, message
from core.providers import constraints
from core.providers.constraints import Value
from core.providers.contract import MediaKind
from core.providers.models import VideoModel
from core.spec import MAX_SEED, GenerationSpec

__all__ = ["Adapted", "Adjustment", "adapt"]

FieldErrors = dict[str, Message]
"""Field name, as in the API -> what to change."""

FIELD_NAMES: Mapping[str, str] = {
    "resolution": "resolution",
    "seconds": "duration",
    "ratio": "aspectRatio",
    "negative": "negativePrompt",
    "start": "startImagePath",
    "end": "endImagePath",
    "sound": "generateAudio",
    "enhance": "enhancePrompt",
    "seed": "seed",
    "fps": "fps",
    **dict.fromkeys(("images", "videos", "sounds", *constraints.SUMS), "references"),
}
"""Field of the rules -> its field name in the API, in the order in which they are complained of."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a field, and why it cannot be chosen while all other fields stay; None where it can."""

    value: Value
    reason: Message | None = None
    rule: str = ""


def validate(spec: GenerationSpec, *, prompt_required: bool = True) -> FieldErrors:
    """`check` with the model that the spec names; an unknown one is an error of its field."""
    return _by_field(_problems_of(spec, prompt_required=prompt_required))


def require(spec: GenerationSpec, *, without_images: bool = False) -> VideoModel:
    """The model of a spec that can be made; raises InvalidRequest, with fields and what could stand in them.

    `without_images`: settings that are kept to be ordered later, with a prompt and images that come along then.
    """
    found = _problems_of(spec, prompt_required=not without_images)
    if without_images:
        still_open = _rules_on_media(spec.model_id)
        found = [problem for problem in found if problem.rule not in still_open]
    if found:
        raise errors.InvalidRequest(fields=_by_field(found), problems=found)
    return in_force.model(spec.model_id)


def check(model: VideoModel, spec: GenerationSpec, *, prompt_required: bool = True) -> FieldErrors:
    """What of a spec the model cannot make; empty when it can make all of it.

    Without `prompt_required` an empty prompt is fine, for settings that are looked at before there is one.
    """
    return _by_field(problems(model, spec, prompt_required=prompt_required))


def problems(model: VideoModel, spec: GenerationSpec, *, prompt_required: bool = True) -> list[FieldProblem]:
    """What of a spec the model cannot make: what it never makes before what does not go together."""
    values = flat(model, spec)
    known = constraints.constraints(model)
    found = list(_texts(model, spec, prompt_required=prompt_required))
    for field, name in FIELD_NAMES.items():
        if field in known.domains and values[field] not in known.domains[field]:
            allowed = known.fitting(values, field) or known.domains[field]
            found.append(FieldProblem(name, _never(model, field), "domain", allowed))
    found += _references(model, spec)
    for rule in known.broken(values):
        said = sentence(model, rule)
        for field in constraints.failing(rule, values):
            # A field of the model's own cannot be ordered: what it does not go with can be changed.
            shown = field if field in FIELD_NAMES else next((each for each in rule.when if each in FIELD_NAMES), field)
            allowed = known.fitting(values, shown) if shown in known.domains else ()
            found.append(FieldProblem(FIELD_NAMES.get(shown, shown), said, rule.id, allowed))
    return found


def choices(model: VideoModel, spec: GenerationSpec) -> dict[str, tuple[Choice, ...]]:
    """All values of every field of an order by the field's name in the rules, each on its own: all others stay."""
    known, values = constraints.constraints(model), flat(model, spec)
    return {field: _choices(model, known, values, field) for field in FIELD_NAMES if field in known.domains}


def choices_of(model: VideoModel, spec: GenerationSpec, field: str) -> tuple[Choice, ...]:
    """The same for one field."""
    return _choices(model, constraints.constraints(model), flat(model, spec), field)


def first_of_each_field(found: Sequence[FieldProblem]) -> list[FieldProblem]:
    """The first problem of every field that has one, in their order."""
    first: dict[str, FieldProblem] = {}
    for problem in found:
        first.setdefault(problem.field, problem)
    return list(first.values())


def media(spec: GenerationSpec) -> Iterator[tuple[str, str, str]]:
    """(key, kind, field name in the API) of every upload that a spec refers to."""
    for key, field in ((spec.start_image_key, "start"), (spec.end_image_key, "end")):
        if key is not None:
            yield key, MediaKind.IMAGE, FIELD_NAMES[field]
    for place, reference in enumerate(spec.references):
        yield reference.key, reference.kind, f"references.{place}.filePath"


def _choices(
    model: VideoModel, known: constraints.Constraints, values: Mapping[str, Value], field: str
) -> tuple[Choice, ...]:
    found = []
    for value in known.domains[field]:
        rule = next(known.broken({**values, field: value}, about=field), None)
        found.append(Choice(value) if rule is None else Choice(value, sentence(model, rule), rule.id))
    return tuple(found)


def _problems_of(spec: GenerationSpec, *, prompt_required: bool) -> list[FieldProblem]:
    try:
        model = in_force.model(spec.model_id)
    except errors.NotFound as unknown:
        return [FieldProblem("modelId", unknown.message, "domain")]
    return problems(model, spec, prompt_required=prompt_required)


def _by_field(found: Sequence[FieldProblem]) -> FieldErrors:
    return {problem.field: problem.message for problem in first_of_each_field(found)}


def _rules_on_media(model_id: str) -> frozenset[str]:
    """Ids of the rules that images may still satisfy."""
    entry = in_force.find(model_id)
    if entry is None:
        return frozenset()
    return frozenset(
        rule.id
        for rule in constraints.constraints(entry.model).rules
        if not constraints.fields_of(rule).isdisjoint(constraints.MEDIA)
    )


def _texts(model: VideoModel, spec: GenerationSpec, *, prompt_required: bool) -> Iterator[FieldProblem]:
    if (spec.prompt or prompt_required) and not spec.prompt.strip():
        yield FieldProblem("prompt", message("prompt_missing"), "text")
    elif wrong := validation.text_error(spec.prompt, limit_chars=model.prompt_limit_chars):
        yield FieldProblem("prompt", wrong, "text")
    takes_negative = model.negative_prompt or model.ignores_negative_prompt
    too_much = validation.text_error(spec.negative_prompt, limit_chars=model.prompt_limit_chars)
    if too_much and (takes_negative or not spec.negative_prompt.strip()):
        yield FieldProblem("negativePrompt", too_much, "text")
    if spec.seed is not None and not 0 <= spec.seed <= MAX_SEED:
        yield FieldProblem("seed", message("seed_out_of_range", limit=MAX_SEED), "domain")


def _references(model: VideoModel, spec: GenerationSpec) -> Iterator[FieldProblem]:
    """Each is in a role that the model knows."""
    roles = model.reference_roles
    for place, reference in enumerate(spec.references):
        if known_references(model) and reference.role not in (roles or ("",)):
            known = message("no_such_role", name=model.name, roles=_listed(roles)) if roles else None
            said = known or message("no_roles", name=model.name)
            yield FieldProblem(f"references.{place}.role", said, "domain", roles)


def _never(model: VideoModel, field: str) -> Message:
    """What a model never makes of a field, as a sentence."""
    if field == "resolution":
        return message("model_makes_resolutions", name=model.name, resolutions=_listed(model.resolutions))
    if field == "seconds":
        return message("model_makes_durations", name=model.name, durations=_lengths(model.durations))
    if field == "ratio":
        return message("model_makes_ratios", name=model.name, aspect_ratios=_listed(model.aspect_ratios))
    if field == "fps" and model.frame_rates:
        rates = _listed([str(rate) for rate in model.frame_rates])
        return message("model_makes_frame_rates", name=model.name, frame_rates=rates)
    if field in ("images", "videos", "sounds"):
        return _never_refers(model, field)
    return {
        "negative": message("no_negative_prompt", name=model.name),
        "start": message("no_start_image", name=model.name),
        "end": message("no_end_image", name=model.name),
        "sound": message("makes_no_sound", name=model.name),
        "enhance": message("no_enhancement", name=model.name),
        "seed": message("takes_no_seed", name=model.name),
        "fps": message("no_frame_rates", name=model.name),
    }[field]


def _never_refers(model: VideoModel, field: str) -> Message:
    """That a model takes no references, none of this kind, or no more of it."""
    if not known_references(model):
        return message("takes_no_references", name=model.name)
    name = model.name
    match field:
        case "images":
            limit, none = model.reference_images, message("takes_no_images", name=name)
            too_many = message("too_many_references", name=name, limit=limit)
        case "videos":
            limit, none = model.reference_videos, message("takes_no_videos", name=name)
            too_many = message("too_many_reference_videos", name=name, limit=limit)
        case _:
            limit, none = model.reference_sounds, message("takes_no_sounds", name=name)
            too_many = message("too_many_reference_sounds", name=name, limit=limit)
    return too_many if limit else none


def known_references(model: VideoModel) -> bool:
    """Whether a model takes references of any kind."""
    return bool(model.reference_images or model.reference_videos or model.reference_sounds)


def _listed(words: Sequence[str]) -> Message | str:
    *others, last = words
    return message("one_of", others=", ".join(others), last=last) if others else last


def _lengths(durations: Sequence[int]) -> Message | str:
    first, last = durations[0], durations[-1]
    if len(durations) > 3 and last - first == len(durations) - 1:
        return message("from_to", first=first, last=last)
    return _listed([str(seconds) for seconds in durations])
