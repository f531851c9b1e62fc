import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command

from core import backup, db, operator_cli
from core.db import Database, copies, identity, schema
from core.db.enums import Status
from core.db.tables import User
from core.installation import Installation, build
from core.worker import recovery
from core.workspaces.access import Member
from tests import postgres
from tests.factories import installations
from tests.factories.generations import create_completed, create_generation, load_generation
from tests.factories.users import create_member


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with credits, in an installation that has been started and holds a file."""
    recovery.at_start(installation)
    installation.storage.put_bytes("images/ab/one.jpg", b"a picture", media_type="image/jpeg")
    return create_member(db.default(), credits=1000)


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What was printed on standard output and error."""
    printed = capsys.readouterr()
    return printed.out, printed.err


def test_backup_and_restore(
    installation: Installation, ana: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Database, media and key come back as they were; what was there is kept; what waited is uncertain."""
    waits = create_generation(db.default(), ana)
    copy = tmp_path / "copy"
    assert operator_cli.main(["backup", str(copy)]) == 0
    later = create_generation(db.default(), ana)
    key = installation.settings.data_dir / "secret.key"
    before = key.read_text()
    key.write_text("another one")
    installation.storage.delete("images/ab/one.jpg")
    installation.close()
    capsys.readouterr()
    assert operator_cli.main(["restore", str(copy)]) == 0

    assert "1 orders were waiting" in said(capsys)[0]
    assert key.read_text() == before
    names = {path.name.partition(".replaced")[0] for path in installation.settings.data_dir.glob("*.replaced-*")}
    assert names == {"studio.db", "secret.key"}
    again = installations.reopen()
    assert again.storage.read_bytes("images/ab/one.jpg") == b"a picture"
    assert load_generation(waits.id).status is Status.UNCERTAIN
    with again.database.read_session() as session:
        assert session.get(type(later), later.id) is None
    assert recovery.at_start(again).was_put_back is False
    for path in (copy, copy / "studio.db", copy / "secret.key", key):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_copy_is_whole_while_others_write(installation: Installation, ana: Member, tmp_path: Path) -> None:
    """A copy that is made while somebody has begun to write is the state before, and can be opened by itself."""
    create_completed(db.default(), ana)
    with db.write_session() as session:
        session.add(User(email="late@example.org", name="late"))
        session.flush()
        backup.create(installation.settings, tmp_path / "copy")

    with closing(sqlite3.connect(f"file:{tmp_path / 'copy' / 'studio.db'}?mode=ro", uri=True)) as copy:
        assert copy.execute("SELECT count(*) FROM users").fetchone() == (1,)
        assert copy.execute("SELECT place FROM installation").fetchone() == (identity.COPY,)


def test_backup_when_it_cannot_be_made(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder that is there, and one inside the media, are refused; nothing half-done is left behind."""
    inside = installation.settings.data_dir / "media" / "copy"
    for target in (tmp_path, inside):
        assert operator_cli.main(["backup", str(target)]) == 2
        assert "not there yet" in said(capsys)[1]
    (installation.settings.data_dir / "studio.db").write_bytes(b"no database at all" * 99)
    with pytest.raises(sqlite3.DatabaseError):
        backup.create(installation.settings, tmp_path / "copy")
    assert not list(tmp_path.glob("copy*"))


def test_restore_when_it_cannot_be_done(
    installation: Installation, ana: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """While anything has the database open, and from a folder that is no copy, nothing is touched."""
    backup.create(installation.settings, tmp_path / "copy")
    later = create_generation(db.default(), ana)
    assert operator_cli.main(["restore", str(tmp_path)]) == 2
    assert "no copy" in said(capsys)[1]
    assert operator_cli.main(["restore", str(tmp_path / "copy")]) == 2
    assert "running" in said(capsys)[1]

    assert load_generation(later.id).status is Status.PENDING


def test_restore_over_a_damaged_database(installation: Installation, ana: Member, tmp_path: Path) -> None:
    """What a copy is for: a database that cannot be read any more is replaced, side files and all."""
    backup.create(installation.settings, tmp_path / "copy")
    installation.close()
    data = installation.settings.data_dir
    (data / "studio.db").write_bytes(b"no database at all" * 99)
    (data / "studio.db-wal").write_bytes(b"nonsense")
    backup.restore(installation.settings, tmp_path / "copy")
    again = build(installation.settings)

    with again.database.read_session() as session:
        assert session.get(User, ana.id) is not None
    again.close()


def test_restore_that_dies_before_its_end(installation: Installation, ana: Member) -> None:
    """A start after a restore that was killed knows that the database may be a copy, and says so once."""
    waits = create_generation(db.default(), ana)
    with pytest.raises(RuntimeError), recovery.putting_back(installation.settings):
        raise RuntimeError  # as one that is refused, which leaves everything as it was
    assert not recovery.at_start(installation).was_put_back
    killed = recovery.putting_back(installation.settings)
    killed.__enter__()

    assert recovery.at_start(installation).was_put_back
    assert not recovery.at_start(installation).was_put_back
    assert load_generation(waits.id).status is Status.UNCERTAIN


def test_restored_is_said(installation: Installation, ana: Member, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever put the database back by other means says so, and what waits is uncertain."""
    waits = create_generation(db.default(), ana)
    assert operator_cli.main(["restored"]) == 0

    assert load_generation(waits.id).status is Status.UNCERTAIN
    assert "1 orders were waiting" in said(capsys)[0]


def test_migrate_by_command(installation: Installation, ana: Member, capsys: pytest.CaptureFixture[str]) -> None:
    """The schema is brought up to date on its own, a copy of the file as it was being kept beside it."""
    newest = schema.newest_revision()
    assert operator_cli.main(["migrate", "--check"]) == 0
    with db.default().engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "0005")
    installation.close()
    assert operator_cli.main(["migrate", "--check"]) == 2
    assert "0005" in said(capsys)[1]
    assert operator_cli.main(["migrate"]) == 0
    assert f"was at 0005 and is at {newest}" in said(capsys)[0]

    kept = installation.settings.data_dir / f"studio.db.before-{newest}"
    with closing(sqlite3.connect(kept)) as copy:
        assert copy.execute("SELECT version_num FROM alembic_version").fetchone() == ("0005",)
        assert copy.execute("SELECT id FROM users").fetchall() == [(ana.id,)]


def test_migrate_when_no_copy_can_be_made(installation: Installation) -> None:
    """Where the file cannot be copied first, its schema is left as it is."""
    with db.default().engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "0005")
    (installation.settings.data_dir / f"studio.db.before-{schema.newest_revision()}").mkdir()
    with pytest.raises(OSError, match="directory"):
        db.default().migrate()

    with db.read_connection() as connection:
        assert schema.revision(connection) == "0005"


def test_installation_has_one_name_in_all_copies(installation: Installation, ana: Member, tmp_path: Path) -> None:
    """Two copies of an older version that are brought up to date apart are the same installation."""
    with db.default().engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "0005")
    file = installation.settings.data_dir / "studio.db"
    names = set()
    for place in (tmp_path / "one.db", tmp_path / "two.db"):
        copies.copy_sqlite(file, place)
        database = Database(f"sqlite:///{place}")
        database.migrate()
        with database.read_session() as session:
            names.add(identity.of(session))
        database.dispose()

    assert len(names) == 1


@pytest.mark.only_postgresql
def test_backup_and_restore_on_postgresql(
    site: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PostgreSQL's own programs copy it and put it back; without them a sentence says what to do."""
    recovery.at_start(site)
    person = create_member(db.default(), credits=1000)
    waits = create_generation(db.default(), person)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert operator_cli.main(["backup", str(tmp_path / "copy")]) == 2
    assert "pg_dump is not there" in said(capsys)[1]
    monkeypatch.setenv("PATH", str(postgres.programs()))
    assert operator_cli.main(["backup", str(tmp_path / "copy")]) == 0
    later = create_generation(db.default(), person)
    site.close()
    assert operator_cli.main(["restore", str(tmp_path / "copy")]) == 0

    installations.reopen()
    assert load_generation(waits.id).status is Status.UNCERTAIN
    with db.read_session() as session:
        assert session.get(type(later), later.id) is None
    shutil.rmtree(tmp_path / "copy")
