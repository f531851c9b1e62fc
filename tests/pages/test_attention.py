"""What waits for managers and operators as they see it, and what they do about it where it stands."""

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from core import db
from core.clock import utc_now
from core.db.enums import BudgetMode, BudgetScope, ChangeKind, Role, Status, WorkspaceRole
from core.db.tables import Generation, User, Workspace, WorkspaceMember
from core.installation import Installation, using
from core.usage import budgets
from core.workspaces.access import Member
from tests.factories.catalogue import say
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
    load_flight,
    load_generation,
    lose_submit,
    rewrite,
)
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team
from tests.pages.conftest import Open, sent


@pytest.fixture
def boss(studio: Studio) -> Member:
    """The person of the installation, who runs nothing and manages a team; `eve` makes clips there."""
    with db.write_session() as session:
        session.execute(update(User).values(role=Role.USER))
    eve = create_member(db.default(), "eve@example.org")
    people = ((studio.person, WorkspaceRole.MANAGER), (eve, WorkspaceRole.MAKER))
    return create_team(db.default(), *people)[0]


def eve_in(boss: Member) -> Member:
    """Who makes clips in the team."""
    found = create_member(db.default(), "eve@example.org")
    return Member(found.user, boss.workspace_id, {**found.roles, boss.workspace_id: WorkspaceRole.MAKER})


def late(person: Member, **changes: Any) -> str:
    """The id of a clip that its provider has had for two hours, and that is looked at in an hour."""
    row = create_generation(db.default(), person, **changes)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING, next_at=utc_now() + timedelta(hours=1))
    then = utc_now() - timedelta(hours=2)
    with db.write_session() as session:
        rewrite(session, Generation.id == row.id, created_at=then, submitted_at=then)
    return row.id


def texts(at: AppTest) -> str:
    """All that is drawn as HTML or said."""
    drawn = [each.proto.body for each in at.get("html")]
    return " ".join([*drawn, *(each.value for each in (*at.markdown, *at.caption, *at.warning))])


def tables(at: AppTest) -> dict[str, list[list[str]]]:
    """The tables on the page by their names, with the texts in them."""
    drawn = [each.proto for each in at.get("bidi_component") if "sorted_table" in each.proto.component_name]
    found = [json.loads(proto.json)[0] for proto in drawn]
    return {table["name"]: [[cell[0] for cell in row] for row in table["rows"]] for table in found}


def count(at: AppTest, title: str) -> int:
    """What the bar counts beside a page."""
    shown = sent(at, "bar")
    assert shown is not None
    return next(int(link["count"]) for link in shown["links"] if link["title"] == title)


def at_work(open_page: Open, boss: Member, page: str = "attention", tab: str = "") -> AppTest:
    """The page in the team."""
    at = open_page(page, workspace=boss.workspace_id)
    if tab:
        at.session_state[f"{page}_tabs"] = tab
        at.run()
    return at


def test_quiet_workspaces(open_page: Open, boss: Member) -> None:
    """Nothing waits, and the page says what would."""
    at = at_work(open_page, boss)
    assert not at.exception
    assert "Nothing waits" in texts(at)
    assert count(at, "Attention") == 0
    assert "Nothing is under way." in texts(at_work(open_page, boss, tab="Queue"))


def test_manager_sees_what_waits_with_its_evidence(open_page: Open, boss: Member) -> None:
    """An unclear clip and a late one of a colleague, with prompt and way; who decides is said, and nobody else's."""
    unclear = lose_submit(db.default(), create_generation(db.default(), eve_in(boss), prompt="A blue heron").id)
    clip = late(eve_in(boss))
    stranger = lose_submit(
        db.default(), create_generation(db.default(), create_member(db.default(), "z@example.org")).id
    )

    at = at_work(open_page, boss)
    assert not at.exception
    said = texts(at)
    assert "A blue heron" in said
    assert "eve@example.org, in the project" in said
    assert "Administrators were told and decide" in said
    assert "ReadTimeout" in said
    assert stranger.id not in said
    assert count(at, "Attention") == 2
    assert not [button for button in at.button if "admin_release" in str(button.key)]
    assert [link.proto.query_string for link in at.get("page_link")] == [f"clip={clip}", f"clip={unclear.id}"]


