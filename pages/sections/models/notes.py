"""What vendors' own lists of models have told, until an administrator puts it aside."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.catalog.catalogue import Catalogue
from core.catalog_changes import live_lists
from core.db import WriteSession
from core.db.enums import NoteKind
from core.db.tables import ModelList, ModelNote
from core.providers import registry
from core.workspaces.permissions import Action
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

SENTENCES = TranslatedLabels(
    {
        NoteKind.APPEARED: N_("{provider} lists a further model: {model}."),
        NoteKind.VANISHED: N_("{provider} lists {model} no more."),
        NoteKind.NOT_LISTED: N_("{provider} does not list {model}, which is offered here."),
    }
)


def show(known: Catalogue, notes: Sequence[ModelNote]) -> None:
    """Each note with the button that puts it aside."""
    for note in notes:
        with st.container(border=True, horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(gap="xsmall", width="content"):
                components.plain_text(sentence(known, note))
                components.plain_text(f"{note.vendor_id} · {wording.day(note.noted_at)}", small=True)
            if st.button(_("Put aside"), key=f"models_note_{note.id}"):
                components.save_and_rerun(partial(_dismiss, note_id=note.id), done=_("The note was put aside."))


def sentence(known: Catalogue, note: ModelNote) -> str:
    """What a note says."""
    entry = known.find(note.model_id) if note.model_id else None
    model = entry.model.name if entry else note.name or note.vendor_id
    return SENTENCES[note.kind].format(provider=_provider(note.provider), model=model)


def when_read(lists: Sequence[ModelList]) -> None:
    """When each vendor's list was read, and which could not be."""
    said = []
    for each in lists:
        name = _provider(each.provider)
        if each.read_at is not None:
            said.append(f"{name}, {wording.minute(each.read_at)}")
        if each.failure is not None:
            said.append(_("{provider}, not readable now").format(provider=name))
    if said:
        st.caption(_("Vendors' lists of models were read: {lists}.").format(lists="; ".join(said)))


def _dismiss(session: WriteSession, note_id: int) -> None:
    live_lists.dismiss(session, current_member.require(Action.MANAGE_CATALOGUE), note_id)


def _provider(name: str) -> str:
    return registry.provider_class(name).display_name
