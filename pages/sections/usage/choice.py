"""Which usage the page shows: days, step, what it is stacked by, whose and of what; all of it kept in the address."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import db, installation
from core.catalog import in_force
from core.usage import periods, reports
from core.usage.reports import Group, UsageQuery
from core.workspaces import profiles
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.history import filters
from pages.sections.usage import labels
from pages.ui import components, query_param, wording
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

PERIODS = TranslatedLabels(
    {
        "month": N_("This month"),
        "last-month": N_("Last month"),
        "quarter": N_("This quarter"),
        "last-quarter": N_("Last quarter"),
        "7": N_("7 days"),
        "30": N_("30 days"),
        "90": N_("90 days"),
        "365": N_("12 months"),
        "own": N_("Choose dates"),
    }
)
EXPLORE, MODELS, WASTE, EXPORT, STATEMENTS = "explore", "models", "waste", "export", "statements"
SECTIONS = TranslatedLabels(
    {
        "spending": N_("Spending"),
        "outcome": N_("Outcome"),
        "cost": N_("Cost"),
        EXPLORE: N_("Explore"),
        MODELS: N_("Which model"),
        WASTE: N_("Failures"),
        EXPORT: N_("Export"),
        STATEMENTS: N_("Statements"),
    }
)
DATES_WIDTH_PX = 260
SECTIONS_WIDTH_PX = 540
FURTHER_WIDTHS_PX = {EXPORT: 60, STATEMENTS: 100}
"""What the longest names of them take: no list finds a place beside them on a phone until they are drawn."""
FIELD_WIDTH_PX = 164
"""Two of them are side by side on a phone."""
DAILY_UP_TO_DAYS = 92
MONTHS = 24
ME, MINE, EVERYBODY = "me", "mine", "everybody"
"""Whose: all that is in the workspace, the person's own in it, or everybody's; else the id of a person."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; `series` is what spend is stacked by. `by_project` is there where it was read already."""

    selection: UsageQuery
    step: Group
    series: Group
    by_project: Sequence[reports.Row] | None = None

    @property
    def before(self) -> UsageQuery:
        """The equally long time just before."""
        chosen = self.selection
        length = chosen.until - chosen.since + timedelta(days=1)
        return replace(chosen, since=chosen.since - length, until=chosen.since - timedelta(days=1))

    @property
    def steps(self) -> Sequence[date]:
        """Every bar's first day, those without anything, too."""
        found, at = [], self.begin(self.selection.since)
        while at <= self.selection.until:
            found.append(at)
            at = self.after(at)
        return found

    def begin(self, day: date) -> date:
        """The first day of the bar that a day is in."""
        if self.step is Group.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.step is Group.MONTH else day

    def after(self, at: date) -> date:
        """The first day of the bar after the one that begins with a day."""
        return self.begin(at + timedelta(days={Group.DAY: 1, Group.WEEK: 7, Group.MONTH: 31}[self.step]))

    def key(self, at: date) -> str:
        """How tables name a bar, so that they sort by time."""
        return f"{at:%Y-%m}" if self.step is Group.MONTH else at.isoformat()

    def clips(self, at: date) -> dict[str, str]:
        """What the address of the library asks for, to show the clips of a bar."""
        chosen = self.selection
        wanted = {
            "days": filters.span(max(at, chosen.since), min(self.after(at) - timedelta(days=1), chosen.until)),
            "project": chosen.project_id,
            "model": chosen.model_id,
            "whose": chosen.user_id,
        }
        return {name: value for name, value in wanted.items() if value}

    def at(self, row: reports.Row) -> date:
        """The first day of a row's bar."""
        key = row.keys[self.step.value]
        return date.fromisoformat(f"{key}-01" if self.step is Group.MONTH else key)


def choose(person: Member, today: date, fields: DeltaGenerator) -> Choice | None:
    """Draw what there is to choose beside which charts; the figures of what. None while days are being chosen."""
    sees_all, in_team = person.may(Action.SEE_ALL_USAGE), person.workspace_id != person.id
    usual = ME if not sees_all or person.may(Action.OPERATE) else EVERYBODY  # analysts are here for all figures
    asks_whose = sees_all or in_team
    dates = st.container()
    with fields:
        period = _select(_("Period"), "period", PERIODS | months(today), "30")
    with dates:
        days = days_asked(period or "30", today)
    if days is None:
        return None
    since, until = days
    with fields:
        step = _select(
            _("Interval"), "step", {key.value: _(name) for key, name in labels.INTERVALS.items()}, _step(since, until)
        )
        left_out = set() if sees_all else {Group.WORKSPACE} if in_team else {Group.WORKSPACE, Group.USER}
        names = {key.value: _(name) for key, name in labels.SPLITS.items() if key not in left_out}
        series = _select(_("Split by"), "by", names, Group.MODEL.value)
        whose = _select(_("Made by"), "people", _people(person), usual) if asks_whose else ME
        selection = _selection(person, since, until, whose or ME)
        with db.read_session() as session:
            by_project = installation.current().usage.aggregate(session, person, selection, [Group.PROJECT])
        projects = _projects(person, selection, by_project)
        project_id = _select(_("Project"), "project", projects, None, _("All projects"))
        model_id = _select(_("Model"), "model", _models(), None, _("All models"))
    is_narrowed = bool(project_id or model_id)
    selection = replace(selection, project_id=project_id, model_id=model_id)
    return Choice(
        selection, Group(step or Group.DAY), Group(series or Group.MODEL), None if is_narrowed else by_project
    )


