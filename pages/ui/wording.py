"""How figures, times and states are worded for people, in the language of the session; the same on every page."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import TypeVar

from babel import dates, numbers

from core.catalog import price_list
from core.db.enums import EntryKind, Role, Stage, Status, WorkspaceRole
from core.files.findings import FindingKind
from core.providers.models import VideoModel
from core.usage import reports
from core.usage.reports import ProjectLabel
from pages.ui import language, time_zone
from pages.ui.language import N_, _, plural

NO_BREAK = "\N{NO-BREAK SPACE}"
SHORT_FROM_IDR = 10_000_000
"""From here on a figure is wider than half a phone."""

Key = TypeVar("Key")


class TranslatedLabels(Mapping[Key, str]):
    """A table of words, looked up in the language of the session."""

    def __init__(self, words: Mapping[Key, str]) -> None:
        self._words = words

    def __getitem__(self, key: Key) -> str:
        """The word for a key, translated now."""
        return _(self._words[key])

    def __iter__(self) -> Iterator[Key]:
        """The keys, in their order."""
        return iter(self._words)

    def __or__(self, more: Mapping[Key, str]) -> dict[Key, str]:
        """The words translated now, and more after them."""
        return {**self, **more}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._words)


STATUS = TranslatedLabels(
    {
        Status.PENDING: N_("Waiting"),
        Status.PROCESSING: N_("In progress"),
        Status.UNCERTAIN: N_("Needs review"),
        Status.COMPLETED: N_("Completed"),
        Status.FAILED: N_("Failed"),
        Status.CANCELLED: N_("Cancelled"),
    }
)

FINDING = TranslatedLabels(
    {
        FindingKind.BLACK: N_("Black picture"),
        FindingKind.FROZEN: N_("Frozen picture"),
        FindingKind.FLICKER: N_("Flicker"),
        FindingKind.LETTERBOX: N_("Black bars"),
        FindingKind.SILENT: N_("No sound"),
        FindingKind.CLIPPED: N_("Distorted sound"),
        FindingKind.TOO_LOUD: N_("Too loud"),
        FindingKind.TOO_QUIET: N_("Too quiet"),
        FindingKind.OTHER_SHAPE: N_("Other aspect ratio"),
        FindingKind.OTHER_SIZE: N_("Other resolution"),
        FindingKind.OTHER_LENGTH: N_("Other length"),
    }
)
"""What can be noticed about a delivered clip."""

ROLE = TranslatedLabels({Role.USER: N_("Member"), Role.ANALYST: N_("Analyst"), Role.ADMIN: N_("Administrator")})
"""What a person is in the installation."""

WORKSPACE_ROLE = TranslatedLabels(
    {WorkspaceRole.VIEWER: N_("Viewer"), WorkspaceRole.MAKER: N_("Maker"), WorkspaceRole.MANAGER: N_("Manager")}
)

STAGE = TranslatedLabels(
    {
        Stage.QUEUED: N_("Waiting in line"),
        Stage.DISPATCHED: N_("About to be sent"),
        Stage.SUBMITTING: N_("Being sent to the provider"),
        Stage.WAITING: N_("The provider is making it"),
        Stage.READY_TO_DOWNLOAD: N_("Made, about to be fetched"),
        Stage.DOWNLOADING: N_("Being fetched and checked"),
        Stage.FINALIZED: N_("Ended"),
    }
)

ENTRY = TranslatedLabels(
    {
        EntryKind.GRANT: N_("Granted"),
        EntryKind.HOLD: N_("Reserved"),
        EntryKind.SETTLE: N_("Charged"),
        EntryKind.RELEASE: N_("Returned"),
        EntryKind.ADJUST: N_("Corrected"),
        EntryKind.TRANSFER: N_("Transferred"),
    }
)

_LINE = TranslatedLabels(
    {
        "base": N_("Base price"),
        "resolution": N_("Resolution"),
        "duration": N_("Extra seconds"),
        "startImage": N_("Start image"),
        "endImage": N_("End image"),
        "images": N_("Start and end image"),
        "references": N_("References"),
        "audio": N_("Sound"),
        "promptEnhancement": N_("Prompt enhancement"),
    }
)


def credits(amount: int) -> str:
    """A whole number, grouped: `2,500`, in Indonesian `2.500`."""
    return _figure(amount, language.current())


def priced(amount: int) -> str:
    """`2,500 credits`."""
    return plural("{number} credit", "{number} credits", amount).format(number=credits(amount))


def rupiah(amount_idr: int) -> str:
    """`Rp 125,000`, in Indonesian `Rp 125.000`: whole rupiah, grouped as every number is."""
    return f"Rp {credits(amount_idr)}"


def rupiah_in_short(amount_idr: int) -> str:
    """`Rp 848M`, in Indonesian `Rp 848 jt`: for a row of figures of which one `is_wide`, and then for all of it."""
    return f"Rp {numbers.format_compact_decimal(amount_idr, locale=language.locale(), fraction_digits=1)}"


def is_wide(amount_idr: int) -> bool:
    """Whether the whole figure would not fit a frame on a phone."""
    return abs(amount_idr) >= SHORT_FROM_IDR


def money(amount: Decimal, currency: str) -> str:
    """What a provider takes: `0.42 USD`, in Indonesian `0,42 USD`; rupiah as everywhere."""
    if currency == "IDR":
        return rupiah(round(amount))
    return f"{numbers.format_decimal(amount, format='#,##0.00##', locale=language.locale())} {currency}"


def worth(amount: int) -> str:
    """What credits are worth in rupiah."""
    return rupiah(amount * price_list.IDR_PER_CREDIT)


def decimal(value: float, digits: int = 1) -> str:
    """A number with this many decimals at most: `1.4`, in Indonesian `1,4`."""
    return _figure(round(value, digits) + 0.0, language.current())  # which makes 0.0 of -0.0


@lru_cache(maxsize=4096, typed=True)
def _figure(value: float, tag: str) -> str:
    """Kept, because pages show the same figures again and again and Babel takes its time."""
    return numbers.format_decimal(value, locale=tag)


def share(value: float) -> str:
    """A share of one as whole percent: `93%`."""
    return _percent(round(value, 4), language.current())


@lru_cache(maxsize=4096)
def _percent(value: float, tag: str) -> str:
    return numbers.format_percent(value, format="#,##0%", locale=tag)


def line(kind: str, percent: int | None) -> str:
    """The name of a price line, with its share of the base price where it is one."""
    name = _LINE.get(kind, kind)
    return f"{name} (+{share(percent / 100)})" if percent else name


def count(number: int, one: str, many: str) -> str:
    """`1 clip`, `12 clips`; the words are gathered for the catalogue where they are given."""
    return f"{credits(number)} {plural(one, many, number)}"


def age(then: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits; a date from a month on."""
    seconds = max(0, int((now - then).total_seconds()))
    if seconds < 60:
        return _("just now")
    if seconds < 3600:
        return _("{number} min ago").format(number=seconds // 60)
    if seconds < 86_400:
        return _("{number} h ago").format(number=seconds // 3600)
    if seconds < 30 * 86_400:
        days = seconds // 86_400
        return plural("{number} day ago", "{number} days ago", days).format(number=days)
    return day(then)


def day(when: datetime) -> str:
    """`21 Nov 2026`."""
    return _day(when.date(), language.current())


@lru_cache(maxsize=4096)
def _day(when: date, tag: str) -> str:
    return dates.format_date(when, "d MMM y", locale=tag)


def moment(when: datetime, zone: tzinfo | None = None) -> str:
    """`21 Nov 2026, 16:30:05 WIB`: in this time zone, else in that of who looks."""
    return _moment(when.astimezone(zone or time_zone.own()), "Hms")


def minute(when: datetime, zone: tzinfo | None = None) -> str:
    """`21 Nov 2026, 16:30 WIB`: in this time zone, else in that of who looks."""
    return _moment(when.astimezone(zone or time_zone.own()), "Hm")


def _moment(when: datetime, skeleton: str) -> str:
    return f"{day(when)}, {_time(when.time(), skeleton, language.current())} {time_zone.name(when)}"


@lru_cache(maxsize=4096)
def _time(when: time, skeleton: str, tag: str) -> str:
    return dates.format_skeleton(skeleton, when, locale=tag)


def span(seconds: float) -> str:
    """A rough length of time: `20 s`, `3 min`, `2 h`."""
    if seconds < 90:
        said = _("{number} s").format(number=max(1, round(seconds)))
    elif seconds < 5400:
        said = _("{number} min").format(number=round(seconds / 60))
    else:
        said = _("{number} h").format(number=round(seconds / 3600))
    return said.replace(" ", NO_BREAK)


def size(size_bytes: int) -> str:
    """`1.4 MB`."""
    if size_bytes < 1_000_000:
        return f"{credits(max(1, round(size_bytes / 1000)))} kB"
    if size_bytes >= 1_000_000_000:
        return f"{decimal(size_bytes / 1_000_000_000)} GB"
    return f"{decimal(size_bytes / 1_000_000)} MB"


def lengths(model: VideoModel) -> str:
    """The clip lengths a model can make: `8 s`, `5 or 10 s`, `1 to 10 s`."""
    seconds = model.durations
    if len(seconds) == 1:
        return _("{number} s").format(number=seconds[0])
    between = _("{first} or {last} s") if len(seconds) == 2 else _("{first} to {last} s")
    return between.format(first=seconds[0], last=seconds[-1])


REFERENCE_ROLE = TranslatedLabels(
    {
        "subject": N_("subject"),
        "style": N_("style"),
        "asset": N_("subject"),
        "character": N_("character"),
        "object": N_("object"),
        "scene": N_("scene"),
    }
)


def reference_role(role: str) -> str:
    """What a reference stands for: in the reader's language where it is a usual role, else as its model names it."""
    return REFERENCE_ROLE.get(role, role)


def sound(was_chosen: bool, model: VideoModel | None) -> str:
    """Whether a clip of a model, if it is still here, was ordered with sound."""
    if model is not None and model.always_audio:
        return _("always")
    return _("on") if was_chosen else _("off")


def reference(role: str) -> str:
    """What a reference is called where it is shown."""
    return _("Reference ({role})").format(role=reference_role(role)) if role else _("Reference")


def features(model: VideoModel) -> tuple[str, ...]:
    """What a model takes beyond a prompt, in a word or two each."""
    known = (
        (model.start_image and model.end_image, _("Start and end image")),
        (model.start_image and not model.end_image, _("Start image")),
        (model.end_image and not model.start_image, _("End image")),
        (model.negative_prompt, _("Negative prompt")),
        (model.audio or model.always_audio, _("Sound")),
        (model.reference_images > 0, _("References")),
        (model.seed, _("Seed")),
        (model.prompt_enhancement, _("Prompt enhancement")),
    )
    return tuple(name for has, name in known if has)


def project(label: ProjectLabel, *, everybody: bool) -> str:
    """What a project is called on pages, as in files and answers: see `reports.project_title`."""
    return reports.project_title(label, everybody=everybody)
