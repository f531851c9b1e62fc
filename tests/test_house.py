"""The rules of the house: who may import whom, and who may commit."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = sorted(path for path in (ROOT / "core").rglob("*.py") if "versions" not in path.parts)
PAGES = sorted((ROOT / "pages").rglob("*.py"))
CLIENTS = sorted((ROOT / "core" / "providers" / "adapters").glob("[!_]*.py"))
SERVICES = [
    ROOT / "core" / f"{name}.py"
    for name in (
        "billing/ledger",
        "projects/projects",
        "generations/submit",
        "projects/uploads",
        "usage/reports",
        "identity/users",
        "notifications/webhooks",
    )
]


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, `from core import x` as `core.x`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def calls(path: Path, name: str) -> bool:
    """Whether a file calls a method of this name."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == name for n in nodes)


def within(module: str, *packages: str) -> bool:
    """Whether a module is one of these packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(ROOT)))
def test_core_looks_down_only(path: Path) -> None:
    """Core knows nothing of Streamlit, the pages, the app or the worker; only core/redis knows RQ."""
    found = list(imports(path))

    assert not [m for m in found if within(m, "streamlit", "pages", "app", "worker")]
    if path.parent != ROOT / "core" / "redis":
        assert not [m for m in found if within(m, "rq", "redis")]


@pytest.mark.parametrize("path", CLIENTS, ids=lambda path: path.name)
def test_provider_knows_http_only(path: Path) -> None:
    """Of core, a provider imports the contract, value types and errors, and no other provider."""
    of_core = {m for m in imports(path) if within(m, "core")}
    allowed = ("core.errors", *(f"core.providers.{name}" for name in ("contract", "adapter", "http")))
    own_models = f"core.providers.adapters.{path.stem}_models"

    assert not {m for m in of_core if not within(m, *allowed, own_models)}
    assert not {m for m in imports(path) if within(m, "time", "sqlalchemy", "os")}
    assert not calls(path, "sleep")


@pytest.mark.parametrize("path", [*CORE, *PAGES], ids=lambda path: str(path.relative_to(ROOT)))
def test_only_db_commits(path: Path) -> None:
    """Nobody commits but core/db/engine.py."""
    if path == ROOT / "core" / "db" / "engine.py":
        return

    assert not calls(path, "commit")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_leave_rq_and_tables_alone(path: Path) -> None:
    """A page neither talks to Redis nor writes queries of its own."""
    found = [m for m in imports(path) if within(m, "rq", "redis", "sqlalchemy")]
    assert set(found) <= {"sqlalchemy.orm.Session"}, "only the type of a session"


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.name)
def test_service_takes_session_first(path: Path) -> None:
    """Public functions of a service that touch the database take `session` first."""
    tree = ast.parse(path.read_text())
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            names = [argument.arg for argument in [*node.args.args, *node.args.kwonlyargs]]
            assert "session" not in names[1:], f"{path.name}: {node.name}"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_page_leaves_no_loose_text(path: Path) -> None:
    """A page that Streamlit runs has no text below a constant: Streamlit would print it on the page."""
    body = ast.parse(path.read_text()).body
    scripts = ("shell", "projects", "generate", "history", "usage", "admin", "account")
    loose = [node.lineno for node in body[1:] if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)]
    assert path.stem not in scripts or not loose, loose


def test_studio_is_the_far_side() -> None:
    """The demo's vendor shares nothing with the product but the wire."""
    for path in (ROOT / "core" / "studio").rglob("*.py"):
        assert not [m for m in imports(path) if within(m, "core") and not within(m, "core.studio")], path


def test_pages_hold_no_css_into_streamlit() -> None:
    """No page styles Streamlit's own markup: its test ids and classes are not ours."""
    for path in [*PAGES, *(ROOT / "pages").rglob("*.css")]:
        text = path.read_text()

        assert "data-testid" not in text, path
        assert ".st-emotion" not in text, path
