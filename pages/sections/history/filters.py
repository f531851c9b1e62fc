"""The filters of the library as the address has them: what there is to choose from, and what is chosen."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic

import streamlit as st

from core import errors
from core.assets import library
from core.catalog import in_force
from core.clock import utc_now
from core.db import Reader
from core.db.enums import RejectReason, Status
from core.files.findings import FindingKind
from core.generations import queries, review
from core.generations.filters import KeptFilter, midnight
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.queries import Count
from core.providers import registry
from core.workspaces import profiles
from core.workspaces.access import Member
from pages.sections.clip import marks
from pages.sections.usage import labels, reasons
from pages.ui import components, current_member, query_param, time_zone, wording
from pages.ui.language import N_, _
from pages.ui.wording import TranslatedLabels

SEARCH_LIMIT_CHARS = 200
CURSOR = "after"
"""Under this name the address says behind which clip the page begins."""

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
OPENED = TranslatedLabels({"no": N_("Never opened"), "yes": N_("Opened")})
VERDICT_NAMES = TranslatedLabels(
    {
        ReviewStatus.KEPT.value: N_("Kept"),
        ReviewStatus.REJECTED.value: N_("Rejected"),
        ReviewStatus.UNDECIDED.value: N_("Undecided"),
    }
)
PERIODS = TranslatedLabels(
    {
        "1": N_("Today"),
        "7": N_("Last 7 days"),
        "30": N_("Last 30 days"),
        "90": N_("Last 90 days"),
        "365": N_("Last 365 days"),
    }
)
"""Number of days up to and with today, by the clock of who looks."""
ANYTHING = TranslatedLabels({"any": N_("Anything noticed")})


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter: its parameter in the address, its name, what it says when nothing is chosen, and its options.

    `shortcut` is the option that one press chooses, and what is written on its button.
    """

    param: str
    name: str
    everything: str
    options: Mapping[str, str]
    shortcut: tuple[str, str] | None = None

    @property
    def value(self) -> str | None:
        """What the address says, if there is such an option."""
        return query_param.one_of(self.param, self.options)


PARAMS = (
    *("text", "project", "status", "order", "whose", "where"),
    *("model", "provider", "favourite", "verdict", "reason", "because", "opened", "tag", "found", "days", "asset"),
)
"""Everything that narrows the library or orders it; all of it goes with one press."""


def asked_text() -> str:
    """The words that the address asks for."""
    return st.query_params.get("text", "")[:SEARCH_LIMIT_CHARS]


def address(**wanted: str | None) -> str:
    """The library with these filters as a link, which opened anew stays in the workspace of who looks."""
    said = {name: value for name, value in wanted.items() if value}
    return current_member.page_address("history", current_member.current_member(), **said)


def clear() -> None:
    """Show everything again."""
    for param in (*PARAMS, CURSOR):
        st.query_params.pop(param, None)


def change(param: str, value: str | None) -> None:
    """Write what was just chosen into the address; the page begins anew."""
    if param not in PARAMS:
        return
    st.query_params.pop(CURSOR, None)
    if value:
        st.query_params[param] = value[:SEARCH_LIMIT_CHARS]
    else:
        st.query_params.pop(param, None)


def is_any_set() -> bool:
    """Whether the address narrows the library, or orders it in another way."""
    return any(param in st.query_params for param in PARAMS)


def is_everywhere(person: Member) -> bool:
    """Whether the address asks for all workspaces of somebody who has several."""
    return len(person.roles) > 1 and query_param.one_of("where", PLACES) is not None


def chips(reader: Reader, person: Member, projects: Mapping[str, str]) -> Sequence[Chip]:
    """The filters that there are for this person, in the order of the bar."""
    makers = _makers(reader, person)
    tags = review.own_tags(reader, person)
    found = [
        Chip("model", _("Model"), _("All models"), _models()),
        Chip("project", _("Project"), _("All projects"), projects),
        Chip("status", _("Status"), _("Every status"), GROUP_NAMES),
        Chip("verdict", _("Verdict"), _("Every verdict"), VERDICT_NAMES),
        Chip("favourite", _("Favourites"), _("All clips"), HEARTS),
        Chip("days", _("Date"), _("At any time"), PERIODS | _span_of_address()),
    ]
    if len(makers) > 1 or person.workspace_id != person.id:
        found.append(Chip("whose", _("Made by"), _("Everybody"), makers, shortcut=(person.id, _("Mine"))))
    if reasons := _reasons(reader, person):
        found.append(Chip("reason", _("Rejected because"), _("Any reason"), reasons))
    if tags:
        found.append(Chip("tag", _("Tag"), _("All tags"), {tag: tag for tag in tags}))
    found.append(Chip("found", _("Noticed"), _("All clips"), findings()))
    found.append(Chip("opened", _("Opened"), _("All clips"), OPENED))
    found.append(Chip("provider", _("Provider"), _("All providers"), _providers()))
    if because := _because():
        found.append(Chip("because", _("Failed because"), _("Any reason"), because))
    if asset := _asset(reader, person):
        found.append(Chip("asset", _("Asset"), _("All clips"), asset))
    if len(person.roles) > 1:
        found.append(Chip("where", _("Workspaces"), _("This one"), PLACES))
    return found


