import os
import resource
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core import errors
from core.files import storage
from tests.fixtures import object_stores
from tests.fixtures.object_stores import Moto, SeaweedFS

KEY = f"images/ab/{'ab' * 32}.jpg"
VIDEO = "videos/7d0c6d30-3c1b-4c7e-9a53-0c3a4f4e0001/0123456789abcdef.mp4"

STORES = [
    "local",
    pytest.param("seaweedfs", marks=pytest.mark.process),
    pytest.param("moto", marks=pytest.mark.process),
]
"""Every kind of storage; each has to pass every test that takes `store`."""


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], SeaweedFS | Moto]]:
    """Servers of object stores by name, each started when it is first asked for."""
    running: dict[str, SeaweedFS | Moto] = {}

    def server(name: str) -> SeaweedFS | Moto:
        if name not in running:
            running[name] = Moto() if name == "moto" else SeaweedFS(tmp_path_factory.mktemp("seaweedfs"))
        return running[name]

    yield server
    for each in running.values():
        each.stop()


@pytest.fixture(params=STORES)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, servers: Callable[[str], SeaweedFS | Moto]
) -> storage.Storage:
    """An empty storage of each kind."""
    if request.param == "local":
        return storage.open_storage((tmp_path / "media files").as_uri())
    return object_stores.opened(servers(request.param))


def test_put_bytes_then_read(store: storage.Storage) -> None:
    """What is put is read again, and its description is right."""
    info = store.put_bytes(KEY, b"picture", media_type="image/jpeg")
    assert store.read_bytes(KEY) == b"picture"
    assert store.exists(KEY)
    assert store.stat(KEY) == info
    assert (info.key, info.size_bytes, info.media_type) == (KEY, 7, "image/jpeg")
    assert info.etag.startswith('"')
    assert info.etag.endswith('"')
    assert info.modified_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - info.modified_at) < timedelta(minutes=1)


def test_put_file_keeps_the_source(store: storage.Storage, tmp_path: Path) -> None:
    """A file is copied: the caller's own stays where it is."""
    source = tmp_path / "clip.mp4"
    source.write_bytes(os.urandom(700_000))
    info = store.put_file(VIDEO, source, media_type="video/mp4")
    assert info.size_bytes == 700_000
    assert store.read_bytes(VIDEO) == source.read_bytes()


def test_put_again_changes_nothing(store: storage.Storage) -> None:
    """The same content under the same key keeps its ETag; other content gets another."""
    first = store.put_bytes(KEY, b"one", media_type="image/jpeg")
    assert store.put_bytes(KEY, b"one", media_type="image/jpeg") == first
    assert store.put_bytes(KEY, b"two", media_type="image/jpeg").etag != first.etag
    assert store.read_bytes(KEY) == b"two"


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, None, slice(None)), (5, 300_000, slice(5, 300_005)), (599_999, None, slice(599_999, None)), (7, 0, slice(0))],
)
def test_stream_gives_the_range(store: storage.Storage, start: int, length: int | None, expected: slice) -> None:
    """Any part of a file can be read, in chunks of a bearable size; past the end comes nothing."""
    data = os.urandom(600_000)
    store.put_bytes(VIDEO, data, media_type="video/mp4")
    chunks = list(store.stream(VIDEO, start=start, length=length))
    assert b"".join(chunks) == data[expected]
    assert max(map(len, chunks), default=0) <= storage.CHUNK_BYTES
    assert list(store.stream(VIDEO, start=600_000, length=10)) == []


def test_missing_file_is_not_found(store: storage.Storage) -> None:
    """Looking at or reading what is not there raises NotFound; deleting it is fine."""
    for look in (store.stat, store.read_bytes, lambda key: next(iter(store.stream(key)))):
        with pytest.raises(errors.NotFound):
            look(KEY)
    assert not store.exists(KEY)
    store.delete(KEY)


