"""The library over REST: files, names for them, and orders that say these names."""

import io
from typing import Any

import av
import pytest
from sqlalchemy import select

from core import db
from core.db.tables import Workspace
from core.installation import current
from tests.api.conftest import Client, picture, refusal
from tests.factories.models import able_demo
from tests.fixtures.clips import ClipSpec, make_clip


def sent(data: bytes, file_name: str = "lake.png", **fields: str) -> dict[str, Any]:
    """A multipart body."""
    return {"files": {"file": (file_name, data, "application/octet-stream")}, "data": fields}


def tone(seconds: float = 2.0, container: str = "wav") -> bytes:
    """A sound of that length, with a title in its file."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as sink:
        sink.metadata["title"] = "my street"
        out = sink.add_stream("pcm_s16le", rate=48_000, layout="mono")
        for _ in range(round(seconds * 10)):
            frame = av.AudioFrame(format="s16", layout="mono", samples=4800)
            frame.sample_rate = 48_000
            frame.planes[0].update(bytes(9600))
            sink.mux(out.encode(frame))
        sink.mux(out.encode(None))
    return file.getvalue()


def made(client: Client, data: bytes, file_name: str = "lake.png", **fields: str) -> dict[str, Any]:
    """A new asset."""
    answer = client.post("/assets", **sent(data, file_name, **fields))
    assert answer.status_code == 201, answer.text
    asset: dict[str, Any] = answer.json()["asset"]
    return asset


def group(client: Client, name: str = "mira", *assets: dict[str, Any], kind: str = "character") -> dict[str, Any]:
    """A new group of these assets."""
    items = [{"assetId": each["id"]} for each in assets]
    answer = client.post("/asset-groups", json={"kind": kind, "name": name, "items": items})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["assetGroup"]
    return found


def test_image_into_the_library(ana: Client) -> None:
    """It has the path that an upload of the same image has, counts once, and can be seen, renamed and put away."""
    asset = made(ana, picture(), name="Mira")
    assert (
        ana.post("/upload-image", files={"file": ("a.png", picture())}, data={"type": "start"}).json()["filePath"]
        == (asset["filePath"])
    )
    assert (asset["kind"], asset["name"], asset["fileName"], asset["width"]) == ("image", "Mira", "lake.png", 64)
    assert (asset["seconds"], asset["clipCount"], asset["groups"], asset["mine"]) == (None, 0, [], True)
    assert Client().get(asset["url"]).status_code == 200
    assert ana.get(f"/assets/{asset['id']}").json()["asset"]["id"] == asset["id"]
    assert ana.get("/assets?kind=image&search=MIR").json()["assets"][0]["id"] == asset["id"]
    assert ana.get("/assets?kind=video").json()["assets"] == []

    changed = ana.send("PATCH", f"/assets/{asset['id']}", json={"name": "Front", "archived": True}).json()["asset"]

    assert (changed["name"], changed["archived"]) == ("Front", True)
    assert ana.get("/assets").json()["assets"] == []
    assert made(ana, picture())["archived"] is False
    with db.read_session() as session:
        assert session.scalars(select(Workspace.storage_bytes)).all().count(asset["fileSize"]) == 1


def test_video_into_the_library(ana: Client, tmp_path: Any) -> None:
    """It is an MP4 of our own with a still picture; what stood beside its pictures is gone."""
    clip = make_clip(tmp_path / "clip.mov", ClipSpec(container="mov", width=320, height=180))
    asset = made(ana, clip.read_bytes() + b"\0\0\0\x18freeGPS 6.2S 106.8E", "walk.mov")

    assert (asset["kind"], asset["width"], asset["height"]) == ("video", 320, 180)
    assert asset["seconds"] == pytest.approx(2.0, abs=0.1)
    stored = current().storage.read_bytes(asset["filePath"])
    assert b"GPS" not in stored
    assert stored[4:8] == b"ftyp"
    assert Client().get(asset["posterUrl"]).headers["content-type"] == "image/webp"
    assert made(ana, clip.read_bytes() + b"\0\0\0\x18freeGPS 6.2S 106.8E")["id"] == asset["id"]


def test_sound_into_the_library(ana: Client) -> None:
    """It is an MP3 without the title that the file had."""
    asset = made(ana, tone(), "voice.wav")
    assert (asset["kind"], asset["width"], asset["posterUrl"]) == ("sound", None, None)
    assert asset["seconds"] == pytest.approx(2.0, abs=0.1)
    assert b"my street" not in current().storage.read_bytes(asset["filePath"])


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "media_rejected"),
        (b"<svg onload=alert(1)>", 422, "media_rejected"),
        (b"RIFF0000WAVEnothing", 422, "media_rejected"),
        (b"\0\0\0\x18ftypisom" + bytes(500), 422, "media_rejected"),
        (b"ID3" + bytes(11 * 1024**2), 413, "too_large"),
        (b"\x89PNG" + bytes(11 * 1024**2), 413, "too_large"),
        (bytes(33 * 1024**2), 413, "too_large"),
    ],
    ids=["empty", "markup", "no sound", "no video", "long sound", "large image", "larger than anything"],
)
def test_file_that_is_refused(ana: Client, data: bytes, status: int, code: str) -> None:
    """What is none of the three, or too large for what it is, is refused and not kept."""
    answered = ana.post("/assets", **sent(data))
    assert (answered.status_code, answered.json()["error"]["code"]) == (status, code)
    assert ana.get("/assets").json()["assets"] == []


def test_sound_that_is_too_long(ana: Client) -> None:
    """What a model can refer to is short."""
    status, code, _ = refusal(ana.post("/assets", **sent(tone(16.5), "long.wav")))
    assert (status, code) == (422, "media_rejected")


def test_names(ana: Client) -> None:
    """A name is made, found, changed and deleted; taken ones, odd ones and strange assets are refused."""
    asset = made(ana, picture())
    body = {"kind": "character", "name": "Mira", "items": [{"assetId": asset["id"], "role": "subject"}]}
    answers = [ana.post("/asset-groups", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    first, again = (answer.json()["assetGroup"] for answer in answers)
    assert (first["id"], first["mention"], first["items"][0]["role"]) == (again["id"], "@Mira", "subject")
    assert ana.get(f"/assets/{asset['id']}").json()["asset"]["groups"] == ["Mira"]
    assert refusal(ana.post("/asset-groups", json={"kind": "style", "name": "MIRA"}))[:2] == (409, "conflict")
    assert refusal(ana.post("/asset-groups", json={"kind": "style", "name": "red shoe"}))[0] == 422
    strange = {"kind": "style", "name": "x", "items": [{"assetId": "0" * 36}]}
    assert list(refusal(ana.post("/asset-groups", json=strange))[2]) == ["items.0.assetId"]

    changed = ana.send("PATCH", f"/asset-groups/{first['id']}", json={"kind": "product", "items": [], "archived": True})

    assert changed.json()["assetGroup"]["items"] == []
    assert ana.get("/asset-groups").json()["assetGroups"] == []
    assert len(ana.get("/asset-groups?archived=true&kind=product&search=mir").json()["assetGroups"]) == 1
    assert ana.send("DELETE", f"/asset-groups/{first['id']}").status_code == 200
    assert ana.get(f"/asset-groups/{first['id']}").status_code == 404


def test_order_by_name(ana: Client) -> None:
    """The answer says what a name brought and what was left as text; the clip shows what the model reads."""
    asset = made(ana, picture())
    group(ana, "Mira", asset)
    with able_demo():
        body = ana.order(prompt="@mira and @somebody, a@b.c")
        answers = [ana.post("/generate", json=body, headers={"Idempotency-Key": "k"}).json() for _ in range(2)]
        batch = ana.post("/generate-batch", json={"generations": [body]}).json()["generations"][0]
    used = [{"name": "Mira", "references": [{"filePath": asset["filePath"], "kind": "image", "role": "subject"}]}]
    for found in (*(answer["generation"] for answer in answers), batch):
        assert (found["used"], found["leftAsText"]) == (used, ["@somebody"])
    clip = ana.get(f"/generations/{batch['id']}").json()["generation"]
    assert clip["prompt"] == "Mira (image 1) and @somebody, a@b.c"
    assert clip["references"] == used[0]["references"]
    assert ana.get(f"/assets/{asset['id']}").json()["asset"]["clipCount"] == 2
    assert len(ana.get(f"/generations?assetId={asset['id']}").json()["generations"]) == 2
    assert ana.get("/generations?assetId=" + "0" * 36).status_code == 404


def test_order_by_a_name_that_does_not_fit(ana: Client) -> None:
    """A model that takes no references, or fewer, refuses before anything is paid."""
    group(ana, "mira", made(ana, picture()))
    status, _, fields = refusal(ana.post("/generate", json=ana.order(prompt="@mira")))
    assert (status, list(fields)) == (422, ["prompt"])
    status, _, fields = refusal(ana.post("/generate", json=ana.order(prompt="@mirra")))
    assert "@mira" in fields["prompt"]


def test_deleted_asset(ana: Client, ben: Client) -> None:
    """It leaves library and names; another person's id is not there."""
    asset = made(ana, picture())
    found = group(ana, "mira", asset)
    assert ben.send("DELETE", f"/assets/{asset['id']}").status_code == 404
    assert ana.send("DELETE", f"/assets/{asset['id']}").status_code == 200
    assert ana.get(f"/assets/{asset['id']}").status_code == 404
    assert ana.get(f"/asset-groups/{found['id']}").json()["assetGroup"]["items"] == []
