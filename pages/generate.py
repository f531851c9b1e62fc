"""Order clips: what they shall be, what they cost, and what is under way."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core import db, installation
from core.billing import ledger, pricing
from core.catalog import in_force, offered, rules
from core.clock import utc_now
from core.db.enums import ENDED_STATUSES
from core.db.tables import Preset
from core.generations import batches, queries
from core.generations.queries import ListRow
from core.generations.submit import Order, made_before
from core.insights import model_stats, provider_status
from core.messages import Message
from core.projects import presets, projects
from core.providers.models import VideoModel
from core.spec import MAX_SEED, GenerationSpec
from core.workspaces import quota
from core.workspaces.permissions import Action
from pages.elements import gallery, in_flight, model_picker
from pages.sections import whose
from pages.sections.clip import dialog
from pages.sections.generate import (
    adjustments,
    draft,
    form_state,
    order_card,
    preset_bar,
    prompt_field,
    references,
    source_images,
)
from pages.sections.generate.offer import Offer
from pages.sections.whose import Whose
from pages.ui import components, current_member
from pages.ui.language import _, translate_message

RECENT = 6
VARIATIONS = (1, 2, 3, 4)
OTHER_MODELS = batches.MAX_BATCH // len(VARIATIONS) - 1
RECORD_SECONDS = 60  # how old the models' track record may be; a text on a line of its own would show on the page

person = current_member.current_member()
settings = installation.current().settings
configured = installation.current().configured


@st.cache_data(ttl=RECORD_SECONDS, show_spinner=False)
def track_records(database_url: str) -> dict[str, model_stats.TrackRecord]:
    """How the models of this installation did lately; the same for everybody, so asked once for all."""
    del database_url  # it tells one installation's figures from another's
    with db.read_session() as session:
        return dict(model_stats.track_records(session, [model.id for model in offered.models(utc_now())]))


def first_project() -> None:
    """Make a project for somebody who has none."""
    with components.error_boundary(), db.write_session() as session:
        projects.create(session, current_member.current_member(), name=_("My first project"))


def choose_project(names: dict[str, str]) -> None:
    """The project that the clip will belong to."""
    st.selectbox(
        _("Project"),
        list(names),
        key=form_state.name("project"),
        format_func=lambda known: names[known],
        persist_state="session",
        index=form_state.keep_valid("project", list(names), next(iter(names))),
    )


def offered_models() -> Sequence[VideoModel]:
    """The models to choose from, those that can be used first; only ones that take a start image to go on from one."""
    models = sorted(offered.models(utc_now()), key=lambda model: model.provider not in configured)
    return [model for model in models if model.start_image] if form_state.extended() else models


def choose_model(models: Sequence[VideoModel], spec: GenerationSpec, troubles: Mapping[str, Message]) -> None:
    """The model; what it makes decides the settings below."""
    model = in_force.model(spec.model_id)
    picked = model_picker.show(
        models,
        ended=() if form_state.extended() else offered.withdrawn(utc_now()),
        spec=spec,
        configured=configured,
        troubles=troubles,
        records=track_records(settings.database_url),
        key="generate_model_picker",
    )
    if picked and picked != model.id:
        st.session_state[form_state.name("model_id")] = picked
        st.rerun()
    if model.limits:
        st.caption(" ".join(map(translate_message, model.limits)))
    if model.provider in troubles:
        st.warning(translate_message(troubles[model.provider]), icon=":material/warning:")


def choose_settings(model: VideoModel, spec: GenerationSpec, offer: Offer) -> None:
    """Everything that the model takes beside prompt and images, as far as its rules let it."""
    with components.field_grid(3, min_width_px=200):
        form_state.pick(_("Resolution"), "resolution", offer.values("resolution", spec.resolution), spec.resolution)
        form_state.pick(
            _("Length"),
            "duration_seconds",
            offer.values("seconds", spec.duration_seconds),
            spec.duration_seconds,
            lambda s: _("{number} s").format(number=s),
        )
        form_state.pick(_("Aspect ratio"), "aspect_ratio", offer.values("ratio", spec.aspect_ratio), spec.aspect_ratio)
        if model.frame_rates:
            rates = offer.values("fps", spec.fps or 0)
            form_state.pick(_("Frames a second"), "fps", rates, spec.fps or 0, lambda rate: str(rate or _("Any")))
        if offer.can("seed"):
            form_state.seed()
    source_images.say_ratio(model, spec)
    offer.say_why("resolution", "seconds", "ratio", "fps", "seed")
    form_state.negative_prompt(model, offered=offer.can("negative"))
    offer.say_why("negative")
    with st.container(horizontal=True, gap="medium"):
        form_state.switch(
            _("Sound"),
            "generate_audio",
            offered=offer.can("sound") and not model.always_audio,
            price=_extra_credits(spec, "generate_audio"),
            help_text=_("The model makes sound that goes with the picture."),
            is_forced=offer.must("sound") and not model.always_audio,
        )
        form_state.switch(
            _("Enhance the prompt"),
            "enhance_prompt",
            offered=offer.can("enhance"),
            price=_extra_credits(spec, "enhance_prompt"),
            help_text=_("The provider's own AI rewrites the prompt before the clip is made. You do not see its text."),
            is_forced=offer.must("enhance"),
        )
    if model.always_audio:
        st.caption(":material/volume_up: " + _("{model} makes every clip with sound.").format(model=model.name))
    offer.say_why("sound", "enhance")


def _extra_credits(spec: GenerationSpec, field: str) -> int:
    """By how much a switch raises the price of this very clip."""
    states: list[dict[str, Any]] = [{field: True}, {field: False}]
    on, off = (pricing.priced(replace(spec, **state)).total_credits for state in states)
    return on - off


def choose_several(spec: GenerationSpec) -> list[GenerationSpec]:
    """How many of each, and which other models as well; all clips in all. What those change of the order is said."""
    can = {
        model.id: adapted
        for model in offered.models(utc_now())
        if model.id != spec.model_id and model.provider in configured and (adapted := _adapted(model, spec))
    }
    chosen: list[str] = form_state.value("also") or []
    key = form_state.name("also_offered")
    also = [model_id for model_id in chosen if model_id in can]
    if st.session_state.get(key) != also:
        st.session_state[key] = also
    with st.container(horizontal=True, gap="medium"):
        st.radio(
            _("Variations"),
            VARIATIONS,
            key=form_state.name("variations"),
            horizontal=True,
            width="content",
            help=_("How many clips to make from this order. They differ where the model leaves something to chance."),
            persist_state="session",
            index=form_state.keep_valid("variations", VARIATIONS, 1),
        )
        if can:
            st.multiselect(
                _("Also with"),
                sorted(can, key=lambda known: bool(can[known].changes)),
                key=key,
                max_selections=OTHER_MODELS,
                format_func=lambda known: _also_name(known, can[known]),
                placeholder=_("Other models"),
                on_change=_keep_also,
                width=340,
            )
    for model_id in also:
        adjustments.show_other(in_force.model(model_id), can[model_id].changes)
    _say_left_out([model_id for model_id in chosen if model_id not in can and model_id != spec.model_id])
    number = st.session_state[form_state.name("variations")]
    if spec.seed is not None and number > 1:
        said = _("Each variation has a seed of its own, from {first} on.").format(first=spec.seed)
        st.caption(f":material/info: {said}")
    return [
        _variation(one, place) for one in (spec, *(can[model_id].spec for model_id in also)) for place in range(number)
    ]


def _adapted(model: VideoModel, spec: GenerationSpec) -> rules.Adapted | None:
    """The same for another model; None where it cannot make it, or could not go on from the clip."""
    adapted = rules.adapt(spec.trimmed(), model)
    if form_state.extended() and adapted.spec.start_image_key is None:
        return None
    return None if rules.check(model, adapted.spec, prompt_required=False) else adapted


def _also_name(model_id: str, adapted: rules.Adapted) -> str:
    name = in_force.model(model_id).name
    return _("{model} (with changes)").format(model=name) if adapted.changes else name


def _say_left_out(model_ids: Sequence[str]) -> None:
    """Name the models that were chosen and cannot make this."""
    if model_ids:
        names = ", ".join(entry.model.name for model_id in model_ids if (entry := in_force.find(model_id)))
        words = _("Left out, because they cannot make these settings: {models}.").format(models=names)
        st.caption(f":material/info: {words}")


def _variation(spec: GenerationSpec, place: int) -> GenerationSpec:
    """One of several of the same: with a seed, the next one, since the same would give the same clip again."""
    return spec if spec.seed is None else replace(spec, seed=(spec.seed + place) % (MAX_SEED + 1))


def _keep_also() -> None:
    st.session_state[form_state.name("also")] = st.session_state[form_state.name("also_offered")]


def say_what_is_extended() -> None:
    """That the clip goes on from another, and how to stop that."""
    if extended := form_state.extended():
        with st.container(border=True, horizontal=True, vertical_alignment="center", key="generate_extends"):
            with st.container(gap="xsmall"):
                st.markdown(_("This clip begins with the last picture of an earlier one:"))
                components.plain_text(extended["prompt"], small=True, lines=1)
            st.button(
                _("Make a separate clip instead"), key="generate_extends_stop", on_click=form_state.stop_extending
            )


def form(names: dict[str, str], kept: Sequence[Preset]) -> list[Order]:
    """Draw the form; what is ordered by it."""
    models = offered_models()
    with db.read_session() as session:
        troubles = provider_status.troubles(session)
        used = None if form_state.value("model_id") else queries.last_model(session, person)
    suggested = model_picker.suggested(models, configured, troubles, used)
    model = in_force.model(form_state.fallback_model(models, suggested))
    wished = form_state.spec(model)
    fitted = rules.adapt(wished, model)
    spec = fitted.spec
    draft.note()
    with components.field_grid(3):
        choose_project(names)
        preset_bar.choose(person, kept)
        preset_bar.manage(person, kept, spec)
    say_what_is_extended()
    prompt_field.show(model, spec)
    choose_model(models, spec, troubles)
    adjustments.show(model, fitted.changes)
    offer = Offer(model, spec)
    choose_settings(model, spec, offer)
    source_images.show(person, model, offer)
    references.show(person, offer)
    several = choose_several(spec)
    if form_state.spec(model) != wished:  # a browser that connected anew shows what was written last, and that counts
        components.flash(_("The connection was renewed. Check the order."))
        st.rerun()
    return [Order(form_state.value("project"), one) for one in several]


def recent(rows: Sequence[ListRow], owned: Whose) -> str | None:
    """The newest that ended, to play at once; the one just clicked."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.header(_("Latest clips"), anchor=False, width="content")
        st.page_link("history.py", label=_("All clips"), icon=":material/grid_view:")
    return gallery.show(rows, key="generate_recent", whose=owned)


