"""The viewer of clips: what plays, under one set of keys, and what is decided about it; draws only.

It moves from clip to clip by itself and sends what is decided to `viewer_endpoint`, without a run of the page. Its page
learns where it stands by `look`, and answers with the clips beside that one.

Others on the page ask it by events on `window`: `video-viewer-go` (`detail`: a moment in seconds) leads the clip there,
`video-viewer-where` (`detail`: an object, which gets `seconds`) asks where it stands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.db.enums import Status
from core.db.tables import Generation
from core.generations import queries
from core.generations.list_filter import ReviewStatus
from core.generations.queries import ListRow
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import viewer_endpoint
from pages.sections.clip import marks
from pages.sections.whose import NOBODY_ELSE, Whose
from pages.ui import components, links, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import N_, _

TITLE_CHARS = 300
KEY = "clip_viewer"

KEYS = (
    (N_("Space"), N_("Play or pause")),
    ("J K L", N_("Backwards, pause, forwards; again for faster")),
    (", .", N_("One frame back or on")),
    ("← →", N_("Clip before or after")),
    ("1 – 4", N_("Choose among several clips")),
    ("A", N_("Keep, and go on to the next undecided clip")),
    ("R", N_("Reject, then a number for the reason, or R again for none")),
    ("Shift A", N_("Keep this one and reject the others")),
    ("Z", N_("Take the last decision back")),
    ("F", N_("Favourite")),
    ("D", N_("Download")),
    ("U", N_("Use these settings")),
    ("M", N_("Sound on or off")),
    ("?", N_("These keys")),
    ("Esc", N_("Close")),
)

_element = custom_element(
    __file__,
    KEY,
    html='<div class="viewer"></div>',
    triggers=("look", "reuse"),
    parts=("viewer_outbox.js", "viewer_player.js"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """Clips in their order, of which the one called `at` is looked at; `together` play side by side, in step.

    `is_listing` says that they are a part of more, newest first unless `oldest_first`; `further` are the next ones of
    it that nobody has judged. `facts` are what differs between those that play together: label -> a value of each.
    `opener` is the key of what opened it and gets the focus back, where that is no card of a clip.
    """

    at: str
    clips: Sequence[Mapping[str, Any]]
    further: Sequence[Mapping[str, Any]] = ()
    together: bool = False
    is_listing: bool = False
    oldest_first: bool = False
    facts: Sequence[tuple[str, Sequence[str]]] = field(default_factory=tuple)
    opener: str = ""
    turn: int = 0


@dataclass(frozen=True, slots=True)
class Pressed:
    """What was just done: the clip that it has come to, by its how manieth look, or whose settings are to be used."""

    at: str | None = None
    turn: int = 0
    reuse: str | None = None


def pressed(state: Mapping[str, Any]) -> Pressed:
    """What the session says of the element before it is drawn."""
    look, reuse = state.get("look"), state.get("reuse")
    at = look.get("at") if isinstance(look, Mapping) else None
    turn = look.get("turn") if isinstance(look, Mapping) else None
    return Pressed(
        at if isinstance(at, str) else None,
        turn if isinstance(turn, int) else 0,
        reuse if isinstance(reuse, str) else None,
    )


def show(person: Member, shown: Shown) -> None:
    """Draw it."""
    data = {
        "at": shown.at,
        "clips": list(shown.clips),
        "further": list(shown.further),
        "together": shown.together,
        "listing": ("oldest" if shown.oldest_first else "newest") if shown.is_listing else "",
        "facts": [{"label": label, "values": list(values)} for label, values in shown.facts],
        "opener": shown.opener,
        "turn": shown.turn,
        "who": person.id,
        "address": links.from_page(viewer_endpoint.PATH),
        "token": viewer_endpoint.token(person),
        "reasons": [{"code": reason.value, "label": marks.REASONS[reason]} for reason in marks.REASONS],
        "keys": [{"key": _(key), "label": _(label)} for key, label in KEYS],
        "words": words(),
    }
    _element(key=KEY, data=data)


def clip(person: Member, row: ListRow | Generation, now: datetime, whose: Whose = NOBODY_ELSE) -> dict[str, Any]:
    """What the element needs of one clip; texts only, no markup."""
    facts = row.output_facts or {}
    is_there = row.status is Status.COMPLETED
    length = _("{seconds} s").format(seconds=wording.decimal(facts.get("duration_seconds") or row.duration_seconds))
    meta = (row.model_name, length, wording.priced(row.credits), wording.age(row.created_at, now))
    return {
        "id": row.id,
        "source": components.media_link(row.output_key, ahead=True) if is_there else None,
        "poster": components.media_link(row.thumbnail_key),
        "download": components.media_link(row.output_key, download_name=queries.file_name(row)) if is_there else None,
        "fps": facts.get("frame_rate") or row.fps or 24,
        "title": (row.prompt or row.model_name)[:TITLE_CHARS],
        "meta": " · ".join(filter(None, (*meta, whose.heard(row)))),
        "note": "" if is_there else wording.STATUS[row.status],
        "verdict": ReviewStatus.of(row.kept).value,
        "reason": row.reject_reason and row.reject_reason.value,
        "favourite": row.favourite,
        "may": person.may(Action.EDIT, row.workspace_id),
    }


def words() -> dict[str, str]:
    """What it says, in the language of the session."""
    return {
        "stage": _("Clip"),
        "several": _("Clips side by side"),
        "clip": _("Clip {number}"),
        "play": _("Play"),
        "pause": _("Pause"),
        "space": _("Space"),
        "position": _("Position, in seconds"),
        "frame": _("frame {number}"),
        "soundOn": _("Turn sound on"),
        "soundOff": _("Turn sound off"),
        "previous": _("Previous clip"),
        "next": _("Next clip"),
        "help": _("Keys"),
        "closeHelp": _("Close the keys"),
        "verdict": _("Verdict"),
        "keep": _("Keep"),
        "reject": _("Reject"),
        "kept": _("Kept"),
        "rejected": _("Rejected"),
        "undecided": _("Undecided"),
        "why": _("Why? Press its number, or R again for no reason."),
        "noReason": _("No reason"),
        "favourite": _("Favourite"),
        "undo": _("Undo"),
        "undoMore": _("Undo one more"),
        "onlyThis": _("Keep this, reject the others"),
        "differs": _("differs"),
        "last": _("No undecided clip is left after this one."),
        "tally": _("{kept} kept, {rejected} rejected"),
        "undone": _("Taken back."),
        "looksOn": _("Your role here is that of a viewer, who does not decide."),
        "notYet": _("Only a finished clip can be kept or rejected."),
        "waiting": _("The server does not answer. What you decided ({number}) is kept here and will be sent."),
        "sent": _("Everything is saved."),
        "away": _("This clip cannot be played."),
        "reuse": _("Use these settings"),
        "download": _("Download"),
    }
