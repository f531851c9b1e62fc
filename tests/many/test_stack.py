"""`make stack` itself: what it says when something is missing, and that nothing outlives it."""

import re
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from core.config import API_PATH
from core.startup import StartError
from tests.system.app import free_port
from tools.stack import front
from tools.stack.programs import ROOT

pytestmark = [pytest.mark.process, pytest.mark.timeout(900)]


def test_start_without_nginx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It refuses, and says the command that helps."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartError, match="apt-get install nginx"):
        front.program(places=str(tmp_path))


def test_nothing_outlives_it() -> None:
    """It prints an address where pages and API answer; told to end, it ends all that it has started."""
    port = free_port()
    command = [sys.executable, "-m", "tools.stack", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told: list[str] = []
        while not any(line.startswith("Ctrl-C") for line in told):
            line = process.stdout.readline()
            assert line, f"it ended; it has said: {told}"
            told.append(line)
        address = told[0].split()[0]
        assert address == f"http://127.0.0.1:{port}"
        assert httpx.get(f"{address}{API_PATH}/health", trust_env=False, timeout=60).json()["worker"] is True
        family = psutil.Process(process.pid).children(recursive=True)
        said = {int(found) for line in told for found in re.findall(r" pid (\d+) ", line)}
        assert len(said) == 10, told
        assert said <= {each.pid for each in family}
        process.terminate()
        rest, _ = process.communicate(timeout=300)

    assert process.returncode == 0, rest
    assert [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE] == []
    [log] = re.findall(r"(/\S+)/valkey\.log", "".join(told))
    assert not Path(log).exists()
