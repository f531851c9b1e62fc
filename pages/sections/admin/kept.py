"""How long clips are kept, and how much would go by that; for administrators."""

from collections.abc import Mapping

import streamlit as st

from core import db, installation
from core.generations import retention
from core.generations.retention import Amount, Rule, Rules
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _, plural
from pages.ui.wording import TranslatedLabels

Counted = tuple[Mapping[Rule, Amount], Amount]
"""How much has passed each rule, and what is in the trash."""

RULES = TranslatedLabels({Rule.REJECTED: N_("Rejected clips"), Rule.UNDECIDED: N_("Clips that nobody judged")})


def show() -> None:
    """The rules in force; counted when somebody asks for it, since that reads every clip."""
    current_member.administrator()
    st.header(_("How long clips are kept"), anchor=False)
    rules = Rules.of(installation.current().settings)
    st.caption(
        _("REJECTED_CLIP_DAYS and UNDECIDED_CLIP_DAYS let clips go that nobody keeps; TRASH_DAYS lets them come back.")
    )
    place = st.empty()
    counted: Counted | None = None
    if st.button(_("Count what would go"), icon=":material/auto_delete:", key="admin_kept"):
        with db.read_session() as session:
            counted = retention.plan(session, rules), retention.in_trash(session)
        st.caption(
            _(
                "Nothing was changed. Counted are clips past their time, and what is in the trash. Whose clips go is "
                "told a week before."
            )
        )
    with place.container():
        _table(rules, counted)


def _table(rules: Rules, counted: Counted | None) -> None:
    heads = [_("What"), _("Kept for")]
    rows = [[RULES[rule], _kept(rules.days.get(rule, 0))] for rule in Rule]
    rows.append([_("Deleted clips"), _days(rules.trash_days) if rules.trash_days else _("gone at once")])
    if counted is not None:
        past, deleted = counted
        heads += [_("Clips"), _("Size")]
        for row, amount in zip(rows, [*map(past.get, Rule), deleted], strict=True):
            row.extend(_figures(amount))
    components.table(heads, rows, numbers=(2, 3))


def _figures(amount: Amount | None) -> tuple[str, str]:
    """How many clips and how much; of a rule that is off, nothing."""
    if amount is None:
        return "–", ""
    return wording.credits(amount.clips), wording.size(amount.size_bytes) if amount.clips else ""


def _kept(days: int) -> str:
    return _days(days) if days else _("for ever")


def _days(number: int) -> str:
    return plural("{number} day", "{number} days", number).format(number=wording.credits(number))
