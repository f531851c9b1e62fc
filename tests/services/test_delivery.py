"""What becomes of a fetched clip on its way into our storage: signed, marked on wish, never kept back for either."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from sqlalchemy import select

from core import db
from core.clock import utc_now
from core.db.enums import Status
from core.db.tables import Generation, GenerationEvent
from core.files.content_credentials import Unsigned
from core.files.credentials_report import Validation
from core.generations import credentials
from core.generations.credentials import State
from core.insights import attention
from core.installation import Installation, current
from core.worker import delivery, tasks
from core.workspaces import workspaces
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
from tests.factories.users import create_member
from tests.fixtures import file_host as hosts
from tests.fixtures.clips import ClipSpec, make_clip
from tests.fixtures.signing import expired_pair, new_key, read_publicly, self_signed_pair, signed_by_vendor

PROMPT = "Ana's secret campaign"


@pytest.fixture
def host(tmp_path: Path, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[hosts.FileHost]:
    """The demo's vendor, as far as its files go."""
    with hosts.file_host(make_clip(tmp_path / "clip.mp4").read_bytes()) as found:
        monkeypatch.setenv("DEMO_BASE_URL", f"http://127.0.0.1:{found.server_port}")
        monkeypatch.setenv("DEMO_API_KEY", "k-1")
        installations.reopen()
        yield found


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with credits."""
    return create_member(db.default(), credits=1000)


def ready(member: Member) -> Generation:
    """A demo clip that its vendor has finished."""
    row = create_generation(db.default(), member, prompt=PROMPT)
    advance(db.default(), row.id, DISPATCHED, SUBMITTING)
    told: dict[str, Any] = {"provider_job_id": "j1", "provider_video_url": "http://127.0.0.1:1/v1/files/j1.mp4"}
    return advance(db.default(), row.id, WAITING, READY_TO_DOWNLOAD, **told)


def collected(member: Member) -> Generation:
    """A clip that was fetched and charged."""
    row = ready(member)
    tasks.ingest(row.id)
    assert broken_rules() == []
    row = load_generation(row.id)
    assert row.status is Status.COMPLETED
    return row


def delivered(row: Generation, folder: Path) -> Path:
    """A copy of the file that people get."""
    path = folder / f"{row.id}.mp4"
    path.write_bytes(current().storage.read_bytes(str(row.output_key)))
    return path


def of(member: Member, row: Generation) -> credentials.Credentials:
    """What is said of a clip's credentials."""
    with db.read_session() as session:
        return credentials.of(session, member, row.id)


def timeline(row: Generation) -> list[str]:
    """Codes of what its timeline says."""
    with db.read_session() as session:
        events = session.scalars(select(GenerationEvent).where(GenerationEvent.generation_id == row.id))
        return ["" if event.message is None else event.message.code for event in events]


def use_key(monkeypatch: pytest.MonkeyPatch, folder: Path, certificates: bytes, key: bytes) -> None:
    """Let the operator's key stand in two files of the settings."""
    for name, content in (("CREDENTIALS_CERTIFICATE_FILE", certificates), ("CREDENTIALS_KEY_FILE", key)):
        path = folder / name.lower()
        path.write_bytes(content)
        monkeypatch.setenv(name, str(path))
    installations.reopen()


