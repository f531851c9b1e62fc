"""The page that says what the credentials of a file are worth, and where else a clip's are told."""

import html
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from streamlit.testing.v1 import AppTest

from core import db
from core.clock import utc_now
from core.db.enums import WorkspaceRole
from core.db.tables import Generation, SigningCertificate, Workspace
from core.files import content_credentials
from core.files.content_credentials import Provenance, Unsigned
from core.files.signing_certificate import SigningKey
from core.generations import signing_keys
from core.installation import Installation
from tests.factories.generations import build_output
from tests.factories.images import create_image
from tests.factories.studio import Studio
from tests.factories.users import create_member
from tests.factories.workspaces import create_team
from tests.fixtures.clips import make_clip
from tests.fixtures.signing import CLIP, altered, new_key, signed_by_vendor
from tests.pages.conftest import Open, turned_to


@pytest.fixture
def own_key(installation: Installation) -> SigningKey:
    """What this installation signs with."""
    return signing_keys.for_signing(installation.database, installation.settings)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A clip as a vendor delivers it."""
    return make_clip(tmp_path / "clip.mp4")


def drop(open_page: Open, path: Path) -> AppTest:
    """The page after a file was dropped on it."""
    at = open_page("verify")
    at.file_uploader(key="verify_file").set_value((path.name, path.read_bytes(), "video/mp4")).run()
    assert not at.exception
    return at


def verdict(at: AppTest) -> list[tuple[str, str]]:
    """What is said above the table, with its colour."""
    return [(each.type, each.value) for kind in (at.success, at.warning, at.error, at.info) for each in kind]


def said(at: AppTest) -> str:
    """All that is drawn as HTML."""
    return html.unescape(" ".join(each.proto.body for each in at.get("html")))


def test_file_of_this_installation(
    open_page: Open, studio: Studio, own_key: SigningKey, clip: Path, tmp_path: Path
) -> None:
    """It is whole and ours; what made it and when is told, and the way to the clip for who may see it."""
    row = studio.complete(studio.order(studio.project()))
    mine = Provenance(row.id, "inst-1", "ModelsLab", "veo3", "Google Veo 3", CLIP.made_at)
    content_credentials.sign(clip, tmp_path / "signed.mp4", mine, own_key, fetched=clip)
    at = drop(open_page, tmp_path / "signed.mp4")
    assert verdict(at) == [("success", "Signed by this installation, and unchanged since.")]
    for word in ("Google Veo 3 · veo3", "ModelsLab", "inst-1", "made (Google Veo 3 veo3)", "yes"):
        assert word in said(at), word
    assert [link.proto.query_string for link in at.get("page_link")] == [f"clip={row.id}"]


def test_file_of_a_clip_of_others(
    open_page: Open, studio: Studio, own_key: SigningKey, clip: Path, tmp_path: Path
) -> None:
    """That it is ours is told, and no way to a clip that is not this person's."""
    content_credentials.sign(clip, tmp_path / "signed.mp4", CLIP, own_key, fetched=clip)
    at = drop(open_page, tmp_path / "signed.mp4")
    assert [colour for colour, _text in verdict(at)] == ["success"]
    assert at.get("page_link") == []


def test_file_that_was_changed(
    open_page: Open, studio: Studio, own_key: SigningKey, clip: Path, tmp_path: Path
) -> None:
    """It is said before anything of what stands in it."""
    content_credentials.sign(clip, tmp_path / "signed.mp4", CLIP, own_key, fetched=clip)
    at = drop(open_page, altered(tmp_path / "signed.mp4", tmp_path / "changed.mp4"))
    [(colour, text)] = verdict(at)
    assert colour == "error"
    assert "changed after this installation signed it" in text


def test_file_of_somebody_else(open_page: Open, studio: Studio, clip: Path, tmp_path: Path) -> None:
    """Whole, and by whom nobody here knows, whatever name stands there; its words are shown as they stand."""
    loud = Provenance("g", "i", "<b>Bold</b>", "m", "<script>alert(1)</script>", CLIP.made_at)
    content_credentials.sign(clip, tmp_path / "signed.mp4", loud, new_key(), fetched=clip)
    at = drop(open_page, tmp_path / "signed.mp4")
    [(colour, text)] = verdict(at)
    assert colour == "warning"
    assert "does not know" in text
    drawn = " ".join(each.proto.body for each in at.get("html"))
    assert "<script>" not in drawn
    assert "<b>" not in drawn


def test_file_with_what_it_came_from(
    open_page: Open, studio: Studio, own_key: SigningKey, clip: Path, tmp_path: Path
) -> None:
    """The vendor's own credentials are told as where it came from."""
    fetched = signed_by_vendor(clip, tmp_path / "fetched.mp4")
    content_credentials.sign(fetched, tmp_path / "signed.mp4", CLIP, own_key, fetched=fetched)
    at = drop(open_page, tmp_path / "signed.mp4")
    assert "signed by Installation vendor · unchanged when it was fetched" in said(at)


