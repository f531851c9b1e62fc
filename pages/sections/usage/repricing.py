"""What if, on the usage page: the clips shown, priced with another model, base price or markup."""

from collections.abc import Sequence

import streamlit as st

from core import db
from core.catalog import in_force, price_list
from core.usage import reports, repricing
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
    with st.grid(3, min_column_width=170, vertical_alignment="bottom"):
        model_id = st.selectbox(
            _("All made with"),
            list(names),
            format_func=lambda known: names.get(known, known),
            key="usage_what_if_model",
        )
        listed = price_list.price(model_id or most)
        base = st.number_input(
            _("Base price, credits"),
            min_value=1,
            max_value=10**9,
            value=listed.base_credits,
            key=f"usage_what_if_base_{model_id}",
            help=_("The list price is {credits}.").format(credits=wording.priced(listed.base_credits)),
        )
        markup = st.number_input(
            _("Markup on the provider's cost, percent"),
            min_value=100,
            max_value=10_000,
            step=5,
            value=listed.markup_percent,
            key=f"usage_what_if_markup_{model_id}",
            help=_("275 says that the list price is 2.75 times what the provider takes. It changes the estimate only."),
        )
    return repricing.Scenario(model_id or most, int(base or listed.base_credits), int(markup or listed.markup_percent))


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