def looking_on() -> str | None:
    """Why there is no form for who may not order, and what is under way; the clip to open, if one was asked for."""
    text = _(
        "Your role here is that of a viewer. You see what is made, watch and download it; a manager can let you make."
    )
    components.empty_state(_("You are looking on"), text, icon="visibility")
    return in_flight.show(person)


def studio() -> str | None:
    """The form with its price, and what is under way; the clip to open, if somebody asked for one."""
    with db.read_session() as session:
        names = components.project_names(session, person, archived=False, wanted=form_state.value("project"))
        balance = ledger.balance(session, person.workspace_id)
        is_full = quota.used_bytes(session, person.workspace_id) >= settings.storage_quota_bytes
        kept = presets.list_visible(session, person)
    if not names:
        components.empty_state(
            _("A clip needs a project"),
            _("Projects keep clips together. Make one, and order your first clip."),
            icon="folder",
        )
        with st.container(horizontal_alignment="center"):
            st.button(_("Make my first project"), type="primary", on_click=first_project)
        st.stop()
    left, right = st.columns([5, 3], gap="large")
    with left:
        orders = form(names, kept)
    with right:
        with db.read_session() as session:
            made = made_before(session, person, orders[0]) if orders[0].spec.prompt.strip() else None
        order_card.show(
            person,
            orders,
            balance,
            is_full=is_full,
            quota_bytes=settings.storage_quota_bytes,
            configured=configured,
            made=made,
        )
        return in_flight.show(person)


with components.error_boundary():
    if person.may(Action.ORDER):
        draft.restore(person)
        form_state.load_from_url(person, settings)

with components.error_boundary():
    opened = studio() if person.may(Action.ORDER) else looking_on()
    with db.read_connection() as reader:
        ended = queries.list_page(reader, person, queries.ListFilter(statuses=ENDED_STATUSES), limit=RECENT).rows
        owned = whose.of(reader, person, ended)
    if ended:
        opened = recent(ended, owned) or opened
    if opened:
        dialog.open_it(opened)
    dialog.dialog_if_open()
    if person.may(Action.ORDER):
        draft.save(person)