def test_delete_removes(store: storage.Storage) -> None:
    """A deleted file is gone, and its neighbour is not."""
    neighbour = KEY.replace("abab", "abac", 1)
    for key in (KEY, neighbour):
        store.put_bytes(key, b"x", media_type="image/jpeg")
    store.delete(KEY)
    assert not store.exists(KEY)
    assert store.exists(neighbour)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "picture.jpg",
        "../etc/passwd.jpg",
        "images/../../x.jpg",
        "/images/x.jpg",
        "images//x.jpg",
        "images/x",
        "images/x.html",
        "images/X.jpg",
        "images/x.jpg\n",
        "images/.hidden.jpg",
        "images/x.y.jpg",
        "images\\x.jpg",
        "images/x.jpg/",
        "images/%2e%2e/x.jpg",
        "images/é.jpg",
        "images/x\0.jpg",
        f"images/{'a' * 81}.jpg",
    ],
)
def test_bad_key_is_refused_everywhere(store: storage.Storage, tmp_path: Path, key: str) -> None:
    """No method touches anything for what is not a key."""
    source = tmp_path / "source"
    source.write_bytes(b"x")
    calls: list[Callable[[], object]] = [
        lambda: store.put_bytes(key, b"x", media_type="image/jpeg"),
        lambda: store.put_file(key, source, media_type="image/jpeg"),
        lambda: store.read_bytes(key),
        lambda: store.stream(key),
        lambda: store.stat(key),
        lambda: store.exists(key),
        lambda: store.delete(key),
        lambda: store.delete_many([key]),
        lambda: store.direct_link(key, now=datetime.now(UTC), lifetime_seconds=60),
    ]
    for call in calls:
        with pytest.raises(ValueError, match="Not a storage key"):
            call()
    assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_media_type_must_be_the_suffix(store: storage.Storage) -> None:
    """A web page cannot be stored under the name of a picture."""
    with pytest.raises(ValueError, match="cannot hold"):
        store.put_bytes(KEY, b"<html>", media_type="text/html")
    assert not store.exists(KEY)