def choose_section(person: Member) -> str:
    """Draw which charts there are to choose; the key of those chosen."""
    allowed = {
        EXPORT: person.may(Action.SEE_ALL_USAGE) or person.may(Action.TAKE_PACK),
        STATEMENTS: person.may(Action.SEE_ALL_USAGE),
    }
    known = [key for key in SECTIONS if allowed.get(key, True)]
    first = known[0]
    return components.segmented(
        _("Charts"),
        known,
        names=SECTIONS.__getitem__,
        key=query_param.widget_key("usage", "show", query_param.one_of("show", known, first)),
        on_change=query_param.save,
        args=("usage", "show", first),
        label_visibility="collapsed",
        width=SECTIONS_WIDTH_PX + sum(FURTHER_WIDTHS_PX.get(key, 0) for key in known),
    )


def days_asked(period: str, today: date) -> tuple[date, date] | None:
    """First and last day, both included, UTC; asked for where the period is one's own, None until both are there."""
    if period != "own":
        return days_of(period, today)
    earliest = today - timedelta(days=reports.LONGEST_DAYS - 1)
    key = "usage_dates"
    if key not in st.session_state:
        st.session_state[key] = _dates_of_address(earliest, today)
    chosen = st.date_input(
        _("From and to"),
        min_value=earliest,
        max_value=today,
        key=key,
        format="YYYY-MM-DD",
        width=DATES_WIDTH_PX,
        on_change=_dates_to_address,
    )
    days = chosen if isinstance(chosen, tuple) else (chosen,)
    if len(days) != 2:
        st.caption(_("Choose the last day, too."))
        return None
    return days


def days_of(period: str, today: date) -> tuple[date, date]:
    """First and last day of a period that its name tells: so many days, or a month or quarter as far as it has come."""
    return periods.named(period, today)


def months(today: date) -> dict[str, str]:
    """`2026-10` -> `October 2026`, from this month back as far as figures are added up at once."""
    first = today.replace(day=1)
    return {f"{at:%Y-%m}": labels.month(at) for at in (periods.months_later(first, -back) for back in range(MONTHS))}


def _dates_of_address(earliest: date, today: date) -> tuple[date, date]:
    try:
        since, until = (date.fromisoformat(st.query_params[name]) for name in ("since", "until"))
    except (KeyError, ValueError):
        return today - timedelta(days=29), today
    until = min(max(until, earliest), today)
    return min(max(since, earliest), until), until


def _dates_to_address() -> None:
    chosen = st.session_state["usage_dates"]
    if isinstance(chosen, tuple) and len(chosen) == 2:
        st.query_params["since"], st.query_params["until"] = (day.isoformat() for day in chosen)


def _step(since: date, until: date) -> str:
    return Group.DAY.value if (until - since).days < DAILY_UP_TO_DAYS else Group.WEEK.value


def _people(person: Member) -> dict[str, str]:
    """All that is in the workspace, one's own in a team's, everybody, and each one by name."""
    in_team = person.workspace_id != person.id
    found = {ME: _("This workspace") if in_team else _("My own")} | ({MINE: _("Mine")} if in_team else {})
    with db.read_session() as session:
        if person.may(Action.SEE_ALL_USAGE):
            return found | {EVERYBODY: _("Everybody")} | reports.people(session, person)
        return found | {maker.id: maker.name for maker in profiles.makers(session, person, everywhere=False).values()}


def _selection(person: Member, since: date, until: date, whose: str) -> UsageQuery:
    """Who sees everybody's figures chooses among everybody; others among those in the workspace."""
    if whose in (ME, MINE):
        return UsageQuery(since, until, user_id=person.id if whose == MINE else None)
    return UsageQuery(
        since, until, everybody=person.may(Action.SEE_ALL_USAGE), user_id=None if whose == EVERYBODY else whose
    )


def _models() -> dict[str, str]:
    """Every model there is, and one that is no longer offered where the address asks for it."""
    found = {model.id: model.name for model in in_force.models()}
    if wanted := st.query_params.get("model"):
        found.setdefault(wanted, wanted)
    return _sorted(found)


def _projects(person: Member, chosen: UsageQuery, rows: Sequence[reports.Row]) -> dict[str, str]:
    """Projects with usage in these days, and the one that the address asks for, if they may see it."""
    wanted = {row.keys["project_id"] for row in rows} | {st.query_params.get("project", "")}
    with db.read_session() as session:
        found = reports.project_labels(session, person, wanted, everybody=chosen.everybody)
    return _sorted({id: wording.project(label, everybody=chosen.everybody) for id, label in found.items()})


def _sorted(names: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(names.items(), key=lambda pair: pair[1].lower()))


def _select(
    label: str, param: str, options: Mapping[str, str], default: str | None, placeholder: str = ""
) -> str | None:
    """A list to choose from; without a default the choice can be taken away again."""
    key = query_param.widget_key("usage", param, query_param.one_of(param, options, default))
    return st.selectbox(
        label,
        list(options),
        key=key,
        index=None if default is None else 0,
        format_func=lambda known: options.get(known, known),
        placeholder=placeholder or None,
        on_change=query_param.save,
        args=("usage", param, default),
        label_visibility="collapsed",
        width=FIELD_WIDTH_PX,
    )
