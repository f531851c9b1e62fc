"""A character, product or style in a dialog: its name, what it is, and the images that show it, in their order."""

from typing import Any

import streamlit as st

from core import db
from core.assets import groups, mentions
from core.assets.groups import Group, Item
from core.db.enums import GroupKind
from core.providers.contract import MediaKind
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.assets import picker
from pages.sections.assets.words import KIND, ONE_OF
from pages.ui import components, current_member
from pages.ui.language import _

_OPEN = "assets_group"
"""The `id` of the group that is open, None for a new one, its `kind`, and ids of the `chosen` images."""


def open_new(kind: GroupKind) -> None:
    """Ask for a new one from the next run on."""
    st.session_state[_OPEN] = {"id": None, "kind": kind.value, "chosen": []}


def open_it(group: Group) -> None:
    """Show this one from the next run on."""
    chosen = [asset.id for asset, _role in group.items]
    st.session_state[_OPEN] = {"id": group.row.id, "kind": group.row.kind.value, "chosen": chosen}


def close() -> None:
    """Forget that one is open, and what was typed."""
    for name in [name for name in st.session_state if str(name).startswith("assets_form_")]:
        del st.session_state[name]
    st.session_state.pop(_OPEN, None)


def dialog_if_open() -> None:
    """Draw the dialog while one is open."""
    if state := st.session_state.get(_OPEN):
        st.dialog(ONE_OF[state["kind"]], width="large", on_dismiss=close)(_dialog)(state)


def _dialog(state: dict[str, Any]) -> None:
    with components.error_boundary():
        person = current_member.current_member()
        group = None
        if state["id"]:
            with db.read_session() as session:
                group = groups.get(session, person, state["id"])
        if not person.may(Action.EDIT):
            _look(group)
            return
        _form(person, group, state)


def _look(group: Group | None) -> None:
    """What somebody sees who changes nothing."""
    if group is not None:
        components.plain_text(f"@{group.row.name}", strong=True)
        components.plain_text(group.row.description)


def _form(person: Member, group: Group | None, state: dict[str, Any]) -> None:
    row = group.row if group else None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(
            _("Name"),
            row.name if row else "",
            key="assets_form_name",
            max_chars=mentions.NAME_LIMIT_CHARS + 1,
            placeholder="mira",
            help=_("One word: letters, figures, - and _. A prompt says it with an @ before it."),
        )
        kinds = [kind.value for kind in GroupKind]
        kind = st.segmented_control(
            _("Kind"),
            kinds,
            default=state["kind"],
            format_func=ONE_OF.__getitem__,
            key="assets_form_kind",
            required=True,
        )
    description = st.text_area(
        _("Description"),
        row.description if row else "",
        key="assets_form_description",
        height=80,
        help=_("For your team. A name without images is sent with it as words."),
    )
    shown = st.segmented_control(
        _("Its assets, in the order of your presses"),
        list(KIND),
        default=MediaKind.IMAGE.value,
        format_func=KIND.__getitem__,
        key="assets_form_shown",
        required=True,
    )
    chosen = picker.choose(
        person, state["chosen"], key=f"assets_form_items_{shown}", kind=MediaKind(shown or MediaKind.IMAGE)
    )
    if chosen != state["chosen"]:
        state["chosen"] = chosen
        st.rerun(scope="fragment")
    roles = {asset.id: role for asset, role in group.items} if group else {}
    with st.container(horizontal=True):
        if st.button(_("Save"), type="primary", key="assets_form_save"):
            given: dict[str, Any] = {
                "kind": GroupKind(kind),
                "name": name or "",
                "description": description or "",
                "items": [Item(each, roles.get(each, "")) for each in chosen],
            }
            components.save_and_rerun(
                lambda session: (
                    groups.update(session, person, row.id, **given) if row else groups.create(session, person, **given)
                ),
                done=_("Saved."),
                then=close,
            )
        if group is not None:
            _put_away(person, group)


def _put_away(person: Member, group: Group) -> None:
    """Archive it or bring it back, or delete it."""
    row = group.row
    away = row.archived_at is None
    if st.button(_("Archive") if away else _("Bring back"), key="assets_form_archive", icon=":material/archive:"):
        components.save_and_rerun(
            lambda session: groups.update(session, person, row.id, archived=away),
            done=_("Archived. Find it under Archived.") if away else _("It is back."),
            then=close,
        )
    if row.user_id == person.id or person.may(Action.DELETE):
        with st.popover(_("Delete"), icon=":material/delete:", key="assets_form_delete"):
            st.markdown(_("The name goes; its images and the clips that were made by it stay."))
            if st.button(_("Delete name"), type="primary", key="assets_form_delete_now"):
                components.save_and_rerun(
                    lambda session: groups.delete_group(session, person, row.id), done=_("Deleted."), then=close
                )
