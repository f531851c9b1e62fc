"""Every clip, newest first: a gallery with filters kept in the address, and a dialog a clip."""

from collections.abc import Sequence

import streamlit as st

from core import db, history
from core.models import ENDED_STATUSES, Status
from core.providers import registry
from pages import clip, components, gallery, visitor

PAGE_SIZE = 24
SEARCH_LIMIT_CHARS = 200

GROUPS = {
    "completed": (Status.COMPLETED,),
    "live": (Status.PENDING, Status.PROCESSING, Status.UNCERTAIN),
    "failed": (Status.FAILED,),
    "cancelled": (Status.CANCELLED,),
}
GROUP_NAMES = {"completed": "Completed", "live": "Under way", "failed": "Failed", "cancelled": "Cancelled"}

person = visitor.person()


def follow_address(param: str, options: Sequence[str] | None = None) -> str:
    """Give a filter the value the address has, if it is one of the options; the key of its widget."""
    key = f"history_{param}"
    value = st.query_params.get(param)
    wanted = value if options is None or value in options else None
    if options is None:
        wanted = (wanted or "")[:SEARCH_LIMIT_CHARS]
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted
    return key


def to_address(param: str) -> None:
    """Write a filter that was just changed into the address."""
    if value := st.session_state[f"history_{param}"]:
        st.query_params[param] = value
    else:
        st.query_params.pop(param, None)


def clear_filters() -> None:
    """Show everything again."""
    for param in ("project", "status", "model", "text"):
        st.query_params.pop(param, None)


def filters(names: dict[str, str]) -> history.Filter:
    """Draw the filters; what they say."""
    models = {model.id: model.name for model in registry.models()}
    with st.grid(4, min_column_width=170, vertical_alignment="bottom"):
        project_id = st.selectbox(
            "Project",
            list(names),
            index=None,
            key=follow_address("project", list(names)),
            format_func=lambda known: names[known],
            placeholder="All projects",
            on_change=to_address,
            args=("project",),
        )
        group = st.selectbox(
            "Status",
            list(GROUPS),
            index=None,
            key=follow_address("status", list(GROUPS)),
            format_func=GROUP_NAMES.__getitem__,
            placeholder="Every status",
            on_change=to_address,
            args=("status",),
        )
        model_id = st.selectbox(
            "Model",
            list(models),
            index=None,
            key=follow_address("model", list(models)),
            format_func=models.__getitem__,
            placeholder="All models",
            on_change=to_address,
            args=("model",),
        )
        text = st.text_input(
            "Words in the prompt",
            key=follow_address("text"),
            type="search",
            placeholder="Search",
            max_chars=SEARCH_LIMIT_CHARS,
            on_change=to_address,
            args=("text",),
        )
    return history.Filter(
        project_id=project_id, statuses=GROUPS.get(group or "", ()), model_id=model_id, text=text or ""
    )


def cursors(chosen: history.Filter) -> list[str | None]:
    """Where each page up to the present one begins; begins anew when the filters change."""
    if st.session_state.get("history_filter") != chosen:
        st.session_state["history_filter"] = chosen
        st.session_state["history_cursors"] = [None]
    pages: list[str | None] = st.session_state["history_cursors"]
    return pages


def page_of_clips(chosen: history.Filter, drawn_live: frozenset[str]) -> None:
    """One page of cards; moves by itself while something on it is under way."""
    with components.calm():
        pages = cursors(chosen)
        with db.session(read_only=True) as session:
            found = history.browse(session, visitor.person(), chosen, cursor=pages[-1], limit=PAGE_SIZE)
        ended = {row.id for row in found.rows if row.status in ENDED_STATUSES}
        if drawn_live & ended:
            st.rerun()  # something ended: the balance above changes with it
        if not found.rows:
            nothing(chosen)
            return
        opened = gallery.show(found.rows, key="history_gallery")
        pager(pages, found.next_cursor)
        if opened:
            clip.open_it(opened)


def newer(pages: list[str | None]) -> None:
    """Back to the page before."""
    pages.pop()


def pager(pages: list[str | None], next_cursor: str | None) -> None:
    """Newer and Older; drawn only where there is more than one page."""
    if len(pages) == 1 and next_cursor is None:
        return
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button(
            "Newer",
            icon=":material/chevron_left:",
            disabled=len(pages) == 1,
            on_click=newer,
            args=(pages,),
            key="history_newer",
        )
        st.markdown(f"Page {len(pages)}", width="content")
        st.button(
            "Older",
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=next_cursor is None,
            on_click=pages.append,
            args=(next_cursor,),
            key="history_older",
        )


def nothing(chosen: history.Filter) -> None:
    """Why the gallery is empty, and the way out."""
    if chosen == history.Filter():
        components.empty_state(
            "No clips yet", "Every clip you order stays here, with its price and its story.", icon="movie"
        )
        with st.container(horizontal_alignment="center"):
            st.page_link("generate.py", label="Make the first one", icon=":material/movie:")
        return
    components.empty_state("Nothing matches", "No clip fits these filters.", icon="filter_alt_off")
    with st.container(horizontal_alignment="center"):
        if st.button("Show all clips", key="history_show_all"):
            clear_filters()
            st.rerun()  # the filters are drawn outside of this fragment


with components.calm():
    with db.session(read_only=True) as session:
        wanted = st.query_params.get("project")
        names = components.project_names(session, person, archived=True, wanted=wanted)
    chosen = filters(names)
    with db.session(read_only=True) as session:
        first = history.browse(session, person, chosen, cursor=cursors(chosen)[-1], limit=PAGE_SIZE)
    live = frozenset(row.id for row in first.rows if row.status not in ENDED_STATUSES)
    st.fragment(page_of_clips, run_every=components.tick_seconds(first.rows))(chosen, live)
    clip.dialog_if_open()
