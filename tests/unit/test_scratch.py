import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from core.files import scratch

HELD = """
import sys, tempfile
from pathlib import Path
from core.files import scratch
with scratch.opened(Path(sys.argv[1])):
    print(tempfile.NamedTemporaryFile(delete=False).name, flush=True)
    sys.stdin.read()
"""


def holder(parent: Path) -> tuple["subprocess.Popen[str]", Path]:
    """Another process that has made a temporary file and works on, and the file."""
    command = [sys.executable, "-c", HELD, str(parent)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def make_old(folder: Path, *, seconds: float) -> None:
    """As if it had been made so long ago."""
    os.utime(folder, (time.time() - seconds,) * 2)


def test_opened_holds_temporary_files(tmp_path: Path) -> None:
    """Temporary files lie in a folder of the process while it works, and are gone with it."""
    before = tempfile.gettempdir()
    with scratch.opened(tmp_path / "incoming") as folder:
        with tempfile.NamedTemporaryFile(delete=False) as file:
            assert Path(file.name).parent == folder
        assert folder.parent == tmp_path / "incoming"

    assert list((tmp_path / "incoming").iterdir()) == []
    assert tempfile.gettempdir() == before


def test_opened_when_another_process_was_killed(tmp_path: Path) -> None:
    """What a killed process left is removed at the next start; what a living one uses stays, however old."""
    killed, lost = holder(tmp_path)
    living, used = holder(tmp_path)
    killed.kill()
    killed.wait()
    for path in (lost, used):
        make_old(path.parent, seconds=86_400 * 2)
    with scratch.opened(tmp_path):
        assert (lost.exists(), used.exists()) == (False, True)
    living.communicate("")

    assert list(tmp_path.iterdir()) == []


def test_remove_abandoned_when_it_is_young(tmp_path: Path) -> None:
    """A folder that was made just now may belong to a process that has yet to lock it."""
    (tmp_path / "process-new").mkdir()
    scratch.remove_abandoned(tmp_path)
    assert (tmp_path / "process-new").exists()
    make_old(tmp_path / "process-new", seconds=3600)
    scratch.remove_abandoned(tmp_path)

    assert not (tmp_path / "process-new").exists()
