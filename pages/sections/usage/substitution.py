"""One model in the place of another, on the usage page: how many clips it could have made, and what they come to."""

from collections.abc import Sequence

import streamlit as st

from core import db
from core.catalog import in_force, price_list
from core.clock import utc_now
from core.insights.model_comparison import ComparedModel
from core.usage import substitution
from core.usage.substitution import Substitution
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.generate import adjustments
from pages.sections.usage import labels
from pages.sections.usage.choice import Choice
from pages.ui import components, wording
from pages.ui.language import _, translate_message


def show(person: Member, choice: Choice, used: Sequence[ComparedModel]) -> None:
    """The two models, and when it is open what comes of it; nothing is read while it is closed."""
    if not used:
        return
    st.header(_("One model in another's place"), anchor=False)
    with st.expander(
        _("What the clips of one would have cost on another"),
        key="usage_substitution",
        on_change="rerun",
        icon=":material/swap_horiz:",
    ) as box:
        if not box.open:
            return
        of, instead = _models(used)
        with db.read_session() as session:
            found = substitution.substitute(session, person, choice.selection, model_id=of, with_model_id=instead)
        _answer(found, sees_costs=person.may(Action.SEE_ALL_USAGE))


def _models(used: Sequence[ComparedModel]) -> tuple[str, str]:
    """Which one's clips, where most was spent first, and which one in its place, what is cheaper for as many first."""
    ranked = sorted(used, key=lambda model: -model.figures.settled_credits)
    names = {model.model_id: model.name for model in ranked}
    with st.container(horizontal=True, gap="small"):
        of = st.selectbox(
            _("The clips of"),
            list(names),
            format_func=lambda known: names.get(known, known),
            key="usage_substitution_of",
            width=280,
        )
        of = of or ranked[0].model_id
        orderable = [entry.model.id for entry in in_force.current().orderable(utc_now())]
        cheaper = next(model.cheaper for model in ranked if model.model_id == of)
        others = dict.fromkeys([*cheaper, *(id for id in orderable if id != of)])
        instead = st.selectbox(
            _("Made with"),
            list(others),
            format_func=labels.model,
            key=f"usage_substitution_with_{of}",
            width=280,
        )
    return of, instead or next(iter(others))


def _answer(found: Substitution, *, sees_costs: bool) -> None:
    """Coverage first, then what would have been otherwise, both sides, and what is left out."""
    model = in_force.model(found.with_model_id)
    st.markdown(
        _("{model} could have made {clips} of {all}, {share}; {as_ordered} of them as they were ordered.").format(
            model=components.escaped(model.name),
            clips=wording.credits(found.was.clips),
            all=labels.clips(found.of_clips),
            share=labels.share(found.coverage),
            as_ordered=wording.credits(found.as_ordered),
        )
    )
    if found.changes:
        components.table(
            [_("What would have been otherwise"), _("Clips")],
            [(adjustments.what_happened(one.adjustment), wording.credits(one.clips)) for one in found.changes],
            numbers=(1,),
        )
    if found.was.clips:
        components.table(
            [_("Figure"), _("As it was"), _("As it would be"), _("Difference")],
            _sides(found, sees_costs=sees_costs),
            numbers=(1, 2, 3),
        )
    if found.impossible:
        st.markdown(_("Not feasible with this model (excluded from both columns):"))
        left_out = [
            (translate_message(reason), labels.clips(some.clips), wording.priced(some.credits))
            for reason, some in sorted(found.impossible.items(), key=lambda pair: -pair[1].clips)
        ]
        components.table([_("Why"), _("Clips"), _("Charged")], left_out, numbers=(1, 2))
    if sees_costs and found.would_be.cost_unknown_clips:
        st.caption(
            _("Of {clips} nobody knows what they would cost: the catalogue has no provider's price for them.").format(
                clips=labels.clips(found.would_be.cost_unknown_clips)
            )
        )
    st.caption(
        _(
            "Each clip is priced as the nearest order that the other model makes, with today's rules. It cannot be "
            "known whether it would have done as well, failed as often or been asked for the same things."
        )
    )


def _sides(found: Substitution, *, sees_costs: bool) -> list[tuple[str, str, str, str]]:
    was, then = found.was, found.would_be
    lines = [
        (
            _("Seconds of video"),
            wording.credits(found.was_seconds),
            wording.credits(found.would_be_seconds),
            _signed(found.would_be_seconds - found.was_seconds),
        ),
        (_("Charged"), wording.priced(was.credits), wording.priced(then.credits), _signed(then.credits - was.credits)),
        (
            _("Charged, Rp"),
            wording.worth(was.credits),
            wording.worth(then.credits),
            _signed((then.credits - was.credits) * price_list.IDR_PER_CREDIT, money=True),
        ),
    ]
    if sees_costs:
        for name, before, after in (
            (_("Provider cost, estimate"), was.cost_idr, then.cost_idr),
            (_("Margin, estimate"), was.margin_idr, then.margin_idr),
        ):
            lines.append((name, wording.rupiah(before), wording.rupiah(after), _signed(after - before, money=True)))
    return lines


def _signed(amount: int, *, money: bool = False) -> str:
    """A difference with its sign."""
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    return f"{sign}{(wording.rupiah if money else wording.credits)(abs(amount))}"
