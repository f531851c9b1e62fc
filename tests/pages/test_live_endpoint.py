import asyncio
from datetime import timedelta

import httpx
import pytest
from starlette.applications import Starlette

from core import db
from core.clock import utc_now
from core.db.enums import WorkspaceRole
from core.db.tables import User
from core.generations import progress
from core.identity import api_tokens
from core.projects import projects
from core.workspaces.access import Member
from pages.elements import live_endpoint
from pages.ui import language
from tests.factories import generations
from tests.factories.studio import Studio
from tests.factories.users import deactivate, ensure_member
from tests.factories.workspaces import create_team, remove


def look(token: str | None, *shown: str, ended: str = "", **headers: str) -> httpx.Response:
    """Ask the route as a page that shows these does, or one that asks what is to be said of those that `ended`."""
    given = {"Authorization": f"Bearer {token}"} if token is not None else {}

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(app=Starlette(routes=[live_endpoint.route()]))
        async with httpx.AsyncClient(transport=transport, base_url="http://studio.test") as client:
            return await client.get(
                live_endpoint.PATH,
                params={"ended": ended} if ended else {"shown": ",".join(shown)},
                headers=given | headers,
            )

    return asyncio.run(exchange())


def token(studio: Studio, person: Member | None = None, *, tag: str = "en", age: timedelta = timedelta()) -> str:
    """What a page of this person was given some time ago."""
    whose = person or studio.person
    return progress.sign_token(
        whose.id, whose.workspace_id, tag, secret=studio.settings.secret_key, now=utc_now() - age
    )


def test_clip_whose_end_was_told_is_read_in_the_inbox(studio: Studio) -> None:
    """The bell does not count what the page has just said."""
    row = studio.complete(studio.order(studio.project(), "done"))
    assert look(token(studio)).json()["unread"] == 1
    assert look(token(studio), ended=row.id).json()["ids"] == [row.id]
    assert look(token(studio)).json()["unread"] == 0


def test_look_tells_what_moves(studio: Studio) -> None:
    """Items as elements patch them in, how many there are, and the fingerprint a page compares."""
    project = studio.project()
    row = studio.send(studio.order(project, "moving"), progress=0.4)
    done = studio.complete(studio.order(project, "done"))
    answer = look(token(studio), row.id)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["live"], told["state"]) == (1, live_endpoint.state([row.id], done.id, ""))
    [item] = told["items"]
    assert set(item) == {"id", "status", "progress", "badge", "note", "where", "cancel"}
    assert (item["id"], item["status"], item["progress"], item["badge"]) == (row.id, "processing", 0.4, "In progress")


def test_ends_are_told_while_a_page_may_not_be_drawn_again(studio: Studio) -> None:
    """Of the ids that went, those are told that have ended, in a line as the page would say it; nobody else is."""
    project = studio.project()
    running, done = studio.send(studio.order(project, "moving")), studio.complete(studio.order(project, "done"))
    asked = f"{running.id},{done.id},unknown"
    assert look(token(studio), ended=asked).json() == {"ids": [done.id], "text": "Finished: done"}
    assert look(token(studio, tag="id"), ended=done.id).json()["text"] == "Selesai: done"
    with db.write_session() as session:
        ben = ensure_member(session, "ben@example.org", signup_credits=0)
    assert look(token(studio, ben), ended=asked).json() == {"ids": [], "text": ""}
    deactivate(ben)
    assert look(token(studio, ben), ended=asked).status_code == 401


def test_foreign_person_sees_nothing(studio: Studio) -> None:
    """A token shows its own person's things and no others, whatever ids are asked for."""
    row = studio.order(studio.project())
    with db.write_session() as session:
        ben = ensure_member(session, "ben@example.org", signup_credits=0)
    told = look(token(studio, ben), row.id).json()
    assert (told["live"], told["items"]) == (0, [])


@pytest.mark.parametrize("bad", [None, "", "x.y.z", "4102444800.someone.somewhere.en.AAAA"])
def test_without_a_good_token_nothing_is_told(studio: Studio, bad: str | None) -> None:
    """No token and a made-up one are refused alike, with an empty body."""
    studio.order(studio.project())
    answer = look(bad)
    assert (answer.status_code, answer.content) == (401, b"")


