"""Writes a year of the sample company down as rows, just as the services would have left them; pure.

Steps of timelines get ids that end with 0, below those of everybody else: they are of the past, so nobody who follows
what happens is told of them.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from core.billing import pricing
from core.billing.ledger import EFFECTS
from core.billing.quote import Quote, idr_of_microusd
from core.catalog.costs import Estimate
from core.catalog.price_list import IDR_PER_USD
from core.db.enums import CostBasis, EntryKind, Stage, Status, WorkspaceKind, WorkspaceRole
from core.generations.submit import Order
from core.messages import Message, message
from core.providers import registry
from core.sample import budgets, company, projects
from core.sample.footage import Footage
from core.sample.plan import Take, Year
from core.usage import rollups

SYSTEM = "system"
REPORTS_COST = frozenset({"edenai"})
"""Providers that say what a job has cost."""

Row = dict[str, Any]
Files = Mapping[tuple[int, int, int, int], Footage]
"""(project, scene, variant, seconds) -> the files of such a clip."""


@dataclass(slots=True)
class Books:
    """Rows by table."""

    users: list[Row] = field(default_factory=list)
    workspaces: list[Row] = field(default_factory=list)
    workspace_members: list[Row] = field(default_factory=list)
    accounts: list[Row] = field(default_factory=list)
    projects: list[Row] = field(default_factory=list)
    generations: list[Row] = field(default_factory=list)
    generation_events: list[Row] = field(default_factory=list)
    generation_tags: list[Row] = field(default_factory=list)
    clip_notes: list[Row] = field(default_factory=list)
    ledger_entries: list[Row] = field(default_factory=list)
    usage_days: list[Row] = field(default_factory=list)
    undelivered_days: list[Row] = field(default_factory=list)
    budgets: list[Row] = field(default_factory=list)
    budget_months: list[Row] = field(default_factory=list)

    def clip_keys(self) -> Sequence[tuple[str, ...]]:
        """The keys of every clip's files: clip, poster, preview."""
        names = ("output_key", "thumbnail_key", "preview_key")
        return [tuple(row[name] for name in names) for row in self.generations if row["output_key"] is not None]


def write(year: Year, files: Files, *, archived_at: datetime) -> Books:
    """The rows of a year whose clips have these files. Workspaces are put away `archived_at`, until all is there."""
    books = Books()
    _people(books, year)
    _teams(books, year)
    clips = [_Clip.of(year, take, files) for take in year.takes]
    _projects(books, year, clips)
    for clip in clips:
        books.generations.append(_generation(clip))
        books.generation_events += _events(clip)
        books.generation_tags += [
            {"generation_id": clip.take.id, "tag": tag, "workspace_id": clip.workspace_id, "user_id": clip.user_id}
            for tag in clip.take.tags
        ]
        if clip.take.remark:
            books.clip_notes.append(_note(year, clip))
    for place, row in enumerate(books.generation_events):
        row["id"] = place - len(books.generation_events) + 1
    _ledger(books, year, clips)
    _usage(books, clips)
    books.budgets, books.budget_months = budgets.of_company(year), budgets.taken(books.generations)
    stored = Counter[str]()
    for clip in clips:
        stored[clip.workspace_id] += clip.files.stored_bytes if clip.files else 0
    for row in books.workspaces:
        row |= {"storage_bytes": stored[row["id"]], "archived_at": archived_at}
    return books


@dataclass(frozen=True, slots=True)
class _Clip:
    """A take with all that is written down of it in several places."""

    take: Take
    workspace_id: str
    user_id: str
    email: str
    project_id: str
    price: Quote
    cost: Estimate | None
    files: Footage | None

    @classmethod
    def of(cls, year: Year, take: Take, files: Files) -> "_Clip":
        person = company.PEOPLE[take.person]
        is_there = take.status is Status.COMPLETED
        return cls(
            take,
            year.teams[projects.PROJECTS[take.project].team],
            year.people[take.person],
            person.email,
            year.projects[take.project],
            pricing.priced(take.spec, take.created_at),
            pricing.estimated_cost(take.spec, take.created_at),
            files[take.project, take.scene, take.variant, take.spec.duration_seconds] if is_there else None,
        )

    @property
    def is_reported(self) -> bool:
        """Whether the provider says what it took: just what it was expected to."""
        return registry.model(self.take.spec.model_id).provider in REPORTS_COST


