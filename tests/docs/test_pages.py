import importlib.util
import re
from pathlib import Path

import pytest
from babel.messages import pofile

from core import setting_files
from core.providers import http
from core.providers.adapter import Adapter
from tests.docs.documents import DOCS, DOCUMENTS, ROOT, anchors, blocks, links, name, prose
from tools.reference_docs import settings

EVERY_DOCUMENT = pytest.mark.parametrize("path", DOCUMENTS, ids=name)
OF_EXAMPLES = {"VIDEO_API", "VIDEO_TOKEN", "VIDEO_WORKSPACE", "WEBHOOK_SECRET", "GENERATION_ID", "PROVIDER_JOB_ID"} | {
    "SSL_CERT_FILE"
}  # Python's own
"""Names in capitals that are no settings: variables and places of the examples themselves."""

OF_OTHERS = {"FORWARDED_ALLOW_IPS", "STUDIO_IMAGE", "OTEL_TRACES_SAMPLER", "OTEL_SERVICE_NAME"}
"""What a program reads that we run: uvicorn, Docker Compose, OpenTelemetry."""


def test_readme_is_short_and_has_the_two_commands() -> None:
    """A newcomer sees both commands as they are promised, on at most 100 lines."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 100
    assert [block.text for block in blocks(ROOT / "README.md")] == [
        "pip install -r requirements.txt && streamlit run app.py\n",
        "pip install -r requirements-dev.txt && pytest\n",
    ]


@EVERY_DOCUMENT
def test_links_lead_somewhere(path: Path) -> None:
    """Each link to a file leads to one that is there, and to a heading of it."""
    for link in links(path):
        if link.startswith(("http://", "https://")):
            continue
        place, _, anchor = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached() -> None:
    """Each page of docs is linked from the index, or from the index of decisions."""
    reached = {
        (index.parent / link.partition("#")[0]).resolve()
        for index in (DOCS / "README.md", DOCS / "adr" / "README.md")
        for link in links(index)
    }

    assert {path.resolve() for path in DOCS.rglob("*.md")} - reached == {DOCS / "README.md"}


@EVERY_DOCUMENT
def test_commands_exist(path: Path) -> None:
    """Modules that are run, targets of make and files that are named are there."""
    text = path.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

    for module in re.findall(r"python -m ([a-z_.]+[a-z])", text):
        assert importlib.util.find_spec(module), module
    assert set(re.findall(r"`make ([a-z-]+)`", text)) <= targets
    for file in re.findall(r"(?<=[`\s])((?:core|pages|tests|tools|docs|benchmarks|requirements|\.ci)/[\w./-]+)", text):
        assert (ROOT / file).exists(), file


@EVERY_DOCUMENT
def test_settings_exist(path: Path) -> None:
    """Each name in capitals with a line below is a documented variable, or what an adapter writes in its class."""
    known = [variable.name.replace("NAME", "[A-Z]+", 1) for variable in settings.variables()]
    for word in re.findall(r"`\$?([A-Z]+(?:_[A-Z]+)+)", path.read_text(encoding="utf-8")):
        of_adapters = hasattr(Adapter, word) or hasattr(http, word)
        assert (
            of_adapters
            or setting_files.is_known(word, None)
            or word in OF_EXAMPLES | OF_OTHERS
            or any(re.fullmatch(pattern, word) for pattern in known)
        ), word


@pytest.mark.parametrize(
    "path",
    [
        DOCS / "tutorial.md",
        *(DOCS / "how-to" / f"{page}.md" for page in ("choose-a-model", "decide-uncertain-generations", "set-budgets")),
    ],
    ids=name,
)
def test_labels_stand_on_the_pages(path: Path) -> None:
    """What is printed bold in a walk through the pages is a text of the pages, letter for letter."""
    with (ROOT / "pages" / "locale" / "id.po").open("rb") as file:
        texts = {message.id for message in pofile.read_po(file)}

    labels = set(re.findall(r"\*\*([^*]+)\*\*", prose(path)))

    assert labels
    assert labels <= texts


def test_architecture_names_every_package() -> None:
    """The picture of the floors has each package of core."""
    text = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in (ROOT / "core").glob("*/__init__.py")} - {"studio"}

    assert packages <= set(re.findall(r"[a-z_]+", text))


def test_decisions_have_their_three_parts() -> None:
    """A record says the context, the decision and the consequences, in this order."""
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))

    assert records
    assert len({path.name[:4] for path in records}) == len(records), "two have one number"
    listed = re.findall(r"^- \[(\d+) ", (DOCS / "adr" / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert listed == sorted(path.name[:4] for path in records)
    for path in records:
        assert re.findall(r"^\*\*(\w+)\.\*\*", prose(path), re.MULTILINE) == ["Context", "Decision", "Consequences"], (
            path
        )
        assert path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]} "), path
