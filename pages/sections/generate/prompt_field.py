"""The prompt of the order form, with a free rewrite that is shown for approval and never put in its place by itself."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from core.prompting import enhancer
from core.prompting.lexicon import Aspect
from core.providers.models import VideoModel
from core.spec import GenerationSpec
from pages.elements import prompt_input
from pages.sections.generate import draft, form_state
from pages.ui import components, current_member
from pages.ui.language import N_, _

_ASPECTS = {
    Aspect.SETTING: N_("place"),
    Aspect.MOVEMENT: N_("movement"),
    Aspect.CAMERA: N_("camera"),
    Aspect.LIGHT: N_("light"),
    Aspect.STYLE: N_("style"),
    Aspect.SOUND: N_("sound"),
}
_OFFER = form_state.name("improved")


@dataclass(frozen=True, slots=True)
class PromptInput:
    """What stands in the field, and whether its person has just pressed Ctrl or Cmd+Enter there to order."""

    text: str
    order_pressed: bool


def show(model: VideoModel, spec: GenerationSpec, *, names: Sequence[prompt_input.Name] = ()) -> PromptInput:
    """Draw the field with its own count, and below it what improving the prompt has made, for approval.

    What was made follows what is written until it is taken or put away. `names` are what can be named in it by `@`.
    """
    text = str(form_state.value("prompt") or "")
    person = current_member.current_member()
    pressed = prompt_input.show(
        text,
        limit_chars=model.prompt_limit_chars,
        key=f"{form_state.name('prompt')}_field",
        on_written=_keep,
        tab=f"{person.id} {person.workspace_id}",
        kept=draft.kept_prompt(text),
        names=names,
    )
    offer: dict[str, Any] | None = st.session_state.get(_OFFER)
    if offer and offer["for"] != spec.prompt:  # the press may overtake the last words that were written before it
        _improve(model.prompt_limit_chars, spec)
        offer = st.session_state[_OFFER]
    if offer:
        _show_offer(offer)
    return PromptInput(str(form_state.value("prompt") or ""), pressed)


def _keep(written: prompt_input.Written) -> None:
    if written.is_aside:
        draft.put_aside(written.text)
        return
    if written.is_unseen:
        draft.has_not_seen_it()
    st.session_state[form_state.name("prompt")] = written.text


def improve_button(model: VideoModel, spec: GenerationSpec) -> None:
    """The button that improves the prompt, where it fits best."""
    st.button(
        _("Improve my prompt"),
        key="generate_improve",
        type="tertiary",
        icon=":material/edit_note:",
        help=_("Free, and done here: adds what the prompt does not say yet, in its own language. You decide."),
        on_click=_improve,
        args=(model.prompt_limit_chars, spec),
    )


def _improve(limit_chars: int, spec: GenerationSpec) -> None:
    """Make an offer for what is written now, not for what was written when the button was drawn."""
    prompt = str(st.session_state.get(form_state.name("prompt")) or "")
    found = enhancer.improve(
        prompt,
        limit_chars=limit_chars,
        duration_seconds=spec.duration_seconds,
        aspect_ratio=spec.aspect_ratio,
        start_image=spec.start_image_key is not None,
        with_sound=spec.generate_audio,
    )
    st.session_state[_OFFER] = {"for": prompt, **asdict(found)}


def _show_offer(offer: dict[str, Any]) -> None:
    with st.container(border=True, gap="small", key="generate_offer"):
        if not offer["added"]:
            st.caption(_nothing_to_add(offer["for"]))
            st.button(_("All right"), key="generate_offer_close", on_click=_forget)
            return
        added = ", ".join(_(_ASPECTS[aspect]) for aspect in offer["added"])
        st.caption(_("Your words, and added after them: {added}").format(added=added))
        components.plain_text(offer["text"])
        with st.container(horizontal=True):
            st.button(_("Use it"), key="generate_offer_use", icon=":material/check:", on_click=_use)
            st.button(_("Keep mine"), key="generate_offer_keep", on_click=_forget)


def _nothing_to_add(prompt: str) -> str:
    if not prompt.strip():
        return _("Write a few words first: who or what is seen.")
    return _(
        "Nothing to add: your prompt says all of it already, or is in a language other than English or Indonesian."
    )


def _use() -> None:
    st.session_state[form_state.name("prompt")] = st.session_state[_OFFER]["text"]
    _forget()


def _forget() -> None:
    st.session_state[_OFFER] = None
