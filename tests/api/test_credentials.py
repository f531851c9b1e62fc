import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from core import db
from core.db.tables import Generation
from core.files import content_credentials
from core.files.content_credentials import Unsigned
from core.generations import share_links, signing_keys
from core.installation import Installation, current
from tests.api.conftest import Client, refusal
from tests.api.test_share_page import Stranger
from tests.fixtures.clips import make_clip
from tests.fixtures.signing import CLIP, read_publicly, signed_by_vendor


def keep(row: Generation, **values: Any) -> None:
    """Let a row hold what its delivery would have written."""
    with db.write_session() as session:
        session.execute(update(Generation).where(Generation.id == row.id).values(**values))


def signed(client: Client, folder: Path) -> Generation:
    """A clip that was delivered with credentials, from a vendor that signs its own."""
    row = client.finished()
    fetched = signed_by_vendor(make_clip(folder / "clip.mp4"), folder / "fetched.mp4")
    key = signing_keys.for_signing(current().database, current().settings)
    report = content_credentials.sign(fetched, folder / "signed.mp4", CLIP, key, fetched=fetched)
    assert row.output_key is not None
    current().storage.delete(row.output_key)
    current().storage.put_file(row.output_key, folder / "signed.mp4", media_type="video/mp4")
    keep(row, credentials=report.to_json())
    return row


def test_credentials_of_a_signed_clip(ana: Client, ben: Client, installation: Installation, tmp_path: Path) -> None:
    """What they say, who signed them, and what the vendor had said; nobody else's business."""
    row = signed(ana, tmp_path)
    found = ana.get(f"/generations/{row.id}/credentials").json()["credentials"]
    manifest = found.pop("manifest")
    assert found == {"state": "signed", "reason": None}
    assert manifest["validation"] == "valid"
    assert manifest["signedByThisInstallation"] is True
    assert (manifest["madeByAi"], manifest["modelId"], manifest["modelName"]) == (True, "veo3", "Google Veo 3")
    assert (manifest["provider"], manifest["madeAt"]) == ("ModelsLab", "2026-11-29T07:00:00Z")
    assert manifest["installationId"] == CLIP.installation_id
    [action] = manifest["actions"]
    assert (action["action"], action["digitalSourceType"]) == ("c2pa.opened", "trainedAlgorithmicMedia")
    [ingredient] = manifest["ingredients"]
    assert (ingredient["signer"], ingredient["relationship"]) == ("Installation vendor", "parentOf")
    assert (ingredient["validation"], ingredient["problems"]) == ("valid", [])
    assert refusal(ben.get(f"/generations/{row.id}/credentials"))[:2] == (404, "not_found")


@pytest.mark.parametrize("reason", Unsigned)
def test_credentials_of_a_clip_that_could_not_be_signed(ana: Client, reason: Unsigned) -> None:
    """It says so, with the reason in a sentence."""
    row = ana.finished()
    keep(row, unsigned_reason=reason.value)
    found = ana.get(f"/generations/{row.id}/credentials").json()["credentials"]
    assert found == {"state": "unsigned", "reason": str(reason.message), "manifest": None}


def test_credentials_of_a_clip_without_any(ana: Client) -> None:
    """One from before clips were signed, and one that is not there yet, have none."""
    for generation_id in (ana.finished().id, ana.generate()):
        found = ana.get(f"/generations/{generation_id}/credentials").json()["credentials"]
        assert found == {"state": "none", "reason": None, "manifest": None}


def test_every_way_out_carries_the_credentials(ana: Client, installation: Installation, tmp_path: Path) -> None:
    """Download, link, archive of several, and what strangers see and take by a share link are the signed file."""
    row = signed(ana, tmp_path)
    assert ana.person is not None
    with db.write_session() as session:
        made = share_links.make(session, ana.person, [row.id], password_hash=None, allow_download=True)
    shared = f"/share/{made.token}/media/1"
    link = ana.get(f"/generations/{row.id}").json()["generation"]["videoUrl"]
    archive = ana.post("/generations/zip", json={"ids": [row.id]}).content
    with zipfile.ZipFile(io.BytesIO(archive)) as clips:
        name, sheet = clips.namelist()
        assert sheet == "clips.csv"
        ways = {"archive": clips.read(name)}
    stranger = Stranger()
    ways |= {
        "download": ana.get(f"/download/{row.id}").content,
        "link": ana.get(link).content,
        "share page": stranger.get(f"{shared}/video").content,
        "share link": stranger.get(f"{shared}/download").content,
    }
    for way, content in ways.items():
        path = tmp_path / "got.mp4"
        path.write_bytes(content)
        assert read_publicly(path)["state"] in ("Valid", "Trusted"), way


def test_mark_of_a_workspace(ana: Client, ben: Client) -> None:
    """Managers turn it on and off, in their own workspace, too; orders take it as it stands."""
    assert ana.person is not None
    for workspace_id in (ana.team(), ana.person.id):
        at = Client(ana.person, ana.token, workspace_id)
        assert at.get(f"/workspaces/{workspace_id}").json()["workspace"]["visibleMark"] is False
        for is_on in (True, False):
            changed = at.send("PATCH", f"/workspaces/{workspace_id}", json={"visibleMark": is_on})
            assert changed.json()["workspace"]["visibleMark"] is is_on
            order = at.generate()
            with db.read_session() as session:
                assert session.get_one(Generation, order).visible_mark is is_on
        refused = ben.send("PATCH", f"/workspaces/{workspace_id}", json={"visibleMark": True})
        assert refusal(refused)[:2] == (404, "not_found")


def test_mark_is_for_managers_alone(ana: Client, ben: Client) -> None:
    """Who makes clips in a team does not decide what they show."""
    team = ana.team()
    assert ben.person is not None
    added = ana.post(f"/workspaces/{team}/members", json={"email": ben.person.email, "role": "maker"})
    assert added.status_code == 201
    refused = ben.send("PATCH", f"/workspaces/{team}", json={"visibleMark": True})
    assert refusal(refused)[0] == 403
