"""The version is the same wherever it is said."""

import subprocess
import sys
import tomllib
from pathlib import Path

from core.db import schema
from core.version import VERSION

ROOT = Path(__file__).parents[2]


def test_version_when_it_is_asked_for() -> None:
    """The package and the code are one version, and the command says it with the schema, before anything is set up."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION
    command = [sys.executable, "-m", "core.admin"]
    for argument, said in (("version", f"{VERSION} (schema {schema.newest_revision()})"), ("--version", VERSION)):
        ended = subprocess.run([*command, argument], cwd=ROOT, capture_output=True, text=True, check=True)
        assert ended.stdout.strip() == said
