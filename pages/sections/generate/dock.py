"""The dock of the studio: prompt, model, settings, images, price and button at the foot of the page, always in view."""

from collections.abc import Collection, Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import db, installation
from core.catalog import in_force, offered, rules
from core.clock import utc_now
from core.db.tables import Preset
from core.generations import batches, queries
from core.generations.submit import Order, made_before
from core.insights import model_stats, provider_status
from core.messages import Message
from core.providers.models import VideoModel
from core.spec import GenerationSpec
from core.usage.limits import Limit
from core.workspaces.access import Member
from pages.elements import model_picker
from pages.sections.assets import mentioned
from pages.sections.generate import (
    adjustments,
    budget_line,
    cheap_draft,
    draft,
    form_state,
    order_card,
    preset_bar,
    project_choice,
    prompt_field,
    references,
    settings_bar,
    several,
    source_images,
)
from pages.sections.generate.means import Means
from pages.sections.generate.offer import Offer
from pages.ui import components
from pages.ui.language import _, translate_message

RECORD_SECONDS = 60  # how old the models' track record may be; a text on a line of its own would show on the page
RECENT_MODELS = 5
NEGATIVE = "negative prompt"
"""What a model's own sentence on it says, in the language that models are described in."""


@st.cache_data(ttl=RECORD_SECONDS, show_spinner=False)
def track_records(database_url: str) -> dict[str, model_stats.TrackRecord]:
    """How the models of this installation did lately; the same for everybody, so asked once for all."""
    del database_url  # it tells one installation's figures from another's
    with db.read_session() as session:
        return dict(model_stats.track_records(session, [model.id for model in offered.models(utc_now())]))


def show(person: Member, means: Means, project_id: str | None, kept: Sequence[Preset]) -> None:
    """Draw it and order what is asked for; without a project the first order makes one."""
    with st.bottom, components.error_boundary(), st.container(key="generate_dock"):
        notes = st.container(key="generate_notes", gap="xsmall")
        models = _offered_models(means.configured)
        with db.read_session() as session:
            troubles = provider_status.troubles(session)
            recent = queries.recent_models(session, person, limit=RECENT_MODELS)
            used = recent[0] if recent else queries.last_model(session, person)
        suggested = model_picker.suggested(models, means.configured, troubles, used)
        chosen = form_state.value("model_id")
        model = in_force.model(form_state.fallback_model(models, suggested))
        if chosen and chosen != model.id:
            draft.holds_another(_("The model that was chosen cannot be ordered any more."))
        wished = form_state.spec(model)
        fitted = rules.adapt(wished, model)
        spec, offer = fitted.spec, Offer(model, fitted.spec)
        can = several.possible(spec, means.configured)
        with st.container(key="generate_prompt_place", gap="xsmall"):
            typed = prompt_field.show(model, spec, names=mentioned.names(person))
        with st.container(key="generate_chips", horizontal=True, vertical_alignment="center", gap="small"):
            _choose_model(models, spec, means, troubles, recent)
            settings_bar.show(model, spec, offer)
            _images(person, model, offer)
            prompt_field.improve_button(model, spec)
            with st.popover(_("More"), icon=":material/tune:", key="generate_more"):
                settings_bar.rarely_needed(model, spec, offer, can)
                preset_bar.show(person, kept, spec)
            st.page_link(
                "sheets.py",
                label=_("Batch"),
                icon=":material/table_rows:",
                help=_("Many orders at once: from a spreadsheet, or from a prompt with lists in it."),
            )
        written = [Order(project_id or "", one) for one in several.specs(spec, can)]
        orders, names = mentioned.resolved(person, written, means.configured)
        with notes:
            mentioned.say(names)
            _notes(model, fitted, offer, can, troubles)
            limits = budget_line.found(person, project_id)
            budget_line.show(limits, batches.total_credits(orders))
        if form_state.spec(model) != wished:  # a browser that connected anew shows what was written last: that counts
            components.flash(_("The connection was renewed. Check the order."))
            st.rerun()
        with st.container(key="generate_pay", gap="xsmall"):
            cheaper = cheap_draft.cheapest(orders[0].spec, means.configured, troubles)
            _pay(person, means, orders, cheaper, notes=notes, limits=limits, asked=typed.order_pressed)


