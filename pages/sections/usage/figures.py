"""The figures of the usage page, read once a run: sums that SQL made, folded further where one is a sum of others."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import streamlit as st

from core import audit_log, db, installation
from core.db import ReadSession
from core.insights import model_stats
from core.insights.model_stats import TimeRange
from core.usage import budgets, export, reports
from core.usage.reports import Group, UsageQuery, UsageTotals
from core.usage.spreadsheet import Separator, SpreadsheetFormat
from core.workspaces import profiles
from core.workspaces.access import Member
from pages.sections.usage import labels
from pages.sections.usage.choice import Choice
from pages.ui import wording
from pages.ui.language import _

COLOURS = 5
"""So many series have a colour of their own; the rest is one, in the next colour, which is grey."""

SPEED_SECONDS = 60
"""How old the times of models may be."""


_IDS = {
    Group.MODEL: "model_id",
    Group.PROVIDER: "provider",
    Group.PROJECT: "project_id",
    Group.USER: "user_id",
    Group.WORKSPACE: "workspace_id",
}


@dataclass(frozen=True, slots=True)
class Named:
    """The figures of one model, project or other series."""

    id: str
    name: str
    figures: UsageTotals


@dataclass(frozen=True, slots=True)
class Shown:
    """The sums of a choice."""

    total: UsageTotals
    before: UsageTotals
    by_step: Mapping[date, UsageTotals]
    models: Sequence[Named]
    projects: Sequence[Named]
    stacked: Mapping[tuple[date, str], int]
    """Credits by bar and name of the series."""
    series: Sequence[str]
    series_ids: Mapping[str, str]
    """Name of a series -> what it is of; not of the rest."""
    series_before: Mapping[str, int]
    """Credits of each series, the rest too, in the time before; empty where that is not read."""


def read(person: Member, choice: Choice) -> Shown:
    """Read the sums in one look at the database."""
    chosen = choice.selection
    with db.read_session() as session:
        rows = installation.current().usage.aggregate(session, person, chosen, [choice.step, Group.MODEL])
        by_project = choice.by_project
        if by_project is None:
            by_project = installation.current().usage.aggregate(session, person, chosen, [Group.PROJECT])
        models = _ranked(rows, "model_id", lambda id: labels.model(id) or _("Without a clip"))
        stacked = rows
        if choice.series in (Group.PROJECT, Group.USER, Group.WORKSPACE):
            stacked = installation.current().usage.aggregate(session, person, chosen, [choice.step, choice.series])
        ids = {row.keys["project_id"] for row in by_project} - {""}
        names = project_names(session, person, chosen, ids)
        named = _series_names(session, choice.series, stacked, names)
        amounts, series, series_ids = _stack(choice, stacked, named)
        # Of projects there may be thousands, which is much to read for a column of changes.
        compared = [] if choice.series is Group.PROJECT else [choice.series]
        earlier = installation.current().usage.aggregate(session, person, choice.before, compared)
        by_step: defaultdict[date, UsageTotals] = defaultdict(UsageTotals)
        for row in rows:
            by_step[choice.at(row)] += row.figures
        return Shown(
            total=reports.add_up(rows),
            before=reports.add_up(earlier),
            by_step=by_step,
            models=models,
            projects=_ranked(by_project, "project_id", lambda id: names.get(id, id) or _("Without a clip")),
            stacked=amounts,
            series=series,
            series_ids=series_ids,
            series_before=_before(choice, earlier, named, series) if compared else {},
        )


def month(person: Member, choice: Choice, today: date) -> budgets.Month:
    """The month that the choice ends in: spent, budget, forecast."""
    with db.read_session() as session:
        return budgets.month(session, person, choice.selection, today=today, cache=installation.current().usage)


def speeds(shown: Shown, choice: Choice) -> Mapping[str, TimeRange]:
    """Model id -> how long its clips of the choice's days took, over all people."""
    days = choice.selection
    return _speeds(
        installation.current().settings.database_url, [model.id for model in shown.models], days.since, days.until
    )


