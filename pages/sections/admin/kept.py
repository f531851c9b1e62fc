"""How long clips are kept, and how much would go by that; for administrators."""

import streamlit as st

from core import db, installation
from core.generations import retention
from core.generations.retention import Rule, Rules
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

RULES = TranslatedLabels({Rule.REJECTED: N_("Rejected clips"), Rule.UNDECIDED: N_("Clips that nobody judged")})


def show() -> None:
    """The rules in force; counted when somebody asks for it, since that reads every clip."""
    current_member.administrator()
    st.header(_("How long clips are kept"), anchor=False)
    rules = Rules.of(installation.current().settings)
    if not rules.days:
        st.caption(_("For ever. REJECTED_CLIP_DAYS and UNDECIDED_CLIP_DAYS let clips go that nobody keeps."))
    if not st.button(_("Count what would go"), icon=":material/auto_delete:", key="admin_kept"):
        return
    with db.read_session() as session:
        found, deleted = retention.plan(session, rules), retention.in_trash(session)
    rows = [
        (
            RULES[rule],
            _("{days} days").format(days=rules.days[rule]),
            wording.credits(amount.clips),
            wording.size(amount.size_bytes) if amount.clips else "",
        )
        for rule, amount in found.items()
    ]
    rows.append(
        (
            _("Deleted clips"),
            _("{days} days").format(days=rules.trash_days),
            wording.credits(deleted.clips),
            wording.size(deleted.size_bytes) if deleted.clips else "",
        )
    )
    components.table([_("What"), _("Kept for"), _("Clips past it, or deleted"), _("Size")], rows, numbers=(2, 3))
    st.caption(_("Nothing was changed. Whose clips these are is told a week before they go to the trash."))
