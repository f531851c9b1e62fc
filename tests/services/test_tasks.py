import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import respx
from PIL import Image

from core import db
from core.billing import ledger
from core.db.enums import Stage, Status
from core.db.tables import Generation, User
from core.installation import Installation
from core.worker import provider_request, tasks
from tests.factories import installations
from tests.factories.books import broken_rules
from tests.factories.generations import (
    DISPATCHED,
    READY_TO_DOWNLOAD,
    SUBMITTING,
    WAITING,
    advance,
    create_generation,
    load_generation,
)
from tests.factories.users import create_user
from tests.fixtures import file_host as hosts
from tests.fixtures.clips import ClipSpec, make_clip


@pytest.fixture
def host(tmp_path: Path, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[hosts.FileHost]:
    """The demo's vendor, as far as its files go: a good clip unless told otherwise."""
    data = make_clip(tmp_path / "clip.mp4", ClipSpec()).read_bytes()
    with hosts.file_host(data) as found:
        monkeypatch.setenv("DEMO_BASE_URL", f"http://127.0.0.1:{found.server_port}")
        monkeypatch.setenv("DEMO_API_KEY", "k-1")
        installations.reopen()
        yield found


@pytest.fixture
def ana(installation: Installation) -> User:
    """Somebody with credits."""
    return create_user(db.default(), credits=1000)


def sound(generation_id: str) -> Generation:
    """A row as it is now, the books being right."""
    assert broken_rules() == []
    return load_generation(generation_id)


def ready(user: User, **values: Any) -> str:
    """A demo clip that its vendor has finished as job j1."""
    row = create_generation(db.default(), user)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING)
    told = {"provider_job_id": "j1", "provider_video_url": "http://127.0.0.1:1/v1/files/j1.mp4"}
    advance(db.default(), row.id, WAITING, READY_TO_DOWNLOAD, **(told | values))
    return row.id


def test_collect_when_all_goes_well(host: hosts.FileHost, ana: User, installation: Installation) -> None:
    """Clip and poster lie in our storage, the facts and gaps are kept, the price is charged, a preview is due."""
    generation_id = ready(ana)
    tasks.ingest(generation_id)
    tasks.ingest(generation_id)

    row = sound(generation_id)
    assert row.status is Status.COMPLETED
    storage = installation.storage
    assert (row.preview_key, row.next_at) == (None, row.ended_at)
    kept = [row.output_key, row.thumbnail_key]
    assert sum(storage.stat(str(key)).size_bytes for key in kept) == row.stored_bytes
    assert row.output_facts is not None
    assert row.output_facts["video_codec"] == "h264"
    assert any("Asked for" in gap for gap in row.output_facts["gaps"])
    assert list((installation.settings.data_dir / "incoming").iterdir()) == []
    assert [call["authorization"] for call in host.calls] == ["Bearer k-1"]


def test_collect_when_file_is_no_video(host: hosts.FileHost, ana: User) -> None:
    """What is no video is fetched again a few times; then the generation fails and the credits come back."""
    host.otherwise = hosts.reply(b"<html>not a clip</html>" * 100)
    generation_id = ready(ana)
    for n in range(tasks.UNUSABLE_TRIES):
        assert sound(generation_id).stage is Stage.READY_TO_DOWNLOAD, n
        tasks.ingest(generation_id)

    row = sound(generation_id)
    assert (row.status, row.error_code) == (Status.FAILED, "media_rejected")
    with db.read_session() as session:
        assert ledger.balance(session, ana.id) == ledger.Balance(1000, 0)


def test_collect_when_our_storage_is_broken(host: hosts.FileHost, ana: User, installation: Installation) -> None:
    """A fault of ours keeps the clip waiting for the next try, and is written down for an administrator."""
    (installation.settings.data_dir / "media").write_text("a file where the folder should be")
    generation_id = ready(ana)
    tasks.ingest(generation_id)
    assert sound(generation_id).stage is Stage.READY_TO_DOWNLOAD

    (installation.settings.data_dir / "media").unlink()
    tasks.ingest(generation_id)
    assert sound(generation_id).status is Status.COMPLETED


def test_submit_when_images_cannot_be_read(host: hosts.FileHost, ana: User, installation: Installation) -> None:
    """A storage that is away for a moment fails no order: it goes back into the line, and nothing was sent."""
    (installation.settings.data_dir / "media").write_text("a file where the folder should be")
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, start_image_key="images/ab/kept.jpg")
    tasks.submit(row.id)

    found = sound(row.id)
    assert (found.status, found.stage) == (Status.PENDING, Stage.QUEUED)
    assert host.calls == []


def test_request_takes_a_copy_that_fits(ana: User, installation: Installation) -> None:
    """A large image goes along no larger than the clip needs; the kept one stays as it is."""
    file = io.BytesIO()
    Image.effect_noise((4000, 3000), 60).convert("RGB").save(file, "JPEG", quality=92)
    installation.storage.put_bytes("images/ab/large.jpg", file.getvalue(), media_type="image/jpeg")
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, start_image_key="images/ab/large.jpg")
    row = load_generation(row.id)

    request = provider_request.from_row(row, installation.settings, installation.storage)
    assert request.start_image is not None
    sent = Image.open(io.BytesIO(request.start_image.data))
    assert (sent.format, request.start_image.media_type) == ("JPEG", "image/jpeg")
    assert sent.size == (1280, 960)
    assert len(request.start_image.data) <= request.model.image_max_bytes
    assert installation.storage.read_bytes("images/ab/large.jpg") == file.getvalue()


def test_submit_when_an_image_is_missing(host: hosts.FileHost, ana: User) -> None:
    """An image that is gone from storage fails the order before anything is sent."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, start_image_key="images/ab/gone.jpg")
    tasks.submit(row.id)

    assert sound(row.id).status is Status.FAILED
    assert host.calls == []


@pytest.mark.parametrize("stage", [(), (DISPATCHED, SUBMITTING), (DISPATCHED, SUBMITTING, WAITING)])
def test_jobs_when_it_is_not_their_turn(host: hosts.FileHost, ana: User, stage: tuple[Any, ...]) -> None:
    """A job that comes late or twice finds a row that is elsewhere, and does nothing."""
    row = advance(db.default(), create_generation(db.default(), ana).id, *stage)
    tasks.submit(row.id)
    tasks.ingest(row.id)
    tasks.submit("nobody")
    tasks.ingest("nobody")

    assert sound(row.id).version == row.version
    assert host.calls == []


@respx.mock
def test_submit_when_the_vendor_renamed_a_model(ana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new name of a model at its vendor is a setting."""
    monkeypatch.setenv("MODELSLAB_API_KEY", "k")
    monkeypatch.setenv("MODELSLAB_MODEL_IDS", "veo3=veo-9")
    installations.reopen()
    route = respx.post("https://modelslab.com/api/v7/video-fusion/text-to-video").respond(
        200, json={"status": "processing", "id": 6}
    )
    row = create_generation(db.default(), ana, model_id="seedance-t2v")
    advance(db.default(), row.id, DISPATCHED)
    tasks.submit(row.id)
    assert b'"model_id":"seedance-t2v"' in route.calls.last.request.content

    with db.write_session() as session:
        ledger.grant(session, ana.id, credits=5000, key="more", actor="root", reason="Enough for this")
    route.respond(200, json={"status": "processing", "id": 7})
    row = create_generation(db.default(), ana, model_id="veo3", duration_seconds=8)
    advance(db.default(), row.id, DISPATCHED)
    tasks.submit(row.id)

    assert b'"model_id":"veo-9"' in route.calls.last.request.content
    assert sound(row.id).provider_job_id == "7"
