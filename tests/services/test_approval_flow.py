"""What goes on around orders that wait for approval: dispatchers, clocks, copies, messages, and long histories."""

import json
from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select, text

from core import db, errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database
from core.db.enums import NoticeAudience, NoticeKind, NoticeWay, Stage, Status, WorkspaceRole
from core.db.tables import Generation, Notice, NoticeSend, WayToTell, WebhookDelivery
from core.generations import approval_requests, commands, lifecycle
from core.insights import health, late_clips
from core.installation import Installation, current
from core.messages import Writer, message
from core.notifications import notice_texts, outbox, webhooks
from core.worker import claims, clock_watch, recovery
from core.workspaces.access import Charge, Member
from tests.factories.approvals import approval_of, ask, asking_team, decide, decide_many, let_time_pass
from tests.factories.books import broken_rules
from tests.factories.generations import build_order, create_generation, finish, load_generation, make_due, rewrite
from tests.factories.notices import all_notices, by_mail, titles, told
from tests.factories.projects import create_project
from tests.factories.users import create_member, ensure_member
from tests.factories.workspaces import create_admin, create_team, create_team_of, now
from tests.services.test_budget_limits import batch

PRICE = 50
SAID = message("approval_not_asked")


def claim_submits() -> list[str]:
    """Ids of what a dispatcher would hand over now, calls being free."""
    return [row.id for row in claims.claim_submits(current().settings, lambda _provider: True)]


def test_dispatcher_hands_over_nothing_that_waits_for_approval(installation: Installation) -> None:
    """Though its time has come, and however often it is looked at; once it is approved, at once."""
    ana, ben, _cas = asking_team(db.default(), create_member(db.default()))
    row = create_generation(db.default(), ben)
    make_due(row.id)
    with db.write_session() as session:
        rewrite(session, created_at=utc_now() - timedelta(days=6))
    for _ in range(3):
        assert claim_submits() == []
        assert claims.claim_polls(lambda _provider: 9) == []
        assert claims.claim_downloads(9) == []
        claims.sweep()
        claims.end_overdue(utc_now() + timedelta(days=1))
        clock_watch.recall(utc_now())
    assert load_generation(row.id).stage is Stage.AWAITING_APPROVAL

    decide(db.default(), ana, row.id)
    assert claim_submits() == [row.id]
    assert broken_rules() == []


@pytest.mark.both_databases
def test_sweep_lets_lapse_once(database: Database) -> None:
    """Dispatchers that look at once end it one time, and its credits come back one time."""
    _ana, ben, _cas = asking_team(database, create_member(database))
    row = create_generation(database, ben)
    let_time_pass(database, row.id)
    with db.using(database):
        claims.sweep()
        claims.sweep()
    found = load_generation(row.id, database)
    assert (found.status, found.error_code) == (Status.CANCELLED, "approval_lapsed")
    with database.read_session() as session:
        assert ledger.balance(session, ben.workspace_id) == ledger.Balance(10_000, 0)
    assert broken_rules(database) == []


def test_nobody_takes_it_for_late(installation: Installation) -> None:
    """What waits for a person is no sign of a line that does not move, nor of a clip that its provider has lost."""
    _ana, ben, _cas = asking_team(db.default(), create_member(db.default()))
    create_generation(db.default(), ben)
    with db.write_session() as session:
        rewrite(session, created_at=utc_now() - timedelta(days=3))
    with db.read_session() as session:
        assert health.health(session, installation.settings).oldest_pending_seconds == 0
        assert late_clips.look(session, utc_now(), Charge()) == late_clips.Line()


def test_place_in_line_counts_only_who_is_in_it(installation: Installation) -> None:
    """It has no place in line itself, and nobody waits behind it."""
    ana, ben, _cas = asking_team(db.default(), create_member(db.default()), PRICE)
    waits = create_generation(db.default(), ben, duration_seconds=10)
    first, second = create_generation(db.default(), ben), create_generation(db.default(), ana)
    with db.read_session() as session:
        standings = installation.board.snapshots(session, ben.workspace_id)
    ahead = {standing.row.id: standing.ahead for standing in standings}
    assert ahead == {waits.id: 0, first.id: 0, second.id: 1}


