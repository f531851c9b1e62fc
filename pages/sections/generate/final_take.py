"""From a draft to the final: the order of a take on another model, adapted and priced before it is ordered."""

from collections.abc import Collection, Sequence
from dataclasses import replace

import streamlit as st

from core import db, errors, installation
from core.billing import pricing
from core.catalog import in_force, offered, rules
from core.clock import utc_now
from core.db.tables import Generation
from core.generations import batches, queries
from core.generations.submit import Order
from core.providers.models import VideoModel
from core.spec import GenerationSpec
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.generate import adjustments, approval_line, budget_line, form_state, receipt
from pages.ui import components, current_member, idempotency, wording
from pages.ui.language import _, translate_message

_OPEN = form_state.name("final")
_SHOWN = form_state.name("final_shown")
_MODEL = form_state.name("final_model")
WIDTH_PX = 620


def open_it(generation_id: str) -> None:
    """Open the dialog for a take: the whole page runs again and draws it."""
    st.session_state[_OPEN] = generation_id
    st.session_state.pop(_MODEL, None)
    st.rerun()


def dialog_if_open() -> bool:
    """Draw the dialog where one was asked for; whether it was."""
    wanted = st.session_state.get(_OPEN)
    if wanted:
        st.dialog(_("Make the final"), width=WIDTH_PX, on_dismiss=_close)(_dialog)(wanted)
    return bool(wanted)


def _close() -> None:
    st.session_state[_OPEN] = st.session_state[_SHOWN] = None


def _dialog(generation_id: str) -> None:
    with components.error_boundary():
        person = current_member.current_member()
        with db.read_session() as session:
            row = queries.get(session, person, generation_id)
        person.require(Action.ORDER, row.workspace_id)
        configured = installation.current().configured
        wished = _wished(row)
        can = _makeable(wished, configured)
        components.plain_text(row.prompt, lines=3)
        if not can:
            st.info(_("No other model here can make this take."))
            return
        names = {model.id: _label(model, adapted.spec) for model, adapted in can}
        chosen = form_state.value("model_id")
        st.selectbox(
            _("Final model"),
            list(names),
            index=list(names).index(chosen) if chosen in names else 0,
            key=_MODEL,
            format_func=lambda known: names.get(known, ""),
        )
        adapted = next(adapted for model, adapted in can if model.id == st.session_state[_MODEL])
        adjustments.show_changes(in_force.model(adapted.spec.model_id), adapted.changes)
        _pay(person, row, adapted.spec, configured)


def _wished(row: Generation) -> GenerationSpec:
    """The take's own order, with what a draft leaves out as it is wished for in the form."""
    wished = {field: form_state.value(field) for field in ("resolution", "generate_audio", "enhance_prompt")}
    return replace(row.spec, **{field: value for field, value in wished.items() if value is not None})


def _makeable(wished: GenerationSpec, configured: Collection[str]) -> Sequence[tuple[VideoModel, rules.Adapted]]:
    """The models that can make about this, with what they would make of it."""
    found = [(model, rules.adapt(wished, model)) for model in offered.models(utc_now()) if model.provider in configured]
    return [(model, adapted) for model, adapted in found if not rules.check(model, adapted.spec)]


def _label(model: VideoModel, spec: GenerationSpec) -> str:
    return f"{model.name} · {wording.priced(pricing.priced(spec).total_credits)}"


def _pay(person: Member, row: Generation, spec: GenerationSpec, configured: Collection[str]) -> None:
    order = Order(row.project_id, spec, final_of_id=row.id)
    total = pricing.priced(spec).total_credits
    st.caption(
        " · ".join(
            (spec.resolution, spec.aspect_ratio, _("{number} s").format(number=spec.duration_seconds))
            + ((_("Sound"),) if spec.generate_audio else ())
        )
    )
    components.breakdown(receipt.lines(order), total)
    shown_credits: int | None = st.session_state.get(_SHOWN)  # what the button said that may have been pressed
    st.session_state[_SHOWN] = total
    label = _("Make the final for {price}").format(price=wording.priced(total))
    stops = budget_line.stop_of_one(person, row, total)
    if stops:
        st.caption(f":material/info: {stops}")
    approval_line.show_for_one(person, row, total)
    if not st.button(label, type="primary", key="generate_final_order", width="stretch", disabled=stops is not None):
        return
    try:
        with (
            components.outage_refuses(),
            idempotency.request_key("final", f"{row.id}{order.digest()}") as key,
            db.write_session() as session,
        ):
            batches.submit_batch(
                session,
                person.moved_to(row.workspace_id),
                [order],
                configured=configured,
                quota_bytes=installation.current().settings.storage_quota_bytes,
                key=key,
                shown_credits=shown_credits,
            )
    except errors.AppError as problem:
        st.error(translate_message(problem.message))
        return
    _close()
    st.rerun()
