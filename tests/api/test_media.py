import io
import zipfile
from datetime import timedelta
from urllib.parse import quote

import pytest

from core.clock import utc_now
from core.db.tables import Generation
from core.files import signed_urls
from core.ids import new_id
from core.installation import current
from tests.api.conftest import CLIP, ORIGIN, Client, refusal
from tests.factories.generations import load_generation


def test_download_is_the_file_under_a_readable_name(ana: Client) -> None:
    """The whole MP4, named after its prompt."""
    row = ana.finished(prompt="A lake, at dusk!")

    answer = ana.get(f"/download/{row.id}")

    assert (answer.status_code, answer.content) == (200, CLIP)
    assert answer.headers["content-type"] == "video/mp4"
    assert f'filename="a-lake-at-dusk-{row.id[-6:]}.mp4"' in answer.headers["content-disposition"]
    assert answer.headers["content-disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    ("wanted", "status", "content"),
    [
        ("bytes=0-9", 206, CLIP[:10]),
        ("bytes=100-", 206, CLIP[100:]),
        ("bytes=-7", 206, CLIP[-7:]),
        (f"bytes={len(CLIP)}-", 416, b""),
        ("bytes=5-2", 200, CLIP),
    ],
)
def test_download_in_parts(ana: Client, wanted: str, status: int, content: bytes) -> None:
    """A player and a broken download ask for a part of it."""
    answer = ana.get(f"/download/{ana.finished().id}", headers={"Range": wanted})

    assert (answer.status_code, answer.content) == (status, content)


def test_link_of_a_deleted_clip(ana: Client) -> None:
    """With a clip its links end, at once and not only when its files are removed."""
    row = ana.finished()
    link = ana.get(f"/generations/{row.id}").json()["generation"]["videoUrl"]
    assert ana.get(link).status_code == 200

    assert ana.send("DELETE", f"/generations/{row.id}").status_code == 200

    assert refusal(ana.get(link))[:2] == (404, "not_found")
    assert current().storage.read_bytes(row.output_key or "") == CLIP


def test_head_of_a_download(ana: Client) -> None:
    """HEAD tells the size without the bytes."""
    answer = ana.send("HEAD", f"/download/{ana.finished().id}")

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == str(len(CLIP))


def test_download_before_it_is_there(ana: Client) -> None:
    """What is not completed has no clip, and says so."""
    assert refusal(ana.get(f"/download/{ana.generate()}"))[:2] == (409, "conflict")


def test_download_of_a_lost_file(ana: Client) -> None:
    """A file that is gone from storage is not found; no empty file is served."""
    row = ana.finished()
    store = current().storage
    assert row.output_key is not None
    store.delete(row.output_key)

    assert refusal(ana.get(f"/download/{row.id}"))[:2] == (404, "not_found")


def test_signed_link(ana: Client, nobody: Client) -> None:
    """A link needs no token, shows the file in place, serves ranges and may be cached no longer than it holds."""
    link = ana.get(f"/generations/{ana.finished().id}/status").json()["status"]["videoUrl"]

    whole = nobody.get(link)
    part = nobody.get(link, headers={"Range": "bytes=0-3"})
    head = nobody.send("HEAD", link)

    assert (whole.status_code, whole.content) == (200, CLIP)
    assert whole.headers["content-disposition"] == "inline"
    assert 0 < int(whole.headers["cache-control"].partition("max-age=")[2].partition(",")[0]) <= 3600
    assert (part.status_code, part.content) == (206, CLIP[:4])
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CLIP)))


def test_link_that_was_changed(ana: Client, nobody: Client) -> None:
    """Another file, expiry or signature is refused, and so is a link without them."""
    row = ana.finished()
    link = ana.get(f"/generations/{row.id}/status").json()["status"]["videoUrl"]
    other = link.replace(row.id, new_id())
    expiry = link.partition("e=")[2].partition("&")[0]
    wrong = [
        other,
        link.replace(f"e={expiry}", f"e={int(expiry) + 900}"),
        link.replace(f"e={expiry}", "e="),
        link.replace(f"e={expiry}", "e=" + "9" * 5000),
        link.replace(f"e={expiry}", "e=" + quote("\u0663")),
        link + "x",
        link + "&n=movie.exe",
        link.partition("?")[0],
        link.partition("&s=")[0],
        link.replace("/media/videos", "/media/..%2fvideos"),
        link.replace("/media/videos", "/media/%00"),
    ]
    for address in wrong:
        assert refusal(nobody.get(address))[:2] == (403, "forbidden"), address


