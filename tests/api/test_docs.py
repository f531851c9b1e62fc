import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import select

from core import db
from core.api.openapi import recipes
from core.db.tables import Generation
from tests.api import live
from tests.api.conftest import CLIP, Client, picture


class Reader(HTMLParser):
    """Collects what a page would load, what it has in its programs, and its ids and links."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.programs: list[str] = []
        self.ids: set[str] = set()
        self.anchors: set[str] = set()
        self._in_code = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.loads += [value for name, value in known.items() if name in ("src", "data", "action") and value]
        if tag in ("script", "link", "iframe", "img"):
            self.loads.append(tag)
        if known.get("id"):
            self.ids.add(str(known["id"]))
        if tag == "a" and str(known["href"]).startswith("#"):
            self.anchors.add(str(known["href"])[1:])
        if tag == "pre":
            self._in_code = True
            self.programs.append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "pre"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.programs[-1] += data


def test_page_loads_nothing(nobody: Client) -> None:
    """The page needs no other request and no script, and its policy allows none."""
    answer = nobody.get("/docs")
    page = Reader(answer.text)

    assert answer.status_code == 200
    assert page.loads == []
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "style=" not in answer.text


def test_page_has_every_operation_and_recipe(nobody: Client) -> None:
    """What the document has stands on the page, each place that is pointed to exists, and programs are whole."""
    document = nobody.get("/openapi.json").json()
    page = Reader(nobody.get("/docs").text)

    wanted = {operation["operationId"] for path in document["paths"].values() for operation in path.values()}
    assert wanted <= page.ids
    assert page.anchors <= page.ids
    for recipe in recipes.ALL:
        assert {recipe.curl, recipe.python} <= set(page.programs)


@pytest.fixture
def shell(ana: Client, tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a shell knows when it runs a recipe, with an API behind it that a worker would finish clips for."""
    with live.serving() as address:
        assert ana.token is not None
        project = ana.project()
        yield {
            "PATH": os.environ["PATH"],
            "VIDEO_API": address,
            "VIDEO_TOKEN": ana.token,
            "PROJECT": project,
            "GENERATION": ana.generate(projectId=project),
        }


def run(program: list[str], shell: dict[str, str], folder: Path) -> str:
    """Run a copied program in a folder with a start image; what it printed."""
    (folder / "start.png").write_bytes(picture())
    ran = subprocess.run(program, cwd=folder, env=shell, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    return ran.stdout


@pytest.mark.process
@pytest.mark.parametrize("language", ["curl", "python"])
@pytest.mark.parametrize("recipe", recipes.ALL, ids=lambda recipe: recipe.title)
def test_recipe_works(shell: dict[str, str], tmp_path: Path, recipe: recipes.Recipe, language: str) -> None:
    """Each program on the page does its job when it is copied and run."""
    if language == "curl" and shutil.which("curl") is None:
        pytest.skip("this machine has no curl")
    program = (
        ["bash", "-euo", "pipefail", "-c", recipe.curl] if language == "curl" else [sys.executable, "-c", recipe.python]
    )
    worker = live.finish_soon(shell["GENERATION"]) if recipe is recipes.WAIT else None

    printed = run(program, shell, tmp_path)

    if worker is not None:
        worker.join()
    match recipe:
        case recipes.ESTIMATE:
            assert "3250" in printed
        case recipes.GENERATE:
            with db.read_session() as session:
                newest = session.scalars(select(Generation).order_by(Generation.id.desc()).limit(1)).one()
            assert newest.id in printed
            assert newest.start_image_key is not None
        case recipes.WAIT:
            assert (tmp_path / "clip.mp4").read_bytes() == CLIP
        case recipes.LIST:
            assert "pending" not in printed
        case recipes.USAGE:
            assert (tmp_path / "usage.csv").read_text("utf-8-sig").lower().startswith("day")


@pytest.mark.process
def test_list_recipe_goes_through_all_pages(shell: dict[str, str], tmp_path: Path, ana: Client) -> None:
    """The paging of the recipe shows every clip once."""
    made = [ana.finished().id for _ in range(3)]
    program = recipes.LIST.python.replace('"limit": 50', '"limit": 1')

    printed = run([sys.executable, "-c", program], shell, tmp_path)

    assert [line.split()[0] for line in printed.splitlines()] == made[::-1]


@pytest.mark.process
def test_waiting_recipe_says_why_there_is_no_clip(shell: dict[str, str], tmp_path: Path, ana: Client) -> None:
    """A clip that was cancelled ends the wait with a sentence and without a file."""
    ana.post(f"/generations/{shell['GENERATION']}/cancel")

    ran = subprocess.run(
        [sys.executable, "-c", recipes.WAIT.python],
        cwd=tmp_path,
        env=shell,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ran.returncode == 1
    assert "cancelled" in ran.stderr
    assert not (tmp_path / "clip.mp4").exists()
