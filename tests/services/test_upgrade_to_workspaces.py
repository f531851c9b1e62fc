"""A filled database of the schema before workspaces, brought to this one: nothing is lost and nothing counts twice."""

from datetime import timedelta
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, MetaData, select, text

from core import errors
from core.audit import runs
from core.billing import ledger
from core.clock import utc_now
from core.db import Database
from core.db.enums import Scope, Status, WorkspaceKind, WorkspaceRole
from core.db.schema import alembic_config
from core.db.tables import Draft, Generation, Upload, WebhookDelivery, Workspace, WorkspaceMember
from core.generations import commands, lifecycle, queries, review
from core.generations.list_filter import ListFilter, ReviewStatus
from core.generations.review import Changes
from core.identity import api_tokens, users
from core.notifications import webhooks
from core.projects import drafts, presets, projects
from core.usage import budgets, reports, statement
from core.usage.reports import Group, UsageQuery
from core.workspaces import departures, members, quota
from core.workspaces.access import Member
from tests.factories.generations import (
    DISPATCHED,
    DOWNLOADING,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    build_output,
    build_spec,
    create_completed,
    create_generation,
    lose_submit,
)
from tests.factories.users import create_member

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0011"
ADDRESS, KEY = webhooks.ValidUrl("https://hooks.example.org/studio"), b"the installation's key"
UPLOAD = {
    "storage_key": "uploads/x.png",
    "original_sha256": "0" * 64,
    "file_name": "x.png",
    "size_bytes": 100,
    "width": 64,
    "height": 64,
}
EMAILS = ("ana@example.org", "ben@example.org")


def fill(database: Database) -> str:
    """Two people with something of every kind, and clips in every state; a token of the first."""
    for email in EMAILS:
        person = create_member(database, email)
        _clips(database, person)
        with database.write_session() as session:
            presets.create(session, person, name="Reels", spec=build_spec(prompt="kept"), shared=email == EMAILS[0])
            drafts.save(session, person, "generate", {"prompt": "half written"}, written_by="tab")
            budgets.set_workspace(session, person, credits=700)
            session.add(Upload(id=f"upload-{email}", workspace_id=person.id, user_id=person.id, **UPLOAD))
            endpoint = webhooks.create(session, person, ADDRESS, key=KEY)
            webhooks.send_test(session, person, endpoint.id)
    with database.write_session() as session:
        return api_tokens.create(session, users.get(session, EMAILS[0]), name="script", scope=Scope.GENERATE)


def _clips(database: Database, person: Member) -> None:
    project = create_generation(database, person, prompt="a lake, queued").project_id
    done = create_completed(database, person, project_id=project, prompt="a lake, done")
    other = create_completed(database, person, prompt="a hill, moved")
    with database.write_session() as session:
        review.update(session, person, done.id, Changes(favourite=True, verdict=ReviewStatus.KEPT, tags=["night"]))
        review.update(session, person, other.id, Changes(project_id=project, verdict=ReviewStatus.REJECTED))
        budgets.set_project(session, person, project, credits=300)
    for prompt, states in (
        ("a lake, dispatched", [DISPATCHED]),
        ("a lake, submitting", [DISPATCHED, SUBMITTING]),
        ("a lake, waiting", [DISPATCHED, SUBMITTING, WAITING]),
        ("a lake, downloading", [DISPATCHED, SUBMITTING, WAITING, READY_TO_DOWNLOAD, DOWNLOADING]),
    ):
        advance(database, create_generation(database, person, project_id=project, prompt=prompt).id, *states)
    lose_submit(database, create_generation(database, person, prompt="a lake, unclear").id)
    failed = advance(database, create_generation(database, person, prompt="failed").id, DISPATCHED, SUBMITTING)
    gone, deleted = create_generation(database, person, prompt="cancelled"), create_completed(database, person)
    with database.write_session() as session:
        lifecycle.fail(session, failed, errors.GenerationFailed())
        commands.cancel(session, person, gone.id)
        commands.delete(session, person, deleted.id)


def told(database: Database, email: str) -> dict[str, Any]:
    """Everything that a person can see or is charged for, as services tell it."""
    today = utc_now().date()
    chosen = UsageQuery(today - timedelta(days=7), today)
    with database.read_session() as session:
        person = members.at_work(session, users.get(session, email))
        rows = queries.list_page(session, person, ListFilter(), limit=100).rows
        listings = [
            ListFilter(text="lake"),
            ListFilter(text="la do"),
            ListFilter(favourite=True),
            ListFilter(verdict=ReviewStatus.REJECTED),
            ListFilter(tag="night"),
            ListFilter(statuses=(Status.FAILED, Status.CANCELLED)),
            ListFilter(text="lake", statuses=(Status.COMPLETED,), maker_id=person.id),
            ListFilter(project_id=rows[-1].project_id),
        ]
        entries = ledger.entries(session, person.id)
        return {
            "balance": ledger.balance(session, person.id),
            "entries": [plain(entry) for entry in entries],
            "statement": statement.clip_lines(session, person, [entry.generation_id for entry in entries]),
            "rows": rows,
            "receipts": [
                [plain(one) for one in (*details.events, *details.entries)]
                for row in session.scalars(queries.visible(person).order_by(Generation.id))
                for details in [queries.details(session, row)]
            ],
            "listings": [
                [row.id for row in queries.list_page(session, person, one, limit=100).rows] for one in listings
            ],
            "projects": projects.list_page(session, person),
            "usage": [list(reports.aggregate(session, person, chosen, [group])) for group in Group],
            "budgets": (budgets.of_workspace(session, person), quota.used_bytes(session, person.id)),
            "presets": [plain(one) for one in presets.list_visible(session, person)],
            "drafts": [plain(one) for one in session.scalars(select(Draft).where(Draft.user_id == person.id))],
            "webhooks": [
                (plain(one), [plain(each) for each in webhooks.list_deliveries(session, person, one.id)])
                for one in webhooks.list_for_workspace(session, person)
            ],
        }


