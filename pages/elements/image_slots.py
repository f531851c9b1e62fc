"""Places for images of an order: chosen, dropped or pasted there, sent by themselves, shown, and taken out again.

Whatever is pasted or dropped elsewhere on the page goes to the first place that is free: elements offer it with a
`studio-images` event on `window`, whose `detail` is a list of files, and whoever takes them prevents its default.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.files.image_sanitizer import MAX_UPLOAD_BYTES
from core.messages import message
from core.workspaces.access import Member
from pages.elements import upload_endpoint
from pages.ui import links
from pages.ui.custom_element import custom_element
from pages.ui.language import _, translate_message

TYPES = "image/jpeg,image/png,image/webp"

_element = custom_element(
    __file__,
    "image_slots",
    html='<div class="slots"></div><p class="problem" role="alert"></p><p class="heard" role="status"></p>',
    triggers=("brought", "removed", "role", "browse", "renew"),
    parts=("uploader.js",),
)


@dataclass(frozen=True, slots=True)
class Held:
    """An image that is in its place: what the page knows it by, what it is called, and what is to be said of it."""

    key: str
    picture: str
    title: str
    notes: Sequence[str] = ()
    role: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for images, and its name in `short` where it is seen; `roles` are what each can stand for, by id."""

    field: str
    label: str
    short: str
    held: Sequence[Held]
    most: int = 1
    roles: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Brought:
    """An image that was just sent: under which key it is kept, its name of just now, and notes on it as JSON."""

    key: str
    name: str
    notes: Any


def show(
    person: Member,
    slots: Sequence[Slot],
    *,
    key: str,
    on_brought: Callable[[str, Sequence[Brought]], None],
    on_removed: Callable[[str, int], None],
    on_role: Callable[[str, int, str], None],
    on_browse: Callable[[str], None],
) -> None:
    """Draw the places. What is done there is told, by the `field` of the place, before the run that shows it."""

    def said(word: str) -> dict[str, Any]:
        found = (st.session_state.get(key) or {}).get(word)
        return found if isinstance(found, dict) and found.get("slot") in {slot.field for slot in slots} else {}

    def brought() -> None:
        if told := said("brought"):
            images = [each for each in told.get("images", ()) if isinstance(each, dict)]
            on_brought(
                told["slot"],
                [Brought(str(each.get("key")), str(each.get("name") or ""), each.get("notes")) for each in images],
            )

    def removed() -> None:
        if told := said("removed"):
            on_removed(told["slot"], int(told.get("place", 0)))

    def role() -> None:
        if told := said("role"):
            on_role(told["slot"], int(told.get("place", 0)), str(told.get("role")))

    def browse() -> None:
        if told := said("browse"):
            on_browse(told["slot"])

    _element(
        key=key,
        data={
            "address": links.from_page(upload_endpoint.PATH),
            "token": upload_endpoint.token(person),
            "name": upload_endpoint.FILE_NAME,
            "types": TYPES,
            "most_bytes": MAX_UPLOAD_BYTES,
            "slots": [_slot(slot) for slot in slots],
            "words": _words(),
        },
        on={"brought": brought, "removed": removed, "role": role, "browse": browse},
    )


def _words() -> dict[str, str]:
    return {
        "add": _("Add an image"),
        "hint": _("Drop or paste an image anywhere on this page, or:"),
        "choose": _("Choose a file"),
        "earlier": _("Earlier image, or picture of a clip"),
        "remove": _("Remove"),
        "role": _("Stands for"),
        "sending": _("Sending…"),
        "sent": _("The image is here."),
        "failed": _("The image could not be sent. Try again."),
        "full": _("There is no free place for another image."),
        "too_large": translate_message(message("image_too_large", limit_mb=MAX_UPLOAD_BYTES // 1024**2)),
    }


def _slot(slot: Slot) -> dict[str, Any]:
    return {
        "field": slot.field,
        "label": slot.label,
        "short": slot.short,
        "most": slot.most,
        "roles": [{"id": each, "name": name} for each, name in (slot.roles or {}).items()],
        "held": [
            {
                "key": held.key,
                "picture": held.picture,
                "title": held.title,
                "notes": list(held.notes),
                "role": held.role,
            }
            for held in slot.held
        ],
    }
