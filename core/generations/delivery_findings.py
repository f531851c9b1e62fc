"""What was noticed about a delivered clip: gaps to its order, and what its file shows, in words and on its row."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self

from core.db import WriteSession, update_where
from core.db.tables import Generation
from core.files.findings import Finding, FindingKind, mask
from core.generations import conformance
from core.messages import Message, message
from core.spec import GenerationSpec

_OF_GAP: Mapping[str, FindingKind] = {
    "other_shape": FindingKind.OTHER_SHAPE,
    "other_size": FindingKind.OTHER_SIZE,
    "other_length": FindingKind.OTHER_LENGTH,
    "no_sound": FindingKind.SILENT,
}
"""Code of a gap (`conformance.deviations`) -> kind."""

_ONLY_IF_ORDERED = frozenset({FindingKind.SILENT, FindingKind.TOO_QUIET})
"""Sound that nobody has ordered may be as quiet as it likes."""


class Delivered(Protocol):
    """The columns of a generation, or of a row of a list, that tell of its clip."""

    @property
    def findings(self) -> Sequence[Mapping[str, Any]] | None:
        """As they are kept; None while nobody has looked."""

    @property
    def output_facts(self) -> Mapping[str, Any] | None:
        """What was measured of the file, with its gaps."""


@dataclass(frozen=True, slots=True)
class Noticed:
    """A finding and the sentence that tells it."""

    finding: Finding
    message: Message

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return self.finding.to_json() | {"message": self.message.to_json()}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Self | None:
        """As it was kept; None for a kind or a sentence that this release does not know."""
        said = Message.from_json(kept["message"])
        try:
            return None if said is None else cls(Finding.from_json(kept), said)
        except ValueError:
            return None


def kinds_of_gaps(gaps: Iterable[Message]) -> int | None:
    """Kinds of the gaps to an order as bits, which are known at once; None for none, as long as nobody has looked."""
    return mask(_OF_GAP[gap.code] for gap in gaps if gap.code in _OF_GAP) or None


def noticed(spec: GenerationSpec, gaps: Iterable[Message], found: Iterable[Finding]) -> list[Noticed]:
    """What is to be told of a clip: gaps to its order first, then what was found that matters for this order."""
    told = [Noticed(Finding(_OF_GAP[gap.code]), gap) for gap in gaps if gap.code in _OF_GAP]
    told += [
        Noticed(finding, _sentence(finding))
        for finding in found
        if spec.generate_audio or finding.kind not in _ONLY_IF_ORDERED
    ]
    return told


def of(row: Delivered) -> list[Noticed]:
    """What is known of a clip; of one that nobody has looked over, its gaps to the order."""
    if row.findings is not None:
        return [told for told in map(Noticed.from_json, row.findings) if told is not None]
    gaps = conformance.from_facts(row.output_facts or {})
    return [Noticed(Finding(_OF_GAP.get(gap.code, FindingKind.OTHER_SHAPE)), gap) for gap in gaps]


def record(
    session: WriteSession, row: Generation, found: Iterable[Finding], *, loudness_lufs: float | None = None
) -> bool:
    """Write down what was found in the clip of this row, at this try; False when it was deleted or tried again since.

    `version` and `updated_at` stay, as they do when a preview is made: nothing about the order has changed.
    """
    told = noticed(row.spec, conformance.from_facts(row.output_facts or {}), found)
    recorded = update_where(
        session,
        Generation,
        Generation.id == row.id,
        Generation.preview_attempt == row.preview_attempt,
        Generation.deleted_at.is_(None),
        findings=[one.to_json() for one in told],
        finding_kinds=mask(one.finding.kind for one in told),
        loudness_lufs=loudness_lufs,
    )
    return recorded == 1


def _sentence(finding: Finding) -> Message:
    start_seconds, end_seconds = finding.start_seconds or 0.0, finding.end_seconds or 0.0
    measured = finding.measured or 0.0
    match finding.kind:
        case FindingKind.BLACK:
            return message("found_black", start_seconds=start_seconds, end_seconds=end_seconds)
        case FindingKind.FROZEN:
            return message("found_frozen", start_seconds=start_seconds, end_seconds=end_seconds)
        case FindingKind.FLICKER:
            return message(
                "found_flicker", start_seconds=start_seconds, end_seconds=end_seconds, flashes_per_second=measured
            )
        case FindingKind.LETTERBOX:
            return message("found_bars", percent=100 * measured)
        case FindingKind.SILENT:
            return message("found_silent")
        case FindingKind.CLIPPED:
            return message("found_clipped")
        case FindingKind.TOO_LOUD:
            return message("found_too_loud", lufs=measured)
        case FindingKind.TOO_QUIET:
            return message("found_too_quiet", lufs=measured)
        case FindingKind.OTHER_SHAPE | FindingKind.OTHER_SIZE | FindingKind.OTHER_LENGTH:
            raise ValueError(f"{finding.kind} is a gap to an order, and no file shows it")
