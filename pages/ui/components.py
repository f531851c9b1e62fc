"""Pieces that several pages share: errors, money, links to media, plain text. Draws only; every rule is a service's."""

import html
import logging
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import db, errors, installation
from core.db import Reader, WriteSession, availability
from core.db.enums import Status
from core.files import signed_urls
from core.projects import projects
from core.usage import reports
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.ui import links, ratio, wording
from pages.ui.language import _, translate_message

log = logging.getLogger("pages")

Choice = TypeVar("Choice")

NARROW_COLUMNS = 3
"""So many fit a phone; what is wider can be pushed along, also with the keyboard."""

FIELD_HEIGHT_PX = 64
METRIC_HEIGHT_PX, CHANGED_METRIC_HEIGHT_PX = 54, 77
"""What Streamlit's parts come to with our fonts. Until their code is there each takes 38 pixels, so that what is below
them would move; places of the right height keep it still."""

_OF_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+\-.!|~<>$:]")

_CELL = "padding:6px 8px;vertical-align:top;border-bottom:1px solid rgb(128 140 140 / 22%);"

STATUS_COLOUR = {
    Status.PENDING: "gray",
    Status.PROCESSING: "blue",
    Status.UNCERTAIN: "orange",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
    Status.CANCELLED: "gray",
}


@contextmanager
def error_boundary() -> Iterator[None]:
    """Whatever goes wrong in the block ends as a sentence on the page, the cause in the log."""
    try:
        yield
    except errors.AppError as problem:
        error_box(problem)
    except Exception as failure:
        if availability.is_away(failure):  # which the log is told once, by the database itself
            st.error(translate_message(errors.DatabaseUnavailable.sentence), icon=":material/cloud_off:")
            return
        log.exception("a page failed")
        nothing_lost = _("Nothing was charged by this.")
        st.error(f"{translate_message(errors.AppError.sentence)} {nothing_lost}", icon=":material/error:")


@contextmanager
def outage_refuses() -> Iterator[None]:
    """Raise a refusal like others for a database that cannot be used, so that it is said where the button is."""
    try:
        yield
    except Exception as failure:
        if availability.is_away(failure):
            raise errors.DatabaseUnavailable from failure
        raise


def error_box(problem: errors.AppError) -> None:
    """An error as its sentence, field by field where it has fields."""
    if problem.http_status >= 500 and not isinstance(problem, (errors.ProviderError, errors.DatabaseUnavailable)):
        log.error("a page met %s: %s", problem.code, problem.detail or problem)
    fields = getattr(problem, "fields", {})
    said = list(dict.fromkeys(fields.values())) if fields else [problem.message]
    st.error(" ".join(map(translate_message, said)), icon=":material/error:")


def project_names(session: Reader, person: Member, *, archived: bool, wanted: str | None) -> dict[str, str]:
    """Id and name of a workspace's projects for a list to choose from, last changed first, namesakes told apart.

    A list ends somewhere; `wanted`, the one a link asks for, is in it all the same. `archived` adds the archive.
    """
    names = projects.names(session, person)
    if archived:
        names |= projects.names(session, person, archived=True)
    if wanted and wanted not in names:
        try:
            with db.read_session() as whole_rows:
                project = projects.get(whole_rows, person, wanted)
        except errors.NotFound:
            return told_apart(session, person, names)
        if archived or project.archived_at is None:
            names[project.id] = project.name
    return told_apart(session, person, names)


def told_apart(session: Reader, person: Member, names: Mapping[str, str]) -> dict[str, str]:
    """Projects by their ids, those of one name as figures call them: by owner, or numbered."""
    count = Counter(names.values())
    namesakes = [id for id, name in names.items() if count[name] > 1]
    labels = reports.project_labels(session, person, namesakes, everybody=False) if namesakes else {}
    return dict(names) | {id: wording.project(label, everybody=False) for id, label in labels.items()}


def flash(text: str) -> None:
    """Say something when the page is drawn again: a toast of the run that ends here could be lost with it."""
    st.session_state["announcement"] = text