def _people(books: Books, year: Year) -> None:
    for person, user_id in zip(company.PEOPLE, year.people, strict=True):
        books.users.append(
            {
                "id": user_id,
                "email": person.email,
                "name": person.name,
                "role": person.role,
                "is_sample": True,
                "last_workspace_id": year.teams[next(iter(person.teams))] if person.teams else None,
                "created_at": year.begun_at,
            }
        )
        books.workspaces.append(_workspace(user_id, WorkspaceKind.PERSONAL, person.name, year))
        books.workspace_members.append(_membership(user_id, user_id, WorkspaceRole.MANAGER, year))


def _teams(books: Books, year: Year) -> None:
    for team in company.TEAMS:
        workspace_id = year.teams[team.name]
        books.workspaces.append(_workspace(workspace_id, WorkspaceKind.TEAM, team.name, year))
        for person, user_id in zip(company.PEOPLE, year.people, strict=True):
            if team.name in person.teams:
                books.workspace_members.append(_membership(workspace_id, user_id, person.teams[team.name], year))


def _workspace(workspace_id: str, kind: WorkspaceKind, name: str, year: Year) -> Row:
    return {
        "id": workspace_id,
        "kind": kind,
        "name": name,
        "usage_version": 1,
        "time_zone": budgets.ZONE,
        "is_sample": True,
        "created_at": year.begun_at,
    }


def _membership(workspace_id: str, user_id: str, role: WorkspaceRole, year: Year) -> Row:
    return {"workspace_id": workspace_id, "user_id": user_id, "role": role, "created_at": year.begun_at}


def _projects(books: Books, year: Year, clips: Sequence[_Clip]) -> None:
    count, spent = Counter[str](), Counter[str]()
    last, first = dict[str, datetime](), dict[str, _Clip]()
    for clip in clips:
        count[clip.project_id] += 1
        spent[clip.project_id] += clip.price.total_credits if clip.files else 0
        last[clip.project_id] = clip.take.created_at
        first.setdefault(clip.project_id, clip)
    for project, project_id in zip(projects.PROJECTS, year.projects, strict=True):
        begun, updated_at = first.get(project_id), last.get(project_id, year.begun_at)
        manager = next(
            n for n, each in enumerate(company.PEOPLE) if each.teams.get(project.team) == WorkspaceRole.MANAGER
        )
        books.projects.append(
            {
                "id": project_id,
                "workspace_id": year.teams[project.team],
                "user_id": begun.user_id if begun else year.people[manager],
                "name": project.name,
                "description": project.description,
                "archived_at": updated_at + timedelta(days=3) if project.archived else None,
                "generation_count": count[project_id],
                "spent_credits": spent[project_id],
                "created_at": begun.take.created_at - timedelta(hours=1) if begun else year.begun_at,
                "updated_at": updated_at,
            }
        )


def _generation(clip: _Clip) -> Row:
    take, files, error = clip.take, clip.files, clip.take.error
    order = Order(clip.project_id, take.spec)
    model = registry.model(take.spec.model_id)
    base = f"videos/{take.id}/{files.name}" if files else ""
    cost = clip.cost if files else None
    return {
        "id": take.id,
        "workspace_id": clip.workspace_id,
        "user_id": clip.user_id,
        "project_id": clip.project_id,
        "retry_of_id": take.retry_of_id,
        "batch_id": take.batch_id,
        "request_hash": order.digest(),
        "recipe_hash": order.recipe(),
        "provider": model.provider,
        "model_name": model.name,
        "credits": clip.price.total_credits,
        "budget_month": budgets.month_of(take.created_at),
        "quote": clip.price.to_json(),
        "status": take.status,
        "stage": Stage.FINALIZED,
        "version": len(_steps(clip)) - 1,
        "attempt": 0 if take.status is Status.CANCELLED else 1,
        "collect_attempt": 1 if files else 0,
        "progress": 1.0 if files else 0.0,
        "progress_is_estimate": files is None,
        "provider_job_id": f"sample-{take.id[-12:]}" if take.accepted else None,
        "provider_cost": Decimal(cost.microusd) / 1_000_000 if cost else None,
        "provider_cost_currency": "USD" if cost else None,
        "provider_cost_is_estimate": cost is None or not clip.is_reported,
        "cost_basis": (CostBasis.REPORTED if clip.is_reported else CostBasis.ESTIMATE) if cost else None,
        "estimated_cost_microusd": clip.cost.microusd if clip.cost else None,
        "cost_since": clip.cost.since if clip.cost else None,
        "idr_per_usd": IDR_PER_USD,
        "error_code": error.code if error else None,
        "error_message": str(error) if error else None,
        "error": error.message if error else None,
        "output_key": f"{base}.mp4" if files else None,
        "thumbnail_key": f"{base}.webp" if files else None,
        "preview_key": f"{base}-preview.mp4" if files else None,
        "stored_bytes": files.stored_bytes if files else 0,
        "output_facts": dict(files.facts) | {"gaps": [], "gap_messages": []} if files else None,
        "favourite": take.favourite,
        "kept": take.kept,
        "first_opened_at": take.ended_at if files and take.is_opened else None,
        "created_at": take.created_at,
        "updated_at": take.ended_at,
        "submitted_at": take.created_at + timedelta(seconds=2) if take.accepted else None,
        "ended_at": take.ended_at,
        **take.spec.values(),
    }


