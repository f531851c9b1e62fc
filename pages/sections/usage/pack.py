"""The analyst pack: asked for with one press, made meanwhile, and there to be fetched with those of the nights."""

from collections.abc import Mapping, Sequence

import streamlit as st

from core import db
from core.analyst_pack import asked as asking
from core.analyst_pack import description, jobs, packing
from core.analyst_pack.asked import Asked
from core.clock import utc_now
from core.db.enums import BulkState
from core.db.tables import AnalystPack
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.clip.panel import download_link
from pages.sections.usage import choice as usage_choice
from pages.ui import components, current_member, wording
from pages.ui.language import N_, _, translate_message
from pages.ui.wording import TranslatedLabels

EVERY_SECONDS = 2.0
SHOWN = 8
EVERYTHING, WORKSPACE, EVERYBODY = "everything", "workspace", "everybody"
NAMES, PSEUDONYMS = "names", "pseudonyms"
_LIVE = "pack_live"

STATES = TranslatedLabels(
    {
        BulkState.WAITING: N_("waits for a worker"),
        BulkState.RUNNING: N_("under way"),
        BulkState.DONE: N_("done"),
        BulkState.FAILED: N_("stopped by an error"),
        BulkState.CANCELLED: N_("stopped"),
    }
)


def show(person: Member) -> None:
    """What a pack is, what is in it, the button, and those that there are."""
    with st.container(border=True, key="card_pack"):
        st.header(_("Analyst pack"), anchor=False)
        st.markdown(
            _(
                "All figures as files for DuckDB, Python and BI tools: clips, ledger, usage, budgets and judgements, "
                "with a dictionary and {number} ready queries. Its totals are compared with the ledger before it is "
                "there."
            ).format(number=len(packing.queries()))
        )
        _form(person)
    _packs(person)
    _contents()


def _form(person: Member) -> None:
    whose = {}
    if person.may(Action.SEE_ALL_USAGE):
        whose[EVERYBODY] = _("All workspaces")
    if person.may(Action.TAKE_PACK):
        whose[WORKSPACE] = _("This workspace")
    today = utc_now().date()
    periods = {EVERYTHING: _("Everything")}
    periods |= {name: usage_choice.PERIODS[name] for name in ("month", "last-month", "quarter", "last-quarter", "365")}
    periods |= usage_choice.months(today)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        of = _select(_("Of what"), "pack_whose", whose)
        _select(_("Period"), "pack_period", periods)
        names = {NAMES: _("With names"), PSEUDONYMS: _("With pseudonyms")}
        shown = _select(_("Names"), "pack_names", names)
        st.button(_("Make the pack"), type="primary", icon=":material/inventory_2:", key="pack_make", on_click=_make)
    if shown == PSEUDONYMS:
        st.caption(
            _(
                "Names and ids of people, workspaces, projects and clips are replaced by keyed hashes; addresses, "
                "prompts and reasons are left out."
            )
        )
    elif of == EVERYBODY:
        st.caption(_("Prompts are in it only of workspaces that you are in."))


def _select(label: str, key: str, names: Mapping[str, str]) -> str:
    """A list whose label is not drawn, as those above the other figures."""
    return st.selectbox(
        label,
        list(names),
        format_func=names.__getitem__,
        key=key,
        label_visibility="collapsed",
        width=usage_choice.FIELD_WIDTH_PX,
    )


def _make() -> None:
    """Ask for what the fields say by now, which may be newer than what was drawn."""
    person, today = current_member.current_member(), utc_now().date()
    of, period = st.session_state["pack_whose"], st.session_state["pack_period"]
    since, until = asking.days(None if period == EVERYTHING else period, None, None, today)
    is_pseudonymous = st.session_state["pack_names"] == PSEUDONYMS
    asked = Asked(None if of == EVERYBODY else person.workspace_id, since, until, is_pseudonymous)
    components.act_in_callback(
        lambda session: jobs.start(session, person, asked), done=_("The pack is being made. Go on working meanwhile.")
    )


def _packs(person: Member) -> None:
    """The newest packs; what is under way moves by itself."""
    found = _found(person)
    st.session_state[_LIVE] = [each.id for each in found if each.state in jobs.LIVE]
    if not found:
        return
    with st.container(border=True, key="card_packs"):
        st.header(_("Packs"), anchor=False)
        st.fragment(_draw, run_every=EVERY_SECONDS if st.session_state[_LIVE] else None)()


def _draw() -> None:
    with components.error_boundary():
        found = _found(current_member.current_member())
        live = [each.id for each in found if each.state in jobs.LIVE]
        if set(st.session_state.get(_LIVE, ())) - set(live):
            st.session_state[_LIVE] = live
            st.rerun()
        for each in found:
            _one(each)


def _found(person: Member) -> Sequence[AnalystPack]:
    with db.read_session() as session:
        return jobs.list_visible(session, person, limit=SHOWN)


def _one(pack: AnalystPack) -> None:
    with st.container(key=f"pack_{pack.id}", gap="xxsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{components.escaped(_name(pack))}** · {_state(pack)}", width="content")
            st.space("stretch")
            if jobs.has_file(pack):
                saved_as = jobs.file_name(pack)
                label = _("Download ZIP ({size})").format(size=wording.size(pack.size_bytes))
                download_link(components.media_link(pack.storage_key, download_name=saved_as) or "", label, saved_as)
        if pack.state in jobs.LIVE:
            st.progress(jobs.share(pack))
        if pack.error is not None and pack.state is BulkState.FAILED:
            st.caption(translate_message(pack.error))
        if jobs.has_file(pack) and pack.expires_at is not None:
            st.caption(_("Kept until {day}").format(day=wording.day(pack.expires_at)))


def _state(pack: AnalystPack) -> str:
    if pack.state is BulkState.DONE:
        return _("totals agree with the ledger") if jobs.has_file(pack) else _("no longer kept")
    return STATES[pack.state]


def _name(pack: AnalystPack) -> str:
    """`All workspaces, everything, with pseudonyms, 30 Nov 2026`."""
    asked = Asked.from_json(pack.asked)
    parts = [_("All workspaces") if asked.workspace_id is None else _("One workspace")]
    if asked.since is None or asked.until is None:
        parts.append(_("everything"))
    else:
        parts.append(f"{asked.since.isoformat()} – {asked.until.isoformat()}")
    if asked.is_pseudonymous:
        parts.append(_("with pseudonyms"))
    if pack.user_id is None:
        parts.append(_("made at night"))
    return ", ".join([*parts, wording.day(pack.created_at)])


def _contents() -> None:
    """What each file is, for who decides whether to ask for it."""
    with st.expander(_("What is in it"), icon=":material/list:"):
        lines = [f"| `{each.name}.parquet` | {_(each.meaning)} |" for each in description.TABLES]
        st.markdown("\n".join([f"| {_('File')} | {_('What')} |", "|---|---|", *lines]))
        st.markdown("\n".join(f"- `queries/{name}`" for name, _text in packing.queries()))