def show_flash() -> None:
    """Show what was announced, and what was refused before the page was drawn; the shell does it on every run."""
    if text := st.session_state.pop("announcement", None):
        st.toast(text, icon=":material/check:")
    if problem := st.session_state.pop("refusal", None):
        error_box(problem)


def try_action(action: Callable[[], object], *, done: str) -> bool:
    """Do something a button asked for; announced when it worked (the caller draws again), else the reason here."""
    try:
        with outage_refuses():
            action()
    except errors.AppError as problem:
        error_box(problem)
        return False
    flash(done)
    return True


def act_in_callback(action: Callable[[WriteSession], object], *, done: str) -> None:
    """Do in one transaction what a widget's change asks for, before the page is drawn, which says how it went."""
    try:
        with outage_refuses(), db.write_session() as session:
            action(session)
    except errors.AppError as problem:
        st.session_state["refusal"] = problem
    else:
        flash(done)


def pager(pages: list[str], after: str | None, *, key: str) -> None:
    """To the page of a list before and after; drawn only where there is more than one page.

    `pages` says behind what each page up to the present one begins, `after` what the next one begins behind.
    """
    if len(pages) == 1 and after is None:
        return
    with st.container(horizontal=True, horizontal_alignment="center"):
        st.button(_("Back"), disabled=len(pages) == 1, on_click=_page_before, args=(pages,), key=f"{key}_back")
        st.button(_("Next"), disabled=after is None, on_click=pages.append, args=(after,), key=f"{key}_next")


def _page_before(pages: list[str]) -> None:
    pages.pop()


def save_and_rerun(
    action: Callable[[WriteSession], object], *, done: str, then: Callable[[], None] | None = None
) -> None:
    """Do in one transaction what a button asked for, and draw the whole page again; a refusal is said here."""

    def transaction() -> None:
        with db.write_session() as session:
            action(session)

    if try_action(transaction, done=done):
        if then is not None:
            then()
        st.rerun()


def media_link(key: str | None, *, download_name: str | None = None, ahead: bool = False) -> str | None:
    """A signed link to a stored file the person may see; None for no file.

    One that is loaded `ahead` of anybody who looks does not count as opened: the page says itself what is looked at.
    """
    if key is None:
        return None
    here, now = installation.current(), db.clock().now()
    if direct := here.direct_link(key, now=now, download_name=download_name):
        return direct
    secret = here.settings.secret_key
    link = links.from_page(signed_urls.sign(key, secret=secret, now=now, download_name=download_name))
    return f"{link}&{signed_urls.AHEAD}=1" if ahead else link


def plain_text(text: str, *, strong: bool = False, small: bool = False, lines: int | None = None) -> None:
    """Somebody's own words, shown as they are: neither Markdown nor HTML. `lines` clips them after so many."""
    style = "margin:0;white-space:pre-wrap;overflow-wrap:anywhere;"
    style += "font-weight:600;" if strong else ""
    style += "font-size:.875rem;opacity:.8;" if small else ""
    if lines:
        style += f"display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:{lines};overflow:hidden;"
    st.html(f'<p style="{style}">{html.escape(text)}</p>')


def escaped(text: str) -> str:
    """Somebody's own words for a label that Streamlit reads as Markdown, where they mean nothing."""
    return _OF_MARKDOWN.sub(r"\\\g<0>", text)


def figure(label: str, value: str, change: str | None, note: str, *, explained: str | None = None) -> None:
    """One figure in a frame, how it differs from before, and a word on it."""
    height = METRIC_HEIGHT_PX if change is None else CHANGED_METRIC_HEIGHT_PX
    with st.container(border=True, gap="xsmall", height="stretch", key=f"card_figure_{label}"):
        st.metric(label, value, change, delta_color="off", help=explained, height=height)
        st.caption(note)


def bare_figure(label: str, value: str, change: str | None, note: str) -> None:
    """One figure among others of a frame, how it differs from before, and a word on it."""
    height = METRIC_HEIGHT_PX if change is None else CHANGED_METRIC_HEIGHT_PX
    with st.container(gap=None):
        st.metric(label, value, change, delta_color="off", height=height)
        st.caption(note)


