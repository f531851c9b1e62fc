"""Presets of the order form: one list to apply one, and a drawer to keep, share and delete."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from core import db, errors
from core.db import WriteSession
from core.db.tables import Preset
from core.messages import Message
from core.projects import presets
from core.spec import GenerationSpec
from core.workspaces.access import Member
from pages.sections.generate import form_state
from pages.ui import components, current_member
from pages.ui.language import _, translate_message

_CHOSEN = form_state.name("preset")
_NAME = form_state.name("preset_name")
_PROMPT = form_state.name("preset_prompt")
_SHARED = form_state.name("preset_shared")
_SAID = form_state.name("preset_said")


def show(person: Member, found: Sequence[Preset], spec: GenerationSpec) -> None:
    """Draw the list, and below it what can be done with presets; `spec` is what can be kept."""
    _choose(person, found)
    with st.expander(_("Save preset"), icon=":material/bookmark_add:"):
        _manage(person, found, spec)


def _choose(person: Member, found: Sequence[Preset]) -> None:
    """The list; choosing fills the form at once."""
    names = {preset.id: _label(person, preset) for preset in found}
    if st.session_state.get(_CHOSEN) not in names:
        st.session_state[_CHOSEN] = None
    st.selectbox(
        _("Preset"),
        list(names),
        key=_CHOSEN,
        index=None,
        placeholder=_("Choose a preset") if names else _("No presets yet"),
        format_func=lambda known: names.get(known, ""),
        on_change=_apply,
        persist_state="session",
    )


def _label(person: Member, preset: Preset) -> str:
    if preset.user_id != person.id:
        return _("{name} (from a colleague)").format(name=preset.name)
    return _("{name} (shared)").format(name=preset.name) if preset.shared else preset.name


def _apply() -> None:
    """Fill the form; what its model can no longer make, the form says by itself."""
    if chosen := st.session_state[_CHOSEN]:
        _attempt(lambda session, person: form_state.apply(presets.get(session, person, chosen).spec), "")


def _manage(person: Member, found: Sequence[Preset], spec: GenerationSpec) -> None:
    """Keep the settings of `spec`, or change the preset that is chosen."""
    if outcome := st.session_state.pop(_SAID, None):
        st.caption(f":material/info: {outcome}")
    st.text_input(_("Name"), key=_NAME)
    st.checkbox(_("Keep the prompt in it"), value=True, key=_PROMPT)
    st.checkbox(_("Share with everybody"), key=_SHARED)
    st.button(_("Save these settings"), key="generate_preset_save", on_click=_save, args=(spec,), width="stretch")
    own = next((one for one in found if one.id == st.session_state[_CHOSEN] and one.user_id == person.id), None)
    if own is not None:
        _change_own(own, spec)


def _change_own(preset: Preset, spec: GenerationSpec) -> None:
    st.divider()
    components.plain_text(preset.name, strong=True, lines=1)
    sharing = _("Keep it to myself") if preset.shared else _("Share with everybody")
    for key, label, act in (
        ("replace", _("Replace with current settings"), partial(presets.update, spec=_kept(spec))),
        ("share", sharing, partial(presets.update, shared=not preset.shared)),
        ("delete", _("Delete this preset"), presets.delete),
    ):
        st.button(label, key=f"generate_preset_{key}", on_click=_change, args=(preset.id, act), width="stretch")


def _kept(spec: GenerationSpec) -> GenerationSpec:
    """What to keep: with the prompt or without, as the box says."""
    return spec if st.session_state.get(_PROMPT, True) else replace(spec, prompt="")


def _save(spec: GenerationSpec) -> None:
    name, shared = str(st.session_state.get(_NAME) or ""), bool(st.session_state.get(_SHARED))

    def keep(session: WriteSession, person: Member) -> None:
        kept = presets.create(session, person, name=name, spec=_kept(spec), shared=shared)
        st.session_state[_CHOSEN], st.session_state[_NAME] = kept.id, ""

    _attempt(keep, _("Saved."))


def _change(preset_id: str, act: Callable[[WriteSession, Member, str], object]) -> None:
    _attempt(lambda session, person: act(session, person, preset_id), _("Done."))


def _attempt(act: Callable[[WriteSession, Member], object], done: str) -> None:
    """Do something with presets in one transaction, and have the popover say how it went."""
    try:
        with components.outage_refuses(), db.write_session() as session:
            act(session, current_member.current_member())
    except errors.AppError as problem:
        fields: dict[str, Message] = getattr(problem, "fields", {})
        said = list(fields.values()) or [problem.message]
        st.session_state[_SAID] = " ".join(map(translate_message, said))
    else:
        st.session_state[_SAID] = done