def test_file_without_credentials(open_page: Open, studio: Studio, clip: Path) -> None:
    """That proves nothing, and the page says so."""
    [(colour, text)] = verdict(drop(open_page, clip))
    assert colour == "info"
    assert "no content credentials" in text
    assert "proves nothing" in text


def test_file_that_carries_none(open_page: Open, studio: Studio, tmp_path: Path) -> None:
    """What is no clip and no picture is refused in one sentence; after it another file is examined."""
    path = tmp_path / "notes.txt"
    path.write_text("no clip at all")
    at = drop(open_page, path)
    assert [each.value for each in at.error] == ["Only MP4, MOV, JPEG, PNG and WebP files can be checked."]
    at.file_uploader(key="verify_file").set_value(("photo.png", create_image(size=(64, 64)), "image/png")).run()
    assert not at.error
    assert [colour for colour, _text in verdict(at)] == ["info"]


def completed(studio: Studio, **values: Any) -> Generation:
    """A clip whose delivery wrote this."""
    row = studio.order(studio.project())
    return studio.complete(row, build_output(row.id, preview_key=None, **values))


def test_clip_tells_of_its_credentials(
    open_page: Open, studio: Studio, own_key: SigningKey, clip: Path, tmp_path: Path
) -> None:
    """Who signed it, or why nobody did, or that it is older than that."""
    report = content_credentials.sign(clip, tmp_path / "signed.mp4", CLIP, own_key, fetched=clip)
    told = {
        completed(studio, credentials=report.to_json()).id: f"signed by {report.signer}",
        completed(studio, unsigned_reason=Unsigned.CERTIFICATE_EXPIRED.value).id: (
            "none. The signing certificate has expired."
        ),
        completed(studio).id: "none; it was made before clips were signed",
    }
    for generation_id, words in told.items():
        at = turned_to(open_page("history", clip=generation_id), "Settings")
        assert not at.exception
        assert words in said(at)


def test_administrators_are_told_of_unsigned_clips(open_page: Open, studio: Studio) -> None:
    """How many, why the last one, and what helps; after a week no more."""
    assert [each.value for each in open_page("admin").warning] == []
    completed(studio, unsigned_reason=Unsigned.KEY_UNREADABLE.value)
    completed(studio, unsigned_reason=Unsigned.CERTIFICATE_EXPIRED.value)
    [warning] = [each.value for each in open_page("admin").warning]
    assert warning.startswith("2 clips were delivered without content credentials in the last 7 days.")
    assert "The signing certificate has expired." in warning
    assert "CREDENTIALS_KEY_FILE" in warning
    with db.write_session() as session:
        long_ago = CLIP.made_at.replace(year=2020)
        session.execute(update(Generation).values(ended_at=long_ago))
    assert [each.value for each in open_page("admin").warning] == []


@pytest.mark.parametrize(("days", "is_told"), [(-1, False), (3, True), (90, False)])
def test_administrators_are_told_of_a_certificate_that_ends(
    open_page: Open, studio: Studio, days: int, is_told: bool
) -> None:
    """A month before the end of one that they gave; the installation's own is renewed by itself."""
    given = new_key("films")
    with db.write_session() as session:
        session.add(
            SigningCertificate(
                fingerprint=given.fingerprint,
                certificates_pem=given.certificates_pem,
                expires_at=utc_now() + timedelta(days=days),
            )
        )
    warnings = [each.value for each in open_page("admin").warning]
    assert [each.startswith("The certificate that clips are signed with ends") for each in warnings] == [True] * is_told


def has_mark(workspace_id: str) -> bool:
    """Whether new clips of a workspace are marked."""
    with db.read_session() as session:
        return bool(session.scalar(select(Workspace.visible_mark).where(Workspace.id == workspace_id)))


def test_mark_is_turned_on_and_off_by_managers(open_page: Open, studio: Studio) -> None:
    """On the page of the workspace, which says what it did; a maker is shown no switch."""
    ben = create_member(db.default(), "ben@example.org", credits=0)
    me, _ben = create_team(db.default(), (studio.person, WorkspaceRole.MANAGER), (ben, WorkspaceRole.MAKER))
    at = open_page("team", workspace=me.workspace_id)
    at.session_state["team_tabs"] = "Name and credits"
    at.run()
    key = f"team_mark_{me.workspace_id}"
    for is_on in (True, False):
        at.toggle(key=key).set_value(is_on).run()
        assert not at.exception
        assert has_mark(me.workspace_id) is is_on
        assert at.toggle(key=key).value is is_on


def test_mark_of_ones_own_workspace(open_page: Open, studio: Studio) -> None:
    """Who is alone decides it, too."""
    at = open_page("team")
    at.toggle(key=f"team_mark_{studio.person.id}").set_value(True).run()
    assert has_mark(studio.person.id)