@st.cache_data(ttl=SPEED_SECONDS, show_spinner=False)
def _speeds(database_url: str, model_ids: Sequence[str], since: date, until: date) -> dict[str, TimeRange]:
    """How long models took over all people, so asked once for all; the address is that of the installation."""
    del database_url
    with db.read_session() as session:
        return model_stats.render_times(session, model_ids, reports.UsageQuery(since, until))


def spend_file(
    person: Member, choice: Choice, form: SpreadsheetFormat, separator: Separator = Separator.COMMA
) -> bytes:
    """The spend as the API gives it for the same groups: every figure, and a line of totals."""
    groups = [choice.step, choice.series]
    if choice.series is Group.PROJECT and choice.selection.everybody:
        groups.append(Group.USER)  # whose project it is
    workspace_id = None if choice.selection.everybody else person.workspace_id
    audit_log.record_export(person.user, what="usage", workspace_id=workspace_id, format=form)
    with db.read_session() as session:
        rows = reports.aggregate(session, person, choice.selection, groups)
        return b"".join(export.usage(reports.with_names(session, rows, groups), groups, form, separator))


def _ranked(rows: Iterable[reports.Row], key: str, named: Callable[[str], str]) -> Sequence[Named]:
    """Rows added up by one of their keys, most spent first."""
    sums: defaultdict[str, UsageTotals] = defaultdict(UsageTotals)
    for row in rows:
        sums[row.keys[key]] += row.figures
    found = [Named(id, named(id), figures) for id, figures in sums.items()]
    return sorted(found, key=lambda one: (-one.figures.settled_credits, one.name))


def _stack(
    choice: Choice, rows: Sequence[reports.Row], names: Mapping[str, str]
) -> tuple[Mapping[tuple[date, str], int], Sequence[str], Mapping[str, str]]:
    """Credits by bar and series, and the series from most to least spent, the small ones together as the last.

    And what those that stand by themselves are of, by name.
    """
    key = _IDS[choice.series]
    sums: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        sums[row.keys[key]] += row.figures.settled_credits
    ranked = sorted((id for id, credits in sums.items() if credits), key=lambda id: (-sums[id], names[id]))
    others = _("Others")
    shown = {id: names[id] for id in (ranked if len(ranked) <= COLOURS + 1 else ranked[:COLOURS])}
    amounts: defaultdict[tuple[date, str], int] = defaultdict(int)
    for row in rows:
        if row.figures.settled_credits:
            amounts[choice.at(row), shown.get(row.keys[key], others)] += row.figures.settled_credits
    series = list(dict.fromkeys(shown.values()))
    return amounts, series if len(shown) == len(ranked) else [*series, others], {shown[id]: id for id in shown}


def _before(
    choice: Choice, rows: Sequence[reports.Row], names: Mapping[str, str], series: Sequence[str]
) -> Mapping[str, int]:
    """Credits of an earlier time by the series of this one; what has none of its own is the rest."""
    sums: defaultdict[str, int] = defaultdict(int)
    for row in rows:
        name = names.get(row.keys[_IDS[choice.series]])
        sums[name if name is not None and name in series else _("Others")] += row.figures.settled_credits
    return sums


def _series_names(
    session: ReadSession, series: Group, rows: Sequence[reports.Row], projects: Mapping[str, str]
) -> Mapping[str, str]:
    """Id -> name; `projects` has those of projects."""
    if series is Group.MODEL:
        return {row.keys["model_id"]: labels.model(row.keys["model_id"]) for row in rows}
    if series is Group.PROVIDER:
        return {row.keys["provider"]: labels.provider(row.keys["provider"]) for row in rows}
    if series is Group.USER:
        people = profiles.people(session, [row.keys["user_id"] for row in rows])
        return {id: profile.name for id, profile in people.items()}
    if series is Group.WORKSPACE:
        return profiles.workspace_names(session, [row.keys["workspace_id"] for row in rows])
    return {row.keys["project_id"]: projects.get(row.keys["project_id"], row.keys["project_name"]) for row in rows}


def project_names(session: ReadSession, person: Member, chosen: UsageQuery, ids: Collection[str]) -> Mapping[str, str]:
    """Id -> what a project is called wherever figures are shown, whatever the period."""
    everybody = chosen.everybody
    found = reports.project_labels(session, person, ids, everybody=everybody)
    return {id: wording.project(label, everybody=everybody) for id, label in found.items()}
