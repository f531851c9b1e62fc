"""How figures, times and states are worded for people; pure functions, the same on every page."""

from collections.abc import Mapping
from datetime import datetime

from core import pricing
from core.models import EntryKind, Stage, Status
from core.video import VideoModel

STATUS: Mapping[Status, str] = {
    Status.PENDING: "Waiting",
    Status.PROCESSING: "In the making",
    Status.UNCERTAIN: "Unclear",
    Status.COMPLETED: "Completed",
    Status.FAILED: "Failed",
    Status.CANCELLED: "Cancelled",
}

STAGE: Mapping[Stage, str] = {
    Stage.QUEUED: "Waiting in line",
    Stage.HANDED: "About to be sent",
    Stage.SUBMITTING: "Being sent to the provider",
    Stage.WAITING: "The provider is making it",
    Stage.READY: "Made, about to be fetched",
    Stage.DOWNLOADING: "Being fetched and checked",
    Stage.ENDED: "Ended",
}

ENTRY: Mapping[EntryKind, str] = {
    EntryKind.GRANT: "Granted",
    EntryKind.HOLD: "Reserved",
    EntryKind.SETTLE: "Charged",
    EntryKind.RELEASE: "Given back",
    EntryKind.ADJUST: "Corrected",
}

_LINE: Mapping[str, str] = {
    "base": "Base price",
    "resolution": "Resolution",
    "duration": "Extra seconds",
    "startImage": "Start image",
    "endImage": "End image",
    "images": "Start and end image",
    "audio": "Sound",
    "promptEnhancement": "Prompt enhancement",
}


def credits(amount: int) -> str:
    """`2,500`."""
    return f"{amount:,}"


def priced(amount: int) -> str:
    """`2,500 credits`."""
    return f"{amount:,} credit{'' if amount == 1 else 's'}"


def rupiah(amount_idr: int) -> str:
    """`Rp 125.000`: whole rupiah, grouped the Indonesian way."""
    return f"Rp {amount_idr:,}".replace(",", ".")


def worth(amount: int) -> str:
    """What credits are worth in rupiah."""
    return rupiah(amount * pricing.IDR_PER_CREDIT)


def line(kind: str, percent: int | None) -> str:
    """The name of a price line, with its share of the base price where it is one."""
    name = _LINE.get(kind, kind)
    return f"{name} (+{percent} %)" if percent else name


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 clip`, `12 clips`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def age(then: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits; a date from a month on."""
    seconds = max(0, int((now - then).total_seconds()))
    if seconds < 60:
        return "just now"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86_400:
        return f"{seconds // 3600} h ago"
    if seconds < 30 * 86_400:
        return f"{count(seconds // 86_400, 'day')} ago"
    return day(then)


def day(when: datetime) -> str:
    """`21 Nov 2026`."""
    return f"{when.day} {when:%b %Y}"


def moment(when: datetime) -> str:
    """`21 Nov 2026, 09:30:05 UTC`."""
    return f"{day(when)}, {when:%H:%M:%S} UTC"


def span(seconds: float) -> str:
    """A rough length of time: `20 s`, `3 min`, `2 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"


def size(size_bytes: int) -> str:
    """`1.4 MB`."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000)):,} kB"
    return f"{size_bytes / 1_000_000:,.1f} MB"


def lengths(model: VideoModel) -> str:
    """The clip lengths a model can make: `8 s`, `5 or 10 s`, `1 to 10 s`."""
    seconds = model.durations
    if len(seconds) == 1:
        return f"{seconds[0]} s"
    if len(seconds) == 2:
        return f"{seconds[0]} or {seconds[1]} s"
    return f"{seconds[0]} to {seconds[-1]} s"


def features(model: VideoModel) -> tuple[str, ...]:
    """What a model takes beyond a prompt, in a word or two each."""
    known = (
        (model.start_image and model.end_image, "Start and end image"),
        (model.start_image and not model.end_image, "Start image"),
        (model.end_image and not model.start_image, "End image"),
        (model.negative_prompt, "Negative prompt"),
        (model.audio, "Sound"),
        (model.prompt_enhancement, "Prompt enhancement"),
    )
    return tuple(name for has, name in known if has)