def asked(person: Member, chosen: Sequence[Chip]) -> ListFilter:
    """What the address says, of what there is to choose from."""
    value = {chip.param: chip.value for chip in chosen}
    heart, verdict, reason = value["favourite"], value["verdict"], value.get("reason")
    opened = value["opened"]
    return ListFilter(
        everywhere=is_everywhere(person),
        maker_id=value.get("whose"),
        project_id=value["project"],
        statuses=GROUPS.get(value["status"] or "", ()),
        model_id=value["model"],
        provider=value["provider"],
        text=asked_text(),
        since=_since(value["days"]),
        until=_until(value["days"]),
        favourite=None if heart is None else heart == "yes",
        verdict=None if verdict is None else ReviewStatus(verdict),
        reject_reason=None if reason is None else RejectReason(reason),
        error_code=value.get("because"),
        opened=None if opened is None else opened == "yes",
        tag=value.get("tag"),
        made_from=value.get("asset"),
        findings=_kinds(value["found"]),
        oldest_first=query_param.one_of("order", ORDERS) == "oldest",
    )


def _reasons(reader: Reader, person: Member) -> dict[str, str]:
    """Why clips of the workspace were rejected, with how many: value in the address -> name."""
    counts = review.count_reasons(reader, person)

    def many(number: int) -> str:
        return f"{wording.credits(number)}+" if number == review.MAX_COUNTED else wording.credits(number)

    if not any(counts.values()) and "reason" not in st.query_params:
        return {}
    return {reason.value: f"{name} ({many(counts[reason])})" for reason, name in (marks.REASONS | {}).items()}


def _because() -> dict[str, str]:
    """What the address asks for of what failed: the code of an error -> its sentence."""
    code = st.query_params.get("because", "")
    return {code: reasons.failure(code)} if code else {}


def findings() -> dict[str, str]:
    """What can be noticed about a clip: value in the address -> name."""
    return {**ANYTHING, **{kind.value: name for kind, name in wording.FINDING.items()}}


def _kinds(found: str | None) -> tuple[FindingKind, ...]:
    if found is None:
        return ()
    return tuple(FindingKind) if found in ANYTHING else (FindingKind(found),)


def _asset(reader: Reader, person: Member) -> dict[str, str]:
    """The asset that the address asks for: key of its file -> its name; none where it is not here."""
    found = library.of_key(reader, person, st.query_params.get("asset", ""))
    return {found.key: found.name} if found else {}


def _makers(reader: Reader, person: Member) -> dict[str, str]:
    """Everybody who made something that is looked at, oneself first, by name."""
    mine = {person.id: person.user.name or person.email}
    found = profiles.makers(reader, person, everywhere=is_everywhere(person))
    return mine | {maker.id: maker.name for maker in found.values()}


def _models() -> dict[str, str]:
    return {model.id: model.name for model in in_force.models()}


def _providers() -> dict[str, str]:
    return {provider.name: provider.display_name for provider in registry.providers()}


def span(since: date, until: date) -> str:
    """How the address names days (UTC) from one to another, both included."""
    return f"{since.isoformat()}..{until.isoformat()}"


def _span_of_address() -> dict[str, str]:
    """The days that a link from elsewhere asks for, beside those that there are to choose from."""
    wanted = st.query_params.get("days", "")
    found = _days_of_span(wanted)
    return {wanted: labels.days(*found)} if found else {}


def _days_of_span(value: str) -> tuple[date, date] | None:
    first, _dots, last = value.partition("..")
    try:
        since, until = date.fromisoformat(first), date.fromisoformat(last)
    except ValueError:
        return None
    return (since, until) if since <= until < date.max else None


