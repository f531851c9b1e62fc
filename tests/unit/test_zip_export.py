import csv
import io
import itertools
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.db.enums import Status
from core.db.tables import Generation
from core.files.storage import LocalStorage
from core.generations import clip_names, zip_export
from core.generations.clip_sheet import COLUMNS, DescribedClip

AT = datetime(2026, 11, 21, 9, 30, 4, tzinfo=UTC)


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    """An empty storage."""
    return LocalStorage(tmp_path / "media")


def row(number: int, **changes: object) -> Generation:
    """A completed clip."""
    values: dict[str, object] = {
        "id": f"0198-{number:06}",
        "prompt": "A lake",
        "status": Status.COMPLETED,
        "output_key": f"videos/{number}/clip.mp4",
        "created_at": AT,
        "ended_at": AT,
        "model_id": "veo3",
        "model_name": "Google Veo 3",
        "provider": "modelslab",
        "resolution": "720p",
        "aspect_ratio": "16:9",
        "duration_seconds": 8,
        "credits": 2500,
    }
    return Generation(**(values | changes))


def put(storage: LocalStorage, *rows: Generation) -> None:
    """Store a clip for each, different ones."""
    for clip in rows:
        storage.put_bytes(str(clip.output_key), clip.id.encode() * 1000, media_type="video/mp4")


def packed(storage: LocalStorage, *rows: Generation) -> zipfile.ZipFile:
    """What a reader finds in the archive of these."""
    return zipfile.ZipFile(io.BytesIO(b"".join(zip_export.stream(storage, entries(*rows)))))


def entries(*rows: Generation, names: str = "{words}-{id}", folder: str = "") -> list[zip_export.ZipEntry]:
    """These clips of a project, to be packed."""
    clips = [DescribedClip(each, "Lakes", "Ana", ["a", "b"]) for each in rows]
    return zip_export.entries(clips, clip_names.parse(names), folder=folder)


def test_archive_is_read_by_others(storage: LocalStorage) -> None:
    """Every clip is in it, whole, not deflated, under its readable name and time; checksums hold."""
    rows = [row(1), row(2, prompt="Città / di notte")]
    put(storage, *rows)

    with packed(storage, *rows) as found:
        assert found.testzip() is None
        assert found.namelist() == ["a-lake-000001.mp4", "città-di-notte-000002.mp4", "clips.csv"]
        assert [found.read(name) for name in found.namelist()[:2]] == [clip.id.encode() * 1000 for clip in rows]
        assert {entry.compress_type for entry in found.infolist()} == {zipfile.ZIP_STORED}
        assert found.infolist()[0].date_time == (2026, 11, 21, 9, 30, 4)


def test_archive_when_some_are_not_there(storage: LocalStorage) -> None:
    """A lost file and a clip that was never made are named inside, with the reason; the others are whole."""
    rows = [row(1), row(2), row(3, status=Status.FAILED, output_key=None)]
    put(storage, rows[1])

    with packed(storage, *rows) as found:
        assert found.namelist() == ["a-lake-000002.mp4", "clips.csv", zip_export.MISSING_NAME]
        told = found.read(zip_export.MISSING_NAME).decode()
    assert "a-lake-000001.mp4: its file is not in storage" in told
    assert "a-lake-000003.mp4: it is failed" in told


def test_archive_when_names_are_the_same(storage: LocalStorage) -> None:
    """Two clips of one name are both in it."""
    rows = [row(1), row(2, id="0199-000001")]
    put(storage, *rows)

    with packed(storage, *rows) as found:
        assert found.namelist() == ["a-lake-000001.mp4", "a-lake-000001-2.mp4", "clips.csv"]


def test_archive_of_nothing(storage: LocalStorage) -> None:
    """An archive of no clips is one that can be opened."""
    with packed(storage) as found:
        assert found.namelist() == []


def test_archive_is_packed_while_it_is_sent(storage: LocalStorage) -> None:
    """Sixty megabytes pass through two of memory."""
    rows = [row(number) for number in range(6)]
    for clip in rows:
        storage.put_bytes(str(clip.output_key), bytes(10_000_000), media_type="video/mp4")
    tracemalloc.start()
    sent = sum(len(chunk) for chunk in zip_export.stream(storage, entries(*rows)))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sent > 60_000_000
    assert peak_bytes < 2_000_000


class Breaking(LocalStorage):
    """A storage whose disk fails in the middle of a file."""

    def stream(self, key: str, *, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        yield b"half"
        raise OSError("disk")


def test_archive_when_a_file_breaks_off(tmp_path: Path) -> None:
    """What breaks off is not passed off as a whole archive."""
    storage = Breaking(tmp_path / "media")
    clip = row(1)
    put(storage, clip)
    received = bytearray()
    with pytest.raises(OSError, match="disk"):
        received.extend(itertools.chain.from_iterable(zip_export.stream(storage, entries(clip))))
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(received))


def test_archive_when_a_clip_is_huge(storage: LocalStorage, tmp_path: Path) -> None:
    """What an old ZIP cannot say is said in the new way (ZIP64)."""
    clip = row(1)
    put(storage, clip)
    huge = 5 * 2**30
    with (tmp_path / "media" / str(clip.output_key)).open("r+b") as file:
        file.truncate(huge)  # a file with a hole: it takes no room
    start = next(zip_export.stream(storage, entries(clip)))

    assert int.from_bytes(start[4:6], "little") == 45, "the version that a reader needs is the one with ZIP64"


def test_archive_says_what_each_clip_is(storage: LocalStorage) -> None:
    """A spreadsheet beside the clips names each by its file; what a person wrote is never a formula there."""
    bad = "=HYPERLINK(1)"
    facts = {"sha256": "ab" * 32, "size_bytes": 10_000}
    rows = [row(1, prompt=bad, output_facts=facts, kept=False), row(2, status=Status.FAILED, output_key=None)]
    put(storage, rows[0])

    with packed(storage, *rows) as found:
        content = found.read("clips.csv")
    head, *lines = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    assert content.startswith(b"\xef\xbb\xbf")
    assert tuple(head) == COLUMNS
    [told] = [dict(zip(head, line, strict=True)) for line in lines]
    assert told["prompt"] == f"'{bad}"
    assert (
        told
        | {
            "file_name": "hyperlink-1-000001.mp4",
            "made_at": "2026-11-21T09:30:04Z",
            "model": "Google Veo 3",
            "seconds": "8",
            "price_credits": "2500",
            "price_idr": "125000",
            "project": "Lakes",
            "person": "Ana",
            "verdict": "rejected",
            "tags": "a, b",
            "sha256": "ab" * 32,
        }
        == told
    )


def test_archive_in_a_folder(storage: LocalStorage) -> None:
    """One of several lies in a folder of its own, so that all can be unpacked into one place; its sheet needs none."""
    clip = row(1)
    put(storage, clip)
    packed_bytes = b"".join(zip_export.stream(storage, entries(clip, folder="part-2/"), folder="part-2/"))

    with zipfile.ZipFile(io.BytesIO(packed_bytes)) as found:
        assert found.namelist() == ["part-2/a-lake-000001.mp4", "part-2/clips.csv"]
        assert b"\r\na-lake-000001.mp4," in found.read("part-2/clips.csv")
