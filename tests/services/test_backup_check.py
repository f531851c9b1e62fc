import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from alembic import command

from core import backup, db, operator_cli
from core.clock import utc_now
from core.db import copies, schema
from core.db.enums import Stage, Status
from core.installation import Installation
from core.worker import recovery
from core.workspaces.access import Member
from tests import postgres
from tests.factories.generations import (
    DISPATCHED,
    SUBMITTING,
    WAITING,
    advance,
    create_completed,
    create_generation,
    load_generation,
)
from tests.factories.users import create_member


@pytest.fixture
def ana(installation: Installation) -> Member:
    """Somebody with credits, in an installation that has been started."""
    recovery.at_start(installation)
    return create_member(db.default(), credits=1000)


def create_stored(installation: Installation, person: Member) -> str:
    """A completed clip whose file lies where its row says; its key."""
    key = str(create_completed(db.default(), person).output_key)
    installation.storage.put_bytes(key, b"a clip", media_type="video/mp4")
    return key


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    capsys.readouterr()
    code = operator_cli.main(arguments)
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_backup_check_of_a_sound_copy(
    installation: Installation, ana: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is restored elsewhere and audited, its newest event is told, and neither it nor what runs is touched."""
    create_stored(installation, ana)
    waits = create_generation(db.default(), ana)
    copy = tmp_path / "copy"
    backup.create(installation.settings, copy)
    before = (copy / "studio.db").read_bytes()
    code, told, refused = run(capsys, "backup-check", str(copy))

    assert (code, refused) == (0, "")
    assert "2 clips, the newest event of 20" in told
    assert "BROKEN" not in told
    assert told.splitlines()[-1] == "Every rule holds."
    assert (copy / "studio.db").read_bytes() == before
    assert load_generation(waits.id).status is Status.PENDING


def test_backup_check_when_a_file_is_missing(
    installation: Installation, ana: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clip whose file the copy lacks is named, though the installation itself has it."""
    key = create_stored(installation, ana)
    copy = tmp_path / "copy"
    backup.create(installation.settings, copy)
    (copy / "media" / key).unlink()
    code, told, refused = run(capsys, "backup-check", str(copy))

    assert code == 2
    assert "BROKEN" in told
    assert "audit" in refused


def test_backup_check_of_a_file_that_other_means_have_restored(
    installation: Installation, ana: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Books that do not add up there are found; the files are those of the installation."""
    create_stored(installation, ana)
    restored = tmp_path / "restored.db"
    copies.copy_sqlite(installation.settings.data_dir / "studio.db", restored)
    assert run(capsys, "backup-check", str(restored))[0] == 0
    with closing(sqlite3.connect(restored)) as connection, connection:
        connection.execute("UPDATE accounts SET available_credits = available_credits + 1")
    code, told, _refused = run(capsys, "backup-check", str(restored))

    assert code == 2
    assert told.count("BROKEN") >= 1


def test_backup_check_of_an_older_schema(
    installation: Installation, ana: Member, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy of an earlier version is brought up to date in the scratch place only."""
    create_generation(db.default(), ana)
    with db.default().engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "0005")
    copy = tmp_path / "copy"
    backup.create(installation.settings, copy)
    assert run(capsys, "backup-check", str(copy))[0] == 0

    with closing(sqlite3.connect(copy / "studio.db")) as kept:
        assert kept.execute("SELECT version_num FROM alembic_version").fetchone() == ("0005",)


@pytest.mark.parametrize(("content", "why"), [(None, "no copy"), (b"no database at all" * 99, "not a database")])
def test_backup_check_of_what_is_no_copy(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, why: str
) -> None:
    """A folder without a copy, and a file that is no database, are refused with a sentence."""
    source = tmp_path / "source"
    source.mkdir() if content is None else source.write_bytes(content)
    code, told, refused = run(capsys, "backup-check", str(source))

    assert (code, told) == (2, "")
    assert why in refused


@pytest.mark.only_postgresql
def test_backup_check_on_postgresql(
    site: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dump is restored into a database beside, which is gone afterwards; one restored elsewhere is only read."""
    recovery.at_start(site)
    create_stored(site, create_member(db.default(), credits=1000))
    monkeypatch.setenv("PATH", str(postgres.programs()))
    backup.create(site.settings, tmp_path / "copy")
    code, told, refused = run(capsys, "backup-check", str(tmp_path / "copy"))
    assert (code, refused) == (0, "")
    assert "1 clips" in told
    address = site.settings.database_url
    with psycopg.connect(address.replace("+psycopg", ""), autocommit=True) as connection:
        names = [name for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall()]
        assert not [name for name in names if "_check_" in name]

    code, told, refused = run(capsys, "backup-check", address)
    assert (code, refused) == (0, "")
    with db.default().engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "0036")
    assert run(capsys, "backup-check", address)[0] == 2


def test_distrust_of_a_span(installation: Installation, ana: Member, capsys: pytest.CaptureFixture[str]) -> None:
    """What waits from before may have been sent; what is being sent, has been sent, or was ordered later goes on."""
    waits, is_next, is_sent, was_sent = (create_generation(db.default(), ana) for _ in range(4))
    advance(db.default(), is_next.id, DISPATCHED)
    advance(db.default(), is_sent.id, DISPATCHED, SUBMITTING)
    until = utc_now()
    advance(db.default(), was_sent.id, DISPATCHED, SUBMITTING, WAITING, submitted_at=utc_now(), provider_job_id="job-7")
    later = create_generation(db.default(), ana)
    since = (until - timedelta(minutes=1)).isoformat()
    code, told, _lines = run(capsys, "distrust", "--since", since, "--until", until.isoformat())

    assert code == 0
    assert told.startswith("2 orders")
    assert f"{was_sent.id}  demo  job job-7" in told
    assert [load_generation(one.id).status for one in (waits, is_next)] == [Status.UNCERTAIN] * 2
    assert load_generation(is_sent.id).stage is Stage.SUBMITTING
    assert load_generation(is_sent.id).status is Status.PROCESSING
    assert load_generation(later.id).status is Status.PENDING
    assert run(capsys, "distrust", "--since", since, "--until", until.isoformat())[1].startswith("0 orders")


def test_distrust_of_no_span(installation: Installation, ana: Member, capsys: pytest.CaptureFixture[str]) -> None:
    """A span that runs backwards, and one that ends later than now, are refused, and nothing is changed."""
    waits = create_generation(db.default(), ana)
    now = utc_now()
    spans = ((now, now - timedelta(hours=1)), (now, now + timedelta(hours=1)))
    for since, until in spans:
        assert run(capsys, "distrust", "--since", since.isoformat(), "--until", until.isoformat())[0] == 2
    with pytest.raises(SystemExit):
        operator_cli.main(["distrust", "--since", "2026-11-30T10:00"])

    assert "zone" in capsys.readouterr().err
    assert load_generation(waits.id).status is Status.PENDING
