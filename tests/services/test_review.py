import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, update

from core import errors
from core.audit import runs
from core.billing import ledger
from core.db import Database
from core.db.enums import RejectReason, WorkspaceRole
from core.db.tables import Generation, Project, UsageDay
from core.generations import queries, review
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.review import Changes, Decision
from core.projects import projects
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, create_generation, load_generation
from tests.factories.users import create_member, ensure_member
from tests.factories.workspaces import create_team


def change(database: Database, user: Member, row: Generation, **changes: Any) -> Generation:
    """Change a clip as its person."""
    with database.write_session() as session:
        return review.update(session, user, row.id, Changes(**changes))


def verdicts(database: Database) -> tuple[int, int, int]:
    """Kept clips, their seconds and rejected clips, over all days."""
    with database.read_session() as session:
        days = session.scalars(select(UsageDay)).all()
    return (
        sum(day.kept_count for day in days),
        sum(day.kept_seconds for day in days),
        sum(day.rejected_count for day in days),
    )


def project(database: Database, user: Member, name: str = "Other") -> Project:
    """A new project."""
    with database.write_session() as session:
        return projects.create(session, user, name=name)


def test_verdict_when_a_mind_is_changed(database: Database, person: Member) -> None:
    """Each verdict replaces the one before it in the figures of the day; taken back, nothing is left of it."""
    row = create_completed(database, person, duration_seconds=5)
    for verdict, figures in (
        (ReviewStatus.KEPT, (1, 5, 0)),
        (ReviewStatus.KEPT, (1, 5, 0)),
        (ReviewStatus.REJECTED, (0, 0, 1)),
        (ReviewStatus.KEPT, (1, 5, 0)),
        (ReviewStatus.UNDECIDED, (0, 0, 0)),
    ):
        assert change(database, person, row, verdict=verdict).kept is verdict.kept
        assert verdicts(database) == figures
        assert broken_rules(database) == []


def test_verdict_when_there_is_no_clip(database: Database, person: Member) -> None:
    """What is not finished can be neither kept nor rejected."""
    row = create_generation(database, person)
    with pytest.raises(errors.Conflict, match="finished"):
        change(database, person, row, verdict=ReviewStatus.KEPT)
    assert verdicts(database) == (0, 0, 0)


@pytest.mark.both_databases
def test_verdict_when_two_tabs_disagree(database: Database, person: Member) -> None:
    """Many verdicts at once on the same clips end as one of them, and the figures say the same as the clips."""
    rows = [create_completed(database, person) for _ in range(3)]
    ids = [row.id for row in rows]
    barrier = threading.Barrier(8)

    def judge(number: int) -> None:
        barrier.wait()
        wanted = ids if number % 2 else ids[::-1]
        for step in range(4):
            verdict = list(ReviewStatus)[(number + step) % 3]
            with database.write_session() as session:
                review.update_many(session, person, wanted, Changes(verdict=verdict))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(judge, range(8)))

    assert broken_rules(database) == []
    with database.read_session() as session:
        assert len({session.get_one(Generation, row_id).kept for row_id in ids}) == 1


def test_audit_when_a_verdict_is_not_counted(database: Database, person: Member) -> None:
    """A verdict written past the services, or a count without one, is found with its day and project."""
    row = create_completed(database, person)
    with database.write_session() as session:
        session.execute(update(Generation).values(kept=True))
    assert broken_rules(database) == ["verdicts"]
    with database.write_session() as session:
        session.execute(update(UsageDay).values(kept_count=1, kept_seconds=row.duration_seconds))
    assert broken_rules(database) == []
    with database.write_session() as session:
        session.execute(update(Generation).values(kept=None))
        [result] = [found for found in runs.run(session) if not found.holds]
    assert row.project_id in result.offenders[0]


