"""Entries of the audit log as a table: when, who, what, on what, from where; what an act changed is unfolded."""

import html
import json
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import streamlit as st

from core import audit_log
from core.audit.log_entries import LogLine
from pages.ui import wording
from pages.ui.language import N_, _, translate_message
from pages.ui.wording import TranslatedLabels

ACTORS = TranslatedLabels({audit_log.SYSTEM: N_("The system"), audit_log.COMMAND_LINE: N_("Command line")})

_EDGE = "padding:7px 10px 7px 0;vertical-align:top;text-align:left;border-bottom:1px solid rgb(128 140 140 / 22%);"
_ONE_LINE, _WRAPPED = "white-space:nowrap;", "overflow-wrap:anywhere;min-width:8rem;"
_WIDTHS = (_ONE_LINE, _WRAPPED, "min-width:15rem;", f"{_WRAPPED}min-width:13rem;", f"{_ONE_LINE}padding-right:0;")
_SMALL = "font-size:.8rem;opacity:.75;"
_INNER = "padding:2px 12px 2px 0;vertical-align:top;text-align:left;overflow-wrap:anywhere;font-weight:400;"


def show(lines: Sequence[LogLine]) -> None:
    """The table; on a narrow page it is pushed along, also with the keyboard."""
    heads = (_("When"), _("Who"), _("What"), _("On what"), _("From where"))
    head = "".join(_cell("th scope='col'", place, html.escape(name)) for place, name in enumerate(heads))
    body = "".join(
        f"<tr>{''.join(_cell('td', place, cell) for place, cell in enumerate(_cells(line)))}</tr>" for line in lines
    )
    st.html(
        f'<div tabindex="0" role="region" aria-label="{html.escape(_("Audit log"))}" style="overflow-x:auto">'
        '<table style="width:100%;border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _cell(tag: str, place: int, content: str) -> str:
    faint = "font-weight:500;opacity:.75;" if tag.startswith("th") else ""
    return f'<{tag} style="{_EDGE}{_WIDTHS[place]}{faint}">{content}</{tag[:2]}>'


def _cells(line: LogLine) -> tuple[str, ...]:
    """An entry as HTML, a cell a column; everything in it is somebody's own words and escaped."""
    entry = line.entry
    day = wording.day(entry.at)
    time = wording.moment(entry.at, UTC).removeprefix(f"{day}, ")
    workspace = f'<div style="{_SMALL}">{html.escape(line.workspace)}</div>' if line.workspace else ""
    return (
        f'{html.escape(day)}<div style="{_SMALL}">{html.escape(time)}</div>',
        html.escape(ACTORS.get(entry.actor, entry.actor)),
        html.escape(translate_message(line.said)) + _details(line),
        html.escape(entry.target) + workspace,
        html.escape(ACTORS.get(entry.address, entry.address)),
    )


def _details(line: LogLine) -> str:
    """What is unfolded below the sentence: each detail before and after, and what finds the entry again."""
    entry = line.entry
    before, after = entry.before or {}, entry.after or {}
    rows = [(name, _written(before, name), _written(after, name)) for name in dict.fromkeys((*before, *after))]
    found = {
        _("Act"): entry.action,
        _("ID of what"): entry.target_id or "",
        _("ID of who"): entry.actor_id or "",
        _("Request"): entry.request_id or "",
    }
    changed = ""
    if rows:
        heads = ("", _("Before"), _("After"))
        changed = _inner([heads, *rows], head=True)
    ids = _inner([(name, value) for name, value in found.items() if value])
    return (
        f'<details style="margin-top:2px"><summary style="{_SMALL}cursor:pointer">{html.escape(_("Details"))}</summary>'
        f'<div style="{_SMALL}padding:4px 0 4px 0">{changed}{ids}</div></details>'
    )


def _inner(rows: Sequence[Sequence[str]], *, head: bool = False) -> str:
    body = ""
    for number, row in enumerate(rows):
        tag = "th" if head and number == 0 else "td"
        name, *values = (html.escape(text) for text in row)
        cells = "".join(f'<{tag} style="{_INNER}">{value}</{tag}>' for value in values)
        body += f'<tr><{tag} style="{_INNER}{_ONE_LINE}">{name}</{tag}>{cells}</tr>'
    return f'<table style="border-collapse:collapse;margin-bottom:4px">{body}</table>'


def _written(details: Mapping[str, Any], name: str) -> str:
    """A detail as text; empty where the act had none of this name."""
    if name not in details:
        return ""
    value = details[name]
    if value is None:
        return _("none")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
