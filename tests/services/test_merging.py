import pytest
from sqlalchemy import select, update

from core import errors
from core.billing import ledger
from core.clock import utc_now
from core.db import Database
from core.db.enums import NoticeWay, ReportEvery, Role, WorkspaceKind, WorkspaceRole
from core.db.tables import (
    ApiToken,
    AuditLogEntry,
    Generation,
    Identity,
    NoticeSend,
    Preset,
    ReportSchedule,
    User,
    WayToTell,
    WebhookEndpoint,
    Workspace,
)
from core.generations import queries, saved_filters
from core.generations.filters import KeptFilter
from core.generations.list_filter import ListFilter
from core.identity import api_tokens, users
from core.notifications import report_issues, report_schedules, ways
from core.notifications.webhooks import ValidUrl
from core.projects import presets, projects
from core.usage import saved_views
from core.usage.views import View
from core.workspaces import members, merging, people
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import build_spec, create_completed, create_generation
from tests.factories.projects import create_project
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, join, now
from tests.said import codes


@pytest.fixture
def root(database: Database) -> Member:
    """An administrator."""
    return create_admin(database)


@pytest.fixture
def ana(database: Database) -> Member:
    """Who stays."""
    return create_member(database)


@pytest.fixture
def old(database: Database) -> Member:
    """The same person under an address they have no more."""
    return create_member(database, "ana@before.example")


def merge(database: Database, root: Member, gone: Member, into: Member) -> None:
    """Make one of two."""
    with database.write_session() as session:
        merging.merge(session, root, gone_id=gone.id, into_id=into.id)


def test_everything_stays_reachable(database: Database, root: Member, ana: Member, old: Member) -> None:
    """What the one could reach the other can: clips, projects and credits of the personal workspace, now a team."""
    project = create_project(database, old)
    clip = create_completed(database, old, project_id=project.id)

    merge(database, root, old, ana)

    there = now(database, ana, old.id)
    assert there.roles[old.id] is WorkspaceRole.MANAGER
    with database.read_session() as session:
        workspace = session.get_one(Workspace, old.id)
        assert (workspace.kind, workspace.name) == (WorkspaceKind.TEAM, "ana")
        assert queries.get(session, there, clip.id).user_id == old.id
        assert projects.get(session, there, project.id).spent_credits == clip.credits
        assert ledger.balance(session, old.id).available_credits == 10_000 - clip.credits
    with pytest.raises(errors.Unauthorized):
        now(database, old)
    assert create_generation(database, there, project_id=project.id).workspace_id == old.id


def test_figures_and_books_are_as_before(database: Database, root: Member, ana: Member, old: Member) -> None:
    """No figure of any workspace or person changes, and every rule of the books holds."""
    team = create_team_of(database, ana)
    join(database, ana, team, old)
    for who in (now(database, ana), now(database, old), now(database, old, team)):
        create_completed(database, who)
    create_generation(database, now(database, old))

    def figures() -> object:
        with database.read_session() as session:
            rows = session.execute(
                select(Generation.id, Generation.user_id, Generation.workspace_id, Generation.credits)
            )
            balances = [ledger.balance(session, each) for each in (ana.id, old.id, team)]
            return sorted(tuple(row) for row in rows), balances

    before = figures()
    merge(database, root, old, ana)

    assert figures() == before
    assert broken_rules(database) == []


@pytest.mark.parametrize("higher", ["gone", "stays"])
def test_the_higher_role_wins(database: Database, root: Member, ana: Member, old: Member, higher: str) -> None:
    """In a team that both are in, in one that only the other was in, and in the installation."""
    boss = create_member(database, "boss@example.org")
    shared, other = (create_team_of(database, boss, name=name) for name in ("Shared", "Other"))
    low, high = WorkspaceRole.VIEWER, WorkspaceRole.MANAGER
    join(database, boss, shared, old, high if higher == "gone" else low)
    join(database, boss, shared, ana, low if higher == "gone" else high)
    join(database, boss, other, old, WorkspaceRole.MAKER)
    with database.write_session() as session:
        people.set_role(session, root, old.id if higher == "gone" else ana.id, Role.ANALYST)

    merge(database, root, old, ana)

    after = now(database, ana)
    assert (after.roles[shared], after.roles[other]) == (high, WorkspaceRole.MAKER)
    with database.read_session() as session:
        assert session.get_one(User, ana.id).role is Role.ANALYST
        assert {entry.email for entry in members.list_page(session, root, shared)} == {
            "ana@example.org",
            "boss@example.org",
        }