def test_late_clip_is_looked_at_again(open_page: Open, boss: Member) -> None:
    """One press where it stands."""
    clip = late(eve_in(boss))
    at = at_work(open_page, boss)
    at.button(key=f"late_look_{clip}").click().run()
    assert not at.error
    assert [toast.value for toast in at.toast] == ["Its provider is asked about this clip in a moment."]
    assert load_flight(clip).next_at <= utc_now()


def test_late_clip_is_cancelled_with_what_it_costs(open_page: Open, boss: Member) -> None:
    """What it costs is said before; afterwards it stands there as asked for, without the button."""
    clip = late(eve_in(boss))
    at = at_work(open_page, boss)
    assert "Cancelling is free and takes effect at once." in texts(at)
    at.button(key=f"late_cancel_{clip}").click().run()
    assert not at.error
    assert load_generation(clip).cancel_requested_at is not None
    assert "Cancelling was asked for" in texts(at)
    assert not any(button.key == f"late_cancel_{clip}" for button in at.button)


def test_clip_that_was_cancelled_meanwhile(open_page: Open, boss: Member) -> None:
    """Whoever presses second reads why nothing happens."""
    clip = late(eve_in(boss))
    at = at_work(open_page, boss)
    with db.write_session() as session:
        rewrite(
            session, Generation.id == clip, status=Status.CANCELLED, stage="ended", next_at=None, ended_at=utc_now()
        )
    at.button(key=f"late_look_{clip}").click().run()
    assert [error.value for error in at.error] == ["This generation is already cancelled."]


def test_clip_of_a_provider_that_cannot_cancel(open_page: Open, boss: Member) -> None:
    """The reason is said, and there is nothing to press."""
    clip = late(eve_in(boss), model_id="kling-2.5")
    at = at_work(open_page, boss)
    assert not any(button.key == f"late_cancel_{clip}" for button in at.button)
    assert any(button.key == f"late_look_{clip}" for button in at.button)


