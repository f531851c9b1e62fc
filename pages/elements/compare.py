"""Two to four clips side by side, playing in step, with their prompts, settings and prices; differences are marked.

Which clips is in the address (`?compare=id,id`), so that a link to a comparison works.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import db
from core.catalog import in_force
from core.db.enums import Status
from core.db.tables import Generation
from core.generations import queries
from pages.ui import components, current_member, language, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _

PARAM = "compare"
FEWEST, MOST = 2, 4
WIDTH_PX = 1200

_element = custom_element(
    __file__,
    "clip_compare",
    html='<div class="controls"></div><div class="clips"></div>',
)


def comparable(rows: Sequence[Generation]) -> bool:
    """Whether these can be compared: two to four finished clips."""
    return FEWEST <= len(rows) <= MOST and all(row.status is Status.COMPLETED for row in rows)


def open_it(rows: Sequence[Generation]) -> None:
    """Open the comparison: the whole page runs again and draws it."""
    st.query_params[PARAM] = ",".join(row.id for row in rows)
    st.rerun()


def close() -> None:
    """Forget what is compared."""
    st.query_params.pop(PARAM, None)


def dialog_if_open() -> None:
    """Draw the comparison when the address names one."""
    if wanted := st.query_params.get(PARAM):
        st.dialog(_("Compare"), width=WIDTH_PX, on_dismiss=close)(_dialog)(wanted.split(",")[:MOST])


def _dialog(ids: Sequence[str]) -> None:
    with components.error_boundary():
        with db.read_session() as session:
            rows = queries.get_many(session, current_member.current_member(), ids)
        if not comparable(rows):
            st.info(_("Choose two to four finished clips to compare them."))
            return
        _element(key="clip_compare", data=told(rows))


def told(rows: Sequence[Generation]) -> dict[str, Any]:
    """What the element needs: texts only, no markup. A fact `differs` when it is not the same for all."""
    facts = [_facts(row) for row in rows]
    table = [
        {"label": label, "values": values, "differs": len(set(values)) > 1}
        for label in facts[0]
        for values in [[fact[label] for fact in facts]]
    ]
    clips = [
        {"source": components.media_link(row.output_key), "poster": components.media_link(row.thumbnail_key)}
        for row in rows
    ]
    words = {
        "clip": _("Clip {number}"),
        "play": _("Play all"),
        "pause": _("Pause all"),
        "position": _("Position, in seconds"),
        "sound": _("Sound"),
        "differs": _("differs"),
        "seconds": _("{seconds} s"),
        "language": language.current(),
    }
    return {"clips": clips, "facts": table, "words": words}


def _facts(row: Generation) -> dict[str, str]:
    return {
        _("Prompt"): row.prompt,
        _("Negative prompt"): row.negative_prompt or _("none"),
        _("Model"): row.model_name,
        _("Resolution"): f"{row.resolution}, {row.aspect_ratio}",
        _("Length"): _("{seconds} s").format(seconds=row.duration_seconds),
        _("Sound"): wording.sound(row.generate_audio, in_force.find_model(row.model_id)),
        _("Prompt enhancement"): _("on") if row.enhance_prompt else _("off"),
        _("Start image"): _("yes") if row.start_image_key else _("no"),
        _("End image"): _("yes") if row.end_image_key else _("no"),
        _("References"): ", ".join(wording.reference(each.role) for each in row.references) or _("none"),
        _("Seed"): _("left to chance") if row.seed is None else str(row.seed),
        _("Frames a second"): str(row.fps or _("left to the model")),
        _("Price"): wording.priced(row.credits),
        _("File size"): wording.size(queries.file_bytes(row)),
    }
