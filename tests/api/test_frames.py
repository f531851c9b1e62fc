from pathlib import Path

from core.installation import current
from tests.api.conftest import Client, refusal
from tests.fixtures.clips import brightening


def test_last_frame_when_the_clip_is_here(ana: Client, ben: Client, tmp_path: Path) -> None:
    """The last picture is an image of one's own that generate takes; the same clip gives the same path."""
    row = ana.finished()
    assert row.output_key is not None
    store = current().storage
    store.delete(row.output_key)
    store.put_file(row.output_key, brightening(tmp_path / "clip.mp4"), media_type="video/mp4")
    first, second = (ana.post(f"/generations/{row.id}/last-frame") for _ in range(2))

    assert first.status_code == 200, first.text
    assert first.json() == second.json()
    assert (first.json()["width"], first.json()["height"]) == (320, 180)
    assert ana.generate(startImagePath=first.json()["filePath"])
    assert refusal(ben.post(f"/generations/{row.id}/last-frame"))[0] == 404


def test_last_frame_when_the_clip_is_not_here(ana: Client) -> None:
    """What is still under way cannot be extended."""
    assert refusal(ana.post(f"/generations/{ana.generate()}/last-frame"))[:2] == (409, "conflict")


def test_frame_of_any_moment(ana: Client, ben: Client, tmp_path: Path) -> None:
    """A script takes the picture of a time as an image that generate takes; only a time within reason is one."""
    row = ana.finished()
    assert row.output_key is not None
    store = current().storage
    store.delete(row.output_key)
    store.put_file(row.output_key, brightening(tmp_path / "clip.mp4"), media_type="video/mp4")
    first, same, other = (
        ana.post(f"/generations/{row.id}/frame", json={"seconds": seconds}).json() for seconds in (0.25, 0.25, 0.5)
    )

    assert first == same
    assert first["filePath"] != other["filePath"]
    assert first["fileName"].endswith("-frame-0.250s.jpg")
    assert ana.generate(startImagePath=first["filePath"])
    for seconds in (-1, 601, "soon", None):
        assert refusal(ana.post(f"/generations/{row.id}/frame", json={"seconds": seconds}))[:2] == (
            422,
            "invalid_request",
        )
    assert refusal(ben.post(f"/generations/{row.id}/frame", json={"seconds": 0.25}))[0] == 404
    assert refusal(ana.post(f"/generations/{ana.generate()}/frame", json={"seconds": 0}))[:2] == (409, "conflict")
