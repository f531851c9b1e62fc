"""Histories of clips over days and people, booked straight into the tables: generations, ledger and roll-ups agree."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert, select, update

from core.billing import pricing
from core.billing.quote import Line, Quote, idr_of_microusd
from core.catalog.price_list import IDR_PER_USD
from core.db import ReadSession, WriteSession, types
from core.db.enums import BudgetScope, EntryKind, Stage, Status
from core.db.tables import (
    Account,
    BudgetMonth,
    Generation,
    GenerationTag,
    LedgerEntry,
    Project,
    UndeliveredDay,
    UsageDay,
    Workspace,
)
from core.ids import new_id
from core.providers import registry
from core.spec import GenerationSpec
from core.usage import rollups
from core.workspaces.access import Member

OUTCOMES = (Status.COMPLETED, Status.FAILED, Status.CANCELLED)
REASONS = ("generation_failed", "content_refused", "provider_busy")


@dataclass(frozen=True, slots=True)
class Ended:
    """One clip that came to its end on a day; `reported_usd` is its cost where the provider told it."""

    day: date
    project_id: str
    model_id: str
    outcome: Status = Status.COMPLETED
    resolution: str = "720p"
    duration_seconds: int = 5
    aspect_ratio: str = "16:9"
    took_seconds: int = 60
    start_image: bool = False
    negative_prompt: str = ""
    reported_usd: Decimal | None = None
    kept: bool | None = None
    reason: str = ""
    """The code of the error that it failed with."""
    tags: tuple[str, ...] = ()
    is_opened: bool = True
    """Whether somebody has opened it, if there is a clip; who judged it has."""

    @property
    def spec(self) -> GenerationSpec:
        """What was ordered, as far as it has a price."""
        return GenerationSpec(
            model_id=self.model_id,
            resolution=self.resolution,
            duration_seconds=self.duration_seconds,
            aspect_ratio=self.aspect_ratio,
            start_image_key="images/ab/x.jpg" if self.start_image else None,
        )

    @property
    def credits(self) -> int:
        """Its price."""
        return pricing.priced(self.spec).total_credits

    @property
    def estimated_microusd(self) -> int | None:
        """What its provider would probably take; None where nobody knows."""
        estimate = pricing.estimated_cost(self.spec)
        return estimate.microusd if estimate else None


def book(session: WriteSession, user: Member, clips: Sequence[Ended]) -> None:
    """Write clips of one person where they are at work, with the grant that pays for them."""
    if not clips:
        return
    made = [_generation(user, clip) for clip in clips]
    session.execute(insert(Generation), made)
    session.execute(insert(LedgerEntry), list(_entries(session, user.workspace_id, clips, [row["id"] for row in made])))
    session.execute(insert(UsageDay), list(_rolled_up(user, clips)))
    if undelivered := list(_undelivered(user, clips)):
        session.execute(insert(UndeliveredDay), undelivered)
    if tags := list(_tags(user, clips, [row["id"] for row in made])):
        session.execute(insert(GenerationTag), tags)
        rollups.describe_tags(session, [row["id"] for row in made])
    session.execute(
        update(Workspace).where(Workspace.id == user.workspace_id).values(usage_version=Workspace.usage_version + 1)
    )
    _count(session, user, clips)
    spent: defaultdict[str, int] = defaultdict(int)
    for clip in clips:
        spent[clip.project_id] += clip.credits if clip.outcome is Status.COMPLETED else 0
    for project_id, credits in spent.items():
        session.execute(
            update(Project).where(Project.id == project_id).values(spent_credits=Project.spent_credits + credits)
        )


def _count(session: WriteSession, user: Member, clips: Sequence[Ended]) -> None:
    """What is counted against budgets, as if each had been ordered on the day it ended."""
    taken = Counter[tuple[str, BudgetScope, str]]()
    for clip in clips:
        for scope, subject_id in (
            (BudgetScope.WORKSPACE, user.workspace_id),
            (BudgetScope.PROJECT, clip.project_id),
            (BudgetScope.MEMBER, user.id),
        ):
            taken[f"{clip.day:%Y-%m}", scope, subject_id] += clip.credits if clip.outcome is Status.COMPLETED else 0
    for (month, scope, subject_id), credits in taken.items():
        key = {"workspace_id": user.workspace_id, "month": month, "scope": scope, "subject_id": subject_id}
        row = types.insert(session, BudgetMonth).values(**key, taken_credits=credits)
        more = {"taken_credits": BudgetMonth.taken_credits + row.excluded.taken_credits}
        session.execute(row.on_conflict_do_update(index_elements=list(key), set_=more))


def invent(
    dice: random.Random, project_ids: Sequence[str], *, until: date, days: int, clips_a_day: int
) -> Iterator[Ended]:
    """A believable history that ends on a day: quieter at weekends, growing, with a few favourites among the models."""
    models = [registry.model(id) for id in ("kling-2.5", "veo3", "seedance-t2v", "nova-reel", "runway-gen3", "svd")]
    for back in range(days - 1, -1, -1):
        day = until - timedelta(days=back)
        busy = (0.25 if day.weekday() > 4 else 1.0) * (1.4 - back / days)
        for _ in range(dice.randrange(int(2 * clips_a_day * busy) + 1)):
            model = dice.choices(models, (30, 12, 25, 10, 8, 3))[0]
            outcome = dice.choices(OUTCOMES, (90, 8, 2))[0]
            reported = model.provider == "edenai" and dice.random() < 0.7
            yield Ended(
                day,
                dice.choices(project_ids, [len(project_ids) - n for n in range(len(project_ids))])[0],
                model.id,
                outcome,
                dice.choice(model.resolutions),
                dice.choice(model.durations),
                dice.choice(model.aspect_ratios),
                int(dice.lognormvariate(4.4, 0.5)),
                reported_usd=Decimal(dice.randrange(10, 90)) / 100 if reported else None,
                kept=dice.choice((None, None, True, False)) if outcome is Status.COMPLETED else None,
                reason=REASONS[day.day % len(REASONS)] if outcome is Status.FAILED else "",
            )


def _generation(user: Member, clip: Ended) -> dict[str, Any]:
    done = clip.outcome is Status.COMPLETED
    ended = datetime.combine(clip.day, time(12), UTC)
    id = new_id()
    model = registry.model(clip.model_id)
    price = Quote(clip.model_id, (Line("base", clip.credits),), pricing.price_of(clip.model_id).since)
    estimated = None if clip.estimated_microusd is None else Decimal(clip.estimated_microusd) / 1_000_000
    cost = clip.reported_usd or estimated
    return {
        "id": id,
        "workspace_id": user.workspace_id,
        "user_id": user.id,
        "project_id": clip.project_id,
        "request_hash": "0" * 64,
        "provider": model.provider,
        "model_id": clip.model_id,
        "model_name": model.name,
        "prompt": "a lake at dusk",
        "negative_prompt": clip.negative_prompt,
        "start_image_key": "uploads/x.jpg" if clip.start_image else None,
        "resolution": clip.resolution,
        "duration_seconds": clip.duration_seconds,
        "aspect_ratio": clip.aspect_ratio,
        "credits": clip.credits,
        "budget_month": f"{clip.day:%Y-%m}",
        "quote": price.to_json(),
        "status": clip.outcome,
        "stage": Stage.FINALIZED,
        "output_key": f"videos/{id}/0.mp4" if done else None,
        "thumbnail_key": f"videos/{id}/0.webp" if done else None,
        "stored_bytes": 1000 if done else 0,
        "output_facts": {"width": 1280} if done else None,
        "provider_cost": cost if done else None,
        "provider_cost_currency": "USD" if done and cost is not None else None,
        "estimated_cost_microusd": clip.estimated_microusd,
        "idr_per_usd": IDR_PER_USD,
        "provider_cost_is_estimate": clip.reported_usd is None,
        "created_at": ended - timedelta(seconds=clip.took_seconds),
        "submitted_at": ended - timedelta(seconds=clip.took_seconds),
        "ended_at": ended,
        "error_code": clip.reason or None,
        "kept": clip.kept,
        "first_opened_at": ended if done and (clip.is_opened or clip.kept is not None) else None,
    }


def _entries(
    session: ReadSession, workspace_id: str, clips: Sequence[Ended], ids: Sequence[str]
) -> Iterator[dict[str, Any]]:
    account = session.scalars(select(Account).where(Account.workspace_id == workspace_id)).one()
    available, held = account.available_credits, account.held_credits

    def entry(kind: EntryKind, credits: int, key: str, day: date, generation_id: str | None = None) -> dict[str, Any]:
        return {
            "account_id": account.id,
            "kind": kind,
            "amount_credits": credits,
            "generation_id": generation_id,
            "key": key,
            "available_after": available,
            "held_after": held,
            "actor": "test",
            "created_at": datetime.combine(day, time(12), UTC),
        }

    grant = sum(clip.credits for clip in clips)
    available += grant
    yield entry(EntryKind.GRANT, grant, f"history:{ids[0]}", clips[0].day)
    for clip, id in zip(clips, ids, strict=True):
        available, held = available - clip.credits, held + clip.credits
        yield entry(EntryKind.HOLD, clip.credits, f"generation:{id}:hold", clip.day, id)
        held -= clip.credits
        done = clip.outcome is Status.COMPLETED
        available += 0 if done else clip.credits
        end = EntryKind.SETTLE if done else EntryKind.RELEASE
        yield entry(end, clip.credits, f"generation:{id}:end", clip.day, id)
    account.available_credits, account.held_credits = available, held


def _rolled_up(user: Member, clips: Iterable[Ended]) -> Iterator[dict[str, Any]]:
    names = [column.name for column in UsageDay.__table__.columns if not column.primary_key]
    rows: dict[tuple[date, str, str], dict[str, Any]] = {}
    for clip in clips:
        key = (clip.day, clip.project_id, clip.model_id)
        row = rows.setdefault(key, dict.fromkeys(names, 0))
        row[clip.outcome.value] += 1
        if clip.outcome is not Status.COMPLETED:
            row["released_credits"] += clip.credits
            continue
        estimate = clip.estimated_microusd
        estimate_idr = 0 if estimate is None else idr_of_microusd(estimate, IDR_PER_USD)
        row["settled_credits"] += clip.credits
        row["video_seconds"] += clip.duration_seconds
        row["estimated_cost_idr"] += estimate_idr
        row["cost_unknown_count"] += clip.reported_usd is None and estimate is None
        if clip.reported_usd is not None:
            microusd = int(clip.reported_usd * 1_000_000)
            row["estimate_replaced_idr"] += estimate_idr
            row["reported_cost_microusd"] += microusd
            row["reported_cost_idr"] += idr_of_microusd(microusd, IDR_PER_USD)
        if clip.kept:
            row["kept_count"] += 1
            row["kept_seconds"] += clip.duration_seconds
        row["rejected_count"] += clip.kept is False
    for (day, project_id, model_id), row in rows.items():
        of = {"day": day.isoformat(), "project_id": project_id, "model_id": model_id}
        of |= {"workspace_id": user.workspace_id, "user_id": user.id}
        yield {**of, "provider": registry.model(model_id).provider, **row}


def _undelivered(user: Member, clips: Iterable[Ended]) -> Iterator[dict[str, Any]]:
    rows: defaultdict[tuple[date, str, str, str, str], list[int]] = defaultdict(list)
    for clip in clips:
        if clip.outcome is not Status.COMPLETED:
            rows[clip.day, clip.project_id, clip.model_id, clip.outcome.value, clip.reason].append(clip.credits)
    for (day, project_id, model_id, outcome, reason), credits in rows.items():
        of = {"workspace_id": user.workspace_id, "user_id": user.id, "project_id": project_id, "model_id": model_id}
        of |= {"provider": registry.model(model_id).provider, "outcome": outcome, "reason": reason}
        yield of | {"day": day.isoformat(), "clips": len(credits), "released_credits": sum(credits)}


def _tags(user: Member, clips: Iterable[Ended], ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    for clip, id in zip(clips, ids, strict=True):
        for tag in clip.tags:
            yield {"generation_id": id, "tag": tag, "workspace_id": user.workspace_id, "user_id": user.id}


def settled(
    session: ReadSession, user: Member | None, since: date, until: date, kind: EntryKind = EntryKind.SETTLE
) -> int:
    """What the ledger says was charged (or given back) between two days, to one person or to all."""
    begin = datetime.combine(since, time(), UTC)
    end = datetime.combine(until + timedelta(days=1), time(), UTC)
    query = select(func.coalesce(func.sum(LedgerEntry.amount_credits), 0)).where(
        LedgerEntry.kind == kind, LedgerEntry.created_at >= begin, LedgerEntry.created_at < end
    )
    if user is not None:
        query = query.join(Account).where(Account.workspace_id == user.id)
    return int(session.scalar(query) or 0)