def test_last_administrator_is_merged(database: Database, root: Member, ana: Member) -> None:
    """Who stays is the administrator then: the installation is never without one."""
    merge(database, root, root, ana)

    with database.read_session() as session:
        found = session.scalars(select(User).where(User.role == Role.ADMIN)).all()
    assert [(each.email, each.deactivated_at) for each in found] == [("ana@example.org", None)]


def test_sign_ins_tokens_and_webhooks_move(database: Database, root: Member, ana: Member, old: Member) -> None:
    """Scripts go on where they worked before and reach no more than that; sign-ins lead to who stays."""
    with database.write_session() as session:
        session.add(Identity(issuer="https://id.example", subject="7", user_id=old.id, email=old.email))
        secret = api_tokens.create(session, old.user, name="cron")
        session.add(WebhookEndpoint(workspace_id=old.id, user_id=old.id, url="https://x.example.org"))
    project = create_project(database, old)

    merge(database, root, old, ana)

    with database.read_session() as session:
        assert session.scalars(select(Identity.user_id)).one() == ana.id
        user, token = api_tokens.by_token(session, secret)
        script = members.with_token(session, user, token)
        assert (user.id, script.workspace_id, set(script.roles)) == (ana.id, old.id, {old.id})
        assert projects.get(session, script, project.id).id == project.id
        hook = session.scalars(select(WebhookEndpoint)).one()
        assert (hook.user_id, hook.disabled_at) == (ana.id, None)


def test_presets_of_one_name(database: Database, root: Member, ana: Member, old: Member) -> None:
    """Both stay; the one that came tells whose it was."""
    team = create_team_of(database, ana)
    join(database, ana, team, old)
    for who in (ana, old):
        with database.write_session() as session:
            presets.create(session, now(database, who, team), name="Reels", spec=build_spec())

    merge(database, root, old, ana)

    with database.read_session() as session:
        rows = session.execute(select(Preset.user_id, Preset.name)).all()
    assert sorted(tuple(row) for row in rows) == [(ana.id, "Reels"), (ana.id, "Reels (ana@before.example)")]


def test_ways_views_and_filters_move(database: Database, root: Member, ana: Member, old: Member) -> None:
    """What was set up goes on; where both have a way or a report, that of the one who stays holds."""
    team = create_team_of(database, ana)
    join(database, ana, team, old)
    address = ValidUrl("https://hooks.example.org/told")
    with database.write_session() as session:
        shared = saved_views.create(session, now(database, ana, team), name="Ours", view=View(), shared=True).id
    for who in (ana, old):
        there = now(database, who, team)
        with database.write_session() as session:
            saved_filters.create(session, there, name="Best", kept=KeptFilter(ListFilter(text="lake")))
            saved_views.create(session, there, name="Mine", view=View())
            ways.turn_on_mail(session, there, can_mail=True)
            report_schedules.put(session, there, shared, NoticeWay.EMAIL, every=ReportEvery.DAILY)
    with database.write_session() as session:
        kept = ways.set_address(session, old, NoticeWay.WEBHOOK, address)
        secret = ways.secret(kept, key=b"key")
        there = now(database, old, team)
        report_schedules.put(session, there, shared, NoticeWay.WEBHOOK, every=ReportEvery.WEEKLY)
        session.execute(update(ReportSchedule).values(next_at=utc_now()))
        report_issues.write_due(session)

    merge(database, root, old, ana)

    after = now(database, ana, team)
    with database.read_session() as session:
        found = ways.of_person(session, after)
        assert set(found) == {NoticeWay.EMAIL, NoticeWay.WEBHOOK}
        assert ways.secret(found[NoticeWay.WEBHOOK], key=b"key") == secret
        views = [row.name for row in saved_views.list_visible(session, after)]
        assert views == ["Mine", "Mine (ana@before.example)", "Ours"]
        filters = [row.name for row in saved_filters.list_visible(session, after)]
        assert filters == ["Best", "Best (ana@before.example)"]
        sent = report_schedules.of_person(session, after)
        assert [(one.way, one.every) for one in sent] == [
            (NoticeWay.EMAIL, ReportEvery.DAILY),
            (NoticeWay.WEBHOOK, ReportEvery.WEEKLY),
        ]
        assert session.scalars(select(WayToTell.user_id).distinct()).all() == [ana.id]
        under_way = session.execute(
            select(NoticeSend.notice_id, WayToTell.way).join(WayToTell, WayToTell.id == NoticeSend.way_id)
        ).all()
        assert {row.way for row in under_way} == {NoticeWay.EMAIL, NoticeWay.WEBHOOK}
        assert all(report_issues.read(session, row.notice_id or "", ana.id) for row in under_way)


