import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import update

from core import db, installation, operator_cli
from core.db.tables import Generation
from core.files import storage
from core.installation import Installation
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.generations import create_completed
from tests.factories.users import create_member
from tests.fixtures import object_stores
from tests.fixtures.object_stores import SeaweedFS

IMAGE = f"images/2d/{'2d' * 32}.jpg"
"""Its name is not the SHA-256 of what is put under it."""


@pytest.fixture(scope="module")
def seaweedfs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeaweedFS]:
    """A server that runs; a test that stops it starts it again."""
    server = SeaweedFS(tmp_path_factory.mktemp("seaweedfs"))
    yield server
    server.stop()


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody with credits."""
    return create_member(db.default(), credits=100_000)


def clips(site: Installation, ana: Member, count: int) -> dict[str, bytes]:
    """Completed clips in storage, by their keys."""
    made = {}
    for _number in range(count):
        row = create_completed(db.default(), ana)
        assert row.output_key is not None
        made[row.output_key] = os.urandom(50_000)
        site.storage.put_bytes(row.output_key, made[row.output_key], media_type="video/mp4")
        note_sum(row.output_key, hashlib.sha256(made[row.output_key]).hexdigest())
    return made


def note_sum(key: str, sha256: str) -> None:
    """What the row of a clip says of its file."""
    with db.write_session() as session:
        facts = {"sha256": sha256}
        session.execute(update(Generation).where(Generation.output_key == key).values(output_facts=facts))


def content(there: storage.Storage) -> dict[str, bytes]:
    """All that lies there."""
    return {found.key: there.read_bytes(found.key) for found in there.files()}


def test_move_to_a_folder(site: Installation, ana: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything is there afterwards and still here; once more copies nothing but what is missing or half there."""
    made = clips(site, ana, 5)
    target = (tmp_path / "moved").as_uri()
    move = ["storage", "move", site.settings.storage_url, target]
    assert operator_cli.main(move) == 0
    said = capsys.readouterr().out
    assert "5 files: 5 copied" in said
    assert f"New files still go to {site.settings.storage_url}" in said
    there = storage.open_storage(target)
    assert content(there) == content(site.storage) == made

    half, lost = list(made)[:2]
    there.put_bytes(half, b"half", media_type="video/mp4")
    there.delete(lost)
    made |= clips(site, ana, 1)
    assert operator_cli.main(move) == 0
    assert "6 files: 3 copied" in capsys.readouterr().out
    assert content(there) == made
    assert operator_cli.main(move) == 0
    assert "6 files: 0 copied (0 MB), 6 there already" in capsys.readouterr().out


def test_move_of_damaged_files(
    site: Installation, ana: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not what was once stored is copied as it is, and named; the command says that not all is well."""
    made = clips(site, ana, 2)
    first = next(iter(made))
    site.storage.put_bytes(IMAGE, b"not of this name", media_type="image/jpeg")
    note_sum(first, "0" * 64)
    target = (tmp_path / "moved").as_uri()
    assert operator_cli.main(["storage", "move", site.settings.storage_url, target]) == 2
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.out.splitlines() if "damaged where" in line] == [IMAGE, first]
    assert "Not all files are sound" in said.err
    assert content(storage.open_storage(target)) == content(site.storage)


def test_move_and_verify(site: Installation, ana: Member, tmp_path: Path) -> None:
    """With a further look what has the right size and other bytes is copied again."""
    (key,) = clips(site, ana, 1)
    there = storage.open_storage((tmp_path / "moved").as_uri())
    there.put_bytes(key, bytes(50_000), media_type="video/mp4")
    move = ["storage", "move", site.settings.storage_url, (tmp_path / "moved").as_uri()]
    assert operator_cli.main(move) == 0
    assert content(there) == {key: bytes(50_000)}
    assert operator_cli.main([*move, "--verify"]) == 0
    assert content(there) == content(site.storage)


@pytest.mark.parametrize(
    ("target", "wrong"), [(None, "the same place"), ("ftp://x/y", "no address"), ("s3://X", "name a bucket")]
)
def test_move_that_cannot_be(
    site: Installation, capsys: pytest.CaptureFixture[str], target: str | None, wrong: str
) -> None:
    """A place that is none, or the same, is refused with a sentence."""
    try:
        code = operator_cli.main(["storage", "move", site.settings.storage_url, target or site.settings.storage_url])
    except SystemExit as refused:
        code = int(str(refused.code))
    assert code == 2
    assert wrong in capsys.readouterr().err


def test_check_of_a_folder(site: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """It says where files lie and that it works, and leaves nothing."""
    assert operator_cli.main(["storage", "check"]) == 0
    said = capsys.readouterr().out
    assert site.settings.storage_url in said
    assert "written, read, listed, copied and removed" in said
    assert content(site.storage) == {}


def test_sweep_says_what_it_would_do(site: Installation, ana: Member, capsys: pytest.CaptureFixture[str]) -> None:
    """By itself the command lists and removes nothing."""
    (kept,) = clips(site, ana, 1)
    lost = kept.replace(kept.split("/")[1], "0" * 8)
    for key in (kept, lost):
        path = site.storage.local_path(key)
        assert path is not None
        site.storage.put_bytes(key, b"x", media_type="video/mp4")
        os.utime(path, (0, 0))
    assert operator_cli.main(["storage", "sweep"]) == 0
    said = capsys.readouterr().out
    assert f"  {lost}\n" in said
    assert "2 files, of which 1 have no row" in said
    assert "Nothing was removed" in said
    assert len(content(site.storage)) == 2
    assert operator_cli.main(["storage", "sweep", "--remove"]) == 0
    assert "1 were removed" in capsys.readouterr().out
    assert list(content(site.storage)) == [kept]


@pytest.mark.process
def test_move_into_a_bucket_and_back(
    ana: Member,
    seaweedfs: SeaweedFS,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The product goes on in the bucket with all its files; a store that is away is said, and the rest is copied."""
    site = installation.current()
    made = clips(site, ana, 8)
    for name, value in seaweedfs.variables.items():
        monkeypatch.setenv(name, value)
    folder, bucket = site.settings.storage_url, seaweedfs.url()
    seaweedfs.stop()
    assert operator_cli.main(["storage", "move", folder, bucket]) == 2
    assert "cannot be kept or read just now" in capsys.readouterr().err
    seaweedfs.start()
    assert operator_cli.main(["storage", "move", folder, bucket]) == 0
    monkeypatch.setenv("STORAGE_URL", bucket)
    monkeypatch.setenv("MEDIA_LINKS", "direct")
    again = installations.reopen()
    assert content(again.storage) == made
    capsys.readouterr()
    assert operator_cli.main(["storage", "check"]) == 0
    assert f"straight from {seaweedfs.endpoint}/{object_stores.BUCKET}/" in capsys.readouterr().out
    back = (tmp_path / "back").as_uri()
    assert operator_cli.main(["storage", "move", bucket, back]) == 0
    assert content(storage.open_storage(back)) == made
