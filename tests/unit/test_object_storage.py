import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core import errors, storage_settings
from core.files import presigned, storage
from core.storage_settings import StoreAccess
from tests.fixtures import object_stores
from tests.fixtures.object_stores import Moto, SeaweedFS

VIDEO = "videos/7d0c6d30-3c1b-4c7e-9a53-0c3a4f4e0001/0123456789abcdef.mp4"
NOW = datetime(2026, 11, 30, 10, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """A server that runs; a test that stops it starts it again."""
    server = SeaweedFS(tmp_path_factory.mktemp("seaweedfs"))
    yield server
    server.stop()


def test_signature_is_the_one_of_the_documentation() -> None:
    """Amazon's own example of a signed link ("Authenticating Requests: Using Query Parameters") comes out."""
    signer = presigned.Signer("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "us-east-1")
    link = signer.link(
        "https://examplebucket.s3.amazonaws.com/test.txt",
        now=datetime(2013, 5, 24, tzinfo=UTC),
        lifetime_seconds=86_400 - 900,
        answer={},
    )
    expected = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    assert parse_qs(urlsplit(link).query)["X-Amz-Signature"] == [expected]


def test_links_are_the_same_for_a_quarter_of_an_hour() -> None:
    """A browser finds what it has kept; each lasts as long as is asked for, at least; no secret is in them."""
    access = StoreAccess((("AWS_ACCESS_KEY_ID", "id"), ("AWS_REGION", "eu-west-1"), ("AWS_SECRET_ACCESS_KEY", "hush")))
    store = storage.open_storage("s3://clips-of-ours/media", access)
    begun = NOW.replace(minute=15)

    def link(minutes: float) -> str:
        made = store.direct_link(VIDEO, now=begun + timedelta(minutes=minutes), lifetime_seconds=7200)
        assert made is not None
        return made

    assert len({link(minutes) for minutes in (0, 5, 14.99)}) == 1
    assert link(15) != link(0)
    query = parse_qs(urlsplit(link(0)).query)
    assert query["X-Amz-Date"] == ["20261130T101500Z"]
    assert int(query["X-Amz-Expires"][0]) >= 7200 + 15 * 60
    assert link(0).startswith(f"https://clips-of-ours.s3.eu-west-1.amazonaws.com/media/{VIDEO}?")
    assert store.browsers_place == "https://clips-of-ours.s3.eu-west-1.amazonaws.com/media/"
    assert "hush" not in link(0) + repr(access)


@pytest.mark.parametrize(
    ("url", "access", "place"),
    [
        ("s3://dots.in.it", {}, "https://s3.us-east-1.amazonaws.com/dots.in.it/"),
        ("s3://clips/a/b/", {"AWS_ENDPOINT_URL": "http://10.0.0.5:8333/"}, "http://10.0.0.5:8333/clips/a/b/"),
        ("s3://clips", {"AWS_DEFAULT_REGION": "eu-west-1"}, "https://clips.s3.eu-west-1.amazonaws.com/"),
        (
            "az://clips/x",
            {"AZURE_STORAGE_ACCOUNT_NAME": "us", "AZURE_STORAGE_ACCOUNT_KEY": "aGVsbG8="},
            "https://us.blob.core.windows.net/clips/x/",
        ),
    ],
)
def test_place_for_browsers(url: str, access: dict[str, str], place: str) -> None:
    """Where links lead is known without asking; what is said of the browsers' own way goes before."""
    known = tuple(sorted(access.items()))
    assert storage.open_storage(url, StoreAccess(known)).browsers_place == place
    public = storage.open_storage(url, StoreAccess(known, "https://files.example.org")).browsers_place
    assert public == f"https://files.example.org{url.split(':/')[1].rstrip('/')}/"


def test_a_folder_needs_no_client() -> None:
    """Who keeps files in a folder never loads what buckets need, neither at the start nor later."""
    code = (
        "import sys; from core.files import storage; from core import installation;"
        "storage.open_storage('file:///nowhere');"
        "assert not [name for name in sys.modules if name.startswith(('obstore', 'core.files.object_'))]"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.process
@pytest.mark.parametrize("kind", ["seaweedfs", "moto"])
def test_direct_links_lead_to_the_file(kind: str, seaweedfs: SeaweedFS) -> None:
    """A browser gets the file, a range of it, and a download by its name; not without the signature, nor another."""
    server: SeaweedFS | Moto = Moto() if kind == "moto" else seaweedfs
    try:
        store = object_stores.opened(server)
        store.put_bytes(VIDEO, bytes(range(256)) * 10, media_type="video/mp4")
        now = datetime.now(UTC)
        shown = store.direct_link(VIDEO, now=now, lifetime_seconds=3600)
        named = store.direct_link(VIDEO, now=now, lifetime_seconds=3600, download_name="Über, uns?.mp4")
        assert shown is not None
        assert named is not None
        with httpx.Client(trust_env=False) as browser:
            answer = browser.get(shown)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "video/mp4")
            assert answer.content == bytes(range(256)) * 10
            assert "max-age" in answer.headers["cache-control"]
            part = browser.get(shown, headers={"Range": "bytes=256-299"})
            assert (part.status_code, part.content) == (206, bytes(range(44)))
            saved = browser.get(named).headers["content-disposition"]
            assert saved.endswith("filename*=UTF-8''%C3%9Cber%2C%20uns-.mp4")
            if kind == "seaweedfs":  # moto looks at no signature
                assert browser.get(shown.partition("?")[0]).status_code == 403
                assert browser.get(shown.replace("0123456789abcdef", "0123456789abcdee")).status_code == 403
                assert browser.put(shown, content=b"x").status_code == 403
    finally:
        if isinstance(server, Moto):
            server.stop()


@pytest.mark.process
def test_links_of_a_lent_key(seaweedfs: SeaweedFS) -> None:
    """Without a key of ours the client signs: for showing alone, and the same for a quarter of an hour, too."""
    store = object_stores.opened(seaweedfs)
    store.put_bytes(VIDEO, b"x", media_type="video/mp4")
    store._signer = None  # type: ignore[attr-defined]  # as if a role of the machine had the key
    now = datetime.now(UTC)
    link = store.direct_link(VIDEO, now=now, lifetime_seconds=3600)
    assert link is not None
    assert httpx.get(link, trust_env=False).content == b"x"
    assert store.direct_link(VIDEO, now=now, lifetime_seconds=3600) == link
    assert store.direct_link(VIDEO, now=now, lifetime_seconds=3600, download_name="x.mp4") is None


@pytest.mark.process
def test_check_says_what_is_wrong(seaweedfs: SeaweedFS) -> None:
    """A bucket that is not there, or a key that is refused, is told apart from a store that is away."""
    storage.open_storage(seaweedfs.url(), seaweedfs.access).check()
    with pytest.raises(storage.UnusableStorage, match="Make the bucket first"):
        storage.open_storage("s3://no-such-bucket/x", seaweedfs.access).check()
    wrong = StoreAccess(tuple(sorted((seaweedfs.variables | {"AWS_SECRET_ACCESS_KEY": "another"}).items())))
    with pytest.raises(storage.UnusableStorage, match="refuses our keys"):
        storage.open_storage(seaweedfs.url(), wrong).check()


@pytest.mark.process
def test_store_that_is_away(seaweedfs: SeaweedFS, tmp_path: Path) -> None:
    """Every act says that files cannot be kept or read now, and all is there when the store is."""
    store = object_stores.opened(seaweedfs)
    store.put_bytes(VIDEO, b"x" * 3_000_000, media_type="video/mp4")
    begun = store.stream(VIDEO)
    next(begun)
    source = tmp_path / "clip.mp4"
    source.write_bytes(b"y")
    other = VIDEO.replace("abcdef", "000000")
    seaweedfs.stop()
    try:
        acts = [
            lambda: store.put_bytes(other, b"y", media_type="video/mp4"),
            lambda: store.put_file(other, source, media_type="video/mp4"),
            lambda: store.read_bytes(VIDEO),
            lambda: list(begun),
            lambda: next(store.stream(VIDEO)),
            lambda: store.stat(VIDEO),
            lambda: store.exists(VIDEO),
            lambda: store.delete(VIDEO),
            lambda: store.delete_many([VIDEO, other]),
            lambda: store.delete_below("videos"),
            lambda: store.copy_many([(VIDEO, other)]),
            lambda: list(store.files()),
            store.check,
        ]
        for act in acts:
            with pytest.raises(errors.StorageUnavailable) as caught:
                act()
            assert caught.value.detail
        assert store.answers() is False
        assert store.direct_link(VIDEO, now=NOW, lifetime_seconds=60)
    finally:
        seaweedfs.start()
    assert store.read_bytes(VIDEO) == b"x" * 3_000_000
    assert not store.exists(other)


@pytest.mark.parametrize(
    ("variables", "wrong"),
    [
        ({"STORAGE_URL": "s3://"}, "STORAGE_URL"),
        ({"STORAGE_URL": "s3://Clips/x"}, "STORAGE_URL"),
        ({"STORAGE_URL": "s3://key:secret@clips"}, "STORAGE_URL"),
        ({"STORAGE_URL": "s3://clips/../x"}, "STORAGE_URL"),
        ({"STORAGE_URL": "s3://clips?region=x"}, "STORAGE_URL"),
        ({"MEDIA_LINKS": "direct"}, "MEDIA_LINKS=direct needs a store"),
        ({"MEDIA_LINKS": "straight"}, "MEDIA_LINKS"),
        ({"STORAGE_URL": "s3://clips", "AWS_ACCESS_KEY_ID": "x"}, "set together"),
    ],
)
def test_settings_that_cannot_be(tmp_path: Path, variables: dict[str, str], wrong: str) -> None:
    """What cannot be meant stops the start with a sentence that shows no secret."""
    from core import config

    with pytest.raises(config.BadSetting, match=wrong) as refused:
        config.load({"DATA_DIR": str(tmp_path), **variables})
    assert "secret" not in str(refused.value)


def test_settings_of_a_bucket(tmp_path: Path) -> None:
    """The store's own variables are handed on, and what is secret of them is kept out of logs."""
    from core import config

    given = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "hush hush", "AWS_PROFILE": "not ours"}
    found = config.load({"DATA_DIR": str(tmp_path), "STORAGE_URL": "s3://clips/media", **given})
    access = storage_settings.access(found)
    assert (access.get("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"), access.get("AWS_PROFILE")) == ("id", "")
    assert "hush hush" in found.secrets
    assert "hush" not in repr(found)
    assert storage_settings.folder_of(found.storage_url) is None


@pytest.mark.process
def test_probe_of_a_store_that_hangs(seaweedfs: SeaweedFS) -> None:
    """Who asks whether it answers is told soon, also when it takes the connection and says nothing."""
    store = object_stores.opened(seaweedfs)
    assert store.answers() is True
    store = object_stores.opened(seaweedfs)
    with seaweedfs.silent():
        assert store.answers() is False