def field_grid(columns: int, *, min_width_px: int = 150) -> DeltaGenerator:
    """A place for fields of one line with their labels: as high as they will be, so that nothing moves as they load."""
    return st.grid(columns, min_column_width=min_width_px, row_height=FIELD_HEIGHT_PX, vertical_alignment="bottom")


def segmented(
    label: str,
    options: Sequence[Choice],
    *,
    key: str,
    names: Callable[[Choice], str] = str,
    **how: Any,
) -> Choice:
    """One of a few, in a row of which the chosen part is raised; one always is. `how` is Streamlit's.

    With an option alone there is nothing to choose: it stands there as text.
    """
    if len(options) == 1:
        if how.get("label_visibility") != "collapsed":
            st.caption(label)
        st.markdown(names(options[0]))
        return options[0]
    st.session_state.setdefault(key, how.pop("default", options[0]))
    if st.session_state[key] not in options:
        st.session_state[key] = options[0]
    chosen = st.segmented_control(label, options, key=key, format_func=names, required=True, **how)
    return options[0] if chosen is None else chosen


def ratio_choice(label: str, ratios: Sequence[str], *, key: str, **how: Any) -> str:
    """One of several aspect ratios, each with a little frame of its shape."""
    return segmented(label, ratios, key=key, names=ratio.label, **how)


def status_badge(status: Status) -> None:
    """The public word for where a generation stands."""
    st.badge(wording.STATUS[status], color=STATUS_COLOUR[status])  # type: ignore[arg-type]  # the colours are its own


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Collection[int] = (),
    wide: Collection[int] = (),
    total: bool = False,
) -> None:
    """Texts in a small table, shown as they are; `numbers` are columns set to the right, `total` marks the last row.

    Figures stay in one line and texts wrap, so that on a narrow page a table of many columns is pushed along; those of
    sentences and long names are `wide`.
    """

    def cell(tag: str, place: int, text: str, extra: str = "") -> str:
        side = "right" if place in numbers else "left"
        texts = f"overflow-wrap:anywhere;min-width:{9 if place in wide else 7}rem;" if place else ""
        wrap = "white-space:nowrap;" if place in numbers else texts
        return f'<{tag} style="{_CELL}{wrap}text-align:{side};{extra}">{html.escape(text)}</{tag[:2]}>'

    head = "".join(
        cell('th scope="col"', place, text, "font-weight:500;opacity:.75;") for place, text in enumerate(heads)
    )
    body = ""
    for number, row in enumerate(rows):
        last = "font-weight:650;" if total and number == len(rows) - 1 else ""
        body += f"<tr>{''.join(cell('td', place, text, last) for place, text in enumerate(row))}</tr>"
    by_keyboard = "tabindex=0" if len(heads) > NARROW_COLUMNS else ""
    st.html(
        f'<div style="overflow-x:auto" {by_keyboard}><table style="width:100%;border-collapse:collapse;'
        f'font-size:.9rem;font-variant-numeric:tabular-nums"><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def breakdown(lines: Sequence[tuple[str, int]], total_credits: int) -> None:
    """A price explained: `lines` are (name, credits) and add up to the total."""
    rows = [
        (name, wording.credits(amount), wording.worth(amount)) for name, amount in (*lines, (_("Total"), total_credits))
    ]
    table([_("Price"), _("Credits"), _("Rupiah")], rows, numbers=(1, 2), total=True)


def empty_state(title: str, text: str, *, icon: str) -> None:
    """What a page says when it has nothing to show."""
    st.space("medium")
    with st.container(horizontal_alignment="center"), st.container(width=620, gap="small"):
        st.markdown(f"## :material/{icon}: {title}", text_alignment="center")
        st.markdown(text, text_alignment="center")


def lead_to_figures(person: Member) -> None:
    """Where an analyst has no clips to see: what they do see, and where."""
    if not person.may(Action.SEE_ALL_USAGE) or person.may(Action.OPERATE):
        return
    text = _("As an analyst you see the figures of all workspaces. Clips are seen by those who are in a workspace.")
    empty_state(_("Your figures are on the usage page"), text, icon="bar_chart")
    with st.container(horizontal_alignment="center"):
        st.page_link("usage.py", label=_("Usage of everybody"), icon=":material/bar_chart:")
