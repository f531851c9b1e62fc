import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from core import db
from core.clock import utc_now
from core.db.enums import RejectReason, WorkspaceRole
from core.db.tables import Generation
from core.identity import page_tokens
from core.workspaces.access import Member
from pages.elements import viewer_endpoint
from tests.factories.generations import load_generation
from tests.factories.studio import Studio
from tests.factories.users import create_member, deactivate
from tests.factories.workspaces import put_in


def token(studio: Studio, person: Member | None = None, *, tag: str = "en", age: timedelta = timedelta()) -> str:
    """What a viewer of this person was given some time ago."""
    whose = person or studio.person
    holder = page_tokens.Holder(whose.id, whose.workspace_id, tag, "")
    return page_tokens.sign("review", holder, secret=studio.settings.secret_key, now=utc_now() - age)


def send(given: str | None, body: Any) -> httpx.Response:
    """Send what a viewer sends."""
    headers = {"Authorization": f"Bearer {given}"} if given is not None else {}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(app=Starlette(routes=[viewer_endpoint.route()]))
        async with httpx.AsyncClient(transport=transport, base_url="http://studio.test") as client:
            return await client.post(viewer_endpoint.PATH, content=content, headers=headers)

    return asyncio.run(exchange())


def verdict(row: Generation, wanted: str, *, seen: str = "undecided", reason: str | None = None) -> dict[str, Any]:
    """A decision, as it is sent."""
    return {"id": row.id, "verdict": wanted, "seen": seen, "reason": reason}


def clip(studio: Studio) -> Generation:
    """A finished clip."""
    return studio.complete(studio.order(studio.project()))


def test_decisions_are_written_and_told(studio: Studio) -> None:
    """Several at once, with a reason, and a heart; the answer says how each clip stands. Sent twice it is the same."""
    kept, rejected = clip(studio), clip(studio)
    decisions = {"decisions": [verdict(kept, "kept"), verdict(rejected, "rejected", reason="motion")]}
    for _turn in range(2):
        answer = send(token(studio), decisions)
        assert answer.status_code == 200
        assert answer.json() == {
            "clips": [
                {"id": kept.id, "verdict": "kept", "reason": None, "favourite": False},
                {"id": rejected.id, "verdict": "rejected", "reason": "motion", "favourite": False},
            ]
        }
    assert load_generation(rejected.id).reject_reason is RejectReason.MOTION
    assert send(token(studio), {"id": kept.id, "favourite": True}).json()["clips"][0]["favourite"]
    assert load_generation(kept.id).favourite


def test_who_is_later_hears_what_the_other_did(studio: Studio) -> None:
    """The first verdict stays, and the second person is told of it, by name and in their language."""
    row = clip(studio)
    ben = create_member(db.default(), "ben@example.org")
    maker = put_in(db.default(), ben, studio.person.workspace_id, WorkspaceRole.MAKER)
    assert "said" not in send(token(studio, maker), {"decisions": [verdict(row, "rejected")]}).json()

    late = send(token(studio), {"decisions": [verdict(row, "kept")]}).json()
    assert late["clips"][0]["verdict"] == "rejected"
    assert late["said"] == "ben rejected this clip meanwhile. That stays; decide again to change it."
    again = send(token(studio, tag="id"), {"decisions": [verdict(row, "kept")]}).json()
    assert "sementara itu menolak klip ini" in again["said"]
    assert load_generation(row.id).kept is False

    assert "said" not in send(token(studio), {"decisions": [verdict(row, "kept", seen="rejected")]}).json()
    assert load_generation(row.id).kept is True


def test_foreign_clip_and_viewer_are_refused(studio: Studio) -> None:
    """Somebody else's clip does not exist; who looks on changes nothing. Either is said and not to be sent again."""
    row = clip(studio)
    ben = create_member(db.default(), "ben@example.org")
    assert send(token(studio, ben), {"decisions": [verdict(row, "kept")]}).status_code == 404
    viewer = put_in(db.default(), ben, studio.person.workspace_id, WorkspaceRole.VIEWER)
    for body in ({"decisions": [verdict(row, "kept")]}, {"id": row.id, "favourite": True}):
        answer = send(token(studio, viewer), body)
        assert (answer.status_code, answer.json()["said"]) == (
            403,
            "Your role in this workspace does not allow this.",
        )
    assert (load_generation(row.id).kept, load_generation(row.id).favourite) == (None, False)


@pytest.mark.parametrize("bad", [None, "", "x.y.z", "4102444800.someone.en..AAAA"])
def test_without_a_good_token_nothing_is_written(studio: Studio, bad: str | None) -> None:
    """No token and a made-up one are refused alike, with an empty body."""
    row = clip(studio)
    answer = send(bad, {"decisions": [verdict(row, "kept")]})
    assert (answer.status_code, answer.content) == (401, b"")
    assert load_generation(row.id).kept is None


def test_token_that_is_over(studio: Studio) -> None:
    """After its hour, and for who was deactivated since."""
    row = clip(studio)
    body = {"decisions": [verdict(row, "kept")]}
    assert send(token(studio, age=timedelta(hours=2)), body).status_code == 401
    given = token(studio)
    deactivate(studio.person)
    assert send(given, body).status_code == 401
    assert load_generation(row.id).kept is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        [],
        {},
        {"decisions": []},
        {"decisions": "all"},
        {"decisions": [{"id": "x"}]},
        {"decisions": [{"id": "x", "verdict": "good", "seen": "undecided"}]},
        {"decisions": [{"id": "x", "verdict": "rejected", "seen": "undecided", "reason": "a whim"}]},
        {"decisions": [{"id": str(number), "verdict": "kept", "seen": "undecided"} for number in range(9)]},
    ],
)
def test_body_that_means_nothing(studio: Studio, body: Any) -> None:
    """It is refused, with words."""
    answer = send(token(studio), body)
    assert answer.status_code == 422
    assert answer.json()["said"]


def test_body_that_is_too_long(studio: Studio) -> None:
    """It is not even read to its end."""
    assert send(token(studio), b"x" * 20_000).status_code == 413
