"""What the credentials of a file say, in plain words; draws only."""

from collections.abc import Iterator
from datetime import UTC, datetime

import streamlit as st

from core import db, errors
from core.files.credentials_report import Ingredient, Report, SaidAction, Validation
from core.generations import queries
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

ACTIONS = TranslatedLabels(
    {
        "c2pa.created": N_("made"),
        "c2pa.opened": N_("taken from a file that was signed before"),
        "c2pa.transcoded": N_("converted"),
        "c2pa.addedText": N_("visible mark put in"),
        "c2pa.edited": N_("edited"),
        "c2pa.published": N_("published"),
    }
)
"""Actions of C2PA that clips are likely to have; others are shown by their own name."""


def show(found: Report | None) -> None:
    """The verdict in a sentence, then what is said."""
    if found is None:
        st.info(
            _(
                "This file has no content credentials. That proves nothing: they are lost when a file is edited, "
                "converted or sent through most messengers and sites."
            ),
            icon=":material/help:",
        )
        return
    _verdict(found)
    if rows := list(_rows(found)):
        components.table([_("What is said"), ""], rows)
    if found.problems:
        components.plain_text(_("Found wrong: {codes}").format(codes=", ".join(found.problems)), small=True)
    if found.is_own and found.generation_id:
        _lead_to_clip(found.generation_id)


def _verdict(found: Report) -> None:
    if found.validation is Validation.INVALID:
        text = _("This file was changed after it was signed, or its credentials are damaged: do not rely on them.")
        if found.is_own:
            text = _("This file was changed after this installation signed it: do not rely on what is said below.")
        st.error(text, icon=":material/gpp_bad:")
    elif found.is_own:
        st.success(_("Signed by this installation, and unchanged since."), icon=":material/verified_user:")
    else:
        st.warning(
            _(
                "Unchanged since it was signed, by somebody whom this installation does not know. Anybody can sign "
                "under any name."
            ),
            icon=":material/shield_question:",
        )


def _rows(found: Report) -> Iterator[tuple[str, str]]:
    said = [
        (_("Made by AI"), _("yes") if found.is_ai else _("not said")),
        (_("Model"), " · ".join(filter(None, (found.model, found.model_id)))),
        (_("Provider"), found.provider),
        (_("Made"), _moment(found.made_at)),
        (_("Signed by"), " · ".join(dict.fromkeys(filter(None, (found.signer, found.issuer))))),
        (_("Software"), found.claim_generator),
        (_("Installation"), found.installation),
        (_("What was done"), " → ".join(map(_action, found.actions))),
    ]
    yield from ((name, value) for name, value in said if value)
    yield from ((_("Came from"), _ingredient(each)) for each in found.ingredients)


def _action(said: SaidAction) -> str:
    name = ACTIONS.get(said.action, said.action)
    return f"{name} ({said.software})" if said.software else name


def _ingredient(found: Ingredient) -> str:
    verdict = {
        Validation.VALID: _("unchanged when it was fetched"),
        Validation.INVALID: _("changed or damaged when it was fetched"),
        None: _("not checked"),
    }[found.validation]
    signed = _("signed by {name}").format(name=found.signer) if found.signer else ""
    return " · ".join(filter(None, (found.title, found.claim_generator, signed, verdict)))


def _moment(text: str) -> str:
    """A time as the reader's language writes it; what is no time is shown as it stands."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return text
    return wording.moment(when, UTC) if when.tzinfo else text


def _lead_to_clip(generation_id: str) -> None:
    """To the clip, for who may see it."""
    try:
        with db.read_session() as session:
            row = queries.get(session, current_member.current_member(), generation_id)
    except errors.NotFound:
        return
    st.page_link("history.py", label=_("Show clip"), icon=":material/play_circle:", query_params={"clip": row.id})