def plain(row: Any) -> dict[str, Any]:
    """A row as its columns."""
    return {column.name: getattr(row, column.name) for column in row.__table__.columns}


def books(database: Database) -> dict[str, tuple[int, tuple[str, ...]]]:
    """What every rule of the audit looked at, and what breaks it."""
    with database.read_session() as session:
        return {result.code: (result.checked, result.offenders) for result in runs.run(session)}


def dump(connection: Connection) -> dict[str, list[str]]:
    """Every row of every table but the index of words, as it lies there."""
    known = MetaData()
    known.reflect(connection)
    return {
        name: sorted(str(sorted(row._mapping.items())) for row in connection.execute(select(table)))
        for name, table in known.tables.items()
        if not name.startswith("generation_words")
    }


def test_upgrade_of_people_with_everything(database: Database) -> None:
    """Figures, receipts, rules, searches, tokens and webhooks are as before, however often it goes back and forth."""
    token = fill(database)
    before = {email: told(database, email) for email in EMAILS}
    rules = books(database)
    assert all(not offenders for _checked, offenders in rules.values())
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)
        old = dump(connection)
    assert "workspaces" not in old
    assert len(old["generations"]) == 22

    for _turn in range(2):
        database.migrate()

        assert {email: told(database, email) for email in EMAILS} == before
        assert books(database) == rules
        with database.read_session() as session:
            person, row = api_tokens.by_token(session, token)
            member = members.with_token(session, person, row)
            assert (member.workspace_id, dict(member.roles)) == (member.id, {member.id: WorkspaceRole.MANAGER})
        with database.engine.begin() as connection:
            command.downgrade(alembic_config(connection), BEFORE)
            assert dump(connection) == old


def test_upgraded_database_goes_on(database: Database) -> None:
    """What was under way comes to its end and is charged once, webhooks hear of it, new words and makers are found."""
    fill(database)
    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)
    database.migrate()
    with database.read_session() as session:
        ana = members.at_work(session, users.get(session, EMAILS[0]))
        waiting = session.scalars(
            select(Generation).where(Generation.user_id == ana.id, Generation.prompt == "a lake, downloading")
        ).one()
        deliveries = session.scalars(select(WebhookDelivery.id)).all()

    with database.write_session() as session:
        assert lifecycle.complete(session, waiting, build_output(waiting.id))
    new = create_generation(database, ana, prompt="a quokka")

    with database.read_session() as session:
        heard = session.scalars(select(WebhookDelivery).where(WebhookDelivery.id.not_in(deliveries))).all()
        [endpoint] = webhooks.list_for_workspace(session, ana)
        found = queries.list_page(session, ana, ListFilter(text="quok", maker_id=ana.id)).rows
    assert {one.endpoint_id for one in heard} == {endpoint.id}
    assert [row.id for row in found] == [new.id]
    assert all(not offenders for _checked, offenders in books(database).values())


def test_downgrade_while_there_is_a_team(database: Database) -> None:
    """What a team owns would be nobody's: it is refused, and nothing has changed."""
    create_member(database)
    with database.write_session() as session:
        session.add(Workspace(kind=WorkspaceKind.TEAM, name="Lakes"))

    with pytest.raises(RuntimeError, match="teams"), database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)

    with database.read_session() as session:
        assert session.scalars(select(WorkspaceMember.role)).all() == [WorkspaceRole.MANAGER]


def test_transfers_and_departures_on_the_way_back(database: Database) -> None:
    """The version before reads a transfer as two corrections, a webhook whose person has left as stopped by hand."""
    ana, ben = (create_member(database, email) for email in EMAILS)
    with database.write_session() as session:
        ledger.transfer(session, ana.id, ben.id, credits=40, key="transfer:1", actor=ana.email, reason="Gift")
        webhooks.create(session, ben, ADDRESS, key=KEY)
        departures.end_everywhere(session, ben.id)

    with database.engine.begin() as connection:
        command.downgrade(alembic_config(connection), BEFORE)
        moved = connection.execute(text("SELECT kind, amount_credits FROM ledger_entries WHERE key LIKE 'transfer%'"))
        assert sorted(tuple(row) for row in moved) == [("adjust", -40), ("adjust", 40)]
        assert connection.scalar(text("SELECT disabled_reason FROM webhook_endpoints")) == "person"
    database.migrate()

    with database.read_session() as session:
        assert [ledger.balance(session, each.id).available_credits for each in (ana, ben)] == [9_960, 10_040]
        broken = {result.code for result in runs.run(session) if not result.holds}
    assert broken == set()