def test_recall_leaves_a_week(installation: Installation) -> None:
    """A dispatcher that looks for clocks that were set back takes away no day of the week, nor of a table's."""
    _ana, ben, _cas = asking_team(db.default(), create_member(db.default()))
    row = create_generation(db.default(), ben)
    clock_watch.recall(utc_now())
    found = load_generation(row.id)
    assert (found.next_at, found.deadline_at) == (row.next_at, row.deadline_at)
    with db.write_session() as session:
        far = utc_now() + timedelta(days=400)
        rewrite(session, deadline_at=far)
    clock_watch.recall(utc_now())
    deadline = load_generation(row.id).deadline_at
    assert deadline is not None
    assert deadline <= utc_now() + clock_watch.LONGEST_DEADLINE_PENDING


def test_copy_that_is_put_back(installation: Installation) -> None:
    """What waited in the copy may have been approved and sent since: it is unclear, and never sent by itself."""
    ana, ben, _cas = asking_team(db.default(), create_member(db.default()))
    row = create_generation(db.default(), ben)
    with db.write_session() as session:
        assert recovery.mark_all_that_wait(session) == 1
    found = load_generation(row.id)
    assert (found.status, found.stage) == (Status.UNCERTAIN, Stage.SUBMITTING)
    assert claim_submits() == []
    with pytest.raises(errors.AlreadyDecided):
        decide(db.default(), ana, row.id)
    assert broken_rules() == []


def test_people_are_told_once_a_press(database: Database, person: Member) -> None:
    """Managers but the maker are asked once for a press; its maker is told what became of it, with the word.

    Nobody is asked any longer once nothing of it waits, and no prompt is in any of it.
    """
    ana, ben, cas = asking_team(database, person)
    project = create_project(database, ben, "Lakes")
    rows = batch(database, ben, [build_order(project.id, prompt=f"secret take {n}") for n in range(2)])
    first, second = (row.id for row in rows)  # type: ignore[attr-defined]  # generations
    assert titles(database, ana) == titles(database, cas) == ["2 clips wait for your approval: Lakes"]
    assert titles(database, ben) == []

    decide(database, ana, first, note="Fine")
    assert titles(database, ben) == ["A clip was approved: Lakes"]
    assert str(told(database, ben)[0].body) == "By ana: Fine"
    assert all(notice.is_unread for notice in told(database, cas))
    decide(database, ana, second, approve=False, note="Too dear")
    assert titles(database, ben) == ["A clip was declined: Lakes", "A clip was approved: Lakes"]
    assert not any(notice.is_unread for notice in [*told(database, ana), *told(database, cas)])
    for notice in all_notices(database):
        assert "secret" not in json.dumps(
            [notice.title and notice.title.to_json(), notice.body and notice.body.to_json()]
        )


def test_several_decisions_are_one_message(database: Database, person: Member) -> None:
    """Those of one press that are approved together are told as one."""
    ana, ben, _cas = asking_team(database, person)
    by_mail(database, ben)
    project = create_project(database, ben, "Lakes")
    rows = batch(database, ben, [build_order(project.id, prompt=f"take {n}") for n in range(3)])
    decide_many(database, ana, [row.id for row in rows])  # type: ignore[attr-defined]  # generations
    assert titles(database, ben) == ["3 clips were approved: Lakes"]
    with database.read_session() as session:
        assert len(session.scalars(select(NoticeSend)).all()) == 1


def test_maker_is_told_of_what_lapsed_and_managers_of_what_was_cancelled(database: Database, person: Member) -> None:
    """Who ordered reads that nobody answered; who was asked is asked no longer, also after a cancel."""
    ana, ben, _cas = asking_team(database, person)
    project = create_project(database, ben, "Lakes")
    lapses, cancelled = (create_generation(database, ben, project_id=project.id) for _ in range(2))
    with database.write_session() as session:
        commands.cancel(session, ben, cancelled.id)
    assert [notice.is_unread for notice in told(database, ana)] == [False, True]
    let_time_pass(database, lapses.id)
    with database.write_session() as session:
        approval_requests.lapse(session, session.scalars(approval_requests.overdue(utc_now())).all())
    assert titles(database, ben) == ["Nobody approved a clip: Lakes"]
    assert not any(notice.is_unread for notice in told(database, ana))


