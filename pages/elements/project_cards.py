"""Cards of projects as one element: summaries become JSON, what is pressed comes back as an action and an id."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.clock import utc_now
from core.projects.projects import Summary
from core.workspaces.access import Member
from core.workspaces.profiles import Profile
from pages.ui import avatar, components, current_member, wording
from pages.ui.custom_element import custom_element
from pages.ui.language import _

_element = custom_element(
    __file__,
    "project_cards",
    html="<ul></ul>",
    triggers=("pressed",),
)


def show(
    person: Member,
    found: Sequence[Summary],
    *,
    key: str,
    allowed: Collection[str],
    names: Mapping[str, str],
    people: Mapping[str, Sequence[Profile]],
) -> tuple[str, Summary] | None:
    """Draw the cards; what was just pressed (`open`, or one of `allowed`) and on which.

    `allowed` are those of `generate`, `edit`, `archive`, `transfer` and `delete` that are there to be pressed; `people`
    are who was charged most this month, by the project's id.
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
    cards = [
        card(project, now)
        | {
            "name": names[project.id],
            "open": current_member.page_address("history", person, project=project.id),
            "generate": current_member.page_address("generate", person, project=project.id),
            "people": [_face(profile) for profile in people.get(project.id, ())],
        }
        for project in found
    ]
    data = {"projects": cards, "words": words, "allowed": sorted(allowed)}
    pressed = _element(key=key, data=data).pressed or {}
    chosen = next((project for project in found if project.id == pressed.get("id")), None)
    return (pressed["action"], chosen) if chosen else None


def card(project: Summary, now: datetime) -> dict[str, Any]:
    """What the element needs of one project; texts and links only, no markup. Without a budget it has no bar."""
    budget_credits = project.monthly_budget_credits
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "facts": _facts(project, now),
        "money": _money(project),
        "inAll": _in_all(project),
        "share": min(1.0, round(project.month_credits / max(1, budget_credits), 3))
        if budget_credits is not None
        else None,
        "over": budget_credits is not None and project.month_credits > budget_credits,
        "archived": project.archived_at is not None,
        "covers": [link for key in project.cover_keys if (link := components.media_link(key))],
        "preview": components.media_link(project.preview_key),
    }


def _face(profile: Profile) -> dict[str, str]:
    return avatar.data(profile.name, profile.id)


def _facts(project: Summary, now: datetime) -> str:
    said = [wording.count(project.generation_count, "clip", "clips")]
    if project.in_flight_count:
        said.append(_("{number} under way").format(number=project.in_flight_count))
    if project.last_clip_at is not None:
        said.append(_("last clip {ago}").format(ago=wording.age(project.last_clip_at, now)))
    else:
        said.append(_("changed {ago}").format(ago=wording.age(project.updated_at, now)))
    return " · ".join(said)


def _money(project: Summary) -> str:
    """What this month's orders have taken, of its budget where there is one."""
    spent = wording.credits(project.month_credits)
    if project.monthly_budget_credits is not None:
        budget = wording.priced(project.monthly_budget_credits)
        words = (
            _("{spent} of {budget} this month, then stops")
            if project.budget_stops
            else _("{spent} of {budget} this month")
        )
        return words.format(spent=spent, budget=budget)
    return _("{credits} this month").format(credits=wording.priced(project.month_credits))


def _in_all(project: Summary) -> str:
    """What was charged since its beginning, and what is reserved."""
    said = [_("{credits} spent in all").format(credits=wording.priced(project.spent_credits))]
    if project.in_flight_credits:
        said.append(_("{credits} reserved").format(credits=wording.credits(project.in_flight_credits)))
    return " · ".join(said)
