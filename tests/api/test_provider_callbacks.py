import base64
import hashlib
import hmac
import json
import re
from datetime import timedelta

import httpx
import pytest
import respx

from core import db
from core.clock import utc_now
from core.db.enums import Stage
from core.db.tables import Flight, Generation
from core.generations import lifecycle
from core.installation import Installation, current
from core.providers import callbacks
from core.workspaces.access import Member
from tests.api.conftest import Client
from tests.factories import installations
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    load_flight,
    rewrite,
)


@pytest.fixture
def waiting(ana: Client) -> str:
    """A generation that will be looked at in an hour."""
    assert isinstance(ana.person, Member)
    row = create_generation(db.default(), ana.person)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING, WAITING)
    with db.write_session() as session:
        rewrite(session, next_at=utc_now() + timedelta(hours=1))
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
        return session.get_one(Flight, generation_id).next_at <= utc_now()


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
                rewrite(session, next_at=utc_now() + timedelta(hours=1))  # as a look does

    assert looks == 1
    pause = current().settings.poll_seconds
    assert timedelta(0) < load_flight(waiting).next_at - utc_now() <= timedelta(seconds=pause)


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
        rewrite(session, provider="minimax", model_id="minimax-h3")
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


SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef").decode()
KEYS_URL = "https://api.replicate.com/v1/webhooks/default/secret"
CALL = json.dumps({"id": "gm3qorzdhgbf", "status": "succeeded", "output": "https://cdn.example/a.mp4"}).encode()


def signed(body: bytes) -> dict[str, str]:
    """The headers that Replicate sends along with a body now."""
    sent_at = str(int(utc_now().timestamp()))
    digest = hmac.digest(b"0123456789abcdef", f"msg-1.{sent_at}.".encode() + body, hashlib.sha256)
    signature = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": "msg-1", "webhook-timestamp": sent_at, "webhook-signature": signature}


@pytest.fixture
def at_replicate(waiting: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A generation that waits for a job at Replicate, whose key is set here."""
    with db.write_session() as session:
        job = {"provider": "replicate", "model_id": "replicate-seedance-1-pro", "provider_job_id": "gm3qorzdhgbf"}
        rewrite(session, **job)
    monkeypatch.setenv("REPLICATE_API_KEY", "k-1")
    installations.reopen()
    return waiting


def link(generation_id: str) -> str | None:
    """Where its clip lies, as far as a call has told it."""
    with db.read_session() as session:
        return session.get_one(Generation, generation_id).provider_video_url


def test_hook_when_its_vendor_signs(nobody: Client, at_replicate: str) -> None:
    """What it tells is kept if the vendor has signed it, by a secret that is asked for once; any other only hurries."""
    with respx.mock(assert_all_mocked=True) as far_side:
        keys = far_side.get(KEYS_URL).mock(return_value=httpx.Response(200, json={"key": SECRET}))
        forged = CALL.replace(b"a.mp4", b"b.mp4")
        for headers in ({}, signed(CALL), {"webhook-signature": "v1,"}):
            assert nobody.send("POST", path(at_replicate), content=forged, headers=headers).status_code == 204
            assert link(at_replicate) is None
        assert due(at_replicate)
        assert nobody.send("POST", path(at_replicate), content=CALL, headers=signed(CALL)).status_code == 204
        assert link(at_replicate) == "https://cdn.example/a.mp4"
        assert keys.call_count == 1


def test_hook_when_the_vendors_keys_cannot_be_had(nobody: Client, at_replicate: str) -> None:
    """The vendor is asked to call again, nothing is kept of what it tells, and the job is looked at all the same."""
    with respx.mock() as far_side:
        keys = far_side.get(KEYS_URL).mock(side_effect=httpx.ConnectError)
        for _ in range(2):
            answer = nobody.send("POST", path(at_replicate), content=CALL, headers=signed(CALL))
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "provider_unavailable")
        assert keys.call_count == 1
    assert link(at_replicate) is None
    assert due(at_replicate)


def test_hook_when_the_secret_is_set(nobody: Client, at_replicate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nobody is asked for it, and nothing else is taken."""
    monkeypatch.setenv("REPLICATE_WEBHOOK_SECRET", SECRET)
    installations.reopen()
    with respx.mock():
        assert nobody.send("POST", path(at_replicate), content=CALL).status_code == 204
        assert link(at_replicate) is None
        assert nobody.send("POST", path(at_replicate), content=CALL, headers=signed(CALL)).status_code == 204
        assert link(at_replicate) == "https://cdn.example/a.mp4"