def test_expired_token_is_refused(studio: Studio) -> None:
    """The page renews it by a rerun."""
    assert look(token(studio, age=timedelta(hours=2))).status_code == 401


def test_token_of_somebody_who_is_gone_is_refused(studio: Studio) -> None:
    """A signature alone makes no person."""
    nobody = Member(User(id="0198c0de-0000-7000-8000-000000000000", email="gone@example.org"), studio.person.id, {})
    assert look(token(studio, nobody)).status_code == 401


def test_token_of_somebody_who_was_deactivated(studio: Studio) -> None:
    """What a page was given before stops at the next look."""
    studio.order(studio.project())
    given = token(studio)
    assert look(given).status_code == 200
    deactivate(studio.person)
    assert look(given).status_code == 401


def test_token_of_somebody_who_was_taken_out(studio: Studio) -> None:
    """The same for a workspace that they are not in any more."""
    [member] = create_team(db.default(), (studio.person, WorkspaceRole.VIEWER))
    given = token(studio, member)
    assert look(given).status_code == 200
    remove(member)
    assert look(given).status_code == 401


def test_api_token_opens_it_not(studio: Studio) -> None:
    """Scripts have the REST API; this address is for pages."""
    with db.write_session() as session:
        bearer = api_tokens.create(session, studio.person.user, name="script")
    assert look(bearer).status_code == 401


def test_unchanged_answer_costs_no_body(studio: Studio) -> None:
    """The browser sends the tag back and gets 304 until something moves."""
    row = studio.order(studio.project())
    first = look(token(studio), row.id)
    again = look(token(studio), row.id, **{"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    studio.send(row, progress=0.2)
    assert look(token(studio), row.id, **{"If-None-Match": first.headers["etag"]}).status_code == 200


def test_many_under_way_keep_the_answer_small(studio: Studio) -> None:
    """At most fifty are told of, and only what the page shows; the count and the fingerprint are of all."""
    project = studio.project()
    with db.write_session() as session:
        users_project = projects.get(session, studio.person, project.id)
    ids = [studio.order(users_project, "p" * 500).id for _ in range(progress.MAX_ITEMS + 3)]
    told = look(token(studio), *ids).json()
    assert (told["live"], told["state"]) == (len(ids), live_endpoint.state(ids, ids[-1], ""))
    assert [item["id"] for item in told["items"]] == ids[: progress.MAX_ITEMS][::-1]
    answer = look(token(studio), *ids[-4:])
    assert [item["id"] for item in answer.json()["items"]] == ids[:-5:-1]
    assert len(answer.content) < 2_000
    nothing = look(token(studio))
    assert (nothing.json()["live"], nothing.json()["items"]) == (len(ids), [])


def test_answer_is_in_the_language_of_the_page(studio: Studio) -> None:
    """The token carries the language, as there is no session to ask."""
    row = studio.order(studio.project())
    with language.using_language("id"):
        expected = language._("Waiting")
    assert look(token(studio, tag="id"), row.id).json()["items"][0]["badge"] == expected


def test_rows_of_other_people_do_not_lengthen_ones_list(studio: Studio) -> None:
    """Everybody's queue is read for places in line, and only the number leaves the house."""
    with db.write_session() as session:
        ben = ensure_member(session, "ben@example.org", signup_credits=1000)
    generations.create_generation(db.default(), ben, prompt="a secret of ben")
    row = studio.order(studio.project())
    answer = look(token(studio), row.id)
    assert "Number 2 in line" in answer.json()["items"][0]["where"]
    assert "ben" not in answer.text


def test_newest_ids_are_told_to_a_page_that_shows_none(studio: Studio) -> None:
    """A clip that begins and ends while a video plays can be told of afterwards, because the page has met its id."""
    project = studio.project()
    ids = [studio.order(project).id for _ in range(live_endpoint.MAX_NEWEST + 2)]

    told = look(token(studio)).json()

    assert told["items"] == []
    assert told["newest"] == sorted(ids)[-live_endpoint.MAX_NEWEST :]
