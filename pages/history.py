"""The library of all clips: a bar of filters kept in the address, pages of clips, what is selected, one open clip."""

from functools import partial

import streamlit as st

from core import db
from core.generations import queries, review
from pages.sections.clip import viewer
from pages.sections.history import bar, clips, everything, filters, jobs, selection, trash
from pages.ui import components, current_member
from pages.ui.language import _

with components.error_boundary():
    person = current_member.current_member()
    with db.read_connection() as reader:
        wanted = st.query_params.get("project")
        projects = components.project_names(reader, person, archived=True, wanted=wanted)
        chips = filters.chips(reader, person, projects)
        chosen = filters.asked(person, chips)
        if filters.remember(person, chosen):
            selection.clear()
        count = filters.count(reader, person, chosen)
        found = clips.page_of(reader, person, chosen)
        told = clips.told_of(reader, person, found, chosen, projects)
    if wanted and wanted not in projects:
        gone = _("The project of this link is not here: it is gone, or in a workspace that you are not in.")
        st.info(gone, icon=":material/folder_off:")
    bar.show(person, chips, chosen, count)
    jobs.show(person)
    clips.show(person, chosen, found, told)
    if selection.is_everything():
        with db.read_connection() as reader:
            here = components.project_names(reader, person, archived=False, wanted=None)
            everything.draw(person, count, here, review.own_tags(reader, person))
    elif selection.ids():
        with db.read_session() as session:
            selected = queries.get_many(session, person, selection.ids())
            open_projects = selection.targets(session, person, selected)
            own_tags = review.own_tags(session, person)
        offer = partial(everything.offer, person, count)
        selection.bar(person, selected, open_projects, own_tags, offer)
    trash.show(person)
    viewer.show(person, chosen)
