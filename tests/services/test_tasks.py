import base64
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import respx
from PIL import Image
from sqlalchemy import update

from core import db, errors
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import Stage, Status
from core.db.tables import Generation, GenerationEvent
from core.installation import Installation
from core.providers import registry
from core.providers.adapters.demo import Demo
from core.providers.contract import LINK_AT_PROVIDER
from core.spec import Reference
from core.worker import provider_request, tasks, uncollected
from core.workspaces.access import Member
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
from tests.factories.models import ABLE, able_demo
from tests.factories.users import create_member
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
def ana(installation: Installation) -> Member:
    """Somebody with credits."""
    return create_member(db.default(), credits=1000)


def sound(generation_id: str) -> Generation:
    """A row as it is now, the books being right."""
    assert broken_rules() == []
    return load_generation(generation_id)


def ready(user: Member, **values: Any) -> str:
    """A demo clip that its vendor has finished as job j1."""
    row = create_generation(db.default(), user)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING)
    told = {"provider_job_id": "j1", "provider_video_url": "http://127.0.0.1:1/v1/files/j1.mp4"}
    advance(db.default(), row.id, WAITING, READY_TO_DOWNLOAD, **(told | values))
    return row.id


def test_collect_when_all_goes_well(host: hosts.FileHost, ana: Member, installation: Installation) -> None:
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


class SmallDemo(Demo):
    """The demo, whose 720p has another size than others'."""

    models = tuple(replace(model, sizes={"720p 16:9": (640, 360)}) for model in Demo.models)


@pytest.mark.usefixtures("host")
def test_collect_when_the_model_has_a_size_of_its_own(ana: Member) -> None:
    """What was ordered is what this model makes of it: its own size is no gap."""
    known = registry.make()
    known.put(SmallDemo)
    registry.use(known)
    generation_id = ready(ana)
    try:
        tasks.ingest(generation_id)
    finally:
        registry.use(None)

    facts = sound(generation_id).output_facts
    assert facts is not None
    assert (facts["width"], facts["height"]) == (640, 360)
    assert [gap["code"] for gap in facts["gap_messages"]] == ["other_length"]


NOT_YET = {
    "a page": hosts.reply(b"<html>not a clip</html>" * 100),
    "a page that says so": hosts.reply(b"<html>", Content_Type="text/html"),
    "an empty file": hosts.reply(b""),
    "a picture": hosts.reply(b"\x89PNG" + bytes(5000)),
    "forbidden": hosts.status(403),
    "not found": hosts.status(404),
    "gone": hosts.status(410),
    "a private place": hosts.redirect("https://10.0.0.1/clip.mp4"),
    "a name nobody knows": hosts.redirect("https://files.invalid/clip.mp4"),
    "a loop": hosts.redirect("/again"),
    "something packed": hosts.reply(b"no gzip", Content_Encoding="gzip"),
}
"""What may stand where a clip is to come, and may be another thing later."""


@pytest.mark.parametrize("answer", NOT_YET.values(), ids=NOT_YET)
def test_collect_when_the_clip_is_not_there_yet(host: hosts.FileHost, ana: Member, answer: hosts.Answer) -> None:
    """What time or a fresh link may change is tried for hours, then left to a person; the clip is taken even then."""
    host.otherwise = answer
    generation_id = ready(ana)
    for n in range(4):
        tasks.ingest(generation_id)
        row = sound(generation_id)
        assert row.stage is Stage.READY_TO_DOWNLOAD, n
        assert row.status is Status.PROCESSING, n
        assert row.error_detail

    move_back(generation_id, uncollected.COLLECT_DEADLINE)
    tasks.ingest(generation_id)
    assert sound(generation_id).status is Status.UNCERTAIN
    with db.read_session() as session:
        assert ledger.balance(session, ana.id) == ledger.Balance(950, 50)

    host.otherwise = hosts.whole
    tasks.ingest(generation_id)
    assert sound(generation_id).status is Status.COMPLETED


def move_back(generation_id: str, by: timedelta) -> None:
    """Let everything of a generation have happened that much earlier."""
    with db.write_session() as session:
        session.execute(
            update(GenerationEvent)
            .where(GenerationEvent.generation_id == generation_id)
            .values(at=utc_now() - by - timedelta(minutes=1))
        )