def _until(days: str | None) -> datetime | None:
    """The midnight that ends the days of a link."""
    found = _days_of_span(days or "")
    return datetime.combine(found[1] + timedelta(days=1), time(), UTC) if found else None


def _since(days: str | None) -> datetime | None:
    """The first midnight of so many days up to today, by the reader's clock: it stays the same while pages are turned.

    The days of a link are those that figures are counted by, of UTC.
    """
    if days is None:
        return None
    if found := _days_of_span(days):
        return datetime.combine(found[0], time(), UTC)
    return midnight(utc_now(), int(days), time_zone.own())


_FILTER = "history_filter"
_COUNT = "history_count"
COUNT_KEPT_SECONDS = 60.0


def remember(person: Member, chosen: ListFilter) -> bool:
    """Keep what is shown for what is pressed next; whether it is something else than before."""
    before = st.session_state.get(_FILTER)
    st.session_state[_FILTER] = person.workspace_id, chosen
    return before != (person.workspace_id, chosen)


def remembered() -> ListFilter:
    """What the page last showed."""
    _workspace, chosen = st.session_state.get(_FILTER, ("", ListFilter()))
    found: ListFilter = chosen
    return found


@contextmanager
def refusal_is_drawn() -> Iterator[None]:
    """What is refused in a callback is said by the page that is drawn next."""
    try:
        with components.outage_refuses():
            yield
    except errors.AppError as problem:
        st.session_state["refusal"] = problem


def kept() -> KeptFilter:
    """What the page last showed, as jobs and saved filters keep it: a period as its days, which move along."""
    chosen, days = remembered(), query_param.one_of("days", PERIODS)
    if days is None:
        return KeptFilter(chosen)
    return KeptFilter(replace(chosen, since=None), days=int(days), zone=str(time_zone.own()))


def open_kept(asked_for: KeptFilter) -> None:
    """Write a kept filter into the address, in place of what stands there."""
    chosen = asked_for.filter
    clear()
    group = next((name for name, statuses in GROUPS.items() if set(statuses) == set(chosen.statuses)), None)
    found = {
        "text": chosen.text,
        "project": chosen.project_id,
        "status": group,
        "order": "oldest" if chosen.oldest_first else None,
        "whose": chosen.maker_id,
        "where": "all" if chosen.everywhere else None,
        "model": chosen.model_id,
        "provider": chosen.provider,
        "favourite": None if chosen.favourite is None else "yes" if chosen.favourite else "no",
        "verdict": None if chosen.verdict is None else chosen.verdict.value,
        "reason": None if chosen.reject_reason is None else chosen.reject_reason.value,
        "because": chosen.error_code,
        "opened": None if chosen.opened is None else "yes" if chosen.opened else "no",
        "tag": chosen.tag,
        "found": next(iter(ANYTHING)) if len(chosen.findings) > 1 else next(map(str, chosen.findings), None),
        "days": _kept_days(asked_for),
        "asset": chosen.made_from,
    }
    for param, value in found.items():
        if value:
            st.query_params[param] = value


def _kept_days(asked_for: KeptFilter) -> str | None:
    chosen = asked_for.filter
    if chosen.since is not None and chosen.until is not None:
        return span(chosen.since.date(), (chosen.until - timedelta(days=1)).date())
    return None if asked_for.days is None else str(asked_for.days)


def count(reader: Reader, person: Member, chosen: ListFilter) -> Count:
    """How many clips fit. A figure that is not exact is kept while the filters stay, since it takes the longest."""
    at, known_for, known = st.session_state.get(_COUNT, (0.0, None, None))
    if known is not None and known_for == (person.workspace_id, chosen) and monotonic() - at < COUNT_KEPT_SECONDS:
        found: Count = known
        return found
    found = queries.count(reader, person, chosen)
    st.session_state[_COUNT] = (monotonic(), (person.workspace_id, chosen), None if found.is_exact else found)
    return found


def cursor() -> str | None:
    """Behind which clip the address says that the page begins; None for the first page."""
    asked_for = st.query_params.get(CURSOR, "")
    return asked_for if _ID.fullmatch(asked_for) else None


def turn_to(cursor: str | None) -> None:
    """Go to the page that begins behind a clip, to the first one without."""
    if cursor is None:
        st.query_params.pop(CURSOR, None)
    else:
        st.query_params[CURSOR] = cursor


_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
