import pytest
from fastapi.routing import iter_route_contexts

from core.api import api
from core.ids import new_id
from tests.api.conftest import Client

READS = [
    "/projects",
    "/projects/{project}",
    "/generations",
    "/generations/{generation}",
    "/generations/{generation}/status",
    "/models",
    "/providers",
    "/credits",
    "/credits/entries",
    "/usage",
    "/openapi.json",
]


@pytest.mark.parametrize("path", READS)
def test_read_that_has_not_changed(ana: Client, path: str) -> None:
    """A repeated read with the ETag of the first answers 304 without a body, signed links and all."""
    row = ana.finished()
    path = path.format(project=row.project_id, generation=row.id)
    first = ana.get(path)
    assert first.status_code == 200
    etag = first.headers["etag"]

    for wanted in (etag, f'"other", {etag}', "*"):
        again = ana.get(path, headers={"If-None-Match": wanted})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert "content-length" not in again.headers
    assert ana.get(path, headers={"If-None-Match": 'W/"other"'}).content == first.content
    assert first.headers["cache-control"] == "private, no-cache"


def test_read_that_has_changed(ana: Client) -> None:
    """A change changes the ETag."""
    generation_id = ana.generate()
    path = f"/generations/{generation_id}/status"
    etag = ana.get(path).headers["etag"]

    ana.post(f"/generations/{generation_id}/cancel")

    assert ana.get(path, headers={"If-None-Match": etag}).json()["status"]["status"] == "cancelled"


def test_write_has_no_etag(ana: Client) -> None:
    """What was done is not something to compare."""
    answer = ana.post("/projects", json={"name": "Lakes"}, headers={"If-None-Match": "*"})

    assert answer.status_code == 201
    assert "etag" not in answer.headers


@pytest.mark.parametrize("path", READS)
def test_head_says_what_get_would(ana: Client, path: str) -> None:
    """HEAD has the status and the headers of GET, and no body."""
    row = ana.finished()
    path = path.format(project=row.project_id, generation=row.id)
    get, head = ana.get(path), ana.send("HEAD", path)

    assert (head.status_code, head.content) == (200, b"")
    for name in ("etag", "content-type", "content-length"):
        assert head.headers[name] == get.headers[name], name


def test_every_get_answers_head(ana: Client) -> None:
    """No address that can be read answers HEAD with 405."""
    paths = [c.path for c in iter_route_contexts(api.routes) if c.path and "GET" in (c.methods or ())]

    for path in paths:
        answer = ana.send("HEAD", path.replace("{id}", new_id()).replace("{key:path}", "videos/x.mp4"))
        assert answer.status_code != 405, path
        assert answer.content == b""


def test_head_of_a_stream_ends(ana: Client) -> None:
    """HEAD of what never ends by itself answers at once, with the headers of the stream."""
    answer = ana.send("HEAD", "/generations/events")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_file_passes_untouched(ana: Client) -> None:
    """A stored file keeps its own ETag and its ranges."""
    row = ana.finished()
    whole = ana.get(f"/download/{row.id}")
    part = ana.get(f"/download/{row.id}", headers={"Range": "bytes=0-9"})

    assert not whole.headers["etag"].startswith("W/")
    assert (part.status_code, len(part.content)) == (206, 10)
    assert ana.get(f"/download/{row.id}", headers={"If-None-Match": whole.headers["etag"]}).status_code == 304