def test_administrators_are_asked_where_nobody_else_is(database: Database, person: Member) -> None:
    """Of the only manager's own order they hear where it is and for how much, and the way leads to the approvals."""
    root = create_admin(database)
    ana = now(database, person, create_team_of(database, person))
    ask(database, ana)
    create_generation(database, ana)
    assert titles(database, ana) == []
    [notice] = all_notices(database)
    assert (notice.user_id, notice.audience, notice.kind) == (
        root.id,
        NoticeAudience.OPERATOR,
        NoticeKind.APPROVAL_ASKED,
    )
    assert str(notice.title) == "A clip in Film waits for approval, and nobody there may give it"


def test_message_leads_to_the_approvals(database: Database, person: Member) -> None:
    """A message that leaves the installation has the way to the page where it is decided."""
    ana, ben, _cas = asking_team(database, person)
    way = by_mail(database, ana)
    create_generation(database, ben)
    with database.read_session() as session:
        send = session.scalars(select(NoticeSend).where(NoticeSend.way_id == way.id)).one()
        letter = notice_texts.letter(session, send, ana.id)
        assert letter is not None
        [item] = letter.items
        assert item.path == f"approvals?workspace={ana.workspace_id}"
        assert notice_texts.lines(item, Writer())[1].startswith("Ordered by ben for 50 credits.")
        assert session.get_one(WayToTell, way.id).way is NoticeWay.EMAIL


def test_webhooks_are_told(database: Database, person: Member) -> None:
    """That it asks, and what became of it, each as an event of its own beside those of ends; without the prompt."""
    ana, ben, _cas = asking_team(database, person)
    with database.write_session() as session:
        webhooks.create(session, ana, webhooks.ValidUrl("https://hooks.example.org/a"), key=b"key")
    yes, no = (create_generation(database, ben, prompt="secret") for _ in range(2))
    decide(database, ana, yes.id)
    decide(database, ana, no.id, approve=False, note="Too dear")
    with database.read_session() as session:
        rows = session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()
        sent = [(row.event, json.loads(row.body)["data"]) for row in rows]
    assert [event for event, _data in sent] == [
        outbox.APPROVAL_REQUESTED,
        outbox.APPROVAL_REQUESTED,
        outbox.APPROVAL_DECIDED,
        "generation.cancelled",
        outbox.APPROVAL_DECIDED,
    ]
    assert sent[0][1]["approval"]["cause"] == "price"
    assert sent[0][1]["approval"]["lapsesAt"] is not None
    assert sent[2][1]["approval"] == {"cause": "price", "lapsesAt": None, "decision": "approved", "note": None}
    assert sent[3][1]["errorCode"] == "approval_declined"
    assert sent[4][1]["approval"]["note"] == "Too dear"
    assert "approval" not in sent[3][1]
    assert not any("secret" in row.body for row in rows)


def test_only_what_stands_in_line_can_wait(database: Database, person: Member) -> None:
    """What was sent, or has ended, is never put back to wait for approval."""
    row = finish(database, create_generation(database, person).id)
    with pytest.raises(ValueError, match="only what waits"), database.write_session() as session:
        lifecycle.await_approval(session, [session.get_one(Generation, row.id)], what=SAID, until=utc_now(), actor="x")
    waits = create_generation(database, person)
    with pytest.raises(ValueError, match="no move"), database.write_session() as session:
        lifecycle.approve(session, waits, what=SAID, waits=timedelta(1), actor="x")


