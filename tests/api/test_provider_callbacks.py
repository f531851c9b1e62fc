import re
from datetime import timedelta

import pytest
from sqlalchemy import update

from core import db
from core.clock import utc_now
from core.db.enums import Stage
from core.db.tables import Generation
from core.generations import lifecycle
from core.installation import Installation, current
from core.providers import callbacks
from core.workspaces.access import Member
from tests.api.conftest import Client
from tests.factories.generations import DISPATCHED, SUBMITTING, WAITING, advance, create_generation


@pytest.fixture
def waiting(ana: Client) -> str:
    """A generation that will be looked at in an hour."""
    assert isinstance(ana.person, Member)
    row = create_generation(db.default(), ana.person)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING)
    with db.write_session() as session:
        session.execute(update(Generation).values(next_at=utc_now() + timedelta(hours=1)))
    return row.id


def path(generation_id: str) -> str:
    """The path a vendor is given, below the API's."""
    address = callbacks.callback_url("https://video.example.org/", generation_id, secret=current().settings.secret_key)
    found = re.fullmatch(r"https://video\.example\.org/api/apps/video-generator(/hooks/.+)", address)
    assert found is not None
    return found[1]


def due(generation_id: str) -> bool:
    """Whether it comes due now."""
    with db.read_session() as session:
        row = session.get(Generation, generation_id)
        assert row is not None
        assert row.stage is Stage.WAITING
        assert row.next_at is not None
        return row.next_at <= utc_now()


def test_hook_when_it_is_ours(nobody: Client, waiting: str) -> None:
    """A call makes the row due, whatever its body says, and however often it comes."""
    for body in (b"{}", b'{"status": "failed", "id": "other"}', b"", b"<html>", b"[]", b"[" * 10_000, b"\xff\x00"):
        assert nobody.send("POST", path(waiting), content=body).status_code == 204
        assert due(waiting)


def test_hook_when_it_comes_in_a_flood(nobody: Client, waiting: str) -> None:
    """However often a vendor calls, it is asked once more in each of its pauses, and the last call is not forgotten."""
    looks = 0
    for _ in range(20):
        assert nobody.send("POST", path(waiting)).status_code == 204
        if due(waiting):
            looks += 1
            with db.write_session() as session:
                session.execute(update(Generation).values(next_at=utc_now() + timedelta(hours=1)))  # as a look does

    assert looks == 1
    with db.read_session() as session:
        row = session.get_one(Generation, waiting)
    assert row.next_at is not None
    pause = current().settings.poll_seconds
    assert timedelta(0) < row.next_at - utc_now() <= timedelta(seconds=pause)


def test_hook_when_it_is_guessed(nobody: Client, waiting: str, installation: Installation) -> None:
    """A wrong signature, or that of another generation, finds nothing and changes nothing."""
    right = path(waiting)
    other = path("01a1fd79-7222-78f5-9e3a-7e0142fe0ed4").rpartition("/")[2]
    for wrong in (right + "x", right[:-1], f"/hooks/{waiting}/{other}", f"/hooks/{waiting}/ü"):
        assert nobody.send("POST", wrong).status_code == 404
    assert not due(waiting)


def test_hook_when_it_comes_late(nobody: Client, waiting: str) -> None:
    """A call for a generation that no longer waits changes nothing."""
    with db.write_session() as session:
        row = lifecycle.locked(session, waiting)
        assert row is not None
        lifecycle.cancel(session, row, actor="system")

    assert nobody.send("POST", path(waiting)).status_code == 204


def test_hook_when_a_provider_tries_the_address(nobody: Client, waiting: str) -> None:
    """A provider that wants its challenge back gets it, at the order's own address alone, and nothing is looked at."""
    with db.write_session() as session:
        session.execute(update(Generation).values(provider="minimax", model_id="minimax-h3"))
    challenge = b'{"challenge": "c-4711"}'
    answer = nobody.send("POST", path(waiting), content=challenge)
    assert (answer.status_code, answer.json()) == (200, {"challenge": "c-4711"})
    assert nobody.send("POST", path(waiting) + "x", content=challenge).status_code == 404
    assert not due(waiting)


def test_hook_when_a_provider_sends_no_challenges(nobody: Client, waiting: str) -> None:
    """What is none is a call like any other, and nothing of it is said again."""
    answer = nobody.send("POST", path(waiting), content=b'{"challenge": "c-4711"}')
    assert (answer.status_code, answer.content) == (204, b"")
    assert due(waiting)


def test_address_when_we_cannot_be_reached(installation: Installation) -> None:
    """Without PUBLIC_URL a vendor is given no address."""
    assert callbacks.callback_url("", "g-1", secret=b"k") == ""
