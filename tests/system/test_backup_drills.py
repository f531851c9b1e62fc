"""Backups by the means that the guide names, restored elsewhere and audited: drills that an operator repeats."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from core import db, operator_cli
from core.db.enums import Status
from core.installation import Installation
from core.worker import recovery
from core.workspaces.access import Member
from tests import postgres
from tests.factories import installations
from tests.factories.generations import create_completed, create_generation, load_generation
from tests.factories.users import create_member

pytestmark = pytest.mark.process

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "backup" / "litestream.yml"
LITESTREAM = Path(sys.executable).with_name("litestream")
PATIENCE_SECONDS = 60


def create_stored(here: Installation, person: Member) -> str:
    """A completed clip whose file lies where its row says; its id."""
    clip = create_completed(db.default(), person)
    here.storage.put_bytes(str(clip.output_key), b"a clip", media_type="video/mp4")
    return clip.id


def checked(source: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code of `backup-check`, and what it says."""
    capsys.readouterr()
    code = operator_cli.main(["backup-check", source])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_one_machine_by_litestream(
    installation: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was written a second before litestream is killed is in the copy; the copy can be audited and put to use."""
    recovery.at_start(installation)
    person = create_member(db.default(), credits=5000)
    environ = os.environ | {
        "DATABASE": str(installation.settings.data_dir / "studio.db"),
        "REPLICA": (tmp_path / "replica").as_uri(),
    }
    command = [str(LITESTREAM), "replicate", "-config", str(CONFIGURATION)]
    copier = subprocess.Popen(command, env=environ, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(20):
            known = create_stored(installation, person)
        until(lambda: known in restored(tmp_path, environ), "the copy has what was written")
        create_generation(db.default(), person)
    finally:
        copier.send_signal(signal.SIGKILL)
        copier.wait(10)

    code, told = checked(str(tmp_path / "restored.db"), capsys)
    assert code == 0, told
    assert "Every rule holds." in told
    installation.close()
    shutil.copy(tmp_path / "restored.db", installation.settings.data_dir / "studio.db")
    for side in ("studio.db-wal", "studio.db-shm"):
        (installation.settings.data_dir / side).unlink(missing_ok=True)
    again = installations.reopen()
    assert recovery.at_start(again, is_known_to_be_old=True).was_put_back
    assert load_generation(known).status is Status.COMPLETED


def restored(folder: Path, environ: dict[str, str]) -> set[str]:
    """Restore the copy as it is by now to `restored.db`; the ids of the clips in it."""
    target = folder / "restored.db"
    target.unlink(missing_ok=True)
    command = [str(LITESTREAM), "restore", "-o", str(target), environ["REPLICA"]]
    done = subprocess.run(command, env=environ, cwd=folder, capture_output=True, check=False)
    if done.returncode != 0 or not target.exists():
        return set()
    found = db.Database(f"sqlite:///{target}")
    try:
        with found.read_connection() as connection:
            return set(connection.exec_driver_sql("SELECT id FROM generations").scalars())
    finally:
        found.dispose()


@contextmanager
def archive() -> Iterator[Path]:
    """A folder for base backup and log that PostgreSQL, whoever runs it, can read and write."""
    folder = Path(tempfile.mkdtemp(prefix="wal-", dir="/tmp"))
    try:
        folder.chmod(0o777)
        yield folder
    finally:
        shutil.rmtree(folder)


def test_company_by_a_base_backup_and_the_log(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """PostgreSQL goes back to the very moment that is asked for, and nothing that waited then is sent again."""
    with archive() as kept, ExitStack() as servers:
        archiving = ("archive_mode=on", f"archive_command=cp %p {kept}/%f")
        server = servers.enter_context(postgres.stoppable(*archiving))
        server.run("createdb", "studio")
        address = server.address.format("studio")
        here = use(address, monkeypatch)
        person = create_member(db.default(), credits=1000)
        stored = create_stored(here, person)
        server.run("pg_basebackup", "-D", str(kept / "base"), "-X", "none", "--checkpoint=fast")
        waits = create_generation(db.default(), person)
        moment = fetch(address, "SELECT clock_timestamp()::text")
        lost = create_generation(db.default(), person)
        segment = fetch(address, "SELECT pg_walfile_name(pg_switch_wal())")
        until((kept / segment).exists, "the log is archived")
        here.close()

        back = (f"restore_command=cp {kept}/%f %p", f"recovery_target_time={moment}", "recovery_target_action=promote")
        subprocess.run(
            ["touch", "--reference", kept / "base" / "PG_VERSION", kept / "base" / "recovery.signal"], check=True
        )
        elsewhere = servers.enter_context(postgres.stoppable(*back, cluster=kept / "base")).address.format("studio")
        until(lambda: fetch(elsewhere, "SELECT (NOT pg_is_in_recovery())::text") == "true", "it has gone back")
        code, told = checked(elsewhere, capsys)
        assert code == 0, told
        assert "2 clips" in told
        again = use(elsewhere, monkeypatch)
        assert operator_cli.main(["restored"]) == 0
        assert load_generation(waits.id).status is Status.UNCERTAIN
        assert load_generation(stored).status is Status.COMPLETED
        with db.read_session() as session:
            assert session.get(type(lost), lost.id) is None
        again.close()


def use(address: str, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """The installation on a database, as a start of the process opens it."""
    monkeypatch.setenv("DATABASE_URL", address)
    database = db.Database(address)
    database.migrate()
    database.dispose()
    here = installations.reopen()
    recovery.at_start(here)
    return here


def fetch(address: str, statement: str) -> str:
    """The one text that a statement gives."""
    with psycopg.connect(address, autocommit=True) as connection:
        (found,) = connection.execute(statement).fetchone() or ("",)
    return str(found)


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.2)