def test_delivered_clip_carries_credentials(host: hosts.FileHost, ana: Member, tmp_path: Path) -> None:
    """A public reader finds them in the very file; without person or prompt; size and digest are its own."""
    row = collected(ana)
    path = delivered(row, tmp_path)
    found = read_publicly(path)
    assert found["state"] in ("Valid", "Trusted")
    said = next(each["data"] for each in found["assertions"] if each["label"].startswith("ai-video-generator"))
    assert (said["generation"], said["modelId"], said["provider"]) == (row.id, row.model_id, "Demo Studio")
    for secret in (PROMPT, ana.email, ana.id):
        assert secret.encode() not in path.read_bytes(), secret
    assert row.output_facts is not None
    assert row.output_facts["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert row.output_facts["size_bytes"] == path.stat().st_size
    kept = of(ana, row)
    assert (kept.state, kept.reason) == (State.SIGNED, None)
    assert kept.report == credentials.examine(path)
    assert kept.report is not None
    assert (kept.report.is_own, kept.report.validation) == (True, Validation.VALID)
    with db.read_session() as session:
        assert attention.waiting(session).unsigned is None
    assert list(current().settings.incoming_dir.iterdir()) == []


def test_demo_is_not_said_to_be_made_by_a_model(host: hosts.FileHost, ana: Member) -> None:
    """The demo's clips are drawn by a program, and signed as such."""
    report = of(ana, collected(ana)).report
    assert report is not None
    assert report.actions[0].source_type == "algorithmicMedia"
    assert not report.is_ai


def test_clip_of_a_model_is_said_to_be_made_by_ai(ana: Member, installation: Installation, tmp_path: Path) -> None:
    """With the model's and the provider's name, as every vendor's clip is."""
    row = create_generation(db.default(), ana, model_id="seedance-t2v")
    fetched = make_clip(tmp_path / "clip.video", ClipSpec(container="mp4"))
    made = delivery.prepare(row, fetched, sha256="0" * 64, installation_id="here", now=utc_now()).report
    assert made is not None
    assert (made.is_ai, made.model_id, made.model, made.provider) == (True, "seedance-t2v", row.model_name, "ModelsLab")
    assert made.actions[0].source_type == "trainedAlgorithmicMedia"


def test_credentials_of_the_vendor_are_kept(host: hosts.FileHost, ana: Member, tmp_path: Path) -> None:
    """They lie inside as the ingredient that the clip was opened from."""
    host.data = signed_by_vendor(tmp_path / "clip.mp4", tmp_path / "vendor.mp4").read_bytes()
    row = collected(ana)
    report = of(ana, row).report
    assert report is not None
    assert [(each.signer, each.validation) for each in report.ingredients] == [
        ("Installation vendor", Validation.VALID)
    ]
    assert len(read_publicly(delivered(row, tmp_path))["ingredients"]) == 1


def test_credentials_of_the_vendor_are_kept_of_what_is_converted(
    host: hosts.FileHost, ana: Member, tmp_path: Path
) -> None:
    """A clip that browsers cannot show is converted first; where it came from still stands in it."""
    hevc = make_clip(tmp_path / "hevc.mp4", ClipSpec(codec="libx265"))
    host.data = signed_by_vendor(hevc, tmp_path / "vendor.mp4").read_bytes()
    row = collected(ana)
    assert read_publicly(delivered(row, tmp_path))["state"] in ("Valid", "Trusted")
    report = of(ana, row).report
    assert report is not None
    assert [each.action for each in report.actions] == ["c2pa.opened", "c2pa.transcoded"]
    assert len(report.ingredients) == 1


def other_key() -> tuple[bytes, bytes]:
    """A certificate and the key of another one."""
    return new_key().certificates_pem.encode(), new_key().key_pem.encode()


BROKEN: Mapping[str, tuple[Callable[[], tuple[bytes, bytes]], Unsigned]] = {
    "unreadable": (lambda: (new_key().certificates_pem.encode(), b"nothing"), Unsigned.KEY_UNREADABLE),
    "another one": (other_key, Unsigned.KEY_MISMATCH),
    "no certificate": (lambda: (b"nothing", new_key().key_pem.encode()), Unsigned.CERTIFICATE_UNREADABLE),
    "expired": (expired_pair, Unsigned.CERTIFICATE_EXPIRED),
    "signed by itself": (self_signed_pair, Unsigned.FAILED),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_broken_key_keeps_no_clip_back(
    host: hosts.FileHost, ana: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """It is delivered as it came, charged, and the reason is told to its person and to administrators."""
    make, reason = BROKEN[broken]
    use_key(monkeypatch, tmp_path, *make())
    row = collected(ana)
    assert delivered(row, tmp_path).read_bytes() == host.data
    told = of(ana, row)
    assert (told.state, told.reason, told.report) == (State.UNSIGNED, reason.message, None)
    assert timeline(row).count("delivered_unsigned") == 1
    with db.read_session() as session:
        waits = attention.waiting(session)
    assert waits.count == 1
    assert waits.unsigned is not None
    assert (waits.unsigned.count, waits.unsigned.last_reason) == (1, reason)

    mended = new_key()
    for name, content in (("certificate", mended.certificates_pem), ("key", mended.key_pem)):
        (tmp_path / f"credentials_{name}_file").write_text(content)
    assert of(ana, collected(ana)).state is State.SIGNED  # without a start


def test_key_of_the_operator_signs(
    host: hosts.FileHost, ana: Member, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an earlier key has signed is still this installation's."""
    before = of(ana, collected(ana)).report
    given = new_key("films")
    use_key(monkeypatch, tmp_path, given.certificates_pem.encode(), given.key_pem.encode())
    after = of(ana, collected(ana)).report
    assert before is not None
    assert after is not None
    assert after.signer == "Installation films" != before.signer
    assert after.is_own


def test_clip_from_before_clips_were_signed(ana: Member) -> None:
    """It has none and no reason, and nobody is warned."""
    row = create_generation(db.default(), ana)
    assert of(ana, row) == credentials.Credentials(State.NONE, None, None)
    with db.read_session() as session:
        assert attention.waiting(session).count == 0


def corner(path: Path) -> Any:
    """The brightness of the lower right corner of the middle picture, and of the rest of it."""
    with av.open(str(path)) as source:
        frames = [frame.to_ndarray(format="gray") for frame in source.decode(video=0)]
    picture = frames[len(frames) // 2].astype(np.int16)
    return picture[-40:, -60:], picture[:-60]


def turn_mark_on(member: Member) -> None:
    """As its manager does on the page of the workspace."""
    with db.write_session() as session:
        workspaces.set_visible_mark(session, member, member.workspace_id, is_on=True)


def test_mark_is_put_in_where_the_workspace_wishes(host: hosts.FileHost, ana: Member, tmp_path: Path) -> None:
    """It is seen in the corner and nowhere else, sound and length stay, and the credentials say so."""
    plain = collected(ana)
    turn_mark_on(ana)
    marked = collected(ana)
    before, after = (delivered(row, tmp_path) for row in (plain, marked))
    for (was, rest_was), (now, rest) in [(corner(before), corner(after))]:
        assert np.abs(was - now).max() > 60
        assert np.abs(rest_was - rest).mean() < 4
    assert plain.output_facts is not None
    assert marked.output_facts is not None
    for same in ("width", "height", "audio_codec", "frame_rate"):
        assert marked.output_facts[same] == plain.output_facts[same]
    report = of(ana, marked).report
    assert report is not None
    assert [each.action for each in report.actions] == ["c2pa.created", "c2pa.transcoded", "c2pa.addedText"]
    assert report == credentials.examine(after)
    assert [each.action for each in credentials_of(before)] == ["c2pa.created"]


def credentials_of(path: Path) -> tuple[Any, ...]:
    """What was done to a file by its credentials."""
    report = credentials.examine(path)
    assert report is not None
    return report.actions


def test_mark_counts_as_it_stood_at_the_order(host: hosts.FileHost, ana: Member) -> None:
    """Turned on while a clip is under way, it is the next order that has it."""
    row = ready(ana)
    turn_mark_on(ana)
    tasks.ingest(row.id)
    report = of(ana, row).report
    assert report is not None
    assert [each.action for each in report.actions] == ["c2pa.created"]


def test_mark_that_cannot_be_put_in(ana: Member, installation: Installation, tmp_path: Path) -> None:
    """The clip is delivered without, which is known, and it is signed as it is."""
    turn_mark_on(ana)
    row = ready(ana)
    fetched = make_clip(tmp_path / "clip.video", ClipSpec(container="mp4"))
    (tmp_path / "clip.marked.mp4").mkdir()
    made = delivery.prepare(row, fetched, sha256="0" * 64, installation_id="here", now=utc_now())
    assert made.is_unmarked
    assert made.report is not None
    assert [each.action for each in made.report.actions] == ["c2pa.created"]


def test_signed_copy_that_cannot_be_written(ana: Member, installation: Installation, tmp_path: Path) -> None:
    """What is in its way keeps nothing back: what is delivered is the fetched file."""
    row = ready(ana)
    fetched = make_clip(tmp_path / "clip.video", ClipSpec(container="mp4"))
    (tmp_path / "clip.signed.mp4").mkdir()
    made = delivery.prepare(row, fetched, sha256="0" * 64, installation_id="here", now=utc_now())
    assert (made.path, made.report, made.unsigned) == (fetched, None, Unsigned.FAILED)


def test_each_fetch_of_the_same_file_has_the_same_key(ana: Member, installation: Installation, tmp_path: Path) -> None:
    """Signed again after a death, it takes the place of what was stored before, and leaves nothing behind."""
    row = ready(ana)
    fetched = make_clip(tmp_path / "clip.video", ClipSpec(container="mp4"))
    digest = hashlib.sha256(fetched.read_bytes()).hexdigest()
    first, second = (
        delivery.prepare(row, fetched, sha256=digest, installation_id="here", now=utc_now()) for _ in range(2)
    )
    assert first.key == second.key
    assert first.sha256 != second.sha256
    delivery.clean_up(fetched)
    assert [path.name for path in tmp_path.glob("clip.*")] == []


def test_reason_of_another_release_is_told_in_general_words() -> None:
    """A row may hold a reason that this release does not know."""
    assert Unsigned.of("of another release") is Unsigned.FAILED