def test_move_when_it_was_charged(database: Database, person: Member) -> None:
    """A moved clip is counted in its new project; what it cost and the verdict on it stay where it was charged."""
    row = create_completed(database, person)
    other = project(database, person)
    moved = change(database, person, row, project_id=other.id)
    assert (moved.project_id, moved.charged_project_id) == (other.id, row.project_id)
    change(database, person, row, verdict=ReviewStatus.KEPT)

    with database.read_session() as session:
        old, new = session.get_one(Project, row.project_id), session.get_one(Project, other.id)
        assert (old.generation_count, old.spent_credits) == (0, 50)
        assert (new.generation_count, new.spent_credits) == (1, 0)
        assert session.scalars(select(UsageDay.project_id).where(UsageDay.kept_count > 0)).all() == [old.id]
    assert broken_rules(database) == []
    with pytest.raises(errors.Conflict, match="Archive"), database.write_session() as session:
        projects.delete(session, person, row.project_id)

    back = change(database, person, row, project_id=row.project_id)
    assert back.charged_project_id is None
    assert broken_rules(database) == []


def test_move_when_it_cannot_be(database: Database, person: Member) -> None:
    """A clip under way stays until it has ended; an archived or somebody else's project takes none."""
    live, done = create_generation(database, person), create_completed(database, person)
    other = project(database, person)
    with pytest.raises(errors.Conflict, match="under way"):
        change(database, person, live, project_id=other.id)
    with database.write_session() as session:
        projects.update(session, person, other.id, archived=True)
        stranger = ensure_member(session, "eve@example.org", signup_credits=0)
        foreign = projects.create(session, stranger, name="Eve's")
    with pytest.raises(errors.InvalidRequest):
        change(database, person, done, project_id=other.id)
    with pytest.raises(errors.NotFound):
        change(database, person, done, project_id=foreign.id)


def test_tags_when_they_are_changed(database: Database, person: Member) -> None:
    """Tags are kept in one spelling, each once; one's own are suggested; replaced, added and removed as asked."""
    first, second = create_completed(database, person), create_generation(database, person)
    change(database, person, first, tags=["  Night   Shots ", "intro", "INTRO", ""])
    with database.write_session() as session:
        both = [first.id, second.id]
        changes = Changes(add_tags=["client"], remove_tags=["Intro"])
        assert review.update_many(session, person, both, changes) == 2
    with database.read_session() as session:
        assert review.tags_of(session, person, first.id) == ["client", "night shots"]
        assert review.tags_of(session, person, second.id) == ["client"]
        assert review.own_tags(session, person) == ["client", "night shots"]
    change(database, person, first, tags=[])
    with database.read_session() as session:
        assert review.own_tags(session, person) == ["client"]


@pytest.mark.parametrize("tags", [["x" * 41], ["a,b"], ["nul\0"], [f"t{n}" for n in range(21)]])
def test_tags_when_they_cannot_be_kept(database: Database, person: Member, tags: list[str]) -> None:
    """A tag that is too long or not text, or too many of them, are refused and change nothing."""
    row = create_generation(database, person)
    change(database, person, row, tags=["before"])
    with pytest.raises(errors.InvalidRequest):
        change(database, person, row, tags=tags)
    with database.read_session() as session:
        assert review.tags_of(session, person, row.id) == ["before"]


def test_change_when_it_is_not_theirs(database: Database, person: Member) -> None:
    """Another person's clip does not exist, alone or among one's own; then nothing at all is changed."""
    with database.write_session() as session:
        stranger = ensure_member(session, "eve@example.org", signup_credits=10_000)
    mine, foreign = create_completed(database, person), create_completed(database, stranger)
    with pytest.raises(errors.NotFound):
        change(database, person, foreign, favourite=True)
    with pytest.raises(errors.NotFound), database.write_session() as session:
        review.update_many(session, person, [mine.id, foreign.id], Changes(favourite=True))
    with database.read_session() as session:
        assert session.scalars(select(Generation.favourite)).all() == [False, False]