def archived(content: bytes) -> dict[str, bytes]:
    """Name and content of what is in a ZIP."""
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.testzip() is None
        return {name: found.read(name) for name in found.namelist()}


def test_download_of_several(ana: Client) -> None:
    """One ZIP with every clip under its name and a sheet of them; one that was never made is named inside."""
    rows = [ana.finished(prompt="a lake"), ana.finished(prompt="a hill")]
    pending = ana.generate()

    answer = ana.post("/generations/zip", json={"ids": [rows[0].id, rows[1].id, pending]})

    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].startswith('attachment; filename="clips-')
    found = archived(answer.content)
    assert found.pop("not-included.txt").decode().count("it is pending") == 1
    sheet = found.pop("clips.csv").decode()
    assert found == {f"a-lake-{rows[0].id[-6:]}.mp4": CLIP, f"a-hill-{rows[1].id[-6:]}.mp4": CLIP}
    assert [name in sheet for name in found] == [True, True]


def test_download_of_several_that_cannot_be(ana: Client, ben: Client) -> None:
    """Somebody else's clip does not exist, not even among one's own; none, too many and no ids are refused."""
    mine, theirs = ana.finished().id, ben.finished().id

    assert refusal(ana.post("/generations/zip", json={"ids": [mine, theirs]}))[:2] == (404, "not_found")
    for ids in ([], [mine] * 201, ["x"], "x"):
        assert refusal(ana.post("/generations/zip", json={"ids": ids}))[0] == 422


def test_link_to_several(ana: Client, ben: Client, nobody: Client) -> None:
    """A link to several clips needs no token, holds for a while, and gives what it was signed for and nothing else."""
    row, foreign = ana.finished(), ben.finished()
    assert ana.person is not None
    secret, now = current().settings.secret_key, utc_now()
    path = signed_urls.sign_archive(ana.person.id, [row.id, foreign.id], secret=secret, now=now)

    answer = nobody.get(ORIGIN + path)

    found = archived(answer.content)
    assert foreign.id not in found.pop("clips.csv").decode()
    assert found == {f"a-lake-at-dusk-{row.id[-6:]}.mp4": CLIP}
    old = signed_urls.sign_archive(ana.person.id, [row.id], secret=secret, now=now - timedelta(days=1))
    for wrong in (old, path + "x", path.replace("c=", "c=AAAA"), path.partition("&e=")[0], path.replace("u=", "u=x")):
        assert refusal(nobody.get(ORIGIN + wrong))[:2] == (403, "forbidden"), wrong


def is_opened(row: Generation) -> bool:
    """Whether somebody is known to have opened the clip."""
    assert current().openings.written(60)
    return load_generation(row.id).first_opened_at is not None


@pytest.mark.parametrize("way", ["download", "part", "link", "zip", "archive"])
def test_whoever_gets_the_clip_has_opened_it(ana: Client, way: str) -> None:
    """By any way to the file itself; what stands in a list is not opened by that."""
    row, other = ana.finished(), ana.finished()
    shown = ana.get("/generations").json()["generations"]
    assert not is_opened(row)
    link = next(each["videoUrl"] for each in shown if each["id"] == row.id)
    assert ana.person is not None
    archive = signed_urls.sign_archive(ana.person.id, [row.id], secret=current().settings.secret_key, now=utc_now())
    answer = {
        "download": lambda: ana.get(f"/download/{row.id}"),
        "part": lambda: ana.get(f"/download/{row.id}", headers={"Range": "bytes=0-9"}),
        "link": lambda: ana.get(link),
        "zip": lambda: ana.post("/generations/zip", json={"ids": [row.id]}),
        "archive": lambda: ana.get(f"{ORIGIN}{archive}"),
    }[way]()

    assert answer.is_success
    assert (is_opened(row), is_opened(other)) == (True, False)


def test_what_shows_no_clip_opens_none(ana: Client) -> None:
    """A poster, a HEAD, a file that is not there, and what a page loads before anybody looks."""
    row = ana.finished()
    current().storage.put_bytes(row.thumbnail_key or "", bytes(99), media_type="image/webp")
    clip = ana.get(f"/generations/{row.id}").json()["generation"]
    for answer in (
        ana.get(clip["thumbnailUrl"]),
        ana.send("HEAD", clip["videoUrl"]),
        ana.send("HEAD", f"/download/{row.id}"),
        ana.get(f"{clip['videoUrl']}&{signed_urls.AHEAD}=1"),
    ):
        assert answer.is_success
    current().storage.delete(row.output_key or "")
    assert ana.get(f"/download/{row.id}").status_code == 404

    assert not is_opened(row)
