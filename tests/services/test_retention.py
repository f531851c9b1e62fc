from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from core import db, errors
from core.clock import utc_now
from core.db.enums import NoticeKind, WorkspaceRole
from core.db.tables import AuditLogEntry, Generation, GenerationEvent, LedgerEntry, Notice, Project, UsageDay, User
from core.files import storage as storages
from core.generations import commands, folding, forgetting, queries, retention, review, trash
from core.generations.list_filter import ReviewStatus
from core.generations.retention import Rule, Rules
from core.generations.review import Changes
from core.ids import new_id
from core.installation import Installation
from core.worker import maintenance, retention_rounds
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, load_generation
from tests.factories.users import create_member, deactivate

RULES = Rules({Rule.REJECTED: 30, Rule.UNDECIDED: 180}, trash_days=14)


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody with credits."""
    return create_member(db.default(), credits=100_000)


@pytest.fixture
def keeping(site: Installation) -> Installation:
    """An installation in which clips go by themselves."""
    days = {"rejected_clip_days": 30, "undecided_clip_days": 180, "trash_days": 14, "event_days": 400}
    return replace(site, settings=site.settings.model_copy(update=days))


def aged(
    member: Member, days: float, *, verdict: ReviewStatus | None = None, judged: float | None = None, **changes: Any
) -> Generation:
    """A clip that ended so many days ago, and was judged then, or that many days ago."""
    row = create_completed(db.default(), member)
    then = utc_now() - timedelta(days=days)
    with db.write_session() as session:
        old = update(Generation).where(Generation.id == row.id)
        session.execute(old.values({"ended_at": then, "created_at": then, "next_at": None} | changes))
    if verdict is not None:
        with db.write_session() as session:
            review.update(session, member, row.id, Changes(verdict=verdict))
            since = utc_now() - timedelta(days=days if judged is None else judged)
            session.execute(update(Generation).where(Generation.id == row.id).values(retained_since=since))
    return load_generation(row.id)


def run_as_of(moment: datetime, batch: Callable[[db.WriteSession], int]) -> int:
    """One batch at another time."""
    with db.write_session() as session:
        session.info["now"] = moment
        return batch(session)


def state(row: Generation) -> tuple[bool, bool]:
    """Whether its people were told, and whether it is in the trash."""
    now = load_generation(row.id)
    return now.leaves_at is not None, now.deleted_at is not None


@pytest.mark.both_databases
def test_clips_go_by_the_state_of_their_review(keeping: Installation, ana: Member) -> None:
    """Told a week before, then in the trash, then without files; kept ones, favourites and young ones stay."""
    rejected = aged(ana, 40, verdict=ReviewStatus.REJECTED)
    undecided = aged(ana, 200)
    lately_rejected = aged(ana, 100, verdict=ReviewStatus.REJECTED, judged=1)
    kept = aged(ana, 400, verdict=ReviewStatus.KEPT)
    liked = aged(ana, 400, favourite=True)
    young = aged(ana, 100)
    staying = (lately_rejected, kept, liked, young)

    retention_rounds.run(keeping)

    assert [state(row) for row in (rejected, undecided)] == [(True, False)] * 2
    assert [state(row) for row in staying] == [(False, False)] * 4
    leaves_at = load_generation(rejected.id).leaves_at
    assert leaves_at is not None
    assert leaves_at > utc_now() + timedelta(days=6.9)
    with db.read_session() as session:
        [told] = session.scalars(select(Notice).where(Notice.kind == NoticeKind.CLIPS_LEAVE))
        assert (told.user_id, told.clip_count) == (ana.id, 2)

    later = utc_now() + timedelta(days=8)
    assert run_as_of(later, lambda session: retention.put_in_trash(session, RULES)) == 2

    assert [state(row) for row in (rejected, undecided)] == [(True, True)] * 2
    assert [state(row)[1] for row in staying] == [False] * 4
    assert maintenance.purge_deleted_files(keeping) == 0
    with db.read_session() as session:
        acts = session.scalars(select(AuditLogEntry.after).where(AuditLogEntry.action == "clip.retired")).all()
    assert [act and act["clips"] for act in acts] == [2]
    assert broken_rules() == []


def test_trash_gives_clips_back_until_its_days_are_over(keeping: Installation, ana: Member) -> None:
    """Who may delete sees what is in it and brings it back, files and all; afterwards it is gone for good."""
    row, gone = (create_completed(db.default(), ana) for _ in range(2))
    for each in (row, gone):
        assert each.output_key is not None
        keeping.storage.put_bytes(each.output_key, b"x", media_type=storages.media_type_of(each.output_key))
        with db.write_session() as session:
            commands.delete(session, ana, each.id)
    assert maintenance.purge_deleted_files(keeping) == 0
    with db.write_session() as session:
        ago = utc_now() - timedelta(days=15)
        session.execute(update(Generation).where(Generation.id == gone.id).values(deleted_at=ago))
    with db.read_session() as session:
        assert [each.id for each in trash.page(session, ana, days=14)] == [row.id]
        assert trash.page(session, ana, days=0) == []

    with db.write_session() as session:
        assert trash.bring_back(session, ana, [row.id], days=14) == 1
    with pytest.raises(errors.NotFound), db.write_session() as session:
        trash.bring_back(session, ana, [gone.id], days=14)
    assert maintenance.purge_deleted_files(keeping) == 1

    assert row.output_key is not None
    assert gone.output_key is not None
    assert (keeping.storage.exists(row.output_key), keeping.storage.exists(gone.output_key)) == (True, False)
    with db.read_session() as session:
        assert [each.id for each in queries.get_many(session, ana, [row.id, gone.id])] == [row.id]
        assert session.get_one(Project, row.project_id).generation_count == 1
    assert load_generation(row.id).retained_since is not None


def test_trash_is_for_who_may_delete(keeping: Installation, ana: Member) -> None:
    """Nobody else sees it or takes something out."""
    row = create_completed(db.default(), ana)
    with db.write_session() as session:
        commands.delete(session, ana, row.id)
    eve = create_member(db.default(), "eve@example.org")
    with pytest.raises(errors.NotFound), db.write_session() as session:
        trash.bring_back(session, eve, [row.id], days=14)
    viewer = replace(ana, roles={ana.workspace_id: WorkspaceRole.MAKER})
    with pytest.raises(errors.Forbidden), db.read_session() as session:
        trash.page(session, viewer, days=14)
    with pytest.raises(errors.Forbidden), db.write_session() as session:
        trash.bring_back(session, viewer, [row.id], days=14)


def test_clip_that_was_kept_meanwhile_stays(keeping: Installation, ana: Member) -> None:
    """Who keeps it in the week before, or likes it, is heard; so is who turns the rule off."""
    kept, liked, unruled = (aged(ana, 200) for _ in range(3))
    retention_rounds.run(keeping)
    with db.write_session() as session:
        review.update(session, ana, kept.id, Changes(verdict=ReviewStatus.KEPT))
        review.update(session, ana, liked.id, Changes(favourite=True))

    later = utc_now() + timedelta(days=8)
    assert run_as_of(later, lambda session: retention.put_in_trash(session, Rules({}, 14))) == 3

    assert [state(row) for row in (kept, liked, unruled)] == [(False, False)] * 3


@pytest.mark.both_databases
def test_several_dispatchers_take_each_clip_once(keeping: Installation, ana: Member) -> None:
    """Each clip is told of and goes once, whoever takes it, and its project counts right."""
    rows = [aged(ana, 200) for _ in range(6)]
    later = utc_now() + timedelta(days=8)

    def work(_number: int) -> int:
        retention_rounds.run(keeping)
        return run_as_of(later, lambda session: retention.put_in_trash(session, RULES))

    with ThreadPoolExecutor(3) as pool:
        looked = sum(pool.map(work, range(3)))

    assert looked == 6
    assert {state(row) for row in rows} == {(True, True)}
    with db.read_session() as session:
        assert session.scalar(select(func.sum(Project.generation_count))) == 0
        assert session.scalar(select(func.max(Notice.clip_count))) == 6


@given(ages=st.lists(st.tuples(st.integers(0, 400), st.sampled_from([None, *ReviewStatus])), min_size=1, max_size=4))
def test_figures_stay_to_the_credit_whatever_goes(
    keeping: Installation, ages: list[tuple[int, ReviewStatus | None]]
) -> None:
    """Ledger, daily usage, projects and balances are the same before and after; only what was kept is left."""
    ana = create_member(db.default(), f"{new_id()}@example.org", credits=100_000)
    rows = [aged(ana, days, verdict=verdict) for days, verdict in ages]
    before = books()
    for days in (0, 8, 200, 208):
        moment = utc_now() + timedelta(days=days)
        run_as_of(moment, lambda session: retention.put_in_trash(session, RULES))
        run_as_of(moment, lambda session: retention.announce(session, RULES))
        run_as_of(moment, lambda session: retention.announce(session, RULES))
    assert books() == before
    left = [load_generation(row.id).kept for row in rows if load_generation(row.id).deleted_at is None]
    assert left == [True] * sum(verdict is ReviewStatus.KEPT for _days, verdict in ages)
    assert broken_rules() == []


def books() -> list[str]:
    """Every row that figures are read from."""
    with db.read_session() as session:
        return [
            *sorted(map(repr, session.execute(select(*LedgerEntry.__table__.columns)))),
            *sorted(map(repr, session.execute(select(*UsageDay.__table__.columns)))),
            *sorted(map(repr, session.execute(select(Project.id, Project.spent_credits)))),
            *sorted(map(repr, session.execute(text("SELECT * FROM accounts")))),
        ]


def test_plan_counts_and_changes_nothing(keeping: Installation, ana: Member) -> None:
    """How many and how many bytes, by rule."""
    aged(ana, 40, verdict=ReviewStatus.REJECTED)
    aged(ana, 100)
    before = books()

    with db.read_session() as session:
        found = retention.plan(session, RULES)

    assert {rule: (each.clips, each.size_bytes) for rule, each in found.items()} == {
        Rule.REJECTED: (1, 1000),
        Rule.UNDECIDED: (0, 0),
    }
    assert books() == before


@pytest.mark.both_databases
def test_folded_steps_read_as_before(keeping: Installation, ana: Member) -> None:
    """A clip tells the same story from its row, folded once or twice; one that is younger keeps its rows."""
    row, young = aged(ana, 500), create_completed(db.default(), ana)
    with db.write_session() as session:
        then = utc_now() - timedelta(days=500)
        session.execute(update(GenerationEvent).where(GenerationEvent.generation_id == row.id).values(at=then))

    def told(row: Generation) -> list[tuple[Any, ...]]:
        with db.read_session() as session:
            steps = queries.details(session, row).events
            return [(each.at, each.status, each.stage, each.what, each.message, each.actor) for each in steps]

    before = told(row), told(young)
    with db.write_session() as session:
        assert folding.fold(session, days=400) == 1
        assert folding.fold(session, days=400) == 0

    assert (told(row), told(young)) == before
    assert len(before[0]) > 5
    with db.read_session() as reading:
        assert set(reading.scalars(select(GenerationEvent.generation_id))) == {young.id}
    assert broken_rules() == []


def test_prompts_of_somebody_who_left_are_forgotten_in_time(keeping: Installation, ana: Member) -> None:
    """Found by no words any more, and nowhere else in the row; who is here keeps theirs."""
    eve = create_member(db.default(), "eve@example.org", credits=1000)
    hers, own = create_completed(db.default(), eve, prompt="xylophone"), create_completed(db.default(), ana)
    deactivate(eve)
    with db.write_session() as session:
        session.execute(update(User).where(User.id == eve.id).values(deactivated_at=utc_now() - timedelta(days=100)))
        while forgetting.forget_departed(session, days=90):
            pass

    assert "xylophone" not in repr(vars(load_generation(hers.id)))
    assert load_generation(own.id).prompt == "a lake at dusk"
    with db.read_session() as reading:
        assert forgetting.departed(reading, days=90, limit=1) == []
        words = reading.execute(text("SELECT count(*) FROM generation_words WHERE generation_words MATCH 'xylophone'"))
        assert words.scalar() == 0
    assert broken_rules() == []
