import hashlib
import json
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import errors
from core.files.resumable_file import PartialFile

ETAG = '"version-1"'
RESOURCE = "a clip"


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """Where the file is to lie, in a folder of its own."""
    return tmp_path / "incoming" / "clip.mp4"


def part_of(target: Path) -> Path:
    """The file in the making."""
    return target.with_name("clip.mp4.part")


def note_of(target: Path) -> Path:
    """What is noted of it."""
    return target.with_name("clip.mp4.part.json")


def left_behind(target: Path) -> list[str]:
    """The files in the target's folder."""
    return sorted(path.name for path in target.parent.iterdir())


class Interrupted(errors.DownloadFailed):
    """The end of a call that a later one may go on from."""


def interrupted(target: Path, *chunks: bytes, etag: str | None = ETAG, resource: str = RESOURCE) -> None:
    """Write the chunks after what is there and be interrupted."""
    with suppress(Interrupted), PartialFile(target, resource=resource) as partial:
        if not partial.size_bytes:
            partial.restart(etag)
        for chunk in chunks:
            partial.write(chunk)
        raise Interrupted


def run(script: str, *arguments: Path, check: bool = False) -> int:
    """What a process of its own ends with."""
    root = Path(errors.__file__).parents[2]
    return subprocess.run([sys.executable, "-c", script, *arguments], cwd=root, check=check).returncode


