import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import select, update

from core import db, errors
from core.db.enums import WorkspaceRole
from core.db.tables import Generation, Upload, Workspace
from core.files import video_derivatives
from core.files.storage import LocalStorage
from core.generations import frames, queries
from core.installation import Installation
from core.workspaces.access import Member
from tests.factories.generations import QUOTA_BYTES, create_completed, create_generation
from tests.factories.users import create_member, ensure_member
from tests.factories.workspaces import create_team
from tests.fixtures.clips import SHADES, brightening
from tests.fixtures.shown_clips import with_edits


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with credits, in an installation of its own."""
    return create_member(db.default())


def kept(storage: LocalStorage, user: Member, clip: Path) -> Generation:
    """A completed generation with this clip as its file."""
    row = create_completed(db.default(), user)
    assert row.output_key is not None
    storage.put_file(row.output_key, clip, media_type="video/mp4")
    return row


@pytest.mark.parametrize("group", [1, 12, 250])
def test_last_frame_is_the_last_picture(tmp_path: Path, group: int) -> None:
    """Wherever the key frames are, the picture is that of the very end, in full size."""
    picture = Image.open(io.BytesIO(video_derivatives.last_frame(brightening(tmp_path / "clip.mp4", group=group))))

    assert picture.size == (320, 180)
    assert abs(float(np.mean(np.asarray(picture))) - SHADES[-1]) < 4


def test_last_frame_when_asked_twice(ana: Member, tmp_path: Path) -> None:
    """The same clip gives the same upload, counted once; the clip's file is not even looked at again."""
    storage = LocalStorage(tmp_path / "files")
    row = kept(storage, ana, brightening(tmp_path / "clip.mp4"))
    first = frames.as_upload(ana, row.id, storage=storage, quota_bytes=QUOTA_BYTES)
    assert row.output_key is not None
    storage.delete(row.output_key)
    second = frames.as_upload(ana, row.id, storage=storage, quota_bytes=QUOTA_BYTES)

    assert second.id == first.id
    assert first.file_name == queries.file_name(row).replace(".mp4", "-last-frame.jpg")
    assert Image.open(io.BytesIO(storage.read_bytes(first.storage_key))).size == (320, 180)
    with db.read_session() as session:
        assert session.scalars(select(Upload.size_bytes)).all() == [first.size_bytes]
        assert session.scalar(select(Workspace.storage_bytes)) == first.size_bytes + row.stored_bytes


def test_last_frame_when_it_cannot_be(ana: Member, tmp_path: Path) -> None:
    """Not finished, not theirs, not a video, no room: each is refused, and nothing is kept."""
    storage = LocalStorage(tmp_path / "files")
    row = kept(storage, ana, brightening(tmp_path / "clip.mp4"))
    with db.write_session() as session:
        stranger = ensure_member(session, "eve@example.org", signup_credits=0)
    broken = create_completed(db.default(), ana)
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == broken.id).values(output_key="videos/x/broken.mp4"))
    storage.put_bytes("videos/x/broken.mp4", b"\0\0\0\x18ftypmp42" + bytes(100), media_type="video/mp4")

    for user, generation_id, quota_bytes, refusal in (
        (ana, create_generation(db.default(), ana).id, QUOTA_BYTES, errors.Conflict),
        (stranger, row.id, QUOTA_BYTES, errors.NotFound),
        (ana, broken.id, QUOTA_BYTES, errors.MediaRejected),
        (ana, row.id, 10, errors.StorageFull),
    ):
        with pytest.raises(refusal):
            frames.as_upload(user, generation_id, storage=storage, quota_bytes=quota_bytes)
    with db.read_session() as session:
        assert session.scalars(select(Upload)).all() == []


def test_last_frame_of_a_team(ana: Member, tmp_path: Path) -> None:
    """The picture belongs to the workspace of the clip, wherever the person is at work; a viewer there takes none."""
    storage = LocalStorage(tmp_path / "files")
    ben = create_member(db.default(), "ben@example.org")
    in_team, viewing = create_team(db.default(), (ana, WorkspaceRole.MAKER), (ben, WorkspaceRole.VIEWER))
    row = kept(storage, in_team, brightening(tmp_path / "clip.mp4"))
    at_home = in_team.moved_to(ana.id)

    upload = frames.as_upload(at_home, row.id, storage=storage, quota_bytes=QUOTA_BYTES)
    assert (upload.workspace_id, upload.user_id) == (in_team.workspace_id, ana.id)
    with pytest.raises(errors.Forbidden):
        frames.as_upload(viewing.moved_to(ben.id), row.id, storage=storage, quota_bytes=QUOTA_BYTES)


@pytest.mark.parametrize("group", [1, 12, 250])
def test_frame_is_the_one_a_player_shows(tmp_path: Path, group: int) -> None:
    """At the very moment a picture begins, within it, and after the end; wherever the key frames are."""
    clip = brightening(tmp_path / "clip.mp4", group=group)
    for at_ms, index in ((0, 0), (41, 0), (42, 1), (83, 2), (500, 12), (541, 12), (542, 13), (60_000, len(SHADES) - 1)):
        picture = Image.open(io.BytesIO(video_derivatives.frame_at(clip, at_ms)))
        assert abs(float(np.mean(np.asarray(picture))) - SHADES[index]) < 4, at_ms
    assert picture.size == (320, 180)


def test_frame_of_a_clip_that_begins_with_an_edit(tmp_path: Path) -> None:
    """What an edit list cuts away is not counted, and never shown."""
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(
        with_edits(brightening(tmp_path / "whole.mp4").read_bytes(), [(0.4, 0.5)])
    )  # pictures of this encoder begin two later
    for at_ms, index in ((0, 10), (250, 16)):
        picture = Image.open(io.BytesIO(video_derivatives.frame_at(clip, at_ms)))
        assert abs(float(np.mean(np.asarray(picture))) - SHADES[index]) < 4, at_ms


def test_frame_when_asked_twice(ana: Member, tmp_path: Path) -> None:
    """The same time of the same clip is one upload; a picture that is held for long is kept once, too."""
    storage = LocalStorage(tmp_path / "files")
    row = kept(storage, ana, brightening(tmp_path / "clip.mp4"))
    first, second = (
        frames.as_upload(ana, row.id, seconds=0.25, storage=storage, quota_bytes=QUOTA_BYTES) for _ in range(2)
    )
    assert second.id == first.id
    assert first.file_name == queries.file_name(row).replace(".mp4", "-frame-0.250s.jpg")
    with pytest.raises(errors.Conflict):
        frames.as_upload(
            ana, create_generation(db.default(), ana).id, seconds=0, storage=storage, quota_bytes=QUOTA_BYTES
        )
