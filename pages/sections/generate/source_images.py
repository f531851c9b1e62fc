"""Start and end image of the order being written: places to bring them to, and how they and the aspect ratio agree."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import db, errors
from core.catalog import adaptation, in_force
from core.messages import message
from core.projects import uploads
from core.providers.models import VideoModel
from core.spec import GenerationSpec
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import image_slots, upload_endpoint
from pages.elements.image_slots import Brought, Held, Slot
from pages.sections.generate import form_state, image_crop, image_library
from pages.sections.generate.offer import Offer
from pages.ui import components, current_member
from pages.ui.language import _, translate_message

KEY = form_state.name("image_places")
REFERENCES = "references"
_BROUGHT = form_state.name("brought")
"""What an element has just sent: the `field` of its place and the `images`, each with `key`, `name` and `notes`."""
_PROBLEM = form_state.name("images_problem")
SAME_SHAPE = math.log(1.02)
"""Shapes that differ by less are the same: pixels are whole."""


def show(person: Member, model: VideoModel, offer: Offer) -> None:
    """Start and end image, each only where the model takes one and its rules let it, or where it is there already."""
    slots = [
        Slot(field, label, short, shown([form_state.value(field)]))
        for field, label, short, takes, can in (
            ("start_image", _("Start image"), _("Start"), model.start_image, offer.can("start")),
            ("end_image", _("End image"), _("End"), model.end_image, offer.can("end")),
        )
        if takes and (can or form_state.value(field))
    ]
    if slots:
        draw(person, slots, key=KEY)


def draw(person: Member, slots: Sequence[Slot], *, key: str) -> None:
    """Draw places for images of the order; what is done there is done to the form."""
    if take_brought():
        st.rerun()
    if problem := st.session_state.pop(_PROBLEM, None):
        components.error_box(problem)
    image_slots.show(
        person,
        slots,
        key=key,
        on_brought=_note_brought,
        on_removed=remove,
        on_role=choose_role,
        on_browse=image_library.open_for,
    )
    fields = [slot.field for slot in slots]
    if "clip" in st.query_params:  # one dialog at a time
        return
    image_library.dialog_if_open(person, fields, on_chosen=hold)
    if "start_image" in fields:
        image_crop.dialog_if_open(person, on_cut=hold)


def shown(images: Sequence[Mapping[str, Any] | None]) -> list[Held]:
    """Images of the form as their element shows them."""
    return [
        Held(
            key=held["key"],
            picture=components.media_link(held["key"]) or "",
            title=str(held["title"]),
            notes=[translate_message(note) for note in held["notes"]],
            role=str(held.get("role", "")),
        )
        for held in images
        if held
    ]


def hold(field: str, images: Sequence[Mapping[str, Any]]) -> None:
    """Put images into the order.

    The ratio follows a start image, which would be cropped or stretched otherwise. A reference beyond what the model
    takes is refused with a word.
    """
    model = _model()
    if field != REFERENCES:
        for held in images[:1]:
            st.session_state[form_state.name(field)] = dict(held)
            if field == "start_image" and model and "size" in held:
                _follow(adaptation.nearest_ratio(model.aspect_ratios, *held["size"]))
        return
    kept, most = list(form_state.references()), model.reference_images if model else 0
    roles = model.reference_roles if model else ()
    for held in images:
        if len(kept) >= most:
            name = model.name if model else ""
            st.session_state[_PROBLEM] = errors.InvalidRequest(message("too_many_references", name=name, limit=most))
            break
        kept.append({**held, "role": next(iter(roles), "")})
    st.session_state[form_state.name(REFERENCES)] = kept


def remove(field: str, place: int) -> None:
    """Take an image out of the order; it stays among the earlier ones."""
    if field != REFERENCES:
        st.session_state[form_state.name(field)] = None
        return
    kept = [held for number, held in enumerate(form_state.references()) if number != place]
    st.session_state[form_state.name(REFERENCES)] = kept


def choose_role(field: str, place: int, role: str) -> None:
    """Say what a reference stands for; what the model does not know is left aside."""
    model, kept = _model(), [dict(held) for held in form_state.references()]
    if field == REFERENCES and model and role in model.reference_roles and 0 <= place < len(kept):
        kept[place]["role"] = role
        st.session_state[form_state.name(REFERENCES)] = kept


def _note_brought(field: str, images: Sequence[Brought]) -> None:
    st.session_state[_BROUGHT] = {
        "field": field,
        "images": [{"key": each.key, "name": each.name, "notes": each.notes} for each in images],
    }
    take_brought()


def take_brought() -> bool:
    """Put what was just sent into the order, if anything was.

    Each image has its name of now: its bytes may be here under another one.
    """
    told: dict[str, Any] | None = st.session_state.pop(_BROUGHT, None)
    if not told:
        return False
    try:
        person = current_member.require(Action.ORDER)
        with db.read_session() as session:
            found = [(uploads.by_key(session, person, each["key"]), each) for each in told["images"]]
        held = [
            form_state.as_held(upload, each["name"], upload_endpoint.notes_of(each["notes"])) for upload, each in found
        ]
        hold(told["field"], held)
    except errors.AppError as problem:
        st.session_state[_PROBLEM] = problem
    return True


def _model() -> VideoModel | None:
    entry = in_force.find(str(form_state.value("model_id")))
    return entry.model if entry else None


def ratio_of_image(model: VideoModel) -> str | None:
    """The ratio that the start image asks for, the nearest that the model makes; None without one of known size."""
    held = form_state.value("start_image")
    if not held or "size" not in held:
        return None
    return adaptation.nearest_ratio(model.aspect_ratios, *held["size"])


def say_ratio(model: VideoModel, spec: GenerationSpec) -> None:
    """Below the ratio: that it follows the start image, or that it does not, with ways to make them agree."""
    nearest = ratio_of_image(model)
    if spec.start_image_key is None or nearest is None:
        return
    width, height = form_state.value("start_image")["size"]
    words = {"size": f"{width} × {height}", "ratio": spec.aspect_ratio, "model": model.name}
    if _is_of_shape(width, height, spec.aspect_ratio):
        st.caption(":material/info: " + _("The aspect ratio follows the start image, {size}.").format(**words))
        return
    if nearest == spec.aspect_ratio:
        said = _("The start image is {size}; of what {model} makes, {ratio} comes nearest.").format(**words)
    else:
        said = _("The start image is {size}: {model} may crop it to {ratio}, or follow the image.").format(**words)
    with st.container(horizontal=True, vertical_alignment="center", key="generate_ratio"):
        st.caption(f":material/info: {said}", width="content")
        st.button(
            _("Crop to {ratio}").format(ratio=spec.aspect_ratio),
            key="generate_ratio_crop",
            type="tertiary",
            on_click=image_crop.open_for,
            args=(spec.aspect_ratio,),
        )
        if nearest != spec.aspect_ratio:
            st.button(
                _("Use {ratio}").format(ratio=nearest),
                key="generate_ratio_follow",
                type="tertiary",
                on_click=_follow,
                args=(nearest,),
            )


def _is_of_shape(width: int, height: int, ratio: str) -> bool:
    across, _colon, down = ratio.partition(":")
    if not (across.isdigit() and down.isdigit() and int(across) and int(down)):
        return True  # such as "auto": it follows whatever comes
    return abs(math.log(width * int(down) / (height * int(across)))) < SAME_SHAPE


def _follow(ratio: str | None) -> None:
    if ratio:
        st.session_state[form_state.name("aspect_ratio")] = ratio
