"""Every clip: a gallery with filters kept in the address, a bar for what is selected, a dialog a clip."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import streamlit as st

from core import db
from core.catalog import in_force
from core.clock import utc_now
from core.db import Reader
from core.db.enums import Status
from core.files.findings import FindingKind
from core.generations import queries, review
from core.generations.queries import ReviewStatus
from core.generations.review import Changes
from core.providers import registry
from core.workspaces import profiles
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.elements import compare, gallery
from pages.sections import whose
from pages.sections.clip import dialog
from pages.sections.history import selection
from pages.sections.sample import offer
from pages.ui import components, current_member, query_param, wording
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

PAGE_SIZE = 24
SEARCH_LIMIT_CHARS = 200

GROUPS = {
    "completed": (Status.COMPLETED,),
    "live": (Status.PENDING, Status.PROCESSING, Status.UNCERTAIN),
    "failed": (Status.FAILED,),
    "cancelled": (Status.CANCELLED,),
}
GROUP_NAMES = TranslatedLabels(
    {
        "completed": N_("Completed"),
        "live": N_("Under way"),
        "failed": N_("Failed"),
        "cancelled": N_("Cancelled"),
    }
)
PLACES = TranslatedLabels({"all": N_("All my workspaces")})
ORDERS = TranslatedLabels({"oldest": N_("Oldest first")})
HEARTS = TranslatedLabels({"yes": N_("Favourites"), "no": N_("Not favourites")})
VERDICT_NAMES = TranslatedLabels(
    {
        ReviewStatus.KEPT.value: N_("Kept"),
        ReviewStatus.REJECTED.value: N_("Rejected"),
        ReviewStatus.UNDECIDED.value: N_("Undecided"),
    }
)
# Number of days (UTC) up to and with today. Not a docstring: Streamlit writes a bare text of a page onto the page.
PERIODS = TranslatedLabels(
    {
        "1": N_("Today"),
        "7": N_("Last 7 days"),
        "30": N_("Last 30 days"),
        "90": N_("Last 90 days"),
        "365": N_("Last 365 days"),
    }
)

BASIC = ("text", "project", "status", "order")
ANYTHING = TranslatedLabels({"any": N_("Anything noticed")})
FURTHER = ("whose", "where", "model", "provider", "favourite", "verdict", "tag", "found", "days")


def asked_text() -> str:
    """The words that the address asks for."""
    return st.query_params.get("text", "")[:SEARCH_LIMIT_CHARS]


def clear_filters() -> None:
    """Show everything again."""
    for param in (*BASIC, *FURTHER):
        st.query_params.pop(param, None)


def choice(param: str, label: str, everything: str, options: Mapping[str, str]) -> None:
    """Draw one list of a filter."""
    st.selectbox(
        label,
        list(options),
        index=None,
        key=query_param.widget_key("history", param, query_param.one_of(param, options)),
        format_func=options.__getitem__,
        placeholder=everything,
        on_change=query_param.save,
        args=("history", param),
    )


def only_mine(person: Member) -> None:
    """Show what the person has made."""
    st.query_params["whose"] = person.id


def makers_of(reader: Reader, person: Member) -> dict[str, str]:
    """Everybody who made something that is looked at, by name."""
    found = profiles.makers(reader, person, everywhere=is_everywhere(person))
    return {maker.id: maker.name for maker in found.values()}


def filters(reader: Reader, person: Member, projects: Mapping[str, str], own_tags: Sequence[str]) -> queries.ListFilter:
    """Draw the filters; what the address says, whether all of them are on view or not."""
    in_team = person.workspace_id != person.id
    makers = {person.id: person.user.name}
    with components.field_grid(6 if in_team else 5):
        st.text_input(
            _("Words in the prompt"),
            key=query_param.widget_key("history", "text", asked_text()),
            type="search",
            placeholder=_("Search"),
            max_chars=SEARCH_LIMIT_CHARS,
            on_change=query_param.save,
            args=("history", "text"),
        )
        choice("project", _("Project"), _("All projects"), projects)
        choice("status", _("Status"), _("Every status"), GROUP_NAMES)
        choice("order", _("Order"), _("Newest first"), ORDERS)
        if in_team:
            st.button(
                _("Mine"),
                key="history_mine",
                icon=":material/person:",
                disabled=st.query_params.get("whose") == person.id,
                on_click=only_mine,
                args=(person,),
            )
        any_set = any(param in st.query_params for param in (*BASIC, *FURTHER))
        st.button(_("Clear filters"), key="history_clear", disabled=not any_set, on_click=clear_filters)
    st.session_state.setdefault("history_more", any(param in st.query_params for param in FURTHER))
    with st.expander(_("More filters"), key="history_more", on_change="rerun") as more:
        if more.open or st.query_params.get("whose", person.id) != person.id:
            makers |= makers_of(reader, person)
        if more.open:
            with components.field_grid(3 if len(person.roles) == 1 else 4):
                if in_team or len(makers) > 1:
                    choice("whose", _("Whose"), _("Everybody"), makers)
                if len(person.roles) > 1:
                    choice("where", _("Workspaces"), _("This one"), PLACES)
                choice("model", _("Model"), _("All models"), _models())
                choice("provider", _("Provider"), _("All providers"), _providers())
                choice("favourite", _("Favourites"), _("All clips"), HEARTS)
                choice("verdict", _("Verdict"), _("Every verdict"), VERDICT_NAMES)
                choice("tag", _("Tag"), _("All tags"), {tag: tag for tag in own_tags})
                choice("found", _("Noticed at delivery"), _("All clips"), findings())
                choice("days", _("Ordered"), _("At any time"), PERIODS)
    return asked_filter(person, projects, own_tags, makers)


def asked_filter(
    person: Member, projects: Collection[str], own_tags: Collection[str], makers: Collection[str]
) -> queries.ListFilter:
    """What the address says, of what there is to choose from."""
    heart, verdict = query_param.one_of("favourite", HEARTS), query_param.one_of("verdict", VERDICT_NAMES)
    return queries.ListFilter(
        everywhere=is_everywhere(person),
        maker_id=query_param.one_of("whose", makers),
        project_id=query_param.one_of("project", projects),
        statuses=GROUPS.get(query_param.one_of("status", GROUP_NAMES) or "", ()),
        model_id=query_param.one_of("model", _models()),
        provider=query_param.one_of("provider", _providers()),
        text=asked_text(),
        since=_since(query_param.one_of("days", PERIODS)),
        favourite=None if heart is None else heart == "yes",
        verdict=None if verdict is None else ReviewStatus(verdict),
        tag=query_param.one_of("tag", own_tags),
        findings=asked_findings(),
        oldest_first=query_param.one_of("order", ORDERS) == "oldest",
    )


def findings() -> dict[str, str]:
    """What can be noticed about a clip: value in the address -> name."""
    return {**ANYTHING, **{kind.value: name for kind, name in wording.FINDING.items()}}


def asked_findings() -> tuple[FindingKind, ...]:
    """Kinds that the address asks for, none for all clips."""
    found = query_param.one_of("found", findings())
    if found is None:
        return ()
    return tuple(FindingKind) if found in ANYTHING else (FindingKind(found),)


def _models() -> dict[str, str]:
    return {model.id: model.name for model in in_force.models()}


def _providers() -> dict[str, str]:
    return {provider.name: provider.display_name for provider in registry.providers()}


def is_everywhere(person: Member) -> bool:
    """Whether the address asks for all workspaces of somebody who has several."""
    return len(person.roles) > 1 and query_param.one_of("where", PLACES) is not None


def _since(days: str | None) -> datetime | None:
    """The first midnight of so many days up to today: it stays the same while pages are turned."""
    if days is None:
        return None
    today = utc_now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=int(days) - 1)


def cursors(person: Member, chosen: queries.ListFilter) -> list[str | None]:
    """Where each page up to the present one begins.

    Begins anew, and with nothing selected, when the filters change, or the workspace.
    """
    if st.session_state.get("history_filter") != (person.workspace_id, chosen):
        st.session_state["history_filter"] = person.workspace_id, chosen
        st.session_state["history_cursors"] = [None]
        selection.clear()
    pages: list[str | None] = st.session_state["history_cursors"]
    return pages


def clips(person: Member, chosen: queries.ListFilter) -> None:
    """One page of cards."""
    pages = cursors(person, chosen)
    with db.read_connection() as reader:
        found = queries.list_page(reader, person, chosen, cursor=pages[-1], limit=PAGE_SIZE)
        owned = whose.of(reader, person, found.rows, everywhere=chosen.everywhere)
    if not found.rows:
        nothing(person, chosen)
        return
    shown_from = person.workspace_ids if chosen.everywhere else (person.workspace_id,)
    pressed = gallery.board(
        found.rows,
        key="history_gallery",
        marked=selection.ids(),
        turn=selection.turn(),
        whose=owned,
        hearts=all(person.may(Action.EDIT, each) for each in shown_from),
    )
    pager(pages, found.next_cursor, oldest_first=chosen.oldest_first)
    if pressed.hearts:
        like(person, pressed.hearts)
    if selection.take(pressed) or pressed.hearts:
        st.rerun()
    if pressed.opened:
        compare.close()  # the click may come together with the key that closed the comparison
        dialog.open_it(pressed.opened)


def like(person: Member, hearts: Mapping[str, bool]) -> None:
    """Write down the hearts that were just set or taken away."""
    for favourite in (True, False):
        ids = [row_id for row_id, on in hearts.items() if on is favourite]
        with db.write_session() as session:
            review.update_many(session, person, ids, Changes(favourite=favourite))


def newer(pages: list[str | None]) -> None:
    """Back to the page before."""
    pages.pop()


def pager(pages: list[str | None], next_cursor: str | None, *, oldest_first: bool) -> None:
    """One page back and one on; drawn only where there is more than one page."""
    if len(pages) == 1 and next_cursor is None:
        return
    back, onward = (_("Older"), _("Newer")) if oldest_first else (_("Newer"), _("Older"))
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button(
            back,
            icon=":material/chevron_left:",
            disabled=len(pages) == 1,
            on_click=newer,
            args=(pages,),
            key="history_newer",
        )
        st.markdown(_("Page {number}").format(number=len(pages)), width="content")
        st.button(
            onward,
            icon=":material/chevron_right:",
            icon_position="right",
            disabled=next_cursor is None,
            on_click=pages.append,
            args=(next_cursor,),
            key="history_older",
        )


def nothing(person: Member, chosen: queries.ListFilter) -> None:
    """Why the gallery is empty, and the way out."""
    if chosen == queries.ListFilter():
        components.lead_to_figures(person)
        text = _("Every clip that is ordered stays here, with its price and its story.")
        components.empty_state(_("No clips yet"), text, icon="movie")
        if person.may(Action.ORDER):
            with st.container(horizontal_alignment="center"):
                st.page_link("generate.py", label=_("Make the first one"), icon=":material/movie:")
        offer.show(person, key="history_sample")
        return
    components.empty_state(_("Nothing matches"), _("No clip fits these filters."), icon="filter_alt_off")
    with st.container(horizontal_alignment="center"):
        st.button(_("Show all clips"), key="history_show_all", on_click=clear_filters)


with components.error_boundary():
    person = current_member.current_member()
    with db.read_connection() as reader:
        wanted = st.query_params.get("project")
        names = components.project_names(reader, person, archived=True, wanted=wanted)
        own_tags = review.own_tags(reader, person)
        chosen = filters(reader, person, names, own_tags)
    clips(person, chosen)
    if selection.ids():
        with db.read_session() as session:
            selected = queries.get_many(session, person, selection.ids())
            open_projects = selection.targets(session, person, selected)
        selection.bar(person, selected, open_projects, own_tags)
    if compare.PARAM in st.query_params:
        compare.dialog_if_open()
    else:
        dialog.dialog_if_open(chosen)