def test_change_several_when_it_fits_some(database: Database, person: Member) -> None:
    """Of several, a verdict and a move concern those they can, and say how many; favourite concerns all."""
    live, done = create_generation(database, person), create_completed(database, person)
    other = project(database, person)
    with database.write_session() as session:
        both = [live.id, done.id]
        assert review.update_many(session, person, both, Changes(favourite=True)) == 2
        assert review.update_many(session, person, both, Changes(verdict=ReviewStatus.KEPT)) == 1
        assert review.update_many(session, person, both, Changes(project_id=other.id)) == 1
        with pytest.raises(errors.InvalidRequest):
            review.update_many(session, person, [str(n) for n in range(201)], Changes(favourite=True))
    assert broken_rules(database) == []


class Curating(RuleBasedStateMachine):
    """Somebody who judges and moves clips in every order."""

    database: Database
    person: Member

    @initialize()
    def begin(self) -> None:
        """Four clips of two lengths in two projects."""
        self.rows = [create_completed(self.database, self.person, duration_seconds=4 + n % 2) for n in range(4)]
        self.projects = [row.project_id for row in self.rows[:2]]

    @rule(places=st.sets(st.integers(0, 3), min_size=1), verdict=st.sampled_from(ReviewStatus))
    def judge(self, places: set[int], verdict: ReviewStatus) -> None:
        with self.database.write_session() as session:
            ids = [self.rows[place].id for place in places]
            review.update_many(session, self.person, ids, Changes(verdict=verdict))

    @rule(places=st.sets(st.integers(0, 3), min_size=1), to=st.integers(0, 1))
    def move(self, places: set[int], to: int) -> None:
        with self.database.write_session() as session:
            ids = [self.rows[place].id for place in places]
            review.update_many(session, self.person, ids, Changes(project_id=self.projects[to]))

    @invariant()
    def figures_are_a_recount(self) -> None:
        """The roll-up says what the clips say, projects count what they hold, and spend has not moved."""
        if not hasattr(self, "rows"):
            return
        assert broken_rules(self.database) == []
        with self.database.read_session() as session:
            rows = [session.get_one(Generation, row.id) for row in self.rows]
            for found in session.scalars(select(Project).where(Project.id.in_(self.projects))):
                assert found.generation_count == sum(row.project_id == found.id for row in rows)
                assert found.spent_credits == sum(
                    row.credits for row in rows if (row.charged_project_id or row.project_id) == found.id
                )


