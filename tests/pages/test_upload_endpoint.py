import asyncio
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select
from starlette.applications import Starlette

from core import db
from core.clock import utc_now
from core.db.enums import WorkspaceRole
from core.db.tables import Upload, User
from core.files.image_sanitizer import MAX_UPLOAD_BYTES
from core.identity import api_tokens, page_tokens
from core.workspaces.access import Member
from pages.elements import upload_endpoint
from pages.ui import language
from tests.api.test_assets import tone
from tests.factories.images import create_image
from tests.factories.studio import Studio
from tests.factories.users import deactivate
from tests.factories.workspaces import create_team, remove
from tests.pages.test_live_endpoint import token as live_token


def send(
    token: str | None, data: bytes, name: str = "photo.jpg", *, path: str = upload_endpoint.PATH
) -> httpx.Response:
    """Send a file as an element does."""
    given = {"X-File-Name": name} | ({"Authorization": f"Bearer {token}"} if token is not None else {})

    async def exchange() -> httpx.Response:
        transport = httpx.ASGITransport(app=Starlette(routes=[upload_endpoint.route(), upload_endpoint.assets_route()]))
        async with httpx.AsyncClient(transport=transport, base_url="http://studio.test") as client:
            return await client.post(path, content=data, headers=given)

    return asyncio.run(exchange())


def token(studio: Studio, person: Member | None = None, *, tag: str = "en", age: timedelta = timedelta()) -> str:
    """What a page of this person was given some time ago."""
    whose = person or studio.person
    holder = page_tokens.Holder(whose.id, whose.workspace_id, tag, "")
    return page_tokens.sign("images", holder, secret=studio.settings.secret_key, now=utc_now() - age)


def kept() -> list[Upload]:
    """All images."""
    with db.read_session() as session:
        return list(session.scalars(select(Upload)))


def test_sound_is_kept_as_an_asset(studio: Studio) -> None:
    """The library takes what a place for images refuses, and refuses what is none of its kinds."""
    taken = send(token(studio), tone(), "voice.wav", path=upload_endpoint.ASSETS_PATH)
    assert taken.status_code == 200
    assert [(upload.kind, upload.file_name) for upload in kept()] == [("sound", "voice.wav")]
    assert send(token(studio), tone(), "voice.wav").status_code == 422
    assert send(None, tone(), path=upload_endpoint.ASSETS_PATH).status_code == 401
    refused = send(token(studio), b"hello", path=upload_endpoint.ASSETS_PATH)
    assert (refused.status_code, "problem" in refused.json()) == (422, True)


def test_image_is_kept_as_an_upload(studio: Studio) -> None:
    """Under the name that it has just now, and once however often it is sent."""
    first, second = (send(token(studio), create_image(), name) for name in ("Seen%20%C3%BCber.png", "again.png"))
    assert (first.status_code, second.status_code) == (200, 200)
    [upload] = kept()
    assert (upload.file_name, upload.workspace_id) == ("Seen über.png", studio.person.workspace_id)
    assert first.json()["key"] == second.json()["key"] == upload.storage_key
    assert second.json()["name"] == "again.png"


def test_what_is_no_image_is_refused_with_a_sentence(studio: Studio) -> None:
    """In the language of the page; what is too large is not even read to its end."""
    for data, status in ((b"", 422), (b"no image at all", 422), (bytes(MAX_UPLOAD_BYTES + 1), 413)):
        answer = send(token(studio, tag="id"), data)
        assert answer.status_code == status
        assert answer.json()["problem"]
    with language.using_language("id"):
        said = language.translate_message("This image is larger than {limit_mb} MB. Choose a smaller one.")
    assert answer.json()["problem"] == said.format(limit_mb=10)
    assert kept() == []


@pytest.mark.parametrize(
    "given",
    [
        lambda _studio: None,
        lambda _studio: "x.y.z",
        lambda studio: token(studio, age=timedelta(hours=2)),
        live_token,
        lambda studio: token(studio, Member(User(id="0198c0de-0000-7000-8000-000000000000"), studio.person.id, {})),
    ],
)
def test_without_a_good_token_nothing_is_kept(studio: Studio, given: Callable[[Studio], str | None]) -> None:
    """None, a made-up one, one that is over, one for another purpose, one of nobody."""
    assert send(given(studio), create_image()).status_code == 401
    assert kept() == []


def test_token_of_somebody_whose_access_has_ended(studio: Studio) -> None:
    """Who was taken out, may only look, or was deactivated since the page was drawn brings nothing in."""
    [maker] = create_team(db.default(), (studio.person, WorkspaceRole.MAKER))
    [viewer] = create_team(db.default(), (studio.person, WorkspaceRole.VIEWER), name="Hills")
    given = token(studio, maker)
    assert send(given, create_image()).status_code == 200
    assert send(token(studio, viewer), create_image("red")).status_code == 403
    remove(maker)
    assert send(given, create_image("red")).status_code == 401
    deactivate(studio.person)
    assert send(token(studio), create_image("red")).status_code == 401
    assert len(kept()) == 1


def test_token_for_scripts_opens_it_not(studio: Studio) -> None:
    """Scripts have the REST API."""
    with db.write_session() as session:
        bearer = api_tokens.create(session, studio.person.user, name="script")
    assert send(bearer, create_image()).status_code == 401