def test_merge_is_told_of(database: Database, root: Member, ana: Member, old: Member) -> None:
    """The log says who became who."""
    merge(database, root, old, ana)

    with database.read_session() as session:
        act = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "person.merged")).one()
    assert (act.actor, act.target, act.after) == (
        "root@example.org",
        "ana@before.example",
        {"role": "user", "into": "ana@example.org", "into_id": ana.id},
    )


def test_merge_that_cannot_be(database: Database, root: Member, ana: Member, old: Member) -> None:
    """Nobody with themselves, nobody twice, nobody into who was deactivated, and not by who may not."""
    ben = create_member(database, "ben@example.org")
    with database.write_session() as session:
        with pytest.raises(errors.Forbidden):
            merging.merge(session, ana, gone_id=old.id, into_id=ana.id)
        with pytest.raises(errors.Conflict) as itself:
            merging.merge(session, root, gone_id=ana.id, into_id=ana.id)
        assert codes(itself.value.message) == {"merge_with_itself"}
        with pytest.raises(errors.NotFound):
            merging.merge(session, root, gone_id=ana.id, into_id="0" * 36)
    merge(database, root, old, ana)
    with database.write_session() as session:
        for gone, into in ((old, ben), (ben, old)):
            with pytest.raises(errors.Conflict) as twice:
                merging.merge(session, root, gone_id=gone.id, into_id=into.id)
            assert codes(twice.value.message) == {"person_merged"}
        with pytest.raises(errors.Conflict):
            people.reactivate(session, root, old.id)
        people.deactivate(session, root, ana.id)
        with pytest.raises(errors.Conflict) as gone_away:
            merging.merge(session, root, gone_id=ben.id, into_id=ana.id)
        assert codes(gone_away.value.message) == {"person_deactivated"}


def test_chain_of_merges_ends_at_who_is_there(database: Database, root: Member, ana: Member, old: Member) -> None:
    """Who was merged into somebody is whoever that one became."""
    older = create_member(database, "ana@first.example")
    merge(database, root, older, old)
    merge(database, root, old, ana)

    with database.read_session() as session:
        assert {session.get_one(User, each.id).merged_into_id for each in (older, old)} == {ana.id}
        assert session.scalars(select(ApiToken)).all() == []
    assert {older.id, old.id} < set(now(database, ana).roles)


def test_old_address_leads_to_who_they_are(database: Database, root: Member, ana: Member, old: Member) -> None:
    """Whoever adds, pays or looks for the old address means the person who has it now."""
    team = create_team_of(database, create_member(database, "boss@example.org"))
    merge(database, root, old, ana)

    with database.write_session() as session:
        assert users.get(session, "ANA@before.example").id == ana.id
        assert users.ensure(session, old.email, signup_credits=100).id == ana.id
        assert members.add(session, root, team, email=old.email, role=WorkspaceRole.MAKER).user_id == ana.id
