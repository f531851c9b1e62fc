"""Clips that a browser gets straight from the bucket, and what it does when a link to one has ended."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from core.files import storage as storages
from tests.browser.conftest import Visitor, settle
from tests.browser.furnishing import installation, small_clip, stored
from tests.fixtures.object_stores import SeaweedFS
from tests.system.app import App, running

PROMPT = "A rower crosses a lake at dawn"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """A store of its own."""
    found = SeaweedFS(tmp_path_factory.mktemp("seaweedfs"))
    yield found
    found.stop()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, server: SeaweedFS) -> Iterator[App]:
    """An app with one clip, whose files lie there and whose links lead there."""
    folder, url = tmp_path_factory.mktemp("direct"), server.url()
    with installation(folder) as studio:
        bucket = storages.open_storage(url, server.access)
        row = studio.order(studio.project("Lake film"), PROMPT)
        studio.complete(row, stored(bucket, row, small_clip(folder / "small.mp4")))
    with running(folder, environ=server.variables | {"STORAGE_URL": url, "MEDIA_LINKS": "direct"}) as started:
        yield started


def test_clip_from_the_bucket(app: App, server: SeaweedFS, visitor: Visitor) -> None:
    """Poster and clip come from there, allowed by the page; one whose link has ended goes on by a newer one."""
    [clip] = app.client.get("/generations").json()["generations"]
    assert clip["videoUrl"].startswith(f"{server.endpoint}/")
    visit = visitor(f"http://127.0.0.1:{app.port}")
    page = visit.open(f"/history?clip={clip['id']}")
    video = page.locator(".viewer video").first
    expect(video).to_have_js_property("error", None)
    page.wait_for_function("video => video.readyState >= 2", arg=video.element_handle())
    assert str(video.evaluate("video => video.currentSrc")).startswith(f"{server.endpoint}/")
    settle(page)
    assert visit.complaints == []

    video.evaluate("video => { video.pause(); video.currentTime = 0.5; }")
    video.evaluate("video => { video.src = video.src.replace(/X-Amz-Signature=./, 'X-Amz-Signature=x'); }")
    page.wait_for_function(
        "video => !video.error && video.readyState >= 2 && !video.src.includes('X-Amz-Signature=x')",
        arg=video.element_handle(),
    )