def test_figures_are_a_recount_whatever_is_done(database: Database, person: Member) -> None:
    """After any sequence of verdicts and moves the roll-ups equal a recount of the clips."""
    with database.write_session() as session:
        ledger.grant(session, person.id, credits=100_000, key="enough", actor="test", reason="Enough for this")
    run_state_machine_as_test(
        type("Case", (Curating,), {"database": database, "person": person}),
        settings=settings(max_examples=settings().max_examples // 5, stateful_step_count=8),
    )


def test_tags_when_composed_in_two_ways(database: Database, person: Member) -> None:
    """A tag is one however its letters are composed, and is found by either."""
    row = create_generation(database, person)
    change(database, person, row, add_tags=["Cafe\u0301", "café"])
    with database.read_session() as reading:
        assert review.tags_of(reading, person, row.id) == ["café"]
        for tag in ("café", "cafe\u0301", "CAFÉ"):
            assert [found.id for found in queries.list_page(reading, person, ListFilter(tag=tag)).rows] == [row.id]


def decide(database: Database, member: Member, *decisions: Decision) -> list[tuple[bool | None, bool]]:
    """Decide as this person: each clip's verdict afterwards, and whether it is theirs."""
    with database.write_session() as session:
        found = review.decide(session, member, decisions)
        return [(each.row.kept, each.is_written) for each in found]


def test_decision_when_it_is_sent_twice(database: Database, person: Member) -> None:
    """The second changes and counts nothing, and the reason stays."""
    row = create_completed(database, person, duration_seconds=5)
    decision = Decision(row.id, ReviewStatus.REJECTED, ReviewStatus.UNDECIDED, RejectReason.MOTION)
    for _turn in range(2):
        assert decide(database, person, decision) == [(False, True)]
        assert verdicts(database) == (0, 0, 1)
    assert load_generation(row.id, database).reject_reason is RejectReason.MOTION


def test_decision_when_somebody_was_faster(database: Database) -> None:
    """The first word stays, the other hears of it and whose it is; having seen it they may say otherwise."""
    people = create_member(database), create_member(database, "ben@example.org")
    ana, ben = create_team(database, *((each, WorkspaceRole.MAKER) for each in people))
    row = create_completed(database, ana, duration_seconds=5)
    decide(database, ana, Decision(row.id, ReviewStatus.KEPT, ReviewStatus.UNDECIDED))
    late = Decision(row.id, ReviewStatus.REJECTED, ReviewStatus.UNDECIDED, RejectReason.SOUND)
    assert decide(database, ben, late) == [(True, False)]
    kept = load_generation(row.id, database)
    assert (kept.judged_by_id, kept.reject_reason) == (ana.id, None)
    assert verdicts(database) == (1, 5, 0)

    assert decide(database, ben, replace(late, seen=ReviewStatus.KEPT)) == [(False, True)]
    changed = load_generation(row.id, database)
    assert (changed.judged_by_id, changed.reject_reason) == (ben.id, RejectReason.SOUND)
    assert verdicts(database) == (0, 0, 1)


def test_decisions_when_one_cannot_be(database: Database, person: Member) -> None:
    """All of them or none."""
    done, waiting = create_completed(database, person), create_generation(database, person)
    both = [Decision(row.id, ReviewStatus.KEPT, ReviewStatus.UNDECIDED) for row in (done, waiting)]
    with pytest.raises(errors.Conflict):
        decide(database, person, *both)
    assert load_generation(done.id, database).kept is None


def test_decision_of_a_viewer(database: Database) -> None:
    """Who looks on sees verdicts and has none."""
    people = create_member(database), create_member(database, "ben@example.org")
    ana, ben = create_team(database, (people[0], WorkspaceRole.MAKER), (people[1], WorkspaceRole.VIEWER))
    row = create_completed(database, ana)
    with pytest.raises(errors.Forbidden):
        decide(database, ben, Decision(row.id, ReviewStatus.KEPT, ReviewStatus.UNDECIDED))


def test_reasons_are_counted_and_found(database: Database, person: Member) -> None:
    """Each reason by its clips, in one's own workspace; a reason goes with its rejection and with nothing else."""
    stranger = create_member(database, "eve@example.org")
    rows = [create_completed(database, person) for _ in range(3)]
    for row, reason in zip(rows, (RejectReason.MOTION, RejectReason.MOTION, RejectReason.SOUND), strict=True):
        change(database, person, row, verdict=ReviewStatus.REJECTED, reject_reason=reason)
    elsewhere = create_completed(database, stranger)
    change(database, stranger, elsewhere, verdict=ReviewStatus.REJECTED, reject_reason=RejectReason.MOTION)
    change(database, person, rows[0], verdict=ReviewStatus.KEPT)
    with pytest.raises(errors.InvalidRequest):
        change(database, person, rows[0], verdict=ReviewStatus.KEPT, reject_reason=RejectReason.MOTION)

    with database.read_session() as session:
        counted = review.count_reasons(session, person)
        found = queries.list_page(session, person, ListFilter(reject_reason=RejectReason.MOTION)).rows
    assert {reason: count for reason, count in counted.items() if count} == {
        RejectReason.MOTION: 1,
        RejectReason.SOUND: 1,
    }
    assert [(row.id, row.reject_reason) for row in found] == [(rows[1].id, RejectReason.MOTION)]
