"""Cards of projects as one element: summaries become JSON, what is pressed comes back as an action and an id."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.clock import utc_now
from core.projects.projects import Summary
from pages.ui import components, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _

_element = custom_element(
    __file__,
    "project_cards",
    html="<ul></ul>",
    triggers=("pressed",),
)


def show(
    found: Sequence[Summary], *, key: str, allowed: Collection[str], names: Mapping[str, str]
) -> tuple[str, Summary] | None:
    """Draw the cards; what was just pressed (`open`, or one of `allowed`) and on which.

    `allowed` are those of `generate`, `edit`, `archive`, `transfer` and `delete` that are there to be pressed.
    """
    words = {
        "none": _("No clip yet"),
        "generate": _("Generate"),
        "more": _("More"),
        "edit": _("Rename and describe"),
        "archive": _("Archive"),
        "restore": _("Bring back"),
        "transfer": _("Move to another workspace"),
        "delete": _("Delete"),
    }
    now = utc_now()
    cards = [card(project, now) | {"name": names[project.id]} for project in found]
    data = {"projects": cards, "words": words, "allowed": sorted(allowed)}
    pressed = _element(key=key, data=data).pressed or {}
    chosen = next((project for project in found if project.id == pressed.get("id")), None)
    return (pressed["action"], chosen) if chosen else None


def card(project: Summary, now: datetime) -> dict[str, Any]:
    """What the element needs of one project; texts and links only, no markup."""
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "facts": _facts(project, now),
        "money": _money(project),
        "archived": project.archived_at is not None,
        "covers": [link for key in project.cover_keys if (link := components.media_link(key))],
        "open": f"history?project={project.id}",
        "generate": f"generate?project={project.id}",
    }


def _facts(project: Summary, now: datetime) -> str:
    said = [wording.count(project.generation_count, "clip", "clips")]
    if project.in_flight_count:
        said.append(_("{number} under way").format(number=project.in_flight_count))
    said.append(_("changed {ago}").format(ago=wording.age(project.updated_at, now)))
    return " · ".join(said)


def _money(project: Summary) -> str:
    """What was charged, what is reserved, and the month's budget where there is one."""
    said = [_("{credits} spent").format(credits=wording.priced(project.spent_credits))]
    if project.in_flight_credits:
        said.append(_("{credits} reserved").format(credits=wording.credits(project.in_flight_credits)))
    if project.monthly_budget_credits is not None:
        spent, budget = wording.credits(project.month_credits), wording.priced(project.monthly_budget_credits)
        said.append(_("{spent} of {budget} this month").format(spent=spent, budget=budget))
    return " · ".join(said)
