"""What is said of clips that have ended: one by its prompt, several by how many, and who made those of others.

What was said so needs no reading in the inbox.
"""

from collections.abc import Sequence

from core import db
from core.db import ReadSession
from core.db.enums import Status
from core.db.tables import Generation
from core.notifications import inbox
from core.workspaces import profiles
from core.workspaces.access import Member
from pages.ui import wording
from pages.ui.language import _, plural

PROMPT_CHARS = 60
MAX_NAMES = 3


def told(session: ReadSession, person: Member, ended: Sequence[Generation]) -> str:
    """What this person is told of these ends."""
    return summary(ended, _others(session, person, ended))


def note_told(person: Member, clips: Sequence[Generation]) -> None:
    """Count the notices that these clips are done as read: their person has just been told, or looks at them."""
    with db.read_connection() as reader:
        if not clips or not inbox.are_unread(reader, person, clips):
            return
    with db.write_session() as session:
        inbox.mark_told(session, person, clips)


def _others(session: ReadSession, person: Member, ended: Sequence[Generation]) -> Sequence[str]:
    """The names of those who made some of these, without the person's own."""
    theirs = [row.user_id for row in ended if row.user_id != person.id]
    return [profile.name for profile in profiles.people(session, theirs).values()] if theirs else ()


def summary(ended: Sequence[Generation], others: Sequence[str] = ()) -> str:
    """What ended, in a line: one clip by its prompt, several by how many; and `others` who made some of them."""
    returned = sum(row.credits for row in ended if row.status is not Status.COMPLETED)
    back = _("{price} returned").format(price=wording.priced(returned)) if returned else ""
    if len(ended) == 1:
        row = ended[0]
        cut = row.prompt if len(row.prompt) <= PROMPT_CHARS else f"{row.prompt[: PROMPT_CHARS - 1].rstrip()}…"
        said = _ONE[row.status]().format(prompt=cut)
    else:
        counts = [(status, sum(row.status is status for row in ended)) for status in _MANY]
        said = ", ".join(
            _MANY[status](count).format(number=wording.credits(count)) for status, count in counts if count
        )
    whose = ", ".join(others[:MAX_NAMES]) + (", …" if len(others) > MAX_NAMES else "")
    if others:
        said = _("{what} ({people})").format(what=said, people=whose)
    return "; ".join(filter(None, (said, back)))


_ONE = {
    Status.COMPLETED: lambda: _("Finished: {prompt}"),
    Status.FAILED: lambda: _("Failed: {prompt}"),
    Status.CANCELLED: lambda: _("Cancelled: {prompt}"),
}
_MANY = {
    Status.COMPLETED: lambda count: plural("{number} clip finished", "{number} clips finished", count),
    Status.FAILED: lambda count: plural("{number} failed", "{number} failed", count),
    Status.CANCELLED: lambda count: plural("{number} cancelled", "{number} cancelled", count),
}
