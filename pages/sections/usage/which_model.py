"""Which model, on the usage page: all of them for one order, side by side, and one put in another's place."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import streamlit as st

from core import audit_log, db
from core.catalog import in_force
from core.catalog.records import LifeState
from core.insights import comparison_file, model_comparison
from core.insights.model_comparison import LEAST_JUDGED, NEWEST, ComparedModel, ModelComparison, OrderPrice
from core.spec import GenerationSpec
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.workspaces.access import Member
from pages.elements import sorted_table
from pages.elements.sorted_table import Cell, Column
from pages.sections.generate import adjustments
from pages.sections.usage import labels, substitution
from pages.sections.usage.choice import Choice
from pages.ui import components, current_member, downloads, query_param, wording
from pages.ui.language import _

TOLD = 3
"""So many cheaper models are named above the table, where most was spent."""

FIELD_WIDTH_PX = 150


def show(person: Member, choice: Choice) -> None:
    """The order, the models for it, and what the clips of one would have come to on another."""
    st.header(_("Which model"), anchor=False)
    order = _order()
    with db.read_session() as session:
        found = model_comparison.compare(session, person, choice.selection, order)
    _say_cheaper(found)
    _table(found)
    downloads.figures(partial(_file, choice, order), name="usage-which-model", key="usage_which_model")
    st.caption(
        _(
            "Prices are of the order above, or of the nearest that a model makes. Success leaves out what was "
            "cancelled, refused, or spoiled by our own keys and accounts; it and the times are of each model's newest "
            "{number} clips that ended in this period. The share that is kept has the interval in which it lies with "
            "95 in 100; from {least} judged clips on it is shown."
        ).format(number=wording.credits(NEWEST), least=wording.credits(LEAST_JUDGED))
    )
    substitution.show(person, choice, [model for model in found.models if model.figures.completed])


def _order() -> GenerationSpec:
    """The order that models are compared for, kept in the address."""
    models = in_force.models()
    resolutions = _most_first(size for model in models for size in model.resolutions)
    ratios = _most_first(ratio for model in models for ratio in model.aspect_ratios)
    lengths = {str(seconds): labels.seconds(seconds) for seconds in sorted({s for m in models for s in m.durations})}
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="usage_order"):
        seconds = _select(_("Length"), "length", lengths, "5")
        resolution = _select(_("Resolution"), "size", {size: size for size in resolutions}, "720p")
        ratio = _select(_("Aspect ratio"), "ratio", {ratio: ratio for ratio in ratios}, "16:9")
        sounds = {"off": _("Without sound"), "on": _("With sound")}
        sound = _select(_("Sound"), "sound", sounds, "off")
    return GenerationSpec(
        model_id="",
        resolution=resolution,
        duration_seconds=int(seconds),
        aspect_ratio=ratio,
        generate_audio=sound == "on",
    )


def _most_first(values: Iterable[str]) -> list[str]:
    """Each once, what most models make first."""
    every = list(values)
    return sorted(set(every), key=lambda value: (-every.count(value), value))


def _select(label: str, param: str, options: dict[str, str], default: str) -> str:
    key = query_param.widget_key("usage", param, query_param.one_of(param, options, default))
    chosen = st.selectbox(
        label,
        list(options),
        key=key,
        format_func=lambda known: options.get(known, known),
        on_change=query_param.save,
        args=("usage", param, default),
        label_visibility="collapsed",
        width=FIELD_WIDTH_PX,
    )
    return chosen or default


def _say_cheaper(found: ModelComparison) -> None:
    """Where most was spent and something cheaper keeps as many, in a sentence each."""
    by_id = {model.model_id: model for model in found.models}
    spent = sorted(found.models, key=lambda model: -model.figures.settled_credits)
    for model in [model for model in spent if model.cheaper and model.order][:TOLD]:
        other = by_id.get(model.cheaper[0])
        if other is None or other.order is None or model.order is None:
            continue
        text = _("Cheaper than {model}: {other} keeps as many here, for {less} less an order.").format(
            model=components.escaped(model.name),
            other=components.escaped(other.name),
            less=wording.priced(model.order.credits - other.order.credits),
        )
        st.markdown(f":material/savings: {text}")


def _table(found: ModelComparison) -> None:
    """A line a model: those that were used first, from most to least spent, then the others by their price."""
    columns = [
        Column(_("Model")),
        *(
            Column(head, is_number=True, explained=explained)
            for head, explained in (
                (_("Price"), _("Credits for the chosen order")),
                ("Rp", ""),
                (_("Usual time"), _("Half of the clips were done within it")),
                (_("Slow time"), _("Nine in ten clips were done within it")),
                (_("Success"), _("Without what was cancelled, refused, or our own fault")),
                (_("Kept"), _("From {number} judged clips on").format(number=wording.credits(LEAST_JUDGED))),
                (_("Judged"), _("So many clips were kept or rejected")),
                (_("Rp per kept second"), _("From {number} judged clips on").format(number=LEAST_JUDGED)),
            )
        ),
        *((Column(_("Cost, Rp"), is_number=True), Column(_("Margin, Rp"), is_number=True)) if found.sees_costs else ()),
        Column(_("Cheaper, keeps as many")),
        Column(_("Made instead")),
        Column(_("Provider")),
    ]
    names = {model.model_id: model.name for model in found.models}
    ranked = sorted(found.models, key=_rank)
    sorted_table.show(
        columns,
        [_line(model, names, sees_costs=found.sees_costs) for model in ranked],
        key="usage_which_model",
        name=_("Which model"),
    )


def _rank(model: ComparedModel) -> tuple[bool, int, bool, int, str]:
    spent = model.figures.settled_credits
    return not spent, -spent, model.order is None, model.order.credits if model.order else 0, model.name


def _line(model: ComparedModel, names: dict[str, str], *, sees_costs: bool) -> list[Cell | str]:
    order, times, kept = model.order, model.record.times, model.kept
    costs: tuple[Cell, ...] = ()
    if sees_costs:
        costs = (
            _cell(order.cost_idr if order else None, wording.credits),
            _cell(order.margin_idr if order else None, wording.credits),
        )
    is_offered = model.state is LifeState.AVAILABLE
    cheaper = ", ".join(names.get(id, labels.model(id)) for id in model.cheaper)
    return [
        model.name if is_offered else _("{model}, not offered").format(model=model.name),
        _cell(order.credits if order else None, wording.credits),
        _cell(order.idr if order else None, wording.credits),
        _cell(times.p50_seconds if times else None, labels.seconds),
        _cell(times.p90_seconds if times else None, labels.seconds),
        _cell(model.record.success_rate, wording.share),
        Cell(_kept(model), kept.share),
        _cell(kept.judged, wording.credits),
        _cell(model.idr_per_kept_second, lambda idr: wording.credits(round(idr))),
        *costs,
        cheaper,
        _instead(order),
        labels.provider(model.provider),
    ]


def _kept(model: ComparedModel) -> str:
    """`80% (49% to 94%)`; a dash where too few were judged."""
    share, low, high = model.kept.share, model.kept.low, model.kept.high
    if share is None or low is None or high is None:
        return labels.NONE
    return _("{share} ({low} to {high})").format(
        share=wording.share(share), low=wording.share(low), high=wording.share(high)
    )


def _instead(order: OrderPrice | None) -> str:
    """What a model makes otherwise than it was ordered."""
    if order is None:
        return _("makes nothing like it")
    return " ".join(adjustments.what_happened(change) for change in order.changes)


def _cell(value: Any, worded: Callable[[Any], str]) -> Cell:
    return Cell(labels.NONE if value is None else worded(value), value)


def _file(
    choice: Choice, order: GenerationSpec, form: SpreadsheetFormat, separator: Separator = Separator.COMMA
) -> bytes:
    """What the API gives for the same."""
    person = current_member.current_member()
    workspace_id = None if choice.selection.everybody else person.workspace_id
    with db.read_session() as session:
        found = model_comparison.compare(session, person, choice.selection, order)
    audit_log.record_export(person.user, what="models", workspace_id=workspace_id, format=form)
    return b"".join(comparison_file.models(found, form, separator))
