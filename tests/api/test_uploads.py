from typing import Any

import pytest

from core import db as databases
from core.files import image_sanitizer
from core.installation import current
from core.workspaces import quota
from tests.api.conftest import Client, picture, refusal
from tests.factories import installations


def sent(data: bytes, *, name: str = "lake.png", kind: Any = "start") -> dict[str, Any]:
    """A multipart body."""
    return {"files": {"file": (name, data, "image/png")}, "data": {} if kind is None else {"type": kind}}


def test_image_is_taken_in(ana: Client) -> None:
    """The answer has the published shape and is about the cleaned file, which is in storage."""
    answer = ana.post("/upload-image", **sent(picture(), name="Seen/ \u00fcber.png"))

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"success", "filePath", "fileName", "fileSize", "width", "height", "notes"}
    assert (body["fileName"], body["width"], body["height"]) == (" \u00fcber.png", 64, 48)
    info = current().storage.stat(body["filePath"])
    assert info.size_bytes == body["fileSize"]


def test_same_image_again_gives_the_same_path(ana: Client) -> None:
    """A repeated upload costs no storage."""
    assert ana.person is not None
    first = ana.post("/upload-image", **sent(picture())).json()

    assert ana.post("/upload-image", **sent(picture(), kind="end")).json() == first
    with databases.read_session() as session:
        assert quota.used_bytes(session, ana.person.id) == first["fileSize"]


def test_uploaded_image_can_be_used_by_its_person_alone(ana: Client, ben: Client) -> None:
    """The path is what generate takes, from the person who uploaded it; for others it is a bad field."""
    path = ana.post("/upload-image", **sent(picture())).json()["filePath"]

    assert ana.post("/generate", json=ana.order(startImagePath=path)).status_code == 202
    status, _, fields = refusal(ben.post("/generate", json=ben.order(startImagePath=path)))
    assert (status, list(fields)) == (422, ["startImagePath"])


@pytest.mark.parametrize("kind", [None, "", "middle", "START"])
def test_type_must_be_start_or_end(ana: Client, kind: str | None) -> None:
    """The form field `type` is required and one of two words."""
    status, _, fields = refusal(ana.post("/upload-image", **sent(picture(), kind=kind)))

    assert (status, list(fields)) == (422, ["type"])


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "media_rejected"),
        (b"not an image", 422, "media_rejected"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "media_rejected"),
        (picture()[:100], 422, "media_rejected"),
        (picture(8, 8), 422, "media_rejected"),
        (picture() + b"\0" * image_sanitizer.MAX_UPLOAD_BYTES, 413, "too_large"),
    ],
)
def test_bad_image(ana: Client, data: bytes, status: int, code: str) -> None:
    """What is not a usable image is refused with a reason."""
    assert refusal(ana.post("/upload-image", **sent(data)))[:2] == (status, code)


def test_upload_without_a_file(ana: Client) -> None:
    """A missing file, or one sent as text, is a field error."""
    for body in ({"data": {"type": "start"}}, {"data": {"type": "start", "file": "text"}}):
        status, _, fields = refusal(ana.post("/upload-image", **body))
        assert (status, list(fields)) == (422, ["file"])


def test_upload_that_is_no_multipart(ana: Client) -> None:
    """A broken multipart body is refused, not failed on."""
    broken = {"Content-Type": "multipart/form-data"}
    assert refusal(ana.post("/upload-image", content=b"xx", headers=broken))[0] in (400, 422)


def test_full_storage(ana: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image beyond the person's quota is refused and says so."""
    monkeypatch.setenv("STORAGE_QUOTA_BYTES", "10")
    installations.reopen()

    assert refusal(ana.post("/upload-image", **sent(picture())))[:2] == (413, "storage_full")


def test_upload_when_files_cannot_be_stored(ana: Client) -> None:
    """A disk that takes nothing is a 503 that says when to come back; nothing is counted."""
    assert ana.person is not None
    (current().settings.data_dir / "media").rmdir()
    (current().settings.data_dir / "media").write_text("a file where the folder should be")
    answer = ana.post("/upload-image", **sent(picture()))

    assert refusal(answer)[:2] == (503, "storage_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    with databases.read_session() as session:
        assert quota.used_bytes(session, ana.person.id) == 0


@pytest.mark.parametrize(
    "name", ["photo.jfif", "PHOTO.JPE", "photo.pjpeg", "photo", "photo.txt", "photo.gif", "\u00fc.PNG"]
)
def test_names_do_not_decide_what_a_file_is(ana: Client, name: str) -> None:
    """An image is taken under any name, and whatever type is claimed for it."""
    body = sent(picture(), name=name)
    body["files"]["file"] = (name, picture(), "application/octet-stream")
    assert ana.post("/upload-image", **body).status_code == 200
