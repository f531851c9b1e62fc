"""What deleting a clip means here, in words: gone at once, or in the trash for some days. Deletes nothing itself."""

from core import installation
from core.db.tables import Generation
from core.generations.retention import Rules
from pages.ui import wording
from pages.ui.language import _, plural


def button() -> str:
    """What the button that deletes says."""
    return _("Move to the trash") if _trash_days() else _("Delete for good")


def of_one() -> str:
    """What becomes of a clip that is open."""
    days = _trash_days()
    if not days:
        return _("The clip and its files are removed for good. Its charges stay on record.")
    return plural(
        "The clip can be brought back for {number} day, at the end of History. Its charges stay on record.",
        "The clip can be brought back for {number} days, at the end of History. Its charges stay on record.",
        days,
    ).format(number=wording.credits(days))


def of_several(number: int) -> str:
    """What becomes of so many that are selected."""
    if not _trash_days():
        return plural(
            "{number} clip and its files are removed for good. What it cost stays on record.",
            "{number} clips and their files are removed for good. What they cost stays on record.",
            number,
        ).format(number=wording.credits(number))
    goes = plural("{number} clip goes to the trash.", "{number} clips go to the trash.", number)
    return f"{goes.format(number=wording.credits(number))} {_come_back()}"


def of_everything(clips: str) -> str:
    """What becomes of everything that matches; `clips` says how many that are."""
    if not _trash_days():
        said = _("All of them ({clips}) and their files are removed for good. What they cost stays on record.")
        return said.format(clips=clips)
    goes = _("All of them ({clips}) go to the trash.")
    return f"{goes.format(clips=clips)} {_come_back()}"


def done() -> str:
    """Said when a clip was deleted."""
    return _("The clip is in the trash, at the end of History.") if _trash_days() else _("Deleted.")


def leaves(row: Generation) -> str:
    """That a clip goes by itself, and what keeps it; empty for one that stays."""
    if row.leaves_at is None or Rules.of(installation.current().settings).applies_to(row) is None:
        return ""
    said = _("Goes to the trash on {day}, unless somebody keeps it or makes it a favourite.")
    return said.format(day=wording.day(row.leaves_at))


def _come_back() -> str:
    days = _trash_days()
    return plural(
        "They can be brought back for {number} day, at the end of History; what they cost stays on record.",
        "They can be brought back for {number} days, at the end of History; what they cost stays on record.",
        days,
    ).format(number=wording.credits(days))


def _trash_days() -> int:
    return installation.current().settings.trash_days