def _steps(clip: _Clip) -> list[tuple[Status, Stage, Message, str, datetime]]:
    """The timeline of a clip, as dispatcher and workers tell it."""
    take, credits = clip.take, clip.price.total_credits
    provider = registry.provider_class(registry.model(take.spec.model_id).provider).display_name
    at, end = take.created_at, take.ended_at
    steps = [(Status.PENDING, Stage.QUEUED, message("ordered", total_credits=credits), clip.email, at)]
    if take.status is Status.CANCELLED:
        return [*steps, (take.status, Stage.FINALIZED, message("cancelled", credits=credits), clip.email, end)]
    soon = at + timedelta(seconds=1)
    steps.append((Status.PENDING, Stage.DISPATCHED, message("next_in_line", provider=provider), SYSTEM, soon))
    steps.append((Status.PROCESSING, Stage.SUBMITTING, message("sending", provider=provider), SYSTEM, soon))
    if take.accepted:
        taken = at + timedelta(seconds=2)
        steps.append((Status.PROCESSING, Stage.WAITING, message("accepted", provider=provider), SYSTEM, taken))
    if take.error is not None:
        failed = message("failed", credits=credits, error=take.error.message)
        return [*steps, (take.status, Stage.FINALIZED, failed, SYSTEM, end)]
    made = end - timedelta(seconds=1)
    steps.append((Status.PROCESSING, Stage.READY_TO_DOWNLOAD, message("provider_finished"), SYSTEM, made))
    steps.append((Status.PROCESSING, Stage.DOWNLOADING, message("fetching"), SYSTEM, made))
    return [*steps, (take.status, Stage.FINALIZED, message("stored", credits=credits), SYSTEM, end)]


def _events(clip: _Clip) -> list[Row]:
    return [
        {
            "generation_id": clip.take.id,
            "at": at,
            "status": status,
            "stage": stage,
            "what": str(what)[:300],
            "message": what,
            "actor": actor,
        }
        for status, stage, what, actor, at in _steps(clip)
    ]


def _note(year: Year, clip: _Clip) -> Row:
    """A remark of somebody else of the team, some hours later."""
    team = projects.PROJECTS[clip.take.project].team
    others = [n for n, each in enumerate(company.PEOPLE) if team in each.teams and n != clip.take.person]
    author = others[int(clip.take.id[-4:], 16) % len(others)]
    return {
        "id": f"{clip.take.id[:-4]}{(int(clip.take.id[-4:], 16) ^ 1):04x}",
        "generation_id": clip.take.id,
        "user_id": year.people[author],
        "text": clip.take.remark,
        "at_seconds": None,
        "created_at": clip.take.ended_at + timedelta(minutes=20),
    }