def test_what_is_used_up(open_page: Open, boss: Member, installation: Installation) -> None:
    """A budget that stops, storage, few credits and a model that ends: each told, with the way to what mends it."""
    value = {"state": "withdrawn", "successor": ""}
    say(db.default(), "demo-film", ChangeKind.LIFE, value, since=utc_now() + timedelta(days=5))
    clip = create_completed(db.default(), eve_in(boss))
    with db.write_session() as session:
        budgets.set_limit(session, boss, BudgetScope.PROJECT, clip.project_id, credits=50, mode=BudgetMode.STOP)
        team = update(Workspace).where(Workspace.id == boss.workspace_id)
        session.execute(team.values(storage_bytes=installation.settings.storage_quota_bytes * 95 // 100))
    settings = installation.settings.model_copy(update={"low_balance_credits": 20_000})

    with using(replace(installation, settings=settings)):
        at = at_work(open_page, boss)
    assert not at.exception
    found = tables(at)
    assert found["Budgets that are used up or nearly so"][0][2:] == ["Stops orders", "100%", "50", "50"]
    assert found["Storage that is nearly full"][0][:2] == ["Lakes", "95%"]
    assert found["Few credits are left"] == [["Lakes", "9,950"]]
    assert "1 of them refuses orders" in texts(at)
    assert any("Demo Film ends on" in warning.value for warning in at.warning)


def test_queue_of_a_manager(open_page: Open, boss: Member) -> None:
    """Everybody's clips there with person, project, place and age; words and state narrow it down."""
    create_generation(db.default(), eve_in(boss), prompt="A secret")
    late(boss)
    create_generation(db.default(), create_member(db.default(), "z@example.org"))
    at = at_work(open_page, boss, tab="Queue")
    rows = tables(at)["Longest under way"]
    assert [row[0] for row in rows] == [boss.user.name, "eve"]
    assert all(row[1] == "Lakes" and row[3] == "Demo Film" for row in rows)
    assert "A secret" not in json.dumps(tables(at))
    at.text_input(key="queue_words").set_value("eve").run()
    assert [row[0] for row in tables(at)["Longest under way"]] == ["eve"]
    at.text_input(key="queue_words").set_value("nobody").run()
    assert "Nothing that is under way matches." in texts(at)
    at.text_input(key="queue_words").set_value("")
    at.selectbox(key="queue_status").set_value(Status.PROCESSING).run()
    assert [row[0] for row in tables(at)["Longest under way"]] == [boss.user.name]


def test_queue_goes_on_a_page_at_a_time(open_page: Open, boss: Member) -> None:
    """Twenty-five a page; a filter begins anew."""
    eve = eve_in(boss)
    project_id = create_generation(db.default(), eve).project_id
    for _ in range(26):
        create_generation(db.default(), eve, project_id=project_id)
    at = at_work(open_page, boss, tab="Queue")
    assert len(tables(at)["Longest under way"]) == 25
    at.button(key="queue_next").click().run()
    assert len(tables(at)["Longest under way"]) == 2
    at.text_input(key="queue_words").set_value("eve").run()
    assert len(tables(at)["Longest under way"]) == 25


def test_operator_decides_of_late_clips_of_others(open_page: Open, studio: Studio) -> None:
    """Whose it is stands there, neither prompt nor a way to it; the press counts all the same."""
    clip = late(create_member(db.default(), "eve@example.org"), prompt="A secret campaign")
    at = open_page("admin")
    assert "eve@example.org" in texts(at)
    assert "secret" not in texts(at)
    assert not at.get("page_link")
    at.button(key=f"late_cancel_{clip}").click().run()
    assert not at.error
    assert load_generation(clip).cancel_requested_at is not None


def test_operator_sees_budgets_that_are_used_up(open_page: Open, studio: Studio) -> None:
    """Of workspaces that they are not in, without a link into them."""
    clip = create_completed(db.default(), create_member(db.default(), "eve@example.org"))
    boss = create_member(db.default(), "eve@example.org")
    with db.write_session() as session:
        for credits, scope, subject in (
            (50, BudgetScope.WORKSPACE, boss.id),
            (60, BudgetScope.PROJECT, clip.project_id),
        ):
            budgets.set_limit(session, boss, scope, subject, credits=credits, mode=BudgetMode.STOP)
    at = open_page("admin")
    assert tables(at)["Budgets that are used up or nearly so"] == [
        ["eve", "The workspace", "Stops orders", "100%", "50", "50"]
    ]
    assert count(at, "Admin") == 1


def test_disk_that_is_nearly_full(open_page: Open, studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with how little is left, and counted."""
    usage: Callable[..., Any] = shutil.disk_usage
    full = usage("/")._replace(free=100 * 1024**2)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: full)
    at = open_page("admin")
    assert any(error.value.startswith("Only 104.9 MB are free on the disk") for error in at.error)
    assert count(at, "Admin") == 1


def test_clock_that_is_far_from_the_databases(open_page: Open, studio: Studio) -> None:
    """It is told by how much, since one of them is wrong."""
    moment = time.monotonic()
    db.default().clock.said(utc_now() + timedelta(hours=7), moment, moment)
    at = open_page("admin")
    assert any("are 420 minutes apart. Set the wrong one right" in error.value for error in at.error)


def test_queue_that_is_away_waits_for_operators(open_page: Open, studio: Studio, installation: Installation) -> None:
    """Every page says so, and it is counted for who can mend it."""
    with using(replace(installation, redis_url="redis://127.0.0.1:9/0")):
        at = open_page("projects")
    assert any("The queue does not answer." in warning.value for warning in at.warning)
    assert count(at, "Admin") == 1


def test_page_is_there_for_managers_only(open_page: Open, boss: Member) -> None:
    """In a team where one makes clips it is not in the bar."""
    create_admin(db.default())
    with db.write_session() as session:
        session.execute(
            update(WorkspaceMember)
            .where(WorkspaceMember.workspace_id == boss.workspace_id)
            .values(role=WorkspaceRole.MAKER)
        )
    shown = sent(at_work(open_page, boss, "projects"), "bar")
    assert shown is not None
    assert "Attention" not in [link["title"] for link in shown["links"]]
