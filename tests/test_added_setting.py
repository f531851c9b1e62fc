"""What a new setting of a clip costs: the lines below, and its widget. Every other place takes it over by itself."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.added_setting import PLACES, STEPS

ROOT = Path(__file__).parent.parent

LINES = {
    "core/spec.py": ("    fps: int | None = None\n", "    steps: int | None = None\n"),
    "core/db/tables/generations.py": (
        "    enhance_prompt: Mapped[bool] = mapped_column(default=False)\n",
        "    steps: Mapped[int | None]\n",
    ),
    "core/generations/queries.py": ("    enhance_prompt: bool\n", "    steps: int | None\n"),
    "core/api/schemas/requests.py": ("    enhance_prompt: bool = False\n", "    steps: int | None = None\n"),
    "core/api/schemas/responses.py": ("    enhance_prompt: bool\n", "    steps: int | None\n"),
}
"""File -> where a line is added, and the line: the setting, its column, and where the doors publish it."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What every place makes of the setting, in a copy of the product that has it."""
    copy = tmp_path_factory.mktemp("copy")
    for package in ("core", "pages", "tests"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (before, line) in LINES.items():
        source = (copy / name).read_text()
        assert before in source, name
        (copy / name).write_text(source.replace(before, before + line))
    run = subprocess.run(
        [sys.executable, "-m", "tests.added_setting", "found.json"],
        cwd=copy,
        env={"PATH": os.environ["PATH"], "DATA_DIR": str(copy / "data")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    answers: dict[str, Any] = json.loads((copy / "found.json").read_text())
    return answers


@pytest.mark.parametrize("place", PLACES)
def test_setting_is_kept_when_it_was_added(found: dict[str, Any], place: str) -> None:
    """No place drops a setting that was added to the spec."""
    assert found[place] == STEPS, found[place]
