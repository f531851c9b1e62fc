"""Starts of real processes: what cannot work is one sentence and exit code 2 at every door, and files are private."""

import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from core.db import Database
from core.worker import local_stack
from tests.system.app import ROOT, free_port, running

pytestmark = pytest.mark.process

APP = ("-m", "streamlit", "run", "app.py", "--server.port")
AUDIT = ("-m", "core.audit")
ADMIN = ("-m", "core.admin", "uncertain")
WORKER = ("worker.py",)


def environment(folder: Path, **given: str) -> dict[str, str]:
    """This process's, without what would decide a start, and what is given."""
    decided = ("_URL", "_API_KEY", "SECRET_KEY")
    kept = {name: value for name, value in os.environ.items() if not name.endswith(decided)}
    return kept | {"DATA_DIR": str(folder)} | given


def sentence(command: tuple[str, ...], environ: dict[str, str], *, root: Path = ROOT) -> str:
    """The one line of ours that a start ends with, with exit code 2."""
    arguments = (*command, str(free_port())) if command is APP else command
    ended = subprocess.run(
        [sys.executable, *arguments], cwd=root, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert ended.returncode == 2, ended
    assert "Traceback" not in ended.stdout + ended.stderr, ended.stderr
    lines = [line for line in ended.stderr.splitlines() if line.strip()]
    assert lines.count(lines[-1]) == 1
    return lines[-1]


@pytest.mark.parametrize("command", [APP, WORKER, AUDIT, ADMIN], ids=["app", "worker", "audit", "admin"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "foo"),
        ("SIGNUP_CREDITS", "9" * 20),
        ("DATA_DIR", "/proc/nowhere"),
        ("STORAGE_URL", "file:///proc/nowhere"),
    ],
)
def test_start_when_a_setting_is_bad(tmp_path: Path, command: tuple[str, ...], name: str, value: str) -> None:
    """The sentence names the setting; it is all there is."""
    said = sentence(command, environment(tmp_path, REDIS_URL="redis://127.0.0.1:1") | {name: value})

    assert said.startswith(f"{name}: ")


@pytest.mark.parametrize("command", [APP, AUDIT, ADMIN], ids=["app", "audit", "admin"])
def test_start_when_the_database_does_not_answer(tmp_path: Path, command: tuple[str, ...]) -> None:
    """The sentence names the setting and shows no password. A worker waits instead: see test_worker.py."""
    address = "postgresql://me:hunter2@127.0.0.1:1/x"
    said = sentence(command, environment(tmp_path, REDIS_URL="redis://127.0.0.1:1", DATABASE_URL=address))

    assert said.startswith("DATABASE_URL: ")
    assert "hunter2" not in said


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The product in a folder of its own, whose name is that of a download, with a `.env` in it."""
    root = tmp_path_factory.mktemp("unpacked") / "AI%20Video%20Generator"
    root.mkdir()
    for name in ("core", "pages", "studio", ".streamlit"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("app.py", "worker.py"):
        shutil.copy(ROOT / name, root)
    (root / ".env").write_text("SIGNUP_CREDITS=as many as the file says\nREDIS_URL=redis://127.0.0.1:1\n")
    return root


@pytest.mark.parametrize("command", [APP, WORKER, AUDIT, ADMIN], ids=["app", "worker", "audit", "admin"])
def test_start_when_a_file_lies_beside_the_app(tmp_path: Path, copied: Path, command: tuple[str, ...]) -> None:
    """Every door reads it, and the environment wins."""
    environ = environment(tmp_path) | {"PYTHONPATH": str(copied)}

    assert "'as many as the file says'" in sentence(command, environ, root=copied)
    assert "'as the environment says'" in sentence(
        command, environ | {"SIGNUP_CREDITS": "as the environment says"}, root=copied
    )


def test_start_in_a_folder_with_a_percent_sign(tmp_path: Path, copied: Path) -> None:
    """The folder that a browser unpacks a download into works: the schema is made."""
    environ = environment(tmp_path, SIGNUP_CREDITS="5") | {"PYTHONPATH": str(copied)}
    ended = subprocess.run(
        [sys.executable, *AUDIT], cwd=copied, env=environ, capture_output=True, timeout=120, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "studio.db").stat().st_size > 0


@pytest.mark.parametrize("command", [APP, WORKER, AUDIT], ids=["app", "worker", "audit"])
def test_start_when_the_database_is_of_a_newer_version(tmp_path: Path, command: tuple[str, ...]) -> None:
    """An older version says that it is older, and changes nothing."""
    database = Database(f"sqlite:///{tmp_path}/studio.db")
    database.migrate()
    database.dispose()
    with closing(sqlite3.connect(tmp_path / "studio.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

    said = sentence(command, environment(tmp_path, REDIS_URL="redis://127.0.0.1:1"))

    assert "newer version" in said
    assert "DATABASE_URL" in said


def test_start_when_another_program_holds_the_database(tmp_path: Path) -> None:
    """A lock that does not go within the time that we wait is said to be another program's."""
    with closing(sqlite3.connect(tmp_path / "studio.db")) as holder:
        holder.execute("CREATE TABLE t (x)")
        holder.execute("BEGIN EXCLUSIVE")
        assert "is locked by another program" in sentence(AUDIT, environment(tmp_path))


def test_start_when_another_app_has_the_folder(tmp_path: Path) -> None:
    """The second app on one folder says so and ends; the first goes on."""
    with running(tmp_path) as app:
        assert "Another app already runs on the folder" in sentence(APP, environment(tmp_path))
        assert app.client.get("/health").status_code == 200


@pytest.mark.parametrize("name", ["x" * 90, "%41 ?#ü"], ids=["too deep", "with signs"])
def test_app_when_names_of_folders_have_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The demo works with any name of the data folder and of the place for temporary files, however deep that is."""
    with tempfile.TemporaryDirectory(suffix=name, dir="/tmp") as place:
        monkeypatch.setenv("TMPDIR", place)
        data = tmp_path / "a?b #c%41 ü"
        with running(data) as app:
            app.until_ended(app.order())
            assert bool(list(Path(place).glob("video-*/redis.sock"))) == (len(name) < 90)

    assert (data / "studio.db").exists()


def test_app_when_its_files_could_be_read_by_others(tmp_path: Path) -> None:
    """What a version before left open is closed at the start, and what is made since is private, under any mask."""
    database = Database(f"sqlite:///{tmp_path}/studio.db")
    database.migrate()
    database.dispose()
    (tmp_path / "media").mkdir(mode=0o755)
    (tmp_path / "studio.db").chmod(0o644)
    before = os.umask(0)
    try:
        with running(tmp_path) as app:
            app.until_ended(app.order())
            open_to_others = [
                str(path.relative_to(tmp_path))
                for path in tmp_path.rglob("*")
                if stat.S_IMODE(path.lstat().st_mode) & 0o077
            ]
    finally:
        os.umask(before)

    assert open_to_others == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a process with its parent")
def test_redis_of_the_app_when_its_guard_is_killed(tmp_path: Path) -> None:
    """The server ends with its guard, so that none outlives the app."""
    command = [sys.executable, "-m", "core.worker.supervisor", *local_stack.redis_command(tmp_path / "r.sock")]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE) as guard:
        end = time.monotonic() + 20
        while not (tmp_path / "r.sock").exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        (server,) = psutil.Process(guard.pid).children()
        guard.send_signal(signal.SIGKILL)
        gone, _alive = psutil.wait_procs([server], timeout=20)

    assert gone == [server]
