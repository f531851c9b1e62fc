"""What the content credentials of a file say, in few bounded words; pure, and made of what nobody should believe.

Everything in a file's credentials may be written by whoever made the file, so texts are short and few here.
"""

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

MOST_CHARS = 200
MOST_ITEMS = 20
GENERATION = "ai-video-generator.generation"
"""The label of our own assertion: model, provider and installation, and no prompt and no person."""
DISCLOSURE = "c2pa.ai-disclosure"
"""C2PA 2.4, "AI disclosure assertion"."""
_UNTRUSTED = "signingCredential.untrusted"
_TRUSTED = "signingCredential.trusted"
_SIGNED = "claimSignature.validated"
_AI_SOURCES = ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")


class Validation(StrEnum):
    """What the check of a file's credentials has found."""

    VALID = "valid"
    """The file is as it was signed."""
    INVALID = "invalid"
    """The file or its credentials were changed after it was signed, or the signature counts for nothing."""


@dataclass(frozen=True, slots=True)
class SaidAction:
    """One thing that was done to the file, by the signer's word; `when` is the text that stands there."""

    action: str
    when: str
    software: str
    source_type: str
    description: str


@dataclass(frozen=True, slots=True)
class Ingredient:
    """Credentials that the file had before, kept inside, with what their check found when they were taken over."""

    title: str
    relationship: str
    signer: str
    claim_generator: str
    validation: Validation | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a file's credentials say and what their check has found.

    `is_own` is whether a certificate of this installation has signed. `problems` are the codes of C2PA for what is
    wrong. `is_ai`, `model`, `model_id`, `provider`, `installation`, `generation_id` and `made_at` are the signer's own
    words, empty where nothing is said.
    """

    validation: Validation
    is_own: bool
    signer: str
    issuer: str
    claim_generator: str
    is_ai: bool
    model: str
    model_id: str
    provider: str
    installation: str
    generation_id: str
    made_at: str
    actions: tuple[SaidAction, ...]
    ingredients: tuple[Ingredient, ...]
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self:
        """A report as it was kept."""
        ingredients = (
            Ingredient(
                **each
                | {
                    "validation": Validation(each["validation"]) if each["validation"] else None,
                    "problems": tuple(each["problems"]),
                }
            )
            for each in kept["ingredients"]
        )
        return cls(
            **{**kept}
            | {
                "validation": Validation(kept["validation"]),
                "actions": tuple(SaidAction(**each) for each in kept["actions"]),
                "ingredients": tuple(ingredients),
                "problems": tuple(kept["problems"]),
            }
        )


DAMAGED = Report(
    Validation.INVALID, False, "", "", "", False, "", "", "", "", "", "", (), (), ("credentials.damaged",)
)  # fmt: skip
"""Of a file with something that should be credentials and cannot be read."""


def of_store(store: Mapping[str, Any], *, own_serial_numbers: Collection[str]) -> Report:
    """The report on what `c2pa.Reader.json` says of a file whose reader trusts our own authorities alone.

    Raises nothing: what is not as it should be is left out.
    """
    manifests = _mapping(store.get("manifests"))
    active = _mapping(manifests.get(_raw(store.get("active_manifest"))))
    results = _mapping(_mapping(store.get("validation_results")).get("activeManifest"))
    problems = _problems(results)
    deltas = _mapping(store.get("validation_results")).get("ingredientDeltas")
    problems += [code for delta in _list(deltas) for code in _problems(_mapping(delta.get("validationDeltas")))]
    signature = _mapping(active.get("signature_info"))
    assertions = {
        _text(each.get("label")): _mapping(each.get("data")) for each in _list(active.get("assertions"), most=1000)
    }
    said = assertions.get(GENERATION, {})
    disclosed = assertions.get(DISCLOSURE, {})
    actions = _actions(assertions)
    first = actions[0] if actions else None
    return Report(
        validation=Validation.INVALID if problems or not active else Validation.VALID,
        is_own={_TRUSTED, _SIGNED} <= set(_codes(results.get("success")))
        and _text(signature.get("cert_serial_number")) in own_serial_numbers,
        signer=_text(signature.get("common_name")) or _text(signature.get("issuer")),
        issuer=_text(signature.get("issuer")),
        claim_generator=_generator(active),
        is_ai=bool(disclosed) or any(each.source_type in _AI_SOURCES for each in actions),
        model=_text(said.get("modelName")) or _text(disclosed.get("modelName")),
        model_id=_text(said.get("modelId")) or _text(disclosed.get("modelIdentifier")),
        provider=_text(said.get("provider")),
        installation=_text(said.get("installation")),
        generation_id=_text(said.get("generation")),
        made_at=_text(said.get("madeAt")) or (first.when if first else ""),
        actions=tuple(actions),
        ingredients=tuple(_ingredient(each, manifests) for each in _list(active.get("ingredients"))),
        problems=tuple(dict.fromkeys(problems))[:MOST_ITEMS],
    )


def _ingredient(said: Mapping[str, Any], manifests: Mapping[str, Any]) -> Ingredient:
    results = _mapping(_mapping(said.get("validation_results")).get("activeManifest"))
    problems = _problems(results)
    manifest = _mapping(manifests.get(_raw(said.get("active_manifest"))))
    signature = _mapping(manifest.get("signature_info"))
    validation = None
    if results:
        validation = Validation.INVALID if problems else Validation.VALID
    return Ingredient(
        title=_text(said.get("title")),
        relationship=_text(said.get("relationship")),
        signer=_text(signature.get("common_name")) or _text(signature.get("issuer")),
        claim_generator=_generator(manifest),
        validation=validation,
        problems=tuple(dict.fromkeys(problems))[:MOST_ITEMS],
    )


def _actions(assertions: Mapping[str, Mapping[str, Any]]) -> list[SaidAction]:
    listed = next((data.get("actions") for label, data in assertions.items() if label.startswith("c2pa.actions")), ())
    return [
        SaidAction(
            action=_text(each.get("action")),
            when=_text(each.get("when")),
            software=_software(each.get("softwareAgent")),
            source_type=_text(each.get("digitalSourceType")).rpartition("/")[2],
            description=_text(each.get("description")),
        )
        for each in _list(listed)
    ]


def _generator(manifest: Mapping[str, Any]) -> str:
    infos = _list(manifest.get("claim_generator_info"))
    return _software(infos[0]) if infos else _text(manifest.get("claim_generator"))


def _software(said: object) -> str:
    """A name and its version, whether they are one text or two."""
    if isinstance(said, Mapping):
        return " ".join(filter(None, (_text(said.get("name")), _text(said.get("version")))))
    return _text(said)


def _problems(results: Mapping[str, Any]) -> list[str]:
    """What is wrong, but for a signer that nobody here knows: that is told apart, and is no fault of the file."""
    return [code for code in _codes(results.get("failure")) if code != _UNTRUSTED]


def _codes(found: object) -> list[str]:
    return [_text(each.get("code")) for each in _list(found, most=1000)]


def _list(value: object, *, most: int = MOST_ITEMS) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        return ()
    return [each for each in value[:most] if isinstance(each, Mapping)]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _raw(value: object) -> str:
    return value if isinstance(value, str) else ""


def _text(value: object) -> str:
    """A text of one short line without what cannot be seen, which could turn letters around."""
    if not isinstance(value, str):
        return ""
    seen = "".join(" " if unicodedata.category(char).startswith(("C", "Z")) else char for char in value[:MOST_CHARS])
    return " ".join(seen.split())
