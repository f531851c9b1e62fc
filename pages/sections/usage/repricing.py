"""What if, on the usage page: the clips shown, with another model, base price, vendor's price or dollar."""

from collections.abc import Sequence

import streamlit as st

from core import db
from core.billing import pricing
from core.catalog import in_force
from core.usage import exchange_rates, reports, repricing
from core.workspaces.access import Member
from pages.sections.usage import labels
from pages.sections.usage.figures import Shown
from pages.ui import components, wording
from pages.ui.language import _, translate_message


def show(person: Member, chosen: reports.UsageQuery, shown: Shown) -> None:
    """The form, and when it is open what it comes to; nothing is read while it is closed."""
    st.header(_("What if"), anchor=False)
    with st.expander(
        _("Price these clips anew"), key="usage_what_if", on_change="rerun", icon=":material/calculate:"
    ) as box:
        if not box.open:
            return
        with db.read_session() as session:
            kinds = repricing.clip_groups(session, person, chosen)
        change = _change(shown, kinds)
        _answer(kinds, repricing.reprice(kinds, change), shown.total.completed)


def _change(shown: Shown, kinds: Sequence[repricing.ClipGroup]) -> repricing.Scenario:
    """What is put in place of what was: the models that can make most of these clips stand first, and say how many."""
    all_clips = max(1, shown.total.completed)
    covered = {model.id: repricing.coverage(kinds, model) for model in in_force.models()}
    used = [one.id for one in shown.models]
    ranked = sorted(
        in_force.models(),
        key=lambda model: (-covered[model.id], used.index(model.id) if model.id in used else len(used)),
    )
    names = {
        model.id: _("{model}: {share} of these clips").format(
            model=model.name, share=wording.share(covered[model.id] / all_clips)
        )
        for model in ranked
    }
    most = ranked[0].id
    with st.grid(4, min_column_width=170, vertical_alignment="bottom"):
        model_id = st.selectbox(
            _("All made with"),
            list(names),
            format_func=lambda known: names.get(known, known),
            key="usage_what_if_model",
        )
        listed = pricing.base_credits(in_force.model(model_id or most))
        base = st.number_input(
            _("Base price, credits"),
            min_value=min(1, listed),
            max_value=10**9,
            value=listed,
            key=f"usage_what_if_base_{model_id}",
            help=_("The list price is {credits}.").format(credits=wording.priced(listed)),
        )
        vendor_percent = st.number_input(
            _("Provider's price, percent of what it is"),
            min_value=1,
            max_value=10_000,
            step=5,
            value=100,
            key="usage_what_if_vendor",
            help=_("110 says that the provider takes a tenth more than it does."),
        )
        idr_per_usd = st.number_input(
            _("Rupiah for a dollar"),
            min_value=exchange_rates.LEAST_IDR_PER_USD,
            max_value=exchange_rates.MOST_IDR_PER_USD,
            step=100,
            value=None,
            placeholder=_("as it was"),
            key="usage_what_if_dollar",
            help=_("Without a figure each clip keeps the dollar of its own day."),
        )
    return repricing.Scenario(
        model_id or most,
        base_credits=None if base == listed else base,
        vendor_percent=vendor_percent or 100,
        idr_per_usd=idr_per_usd,
    )


def _answer(kinds: Sequence[repricing.ClipGroup], found: repricing.Comparison, completed: int) -> None:
    """Before and after side by side, what is left out, and what cannot be known."""
    was, then = found.was, found.would_be
    _say_coverage(found, completed)
    lines = [
        (_("Clips"), *(wording.credits(some.clips) for some in (was, then)), ""),
        (_("Charged"), *(wording.priced(some.credits) for some in (was, then)), _signed(then.credits - was.credits)),
        (
            _("Provider cost, estimate"),
            *(wording.rupiah(some.cost_idr) for some in (was, then)),
            _signed_rupiah(then.cost_idr - was.cost_idr),
        ),
        (
            _("Margin, estimate"),
            *(wording.rupiah(some.margin_idr) for some in (was, then)),
            _signed_rupiah(then.margin_idr - was.margin_idr),
        ),
    ]
    components.table([_("Figure"), _("As it was"), _("As it would be"), _("Difference")], lines, numbers=(1, 2, 3))
    if then.cost_unknown_clips:
        st.caption(
            _("Of {clips} nobody knows what they would cost: the catalogue has no provider's price for them.").format(
                clips=labels.clips(then.cost_unknown_clips)
            )
        )
    if found.impossible:
        st.markdown(_("Not feasible with this model (excluded from both columns):"))
        left_out = [
            (translate_message(reason), labels.clips(some.clips), wording.priced(some.credits))
            for reason, some in sorted(found.impossible.items(), key=lambda pair: -pair[1].clips)
        ]
        components.table([_("Why"), _("Clips"), _("Charged")], left_out, numbers=(1, 2))
    covered = sum(kind.clips for kind in kinds)
    if covered < completed:
        st.caption(
            _(
                "Priced are the newest {covered} of {completed}: at most {limit} ended ones of a model are looked at."
            ).format(
                covered=labels.clips(covered),
                completed=wording.credits(completed),
                limit=wording.credits(repricing.MAX_CLIPS_PER_MODEL),
            )
        )
    st.caption(
        _(
            "Every charged clip is priced by its own length, resolution, images and sound, with today's rules. It "
            "cannot be known whether the other model would have done as well, failed as often or been asked for the "
            "same things."
        )
    )


def _signed(amount: int) -> str:
    """A difference with its sign."""
    return f"{_sign(amount)}{wording.credits(abs(amount))}"


def _signed_rupiah(amount_idr: int) -> str:
    return f"{_sign(amount_idr)}{wording.rupiah(abs(amount_idr))}"


def _say_coverage(found: repricing.Comparison, completed: int) -> None:
    """How much of what was made the answer is about, before the answer."""
    left_out = sum(some.credits for some in found.impossible.values())
    st.markdown(
        _("This covers {clips} of {completed}, {share} of the clips and {credits} of the credits charged.").format(
            clips=wording.credits(found.was.clips),
            completed=labels.clips(completed),
            share=wording.share(found.was.clips / max(1, completed)),
            credits=wording.share(found.was.credits / max(1, found.was.credits + left_out)),
        )
    )


def _sign(amount: int) -> str:
    return "+" if amount > 0 else "−" if amount < 0 else ""
