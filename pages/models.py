"""For administrators: all models with life, price and vendor's id, what was changed about them, and changing it."""

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from core import db
from core.catalog.catalogue import Catalogue
from core.catalog_changes import changes, listing, live_lists
from core.catalog_changes.changes import Made
from core.providers import registry
from core.workspaces.permissions import Action
from pages.sections.models import change_form, notes, words
from pages.ui import components, current_member, wording
from pages.ui.language import _

CHANGES_SHOWN = 25
TABLE_HEIGHT_PX = 560  # what stands below does not move when the table is drawn, nor need one scroll past it


def everything(known: Catalogue, now: datetime) -> None:
    """All models in their order, as they stand now."""
    components.table(
        [_("Model"), _("ID"), _("Provider"), _("Life"), _("Price"), _("Vendor's ID"), _("Next change")],
        [
            [
                entry.model.name,
                entry.model.id,
                registry.provider_class(entry.model.provider).display_name,
                words.life(known, entry, now),
                words.price(entry.price(now)),
                entry.model_at(now).upstream_id,
                words.coming(entry, now),
            ]
            for entry in known.entries.values()
        ],
        wide=(1, 3, 4, 5),
    )


def history(known: Catalogue, now: datetime) -> None:
    """What administrators have changed, newest first, a page at a time; what has not begun can be taken back."""
    pages: list[str] = st.session_state.setdefault("models_pages", [""])
    with db.read_session() as session:
        member = current_member.require(Action.MANAGE_CATALOGUE)
        found = changes.list_changes(
            session, member, before_id=int(pages[-1]) if pages[-1] else None, limit=CHANGES_SHOWN + 1
        )
    shown = found[:CHANGES_SHOWN]
    if not shown:
        st.caption(_("Nothing was changed yet: all is as the files of models say."))
        return
    components.table(
        [_("When"), _("Who"), _("Model"), _("What"), _("Says"), _("From")],
        [
            [
                wording.minute(made.row.made_at),
                made.row.author,
                made.row.model_id,
                words.KINDS[made.row.kind],
                words.value(known, made.row),
                _("taken back") if made.taken_back else wording.minute(made.row.since, UTC),
            ]
            for made in shown
        ],
    )
    coming([made for made in shown if made.row.since > now and not made.taken_back])
    components.pager(pages, str(shown[-1].row.id) if len(found) > CHANGES_SHOWN else None, key="models_changes")


def coming(made: Sequence[Made]) -> None:
    """A button for each change that can still be taken back."""
    for each in made:
        row = each.row
        label = _("Take back: {what} of {model} from {moment}").format(
            what=words.KINDS[row.kind], model=row.model_id, moment=wording.minute(row.since, UTC)
        )
        if st.button(label, key=f"models_take_back_{row.id}", icon=":material/undo:"):
            change_form.take_back(row.id)


with components.error_boundary():
    with db.read_session() as opened:
        all_models, moment = listing.everything(opened, current_member.require(Action.MANAGE_CATALOGUE))
        open_notes = live_lists.list_open(opened, current_member.require(Action.MANAGE_CATALOGUE))
        lists_read = live_lists.lists(opened, current_member.require(Action.MANAGE_CATALOGUE))
    notes.show(all_models, open_notes)
    with st.container(height=TABLE_HEIGHT_PX, border=False):
        everything(all_models, moment)
    notes.when_read(lists_read)
    st.header(_("Change a model"), anchor=False)
    change_form.change(all_models, moment)
    st.header(_("Add a model"), anchor=False)
    change_form.add({each.name: each.display_name for each in registry.providers()}, moment)
    st.header(_("Changes"), anchor=False)
    history(all_models, moment)