def _ledger(books: Books, year: Year, clips: Sequence[_Clip]) -> None:
    """A grant at the beginning of each month that covers it, a hold and an end for each clip, in the order of time."""
    admin = next(each for each in company.PEOPLE if each.role == "admin")
    moved: dict[str, list[tuple[datetime, Row]]] = defaultdict(list)
    monthly: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
    for clip in clips:
        take, credits = clip.take, clip.price.total_credits
        monthly[clip.workspace_id][take.created_at.year, take.created_at.month] += credits
        base = {"amount_credits": credits, "generation_id": take.id, "message": None}
        hold = {"kind": EntryKind.HOLD, "key": f"generation:{take.id}:hold", "actor": clip.email}
        moved[clip.workspace_id].append((take.created_at, base | hold | _told(message("reserved_at_submit"))))
        end = {"kind": EntryKind.SETTLE if clip.files else EntryKind.RELEASE, "key": f"generation:{take.id}:end"}
        actor = clip.email if take.status is Status.CANCELLED else SYSTEM
        moved[clip.workspace_id].append((take.ended_at, base | end | {"actor": actor} | _told(_why(take))))
    for workspace_id, months in monthly.items():
        for (of_year, month), credits in months.items():
            at = max(year.begun_at, year.begun_at.replace(year=of_year, month=month, day=1))
            grant = {
                "kind": EntryKind.GRANT,
                "key": f"sample:{workspace_id}:{of_year}-{month:02}",
                "amount_credits": (credits // 10_000 + 1) * 10_000,
                "generation_id": None,
                "actor": admin.email,
            }
            moved[workspace_id].append((at, grant | {"reason": "Monthly credits of the team", "message": None}))
    for workspace in books.workspaces:
        _chain(books, workspace["id"], moved[workspace["id"]])


def _chain(books: Books, workspace_id: str, moved: list[tuple[datetime, Row]]) -> None:
    """The account of a workspace, and its movements with the balances after each."""
    available = held = 0
    for at, row in sorted(moved, key=lambda each: each[0]):
        effect = EFFECTS[row["kind"]]
        available += effect[0] * row["amount_credits"]
        held += effect[1] * row["amount_credits"]
        books.ledger_entries.append(
            {
                "account_id": workspace_id,
                **row,
                "available_after": available,
                "held_after": held,
                "created_at": at,
            }
        )
    books.accounts.append(
        {"id": workspace_id, "workspace_id": workspace_id, "available_credits": available, "held_credits": held}
    )


def _told(why: Message) -> Row:
    return {"reason": str(why)[:500], "message": why}


def _why(take: Take) -> Message:
    """The reason of the movement that ends a hold."""
    if take.status is Status.COMPLETED:
        return message("clip_stored")
    return take.error.message if take.error else message("hold_released_by_cancel")


def _usage(books: Books, clips: Sequence[_Clip]) -> None:
    days: dict[rollups.Key, Counter[str]] = defaultdict(Counter)
    undelivered: dict[tuple[rollups.Key, str, str], Counter[str]] = defaultdict(Counter)
    for clip in clips:
        take, credits, seconds = clip.take, clip.price.total_credits, clip.take.spec.duration_seconds
        model = registry.model(take.spec.model_id)
        key = rollups.Key(
            rollups.day_of(take.ended_at), clip.workspace_id, clip.user_id, clip.project_id, model.provider, model.id
        )
        figures = days[key]
        figures[take.status.value] += 1
        if clip.files is None:
            figures["released_credits"] += credits
            undelivered[key, take.status.value, take.error.code if take.error else ""].update(
                clips=1, released_credits=credits
            )
            continue
        figures["settled_credits"] += credits
        figures["video_seconds"] += seconds
        figures["cost_unknown_count"] += int(clip.cost is None)
        if clip.cost is not None:
            cost_idr = idr_of_microusd(clip.cost.microusd, IDR_PER_USD)
            figures["estimated_cost_idr"] += cost_idr
            if clip.is_reported:
                figures["estimate_replaced_idr"] += cost_idr
                figures["reported_cost_microusd"] += clip.cost.microusd
                figures["reported_cost_idr"] += cost_idr
        if take.kept is not None:
            figures["kept_count"] += int(take.kept)
            figures["kept_seconds"] += seconds if take.kept else 0
            figures["rejected_count"] += int(not take.kept)
    names = sorted({name for figures in days.values() for name in figures})
    for key in sorted(days):
        books.usage_days.append(asdict(key) | {name: days[key][name] for name in names})
    for (key, outcome, reason), counts in sorted(undelivered.items()):
        books.undelivered_days.append(asdict(key) | {"outcome": outcome, "reason": reason, **counts})