def test_put_at_the_same_time_leaves_one_whole_file(store: storage.Storage) -> None:
    """Eight writers of one key: it holds the whole content of one of them."""
    contents = [bytes([number]) * 300_000 for number in range(8)]
    threads = [
        threading.Thread(target=store.put_bytes, args=(VIDEO, data), kwargs={"media_type": "video/mp4"})
        for data in contents
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read_bytes(VIDEO) in contents


def test_local_put_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """A source that cannot be read leaves neither a file nor a draft."""
    local = storage.LocalStorage(tmp_path / "media")
    with pytest.raises(FileNotFoundError):
        local.put_file(VIDEO, tmp_path / "missing.mp4", media_type="video/mp4")
    assert [path for path in (tmp_path / "media").rglob("*") if path.is_file()] == []


def test_delete_many_removes_all_of_them(store: storage.Storage) -> None:
    """More than one call of a store takes, some of which are not there; what is not named stays."""
    keys = [f"videos/{number:04}/x.webp" for number in range(1_203)]
    kept = "videos/kept/x.webp"
    first = keys[0]
    store.put_bytes(first, b"x", media_type="image/webp")
    store.copy_many([(first, key) for key in [*keys[1:25], keys[-1], kept]])
    store.delete_many(keys)
    store.delete_many([])
    assert [found.key for found in store.files()] == [kept]


def test_files_go_on_behind_a_place(store: storage.Storage) -> None:
    """All are listed as `stat` describes them; who stopped at one goes on with those behind it."""
    keys = ["assets/ab/x.mp3", "images/ab/y.jpg", "images/b/a.jpg", "images/b/b.jpg", "videos/a/x.mp4"]
    assert list(store.files()) == []
    for key in keys:
        store.put_bytes(key, key.encode(), media_type=storage.media_type_of(key))
    found = [each.key for each in store.files()]
    assert sorted(found) == keys
    assert list(store.files()) == [store.stat(key) for key in found]
    for place, key in enumerate(found):
        assert [each.key for each in store.files(after=key)] == found[place + 1 :]


def test_copies_are_files_of_their_own(store: storage.Storage) -> None:
    """A copy stays when its source goes; what is not there cannot be copied."""
    store.put_bytes(KEY, b"picture", media_type="image/jpeg")
    copy = KEY.replace("images/", "images/further/", 1)
    store.copy_many([(KEY, copy)])
    store.delete(KEY)
    assert store.read_bytes(copy) == b"picture"
    with pytest.raises(errors.NotFound):
        store.copy_many([(KEY, copy)])


def test_delete_below_leaves_the_neighbours(store: storage.Storage) -> None:
    """All below a folder goes, and nothing of one whose name begins alike."""
    for key in ("exports/ab/1.zip", "exports/ab/deep/2.zip", "exports/abc/3.zip"):
        store.put_bytes(key, b"x", media_type="application/zip")
    store.delete_below("exports/ab")
    store.delete_below("exports/none")
    assert [found.key for found in store.files()] == ["exports/abc/3.zip"]


def test_as_file_is_a_copy(store: storage.Storage) -> None:
    """What decoders want is there for as long as the block, whole, also where it takes several requests."""
    data = os.urandom(5_000_001)
    store.put_bytes(VIDEO, data, media_type="video/mp4")
    with store.as_file(VIDEO) as copy:
        assert copy.read_bytes() == data
    assert not copy.exists()
    assert b"".join(store.stream(VIDEO, start=2_000_000, length=2_500_000)) == data[2_000_000:4_500_000]


def test_large_file_in_parts(store: storage.Storage, tmp_path: Path) -> None:
    """A file of more than one part comes back as it went, and the same again changes nothing."""
    source = tmp_path / "clip.mp4"
    source.write_bytes(os.urandom(20_000_003))
    info = store.put_file(VIDEO, source, media_type="video/mp4")
    assert store.put_file(VIDEO, source, media_type="video/mp4") == info
    assert b"".join(store.stream(VIDEO)) == source.read_bytes()
    store.check()


@contextmanager
def full_disk(free_bytes: int) -> Iterator[None]:
    """Files of this process can grow no further than this."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_local_put_on_a_full_disk(tmp_path: Path) -> None:
    """What does not fit is said to be unavailable for now, leaves nothing, and harms nothing that is there."""
    local = storage.LocalStorage(tmp_path / "media")
    source = tmp_path / "clip.mp4"
    source.write_bytes(bytes(300_000))
    local.put_bytes(VIDEO, b"before", media_type="video/mp4")
    puts: list[Callable[[], object]] = [
        lambda: local.put_bytes(VIDEO, bytes(300_000), media_type="video/mp4"),
        lambda: local.put_file(VIDEO, source, media_type="video/mp4"),
    ]
    for put in puts:
        with full_disk(100_000), pytest.raises(errors.StorageUnavailable) as caught:
            put()
        assert (caught.value.http_status, caught.value.retryable) == (503, True)
    assert local.read_bytes(VIDEO) == b"before"
    assert len([path for path in (tmp_path / "media").rglob("*") if path.is_file()]) == 1


def test_local_copy_on_a_full_disk(tmp_path: Path) -> None:
    """A copy for a decoder that finds no room is said to be unavailable for now."""
    local = storage.LocalStorage(tmp_path / "media")
    local.put_bytes(VIDEO, bytes(300_000), media_type="video/mp4")
    with full_disk(100_000), pytest.raises(errors.StorageUnavailable), local.as_file(VIDEO, folder=tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["media"]


def test_local_when_its_place_is_no_folder(tmp_path: Path) -> None:
    """A place that cannot be used is not the same as a file that is missing."""
    (tmp_path / "media").write_text("a file where the folder should be")
    local = storage.LocalStorage(tmp_path / "media")
    calls: list[Callable[[], object]] = [
        lambda: local.put_bytes(VIDEO, b"x", media_type="video/mp4"),
        lambda: local.read_bytes(VIDEO),
        lambda: local.stat(VIDEO),
        lambda: next(iter(local.stream(VIDEO))),
    ]
    for call in calls:
        with pytest.raises(errors.StorageUnavailable):
            call()


def test_open_storage_is_one_a_process(tmp_path: Path) -> None:
    """The same address gives the same storage, with its connections where it has some."""
    url = (tmp_path / "media").as_uri()
    assert storage.open_storage(url) is storage.open_storage(url)


@pytest.mark.parametrize("url", ["ftp://host/x", "http://host/x", "/srv/media", "file://media", "file://host/x"])
def test_open_storage_refuses_other_addresses(url: str) -> None:
    """An address that cannot be served stops the start with a sentence."""
    with pytest.raises(ValueError, match=r"file:///"):
        storage.open_storage(url)
