"""The API where files lie in a bucket: what it links to, and what it says while the store is away."""

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core import db, errors
from core.installation import Installation, current
from core.workspaces import quota
from tests.api.conftest import CLIP, Client, picture, refusal
from tests.api.test_gate import ask
from tests.factories import installations
from tests.fixtures import clocked_bucket
from tests.fixtures.object_stores import SeaweedFS

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """A server that runs; a test that stops it starts it again."""
    server = SeaweedFS(tmp_path_factory.mktemp("seaweedfs"))
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def bucket(installation: Installation, seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation whose files lie in a bucket; the app sends them."""
    monkeypatch.setenv("STORAGE_URL", seaweedfs.url())
    for name, value in seaweedfs.variables.items():
        monkeypatch.setenv(name, value)
    return installations.reopen()


def direct(monkeypatch: pytest.MonkeyPatch) -> Installation:
    """The same, with links that lead straight to the bucket."""
    monkeypatch.setenv("MEDIA_LINKS", "direct")
    return installations.reopen()


def test_links_by_proxy(ana: Client) -> None:
    """Links lead to the app, which sends the file and its parts; nothing tells of the store."""
    row = ana.finished()
    clip = ana.get(f"/generations/{row.id}").json()["generation"]
    assert "X-Amz" not in str(clip)
    assert ana.get(clip["videoUrl"]).content == CLIP
    part = ana.get(clip["videoUrl"], headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.content) == (206, CLIP[5:10])
    saved = ana.get(f"/download/{row.id}", headers={"Range": "bytes=-4"})
    assert (saved.status_code, saved.content) == (206, CLIP[-4:])
    policy = ask("/generate").headers["content-security-policy"]
    assert "127.0.0.1" not in policy


def test_direct_links(ana: Client, ben: Client, seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> None:
    """Links of who may see a clip lead to the bucket and hold nobody up; for others there are none."""
    here = direct(monkeypatch)
    row = ana.finished()
    clip = ana.get(f"/generations/{row.id}").json()["generation"]
    link = clip["videoUrl"]
    assert link.startswith(f"{here.storage.browsers_place}{row.output_key}?")
    assert link.startswith(seaweedfs.endpoint)
    assert httpx.get(link, trust_env=False).content == CLIP
    assert httpx.get(link.replace(".mp4", ".webp"), trust_env=False).status_code == 403
    assert int(parse_qs(urlsplit(link).query)["X-Amz-Expires"][0]) >= 2 * 3600
    assert ben.get(f"/generations/{row.id}").status_code == 404
    assert ana.get(f"/download/{row.id}").content == CLIP
    policy = ask("/generate").headers["content-security-policy"]
    for rule in ("img-src 'self' data: blob:", "media-src 'self' blob:"):
        assert f"{rule} {here.storage.browsers_place};" in policy
    assert "connect-src 'self' ws:" in policy


def test_while_the_store_is_away(ana: Client, seaweedfs: SeaweedFS) -> None:
    """503 with Retry-After to who wants a file or brings one, with a sentence; nothing half is left, or counted."""
    row = ana.finished()
    assert ana.person is not None
    link = ana.get(f"/generations/{row.id}").json()["generation"]["videoUrl"]
    health = ana.get("/health").json()
    assert (health["status"], health["storage"]) == ("ok", True)
    with db.read_session() as session:
        before = quota.used_bytes(session, ana.person.workspace_id)
    seaweedfs.stop()
    try:
        image = picture()
        for answer in (
            ana.get(link),
            ana.get(f"/download/{row.id}"),
            ana.post("/upload-image", files={"file": ("a.png", image)}, data={"type": "start"}),
            ana.post(f"/generations/{row.id}/frame", json={"seconds": 0.25}),
            ana.post("/generations/zip", json={"ids": [row.id]}),
        ):
            assert refusal(answer) == (503, errors.StorageUnavailable.code, {})
            assert int(answer.headers["retry-after"]) > 0
        assert ana.get(f"/generations/{row.id}").status_code == 200
    finally:
        seaweedfs.start()
    with db.read_session() as session:
        assert quota.used_bytes(session, ana.person.workspace_id) == before
    assert [found.key for found in current().storage.files()] == [row.output_key]
    assert ana.get(link).content == CLIP
    assert ana.post("/upload-image", files={"file": ("a.png", image)}, data={"type": "start"}).status_code == 200


def test_while_the_store_refuses_our_clock(
    ana: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The app starts and says so; files are for later, and come by their links once the clock is right."""
    row = ana.finished()
    clip = ana.get(f"/generations/{row.id}").json()["generation"]
    with clocked_bucket.serving() as bucket:
        bucket.ahead = timedelta(hours=7)
        for name, value in bucket.variables.items():
            monkeypatch.setenv(name, value)
        installations.reopen()
        assert "refuses what is signed by the clock of this machine. Set it right." in caplog.text
        for answer in (ana.get(clip["videoUrl"]), ana.get(f"/download/{row.id}")):
            assert refusal(answer) == (503, errors.StorageUnavailable.code, {})
            assert int(answer.headers["retry-after"]) > 0
        bucket.ahead = timedelta()
        assert ana.get(clip["videoUrl"]).status_code == 404, "the stand-in is empty"
