"""What a database may be when a process starts: each thing it cannot be is one sentence that names the setting."""

import sqlite3
import sqlite3.dbapi2
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import text

from core import config
from core.config import BadSetting, Settings
from core.db.opening import open_database


def settings(folder: Path, address: str = "") -> Settings:
    """Settings with a data folder and, where given, another database."""
    given = {"DATA_DIR": str(folder)} | ({"DATABASE_URL": address} if address else {})
    return config.load(given, providers=[])


def refusal(given: Settings) -> str:
    """The sentence that opening its database ends with."""
    with pytest.raises(BadSetting) as refused:
        open_database(given)
    sentence = str(refused.value)
    assert sentence.startswith("DATABASE_URL: ")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    "name", ["a?b", "a#b", "a%b", "a%20b", "a b", "a%%b", "Größe ü", "東京", "a&b=c", "a;b", "[a]", "*", "a:b", "'a'"]
)
def test_open_when_the_folder_has_signs_of_an_address(tmp_path: Path, name: str) -> None:
    """Whatever the folder is called, the database lies in it and nowhere else."""
    database = open_database(settings(tmp_path / name))
    database.dispose()

    assert (tmp_path / name / "studio.db").exists()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    open_database(settings(tmp_path / name)).dispose()


def test_open_when_the_address_is_written_by_hand(tmp_path: Path) -> None:
    """Signs of an address in a file's name are written with percent, as in any other address."""
    open_database(settings(tmp_path, f"sqlite:///{quote(str(tmp_path / 'a?b.db'))}")).dispose()
    assert (tmp_path / "a?b.db").exists()


def execute(path: Path, statement: str) -> None:
    """Change a database as another program would, with nothing left beside it."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


def damage(path: Path) -> None:
    """Write over what lies behind the first page."""
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xa5" * 4096
    path.write_bytes(data)


def halve(path: Path) -> None:
    """Lose the second half of the file."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def lose_a_table(path: Path) -> None:
    """As a copy of some of the tables has it."""
    execute(path, "DROP TABLE webhook_deliveries")


def make_newer(path: Path) -> None:
    """As a later version leaves it."""
    execute(path, "UPDATE alembic_version SET version_num = '9999'")


def make_foreign(path: Path) -> None:
    """A database of another program that has a table of the same name."""
    path.unlink()
    execute(path, "CREATE TABLE users (name TEXT)")


def make_folder(path: Path) -> None:
    """A folder where the file should be."""
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (damage, "is damaged"),
        (halve, "is damaged"),
        (lambda path: path.write_bytes(b"\x00\xff" * 5000), "is damaged, or no database of SQLite"),
        (lose_a_table, "is not whole: it has no table 'webhook_deliveries'"),
        (make_newer, "is of a newer version"),
        (make_foreign, "is of another program: it has a table 'users'"),
        (make_folder, "is a folder"),
    ],
)
def test_open_when_the_file_is_spoiled(tmp_path: Path, spoil: Callable[[Path], object], said: str) -> None:
    """A file that is not the database it was, or none of ours, is said to be so, and what it holds is not touched."""
    open_database(settings(tmp_path)).dispose()
    path = tmp_path / "studio.db"
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    spoil(path)
    before = path.read_bytes()[100:] if path.is_file() else b""

    assert said in refusal(settings(tmp_path))
    assert (path.read_bytes()[100:] if path.is_file() else b"") == before


def test_open_when_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk on which the tables find no room is said to be full."""
    original = sqlite3.dbapi2.connect

    def small(*arguments: Any, **options: Any) -> sqlite3.Connection:
        made: sqlite3.Connection = original(*arguments, **options)
        made.execute("PRAGMA max_page_count = 8")  # SQLite says of a file of this size what it says of a full disk
        return made

    monkeypatch.setattr(sqlite3.dbapi2, "connect", small)
    assert "the disk is full" in refusal(settings(tmp_path))


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("sqlite://", "kept in memory"),
        ("sqlite:///:memory:", "kept in memory"),
        ("sqlite+aiosqlite:///x.db", "no address of a database we can use"),
        ("sqlite:////no/such/folder/studio.db", "its folder is not there"),
        ("postgresql+asyncpg://me:hunter2@db/x", "no address of a database we can use"),
        ("postgresql://me:hunter2@127.0.0.1:1/x", "does not answer or refuses us"),
        ("postgres://me:hunter2@127.0.0.1:1/x", "does not answer or refuses us"),
        ("postgresql://me:hunter2@127.0.0.1:port/x", "no address of a database we can use"),
        ("postgresql://me:hunter2@no-such-host.invalid/x", "does not answer or refuses us"),
        ("postgresql://me:hunter2@127.0.0.1:1/x?nonsense=hunter2", "does not answer or refuses us"),
    ],
)
def test_open_when_the_address_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, said: str
) -> None:
    """A server that is away, a name that nobody has, a driver that there is not: one sentence, no password."""
    monkeypatch.chdir(tmp_path)
    sentence = refusal(settings(tmp_path / "data", address))

    assert said in sentence
    assert "hunter2" not in sentence


@pytest.mark.parametrize("address", ["mysql://me:hunter2@db/x", "foo", "postgres//x", "oracle://db", "SQLITE:///x"])
def test_settings_when_the_database_is_of_another_kind(tmp_path: Path, address: str) -> None:
    """Only kinds that we are made for are let in, whatever drivers there are."""
    with pytest.raises(BadSetting, match=r"^DATABASE_URL: ") as refused:
        settings(tmp_path, address)
    assert "hunter2" not in str(refused.value)


def test_database_when_it_is_new(tmp_path: Path) -> None:
    """The file and those beside it can be read by their owner alone, whatever mask the process has."""
    database = open_database(settings(tmp_path))
    with database.write_session() as session:
        session.execute(text("CREATE TABLE more (x)"))
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("studio.db*")}
    database.dispose()

    assert "studio.db-wal" in modes
    assert set(modes.values()) == {0o600}
