"""Who was deactivated, or taken out of a workspace, is refused at the next call; what they ordered comes to its end."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import uvicorn

from core import db
from core.clock import utc_now
from core.db.enums import Scope, Status
from core.files import signed_urls
from core.generations import queries
from core.identity import api_tokens
from core.installation import Installation, current
from core.workspaces.callers import CACHE_SECONDS
from tests.api.conftest import APP, PREFIX, Client, arrive, refusal, team_of
from tests.api.streams import listening
from tests.factories import generations
from tests.factories.users import deactivate
from tests.factories.workspaces import remove
from tests.system.app import free_port


@pytest.fixture
def server() -> Iterator[str]:
    """The API on loopback, as uvicorn serves it: an in-process transport would wait for the end of a stream."""
    port = free_port()
    running = uvicorn.Server(uvicorn.Config(APP, port=port, log_level="warning", lifespan="off", ws="none"))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}{PREFIX}"
    running.should_exit = True
    thread.join()


def gone(client: Client) -> None:
    """Deactivated, and no longer remembered by this process."""
    assert client.person is not None
    deactivate(client.person)
    current().callers.clear()


def taken_out(client: Client) -> None:
    """Out of the team where they are at work."""
    assert client.person is not None
    remove(client.person)
    current().callers.clear()


def revoked(client: Client) -> None:
    """Without the token that they came with."""
    assert client.person is not None
    assert client.token is not None
    with db.write_session() as session:
        row = api_tokens.by_token(session, client.token)[1]
        api_tokens.revoke(session, client.person.user, row.id, cache=current().callers)


def test_next_call_when_deactivated(ana: Client) -> None:
    """It is refused as an unknown token is, whatever is asked for; within the second that a token is remembered."""
    assert ana.get("/credits").status_code == 200
    assert CACHE_SECONDS <= 1
    gone(ana)
    for method, path in (("GET", "/credits"), ("POST", "/projects"), ("GET", "/tokens")):
        assert refusal(ana.send(method, path, json={"name": "Lakes"}))[:2] == (401, "unauthorized")


def test_next_call_when_taken_out(ana: Client, ben: Client) -> None:
    """What is in the workspace is not there any more, and neither is the workspace."""
    ana, ben = team_of(ana, ben)
    clip = ana.generate()
    assert ben.get(f"/generations/{clip}").status_code == 200
    taken_out(ben)
    assert ben.get("/projects").status_code == 404
    assert Client(ben.person, ben.token).get(f"/generations/{clip}").status_code == 404


@pytest.mark.parametrize("leave", [gone, taken_out, revoked])
def test_stream_ends_when_one_leaves(ana: Client, ben: Client, server: str, leave: Callable[[Client], None]) -> None:
    """The stream of who was deactivated, taken out, or has no token any more ends; others go on."""
    ana, ben = team_of(ana, ben)
    with listening(server, ana) as other, listening(server, ben) as stream:
        leave(ben)
        with pytest.raises(EOFError):
            stream.next()
        clip = ana.generate()
        assert other.next()["data"]["id"] == clip


def test_archive_link_when_deactivated(ana: Client, nobody: Client) -> None:
    """A signed link to several clips ends with its person."""
    row = ana.finished()
    assert ana.person is not None
    link = signed_urls.sign_archive(ana.person.id, [row.id], secret=current().settings.secret_key, now=utc_now())
    address = f"http://studio.test{link}"
    assert nobody.get(address).status_code == 200
    gone(ana)
    assert refusal(nobody.get(address))[:2] == (403, "forbidden")


def test_archive_link_when_taken_out(ana: Client, ben: Client, nobody: Client) -> None:
    """It leads to no clip of a workspace where its person is not any more."""
    ana, ben = team_of(ana, ben)
    row = ana.finished()
    assert ben.person is not None
    link = signed_urls.sign_archive(ben.person.id, [row.id], secret=current().settings.secret_key, now=utc_now())
    address = f"http://studio.test{link}"
    name = queries.file_name(row).encode()
    assert name in nobody.get(address).content
    taken_out(ben)
    assert name not in nobody.get(address).content


def test_clips_under_way_when_deactivated(installation: Installation) -> None:
    """They finish, are charged and stay in their workspace, where the others see them."""
    ana, ben = team_of(arrive("ana@example.org"), arrive("ben@example.org", scope=Scope.READ))
    assert ana.person is not None
    row = generations.create_generation(db.default(), ana.person)
    gone(ana)
    done = generations.finish(db.default(), row.id)
    assert done.status is Status.COMPLETED
    assert ben.get(f"/generations/{row.id}").json()["generation"]["status"] == "completed"
