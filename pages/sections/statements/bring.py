"""How a statement comes in: the file, which of its columns say what, and the lines as they would be read."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from itertools import islice
from typing import Any

import streamlit as st

from core import db, errors
from core.billing import months
from core.catalog import in_force
from core.clock import utc_now
from core.generations.sheets.tables import MAX_FILE_BYTES
from core.providers import registry
from core.statements import result_file, uploads
from core.statements.cells import MICRO
from core.statements.columns import CURRENCIES, Field, Settings, guess
from core.statements.reading import SAMPLE_LINES, ReadLine, StatementFile
from core.usage import spreadsheet
from core.usage.spreadsheet import SpreadsheetFormat
from core.workspaces.access import Member
from core.workspaces.months import zones
from pages.sections.statements import address, words
from pages.sections.usage import choice, labels
from pages.ui import components, current_member, downloads, wording
from pages.ui.language import _, translate_message

LINES_SHOWN = 5
PROBLEMS_SHOWN = 8
EXAMPLE_MODELS = 3
_UPLOADS, _FILE = "statements_files_taken", "statements_read"


def form(person: Member) -> None:
    """The fields, and once there is a file what is in it."""
    st.markdown(
        _(
            "Bring what a provider has billed for a month. Each line is compared with the clips that were sent to it; "
            "nothing is booked until you accept it."
        )
    )
    with components.field_grid(2, min_width_px=200):
        names = {one.name: one.display_name for one in registry.providers()}
        ordered = sorted(names, key=lambda name: names[name].lower())
        provider = st.selectbox(
            _("Provider"), ordered, format_func=lambda one: names.get(one, one), key="statements_provider"
        )
        known = choice.months(utc_now().date())
        month = st.selectbox(
            _("Month"), list(known), index=1, format_func=lambda one: known.get(one, one), key="statements_month"
        )
    brought = st.file_uploader(
        _("A CSV file or an Excel workbook"),
        type=["csv", "tsv", "txt", "xlsx"],
        max_upload_size=MAX_FILE_BYTES // 1024**2,
        key=f"statements_file_{st.session_state.get(_UPLOADS, 0)}",
    )
    if provider is None or month is None:
        return
    if brought is None:
        _example(provider, month)
        return
    try:
        file = _read(brought)
        _mapping(person, file, provider, month, brought.name)
    except errors.InvalidRequest as refused:
        components.error_box(refused)


def _example(provider: str, month: str) -> None:
    st.caption(
        _(
            "Its first row names the columns. Providers do not publish what their statements look like: the example "
            "has the names that the provider's API uses, and you can choose other columns."
        )
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(_("A statement to try it with:"), width="content")
        downloads.table(
            partial(_example_file, provider, month), name=f"statement-example-{provider}", key="statements_example"
        )


def _example_file(provider: str, month: str, form: SpreadsheetFormat) -> bytes:
    models = [model.name for model in in_force.models() if model.provider == provider][:EXAMPLE_MODELS]
    return b"".join(spreadsheet.write(result_file.example(provider, month, models or ["model"]), form))


def _read(brought: Any) -> StatementFile:
    """The file, read once however often the page is drawn."""
    kept = st.session_state.get(_FILE)
    if kept is None or kept[0] != brought.file_id:
        kept = st.session_state[_FILE] = (brought.file_id, StatementFile(brought.getvalue()))
    file: StatementFile = kept[1]
    return file


def _mapping(person: Member, file: StatementFile, provider: str, month: str, name: str) -> None:
    """Which column says what, as it is guessed or was chosen the last time, and what comes of it."""
    with db.read_session() as session:
        kept = uploads.last_settings(session, person, provider)
    guessed = guess(provider, month, file.heads, file.sample, kept)
    # Another file or provider is guessed anew, so the fields are others.
    stem = f"statements_{{}}_{provider}_{month}_{file.sha256[:12]}"
    st.subheader(_("Columns"), anchor=False)
    columns: dict[Field, str] = {}
    with components.field_grid(5):
        for which in Field:
            options = ["", *file.heads]
            place = options.index(guessed.columns.get(which, ""))
            head = st.selectbox(
                words.FIELDS[which],
                options,
                index=place,
                format_func=lambda head: head or _("None"),
                key=stem.format(f"column_{which.value}"),
            )
            if head:
                columns[which] = head
    settings = _how_written(guessed, columns, stem)
    lines = list(islice(file.lines(settings), SAMPLE_LINES))
    _preview(lines)
    _problems(lines)
    if st.button(_("Compare"), type="primary", key="statements_compare"):
        made: list[str] = []

        def keep(session: db.WriteSession) -> None:
            member = current_member.current_member()
            made.append(
                uploads.upload(session, member, file, provider=provider, month=month, settings=settings, name=name).id
            )

        components.save_and_rerun(keep, done=_("The statement was compared."), then=lambda: _go(made[0]))


def _go(statement_id: str) -> None:
    st.session_state[_UPLOADS] = st.session_state.get(_UPLOADS, 0) + 1  # the next field is empty
    st.session_state.pop(_FILE, None)
    address.go_to(statement_id)


def _how_written(guessed: Settings, columns: dict[Field, str], stem: str) -> Settings:
    """How amounts and times are written."""
    decimals = {".": _("Point: 1,234.50"), ",": _("Comma: 1.234,50")}
    orders = {True: _("Day first: 31/10/2026"), False: _("Month first: 10/31/2026")}
    known = list(zones())
    if guessed.time_zone not in known:
        known.insert(0, guessed.time_zone)
    with components.field_grid(4, min_width_px=220):
        currency = st.selectbox(
            _("Currency, where none is named"),
            CURRENCIES,
            index=CURRENCIES.index(guessed.currency),
            key=stem.format("currency"),
        )
        decimal = _one(_("Decimals"), decimals, guessed.decimal, stem.format("decimal"))
        day_first = _one(_("Dates in figures"), orders, guessed.day_first, stem.format("dates"))
        zone = st.selectbox(
            _("Time zone, where none is named"), known, index=known.index(guessed.time_zone), key=stem.format("zone")
        )
    return Settings(columns, currency=currency, time_zone=zone, decimal=decimal, day_first=day_first)


def _one(label: str, names: dict[Any, str], default: Any, key: str) -> Any:
    options = list(names)
    return st.selectbox(label, options, index=options.index(default), format_func=names.__getitem__, key=key)


def _preview(lines: Sequence[ReadLine]) -> None:
    """The first lines as they are read."""
    heads = [_("Row"), *(words.FIELDS[which] for which in (Field.JOB, Field.MODEL, Field.TIME, Field.AMOUNT))]
    components.table(heads, [_shown(line) for line in lines[:LINES_SHOWN]], numbers=(0, 4))


def _shown(line: ReadLine) -> tuple[str, ...]:
    at = "" if line.begins_at is None else wording.moment(line.begins_at)
    amount = "" if line.amount_micro is None else wording.money(Decimal(line.amount_micro) / MICRO, line.currency)
    return str(line.number), line.job_id, line.model_name, at, amount


def _problems(lines: Sequence[ReadLine]) -> None:
    """The cells that cannot be read, by their row and column."""
    wrong = [problem for line in lines for problem in line.problems]
    if not wrong:
        return
    said: Callable[..., str] = _("Row {row}, column {column}: {why}").format
    told = [
        said(
            row=one.number, column=components.escaped(one.head), why=components.escaped(translate_message(one.message))
        )
        for one in wrong[:PROBLEMS_SHOWN]
    ]
    if len(wrong) > PROBLEMS_SHOWN:
        told.append(_("And {number} more.").format(number=wording.credits(len(wrong) - PROBLEMS_SHOWN)))
    introduction = _("These cells cannot be read. Their lines are kept as unreadable and matched with no price.")
    st.warning("\n".join([introduction, "", *(f"- {text}" for text in told)]), icon=":material/rule:")


def month_name(month: str) -> str:
    """`October 2026`."""
    return labels.month(months.bounds(month)[0].date())