def test_collect_pauses_longer_and_longer(host: hosts.FileHost, ana: Member) -> None:
    """A clip that is left to a person is asked for less and less often."""
    host.otherwise = hosts.status(404)
    generation_id = ready(ana)
    pauses = []
    for hours in (8, 40, 400):
        move_back(generation_id, timedelta(hours=hours))
        tasks.ingest(generation_id)
        pauses.append(round((due(sound(generation_id)) - utc_now()) / timedelta(hours=1)))
    assert pauses == [2, 10, 24]


def due(row: Generation) -> datetime:
    """When it is looked at again."""
    assert row.next_at is not None
    return row.next_at


def test_collect_of_the_same_damaged_video_each_time(
    host: hosts.FileHost, ana: Member, installation: Installation
) -> None:
    """Only a video that comes damaged again and again, over a while and always alike, is given up; credits return."""
    host.data = host.data[: len(host.data) // 2]
    generation_id = ready(ana)
    for n in range(uncollected.SAME_BYTES_TRIES):
        tasks.ingest(generation_id)
        assert sound(generation_id).stage is Stage.READY_TO_DOWNLOAD, n

    note = installation.settings.incoming_dir / f"{generation_id}.seen.json"
    seen = json.loads(note.read_text())
    note.write_text(json.dumps(seen | {"since": (utc_now() - uncollected.SAME_BYTES_SPAN).isoformat()}))
    tasks.ingest(generation_id)
    row = sound(generation_id)
    assert (row.status, row.error_code) == (Status.FAILED, "media_rejected")
    assert not note.exists()
    with db.read_session() as session:
        assert ledger.balance(session, ana.id) == ledger.Balance(1000, 0)


def test_collect_of_a_video_that_is_damaged_in_another_way_each_time(host: hosts.FileHost, ana: Member) -> None:
    """Other bytes each time are no proof of anything: another try may give the clip."""
    whole, generation_id = host.data, ready(ana)
    for n in range(uncollected.SAME_BYTES_TRIES + 2):
        host.data = whole[: len(whole) // 2 + n]
        tasks.ingest(generation_id)
        assert sound(generation_id).stage is Stage.READY_TO_DOWNLOAD, n
    host.data = whole
    tasks.ingest(generation_id)
    assert sound(generation_id).status is Status.COMPLETED


@respx.mock
def test_collect_of_a_clip_that_lies_in_the_reply(
    host: hosts.FileHost, ana: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A clip that a vendor gives within its answer is taken out of it; nothing of it is kept in the row."""
    monkeypatch.setenv("EDENAI_API_KEY", "key-of-the-test")
    installations.reopen()
    video = base64.b64encode(host.data).decode()
    reply = {"public_id": "j1", "status": "success", "output": {"video": video, "video_resource_url": None}}
    route = respx.get("https://api.edenai.run/v3/universal-ai/async/j1").respond(200, json=reply)
    row = create_generation(db.default(), ana, model_id="kling-2.5", duration_seconds=5)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING)
    advance(db.default(), row.id, WAITING, READY_TO_DOWNLOAD, provider_job_id="j1", provider_video_url=LINK_AT_PROVIDER)
    route.side_effect = [httpx.Response(500), httpx.Response(200, json=reply)]
    tasks.ingest(row.id)
    assert sound(row.id).stage is Stage.READY_TO_DOWNLOAD
    tasks.ingest(row.id)
    assert sound(row.id).status is Status.COMPLETED


def test_collect_when_our_storage_is_broken(host: hosts.FileHost, ana: Member, installation: Installation) -> None:
    """A fault of ours keeps the clip waiting for the next try, and is written down for an administrator."""
    (installation.settings.data_dir / "media").rmdir()
    (installation.settings.data_dir / "media").write_text("a file where the folder should be")
    generation_id = ready(ana)
    tasks.ingest(generation_id)
    assert sound(generation_id).stage is Stage.READY_TO_DOWNLOAD

    (installation.settings.data_dir / "media").unlink()
    tasks.ingest(generation_id)
    assert sound(generation_id).status is Status.COMPLETED


def test_submit_when_images_cannot_be_read(host: hosts.FileHost, ana: Member, installation: Installation) -> None:
    """A storage that is away for a moment fails no order: it goes back into the line, and nothing was sent."""
    (installation.settings.data_dir / "media").rmdir()
    (installation.settings.data_dir / "media").write_text("a file where the folder should be")
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, start_image_key="images/ab/kept.jpg")
    tasks.submit(row.id)

    found = sound(row.id)
    assert (found.status, found.stage) == (Status.PENDING, Stage.QUEUED)
    assert host.calls == []


def test_request_takes_a_copy_that_fits(ana: Member, installation: Installation) -> None:
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


def test_request_when_the_model_is_another_providers_by_now(ana: Member, installation: Installation) -> None:
    """A provider is never asked for a model of another one that goes by the same id."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, provider="fal")
    with pytest.raises(errors.ModelUnavailable):
        provider_request.from_row(load_generation(row.id), installation.settings, installation.storage)


def test_request_takes_references_along(ana: Member, installation: Installation) -> None:
    """Each in its role and order, within the model's limits, whole even where a start image is cut to the clip."""
    for name, size in (("wide", (900, 300)), ("tall", (100, 400))):
        file = io.BytesIO()
        Image.new("RGB", size, "teal").save(file, "JPEG")
        installation.storage.put_bytes(f"images/ab/{name}.jpg", file.getvalue(), media_type="image/jpeg")
    referred = tuple(Reference("image", role, f"images/ab/{name}.jpg") for role, name in _ROLES)
    with able_demo(replace(ABLE, image_exact=True, image_min_side=200, image_max_ratio=3.0)):
        row = create_generation(db.default(), ana)
        advance(db.default(), row.id, DISPATCHED, references=referred, start_image_key="images/ab/wide.jpg", seed=0)
        request = provider_request.from_row(load_generation(row.id), installation.settings, installation.storage)

    assert [(each.kind, each.role) for each in request.references] == [("image", role) for role, _name in _ROLES]
    sizes = [Image.open(io.BytesIO(each.image.data)).size for each in request.references]
    assert sizes == [(200, 600), (900, 300)]
    assert request.start_image is not None
    assert Image.open(io.BytesIO(request.start_image.data)).size == (1280, 720)
    assert request.seed == 0


_ROLES = (("style", "tall"), ("subject", "wide"))


def test_submit_when_an_image_is_missing(host: hosts.FileHost, ana: Member) -> None:
    """An image that is gone from storage fails the order before anything is sent."""
    row = create_generation(db.default(), ana)
    advance(db.default(), row.id, DISPATCHED, start_image_key="images/ab/gone.jpg")
    tasks.submit(row.id)

    assert sound(row.id).status is Status.FAILED
    assert host.calls == []


@pytest.mark.parametrize("stage", [(), (DISPATCHED, SUBMITTING), (DISPATCHED, SUBMITTING, WAITING)])
def test_jobs_when_it_is_not_their_turn(host: hosts.FileHost, ana: Member, stage: tuple[Any, ...]) -> None:
    """A job that comes late or twice finds a row that is elsewhere, and does nothing."""
    row = advance(db.default(), create_generation(db.default(), ana).id, *stage)
    tasks.submit(row.id)
    tasks.ingest(row.id)
    tasks.submit("nobody")
    tasks.ingest("nobody")

    assert sound(row.id).version == row.version
    assert host.calls == []


@respx.mock
def test_submit_when_the_vendor_renamed_a_model(ana: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new name of a model at its vendor is a setting."""
    monkeypatch.setenv("MODELSLAB_API_KEY", "k")
    monkeypatch.setenv("MODELSLAB_MODEL_IDS", "wan-2.2-t2v=wan-9")
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
    row = create_generation(db.default(), ana, model_id="wan-2.2-t2v", duration_seconds=10)
    advance(db.default(), row.id, DISPATCHED)
    tasks.submit(row.id)

    assert b'"model_id":"wan-9"' in route.calls.last.request.content
    assert sound(row.id).provider_job_id == "7"