@contextmanager
def disk_that_holds(size_bytes: int) -> Iterator[None]:
    """No file can grow beyond this: the system refuses, as it does on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@given(calls=st.lists(st.lists(st.binary(max_size=40), max_size=4), max_size=5))
def test_file_when_gone_on_with_by_many_calls(tmp_path: Path, calls: list[list[bytes]]) -> None:
    """However the bytes were spread over calls, the file and its hash are those of all bytes in their order."""
    target = tmp_path / "clip.mp4"
    target.unlink(missing_ok=True)
    whole = b"".join(b"".join(chunks) for chunks in calls)
    for chunks in calls:
        interrupted(target, *chunks)
        assert not target.exists()
    with PartialFile(target, resource=RESOURCE) as partial:
        assert (partial.size_bytes, partial.etag) == (len(whole), ETAG if whole else None)
        published = partial.publish()

    assert published == (len(whole), hashlib.sha256(whole).hexdigest())
    assert target.read_bytes() == whole
    assert left_behind(target) == ["clip.mp4"]


def test_restart_when_another_version_follows(target: Path) -> None:
    """Nothing of the old version stays, neither in the file nor in the hash, also when the new one is shorter."""
    interrupted(target, b"old " * 100)
    with PartialFile(target, resource=RESOURCE) as partial:
        partial.restart('"version-2"')
        assert (partial.size_bytes, partial.etag) == (0, '"version-2"')
        partial.write(b"new")
        published = partial.publish()

    assert published == (3, hashlib.sha256(b"new").hexdigest())
    assert target.read_bytes() == b"new"


def test_leave_when_nothing_can_go_on(target: Path) -> None:
    """Without a version or without a byte there is nothing to keep: no part stays, and no note."""
    interrupted(target, b"bytes", etag=None)
    assert left_behind(target) == []
    interrupted(target)
    assert left_behind(target) == []


@pytest.mark.parametrize(
    "end", [errors.OutputExpired(), errors.DownloadFailed(retryable=False), KeyboardInterrupt(), None]
)
def test_leave_when_no_later_call_may_go_on(target: Path, end: BaseException | None) -> None:
    """A failure that stays, an end from outside and a block that forgot to publish leave nothing, nor old bytes."""
    interrupted(target, b"first")

    def end_of_it() -> None:
        with PartialFile(target, resource=RESOURCE) as partial:
            partial.write(b"second")
            if end is not None:
                raise end

    if end is None:
        end_of_it()
    else:
        with pytest.raises(type(end)):
            end_of_it()
    assert left_behind(target) == []


def test_publish_when_the_block_fails_afterwards(target: Path) -> None:
    """A file that has its name keeps it, whatever happens next, and no note tells of a part."""
    with suppress(Interrupted), PartialFile(target, resource=RESOURCE) as partial:
        partial.restart(ETAG)
        partial.write(b"whole")
        partial.publish()
        raise Interrupted

    assert target.read_bytes() == b"whole"
    assert left_behind(target) == ["clip.mp4"]


def test_publish_when_there_is_an_older_file(target: Path) -> None:
    """The old file is there, whole, until the new one takes its place at once."""
    target.parent.mkdir()
    target.write_bytes(b"old")
    with PartialFile(target, resource=RESOURCE) as partial:
        partial.write(b"new")
        assert target.read_bytes() == b"old"
        partial.publish()
        assert target.read_bytes() == b"new"


@pytest.mark.parametrize("gone_on", [False, True], ids=["at first", "when gone on with"])
def test_part_when_the_process_dies(target: Path, *, gone_on: bool) -> None:
    """What was never noted may have holes: the next process starts fresh, though an older note had been there."""
    if gone_on:
        interrupted(target, b"noted ")
    script = (
        "import os, pathlib, sys; from core.files.resumable_file import PartialFile\n"
        f"with PartialFile(pathlib.Path(sys.argv[1]), resource={RESOURCE!r}) as partial:\n"
        "    partial.write(b'never noted')\n"
        "    os._exit(9)"
    )
    assert run(script, target) == 9
    assert left_behind(target) == ["clip.mp4.part"]

    with PartialFile(target, resource=RESOURCE) as partial:
        assert (partial.size_bytes, partial.etag) == (0, None)
        partial.write(b"fresh")
        assert partial.publish() == (5, hashlib.sha256(b"fresh").hexdigest())
    assert target.read_bytes() == b"fresh"


def test_part_when_it_is_longer_than_noted(target: Path) -> None:
    """Only what was noted is gone on from; what lies behind it goes."""
    interrupted(target, b"noted")
    with part_of(target).open("ab") as file:
        file.write(b" and a torn end")
    with PartialFile(target, resource=RESOURCE) as partial:
        partial.write(b"!")
        partial.publish()

    assert target.read_bytes() == b"noted!"


@pytest.mark.parametrize("note", [b"", b"{", b"\xff\xfe", b"null", b"[1]", b'"note"', b"{}"])
def test_part_when_its_note_is_damaged(target: Path, note: bytes) -> None:
    """A note that tells nothing is a fresh start, and it is gone with the first look."""
    interrupted(target, b"bytes")
    note_of(target).write_bytes(note)
    with PartialFile(target, resource=RESOURCE) as partial:
        assert (partial.size_bytes, partial.etag) == (0, None)
        assert left_behind(target) == ["clip.mp4.part"]


@pytest.mark.parametrize(
    "change", [{"size_bytes": 6}, {"size_bytes": -1}, {"size_bytes": "5"}, {"size_bytes": None}, {"etag": None}]
)
def test_part_when_its_note_makes_no_sense(target: Path, change: dict[str, object]) -> None:
    """Figures that cannot be, more bytes than there are among them, are not believed."""
    interrupted(target, b"bytes")
    note = json.loads(note_of(target).read_text())
    note_of(target).write_text(json.dumps(note | change))
    with PartialFile(target, resource=RESOURCE) as partial:
        assert (partial.size_bytes, partial.etag) == (0, None)


def test_part_when_it_is_of_something_else(target: Path) -> None:
    """Bytes of another source are thrown away, not mixed."""
    interrupted(target, b"theirs", resource="another clip")
    with PartialFile(target, resource=RESOURCE) as partial:
        assert partial.size_bytes == 0
        partial.write(b"ours")
        partial.publish()

    assert target.read_bytes() == b"ours"


def test_write_when_the_disk_is_full(target: Path) -> None:
    """The failure is retryable and tells the operator why; what was on disk before is gone on from when there is room.

    A torn half of the chunk that did not fit gets neither into the file nor into the hash.
    """
    with disk_that_holds(1000), pytest.raises(errors.DownloadFailed) as caught:
        interrupted(target, b"a" * 600, b"b" * 600)
    assert caught.value.retryable
    assert caught.value.detail.startswith("writing the file: ")
    assert "administrator" in str(caught.value)

    with PartialFile(target, resource=RESOURCE) as partial:
        assert (partial.size_bytes, partial.etag) == (600, ETAG)
        partial.write(b"c" * 600)
        published = partial.publish()
    whole = b"a" * 600 + b"c" * 600
    assert published == (1200, hashlib.sha256(whole).hexdigest())
    assert target.read_bytes() == whole


def test_file_when_many_want_it_at_once(target: Path) -> None:
    """Never do two hold it, however they come, publish and leave; who comes second is told so and spoils nothing."""
    inside = threading.Lock()
    refused: list[str] = []
    broken: list[str] = []

    def hold(mark: bytes, turn: int) -> None:
        with PartialFile(target, resource=RESOURCE) as partial:
            if not inside.acquire(blocking=False):
                broken.append("two at once")
                return
            partial.restart(ETAG)
            partial.write(mark * 50)
            inside.release()
            if turn % 3 == 0:
                partial.publish()
            elif turn % 3 == 1:
                raise Interrupted

    def work(mark: bytes) -> None:
        for turn in range(200):
            try:
                hold(mark, turn)
            except errors.DownloadFailed as failure:
                refused.append(failure.detail)

    threads = [threading.Thread(target=work, args=(bytes([mark]),)) for mark in b"abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert broken == []
    assert set(refused) == {"", "clip.mp4 is already being fetched"}
    assert len(set(target.read_bytes())) == 1
    assert target.stat().st_size == 50
    assert set(left_behind(target)) <= {"clip.mp4", "clip.mp4.part", "clip.mp4.part.json"}


@pytest.mark.parametrize("end", ["part.rename(target)", "part.unlink()"], ids=["published", "removed"])
def test_file_when_the_one_before_leaves_just_then(target: Path, end: str) -> None:
    """Who opened the part right before its holder was done with it begins a new one, and leaves the holder's alone."""
    target.parent.mkdir()
    target.write_bytes(b"theirs")
    script = (
        "import pathlib, sys; from core.files.resumable_file import PartialFile\n"
        "target, part = map(pathlib.Path, sys.argv[1:])\n"
        "ends = [1]\n"
        "def hook(event, _arguments):\n"
        "    if event == 'fcntl.flock' and ends:\n"
        "        ends.pop()\n"
        "        part.write_bytes(b'theirs')\n"
        f"        {end}\n"
        "sys.addaudithook(hook)\n"
        "with PartialFile(target, resource='a clip') as partial:\n"
        "    partial.write(b'ours')\n"
        "    assert not ends\n"
        "    assert (target.read_bytes(), part.read_bytes()) == (b'theirs', b'ours')\n"
        "    partial.publish()"
    )
    run(script, target, part_of(target), check=True)
    assert target.read_bytes() == b"ours"


def test_file_in_a_folder_that_cannot_be(tmp_path: Path) -> None:
    """Trouble with the disk is a retryable failure that an administrator reads about."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(errors.DownloadFailed) as caught, PartialFile(tmp_path / "file" / "clip.mp4", resource=RESOURCE):
        pass
    assert caught.value.retryable
    assert "writing the file" in caught.value.detail


def test_file_when_it_was_left_by_the_one_before(target: Path) -> None:
    """The hold ends with the block: nobody is locked out by a call that is over, or its open files."""
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(3):
        interrupted(target, b"x")
    with PartialFile(target, resource=RESOURCE) as partial:
        assert partial.size_bytes == 3
        with pytest.raises(errors.DownloadFailed, match="fetched"), PartialFile(target, resource=RESOURCE):
            pass
        assert partial.size_bytes == 3
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before