class Orders(RuleBasedStateMachine):
    """Random histories of orders, answers, cancels and weeks that pass; after each step all rules hold."""

    database: Database
    waiting = Bundle("waiting")

    @initialize(above=st.one_of(st.none(), st.integers(0, 120)), over=st.booleans())
    def begin(self, above: int | None, over: bool) -> None:
        """A new team in the same database."""
        with self.database.write_session() as session:
            count = session.scalars(text("SELECT count(*) FROM users")).one()
            people = [ensure_member(session, f"p{count}{name}@example.org") for name in "abc"]
        roles = (WorkspaceRole.MANAGER, WorkspaceRole.MAKER, WorkspaceRole.MANAGER)
        self.members = create_team(self.database, *zip(people, roles, strict=True), name=f"Team {count}")
        self.project_id = create_project(self.database, self.members[1], f"P{count}").id
        self.above, self.over = above, over
        ask(self.database, self.members[0], above, over_budget=over)
        self.held = 0

    @rule(target=waiting, who=st.integers(0, 2), number=st.integers(1, 3), seconds=st.sampled_from([5, 10]))
    def order(self, who: int, number: int, seconds: int) -> tuple[list[str], int]:
        """A press waits exactly when it costs more than passes."""
        orders = [build_order(self.project_id, prompt=f"take {n}", duration_seconds=seconds) for n in range(number)]
        rows: list[Generation] = batch(self.database, self.members[who], orders)  # type: ignore[assignment]  # generations
        total = sum(row.credits for row in rows)
        waits = self.above is not None and total > self.above
        stages = {load_generation(row.id, self.database).stage for row in rows}
        assert stages == {Stage.AWAITING_APPROVAL if waits else Stage.QUEUED}
        self.held += total
        return [row.id for row in rows], who

    @rule(press=waiting, who=st.integers(0, 2), approve=st.booleans())
    def answer(self, press: tuple[list[str], int], who: int, approve: bool) -> None:
        """Somebody decides about a whole press: only others, only managers, and each order once."""
        ids, maker = press
        before = {each: load_generation(each, self.database) for each in ids}
        outcomes = decide_many(self.database, self.members[who], ids, approve=approve)
        for each in outcomes:
            row = before[each.generation_id]
            may = who not in (maker, 1) and row.stage is Stage.AWAITING_APPROVAL
            assert (each.refused is None) is may
            if may and not approve:
                self.held -= row.credits

    @rule(press=waiting, which=st.integers(0, 2))
    def cancel(self, press: tuple[list[str], int], which: int) -> None:
        """Its maker cancels one of a press."""
        generation_id = press[0][which % len(press[0])]
        row = load_generation(generation_id, self.database)
        try:
            with self.database.write_session() as session:
                commands.cancel(session, self.members[press[1]], generation_id)
        except errors.Conflict:
            assert row.status is Status.CANCELLED
        else:
            self.held -= row.credits

    @rule(press=waiting)
    def week_passes(self, press: tuple[list[str], int]) -> None:
        """What of a press still waits lapses, once."""
        for generation_id in press[0]:
            row = load_generation(generation_id, self.database)
            if row.stage is not Stage.AWAITING_APPROVAL:
                continue
            let_time_pass(self.database, generation_id)
            with self.database.write_session() as session:
                overdue = session.scalars(approval_requests.overdue(utc_now())).all()
                assert approval_requests.lapse(session, overdue) == 1
            assert approval_of(self.database, generation_id).decision == "lapsed"
            self.held -= row.credits

    @invariant()
    def books_are_right(self) -> None:
        """What is held is what is live, and every rule holds."""
        if not hasattr(self, "held"):
            return
        with self.database.read_session() as session:
            assert ledger.balance(session, self.members[0].workspace_id).held_credits == self.held
        assert broken_rules(self.database) == []


def test_any_history_of_approvals(database: Database) -> None:
    """Whatever comes in whatever order, each order is made, given back or still held: exactly one of them."""
    Orders.database = database
    run_state_machine_as_test(
        Orders,
        settings=settings(max_examples=max(2, settings().max_examples // 5), stateful_step_count=15),
    )


def test_inbox_row_of_a_notice_that_is_gone(database: Database, person: Member) -> None:
    """Who manages no longer is told nothing of it when it is sent."""
    ana, ben, _cas = asking_team(database, person)
    create_generation(database, ben)
    with database.write_session() as session:
        session.execute(text("DELETE FROM workspace_members WHERE user_id = :who"), {"who": ana.id})
    assert titles(database, ana) == []
    with database.read_session() as session:
        assert len(session.scalars(select(Notice)).all()) == 2
