"""How a table comes to be: a file that is brought, or a prompt with variables and a list for each."""

from collections.abc import Callable, Sequence
from functools import partial

import streamlit as st

from core import db, errors, installation
from core.billing import pricing
from core.catalog import offered
from core.clock import utc_now
from core.generations import queries
from core.generations.sheets import kept, reading, result, variables
from core.generations.sheets.checked import Defaults
from core.generations.sheets.tables import MAX_FILE_BYTES, Table
from core.generations.sheets.variables import Combine
from core.projects import projects
from core.usage import spreadsheet
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces.access import Member
from pages.sections.sheets import address
from pages.ui import components, current_member, downloads, wording
from pages.ui.language import N_, _, plural, translate_message
from pages.ui.wording import TranslatedLabels

FILE, PROMPT = "file", "prompt"
_SOURCES = TranslatedLabels({FILE: N_("From a spreadsheet"), PROMPT: N_("From a prompt with lists")})
_COMBINE = TranslatedLabels({Combine.PRODUCT: N_("Each with each"), Combine.ZIP: N_("Row by row")})
_UPLOAD = "sheets_file"
_UPLOADS = "sheets_files_taken"
_TEMPLATE, _HOW = "sheets_prompt", "sheets_combine"


def show(person: Member) -> None:
    """Both ways, one at a time."""
    source = st.segmented_control(
        _("Begin with"),
        list(_SOURCES),
        default=FILE,
        format_func=lambda known: _SOURCES[known],
        key="sheets_source",
        required=True,
        label_visibility="collapsed",
    )
    with st.container(border=True, key="sheets_begin"):
        if source == PROMPT:
            _prompt_with_lists()
        else:
            _file(person)


def _file(person: Member) -> None:
    st.markdown(
        _("Bring a table with an order in each row. You see its price and its faults before anything is ordered.")
    )
    st.file_uploader(
        _("A CSV file or an Excel workbook"),
        type=["csv", "tsv", "txt", "xlsx"],
        max_upload_size=MAX_FILE_BYTES // 1024**2,
        key=f"{_UPLOAD}_{st.session_state.get(_UPLOADS, 0)}",
        on_change=_take_file,
    )
    st.caption(
        _(
            "The first row names the columns: only Prompt is needed. Columns of your own are carried into the result. "
            "Formulas are taken as text."
        )
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_("A table to begin with:"), width="content")
        downloads.table(partial(_template, person), name="batch-template", key="sheets_template")


def _template(person: Member, form: SpreadsheetFormat) -> bytes:
    with db.read_session() as session:
        otherwise = first_defaults(person)
        names = projects.names(session, person)
    project = names.get(otherwise.project_id or "", "")
    return b"".join(spreadsheet.write(result.template(model_id=otherwise.model_id or "", project=project), form))


def _take_file() -> None:
    """Read what was brought, keep it and open it; a refusal is said where the page begins."""
    number = st.session_state.get(_UPLOADS, 0)
    brought = st.session_state.get(f"{_UPLOAD}_{number}")
    if brought is None:
        return
    st.session_state[_UPLOADS] = number + 1  # the next field is empty
    max_rows = installation.current().settings.sheet_rows
    _open(lambda: reading.read(brought.getvalue(), max_rows=max_rows), brought.name)


def _open(read: Callable[[], Table], name: str) -> None:
    try:
        with components.outage_refuses():
            table = read()
            person = current_member.current_member()
            otherwise = first_defaults(person)
            with db.write_session() as session:
                sheet = kept.keep(session, person, table, otherwise, name=name)
    except errors.AppError as problem:
        st.session_state["refusal"] = problem
    else:
        address.go_to(sheet.id)


def first_defaults(person: Member) -> Defaults:
    """What empty cells mean to begin with: the project last worked in, and the model last ordered or the cheapest."""
    configured = installation.current().configured
    models = [model for model in offered.models(utc_now()) if model.provider in configured]
    with db.read_session() as session:
        project_ids = list(projects.names(session, person, limit=1))
        last = queries.last_model(session, person)
    known = [model.id for model in models]
    model_id = last if last in known else None
    if model_id is None and models:
        model_id = min(models, key=pricing.base_credits).id
    return Defaults(project_id=project_ids[0] if project_ids else None, model_id=model_id)


def _prompt_with_lists() -> None:
    st.markdown(_("Write variables in braces and give values for each: a prompt is made of every combination."))
    template = st.text_area(
        _("Prompt"),
        key=_TEMPLATE,
        placeholder=_("A {animal} at the {place}, mist rising"),
        height=100,
        persist_state="session",
    )
    names, wrong = _variables(template or "")
    lists: dict[str, list[str]] = {}
    if names:
        with st.grid(3, min_column_width=220):
            for name in names:
                values = st.text_area(
                    _("Values for {name}, one in each line").format(name=components.escaped(name)),
                    key=f"sheets_values_{name}",
                    height=140,
                    persist_state="session",
                )
                lists[name] = [value for value in (values or "").splitlines() if value.strip()]
    combine = st.segmented_control(
        _("How values come together"),
        list(_COMBINE),
        default=Combine.PRODUCT,
        format_func=lambda known: _COMBINE[known],
        key=_HOW,
        required=True,
        disabled=len(names) < 2,
    )
    number = variables.count(lists, combine) if lists else 0
    limit = installation.current().settings.sheet_rows
    if wrong:
        st.caption(f":material/info: {wrong}")
    elif names:
        made = plural("{number} prompt", "{number} prompts", number).format(number=wording.credits(number))
        st.caption(made if number <= limit else _too_many(number, limit))
    st.button(
        _("Make the table"),
        type="primary",
        key="sheets_expand",
        disabled=not 0 < number <= limit,
        on_click=_take_prompt,
        args=(template or "", lists, combine),
    )


def _too_many(number: int, limit: int) -> str:
    words = _("{number} prompts are too many. One table can have {limit}.")
    return words.format(number=wording.credits(number), limit=wording.credits(limit))


def _variables(template: str) -> tuple[Sequence[str], str]:
    """The variables of a prompt, or what is wrong with it."""
    if not template.strip():
        return (), ""
    try:
        names = variables.names(template)
    except errors.InvalidRequest as refused:
        return (), translate_message(refused.fields["prompt"])
    return names, "" if names else _("The prompt has no variable yet.")


def _take_prompt(template: str, lists: dict[str, list[str]], combine: Combine) -> None:
    max_rows = installation.current().settings.sheet_rows
    _open(lambda: variables.expand(template, lists, combine, max_rows=max_rows), template)