def _offered_models(configured: Collection[str]) -> Sequence[VideoModel]:
    """The models to choose from, those that can be used first; only ones that take a start image to go on from one."""
    models = sorted(offered.models(utc_now()), key=lambda model: model.provider not in configured)
    return [model for model in models if model.start_image] if form_state.extended() else models


def _choose_model(
    models: Sequence[VideoModel],
    spec: GenerationSpec,
    means: Means,
    troubles: Mapping[str, Message],
    recent: Sequence[str],
) -> None:
    """The model; what it makes decides the settings beside it."""
    picked = model_picker.show(
        models,
        ended=() if form_state.extended() else offered.withdrawn(utc_now()),
        spec=spec,
        configured=means.configured,
        troubles=troubles,
        records=track_records(installation.current().settings.database_url),
        recent=recent,
        key="generate_model_picker",
    )
    if picked and picked != spec.model_id:
        st.session_state[form_state.name("model_id")] = picked
        st.rerun()


def _images(person: Member, model: VideoModel, offer: Offer) -> None:
    """Places for start and end image and references; always there, since what is pasted or dropped goes to them."""
    if not (model.start_image or model.end_image or model.reference_images):
        return
    with st.container(key="generate_images", horizontal=True, gap="small", width="content"):
        source_images.show(person, model, offer)
        references.show(person, offer)


def _notes(
    model: VideoModel,
    fitted: rules.Adapted,
    offer: Offer,
    can: Mapping[str, rules.Adapted],
    troubles: Mapping[str, Message],
) -> None:
    """What has to be known before the press, in small print: drafts, limits, trouble, what changes of the wish."""
    spec = fitted.spec
    draft.note()
    project_choice.say_what_is_gone()
    _say_what_is_extended()
    if model.provider in troubles:
        st.warning(translate_message(troubles[model.provider]), icon=":material/warning:")
    if limits := _limits(model):
        st.caption(":material/info: " + " ".join(map(translate_message, limits)))
    adjustments.show(model, fitted.changes)
    several.say_changes(spec, can)
    source_images.say_ratio(model, spec)
    if model.start_image or model.end_image or model.reference_images:
        offer.say_why("start", "end")
    if model.reference_images:
        offer.say_why("images")
    offer.say_why("resolution", "seconds", "ratio", "fps", "seed", "negative", "sound", "enhance")


def _limits(model: VideoModel) -> Sequence[str]:
    """What its model says of itself; of the negative prompt only where one is written."""
    if str(form_state.value("negative_prompt") or "").strip():
        return model.limits
    return [limit for limit in model.limits if NEGATIVE not in limit.lower()]


def _say_what_is_extended() -> None:
    """That the clip goes on from another, and how to stop that."""
    if extended := form_state.extended():
        with st.container(horizontal=True, vertical_alignment="center", key="generate_extends"):
            st.caption(_("This clip begins with the last picture of an earlier one:"), width="content")
            components.plain_text(extended["prompt"], small=True, lines=1)
            st.button(
                _("Make a separate clip instead"),
                key="generate_extends_stop",
                type="tertiary",
                on_click=form_state.stop_extending,
            )


def _pay(
    person: Member,
    means: Means,
    orders: Sequence[Order],
    cheaper: cheap_draft.Draft | None,
    *,
    notes: DeltaGenerator,
    limits: Sequence[Limit],
    asked: bool,
) -> None:
    with db.read_session() as session:
        made = made_before(session, person, orders[0]) if orders[0].spec.prompt.strip() else None
    order_card.show(
        person,
        means,
        orders,
        cheaper,
        notes=notes,
        limits=limits,
        asked=asked,
        made=made,
    )
