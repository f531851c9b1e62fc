"""The rules of the house that import-linter cannot say (its own stand in pyproject.toml), one test a rule.

Each failure names the files and says what goes wrong without the rule, so that it can be argued with. A rule about
size has a list of exceptions that only shrinks: what no longer needs to be on it must leave it.
"""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORE = sorted(path for path in (ROOT / "core").rglob("*.py") if "versions" not in path.parts)
PAGES = sorted((ROOT / "pages").rglob("*.py"))
PRODUCT = [*CORE, *PAGES, ROOT / "app.py", ROOT / "worker.py"]
STUDIO = sorted((ROOT / "studio").rglob("*.py"))
ADAPTERS = sorted((ROOT / "core" / "providers" / "adapters").glob("[!_]*.py"))
SCRIPTS = [path for path in PAGES if path.parent == ROOT / "pages" and path.stem != "__init__"]
COMMITS = ROOT / "core" / "db" / "engine.py"

MAX_FUNCTION_LINES, MAX_MODULE_LINES, MAX_POSITIONAL = 60, 400, 6
LONG_FUNCTIONS = {
    "pages/sections/usage/charts.py:cumulated",
}
LONG_MODULES: set[str] = set()
MANY_POSITIONAL: set[str] = set()

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_only_the_engine_commits() -> None:
    """Nobody commits but core/db/engine.py."""
    found = [where(path) for path in PRODUCT if path != COMMITS and calls(path, "commit")]

    assert not found, (
        f"{found} commit. A service that commits ends its caller's unit of work: credits are held in one transaction, "
        "the order is written in the next, and a kill between the two leaves them reserved for nothing. "
        "Use `with db.write_session()`, which commits when its block ends well."
    )


def test_session_comes_first() -> None:
    """Whatever takes a session takes it first."""
    found = [
        f"{where(path)}:{function.name}"
        for path in CORE
        for function in functions(path)
        if "session" in parameters(function)[1:]
    ]

    assert not found, (
        f"{found} take `session` later than first. One reads at a glance what touches the database, and a row handed "
        "over where a session was meant is found when it is written, not when it runs."
    )


def test_pages_know_tables_as_types_only() -> None:
    """A page names a table in annotations and nowhere else."""
    found = [
        f"{where(path)}:{line}" for path in PAGES for line in uses_beside_annotations(path, module="core.db.tables")
    ]

    assert not found, (
        f"{found} use a table. A page that queries by itself goes past core.workspaces.access, where it is decided who "
        "sees what, and shows rows of others. Ask a service of core."
    )


FRAMES = {"pages/ui/look.css", "pages/sections/clip/frame.css", "pages/ui/dock.css"}
"""What is drawn around pages has no other way to be moved: docs/adr/0021."""


def test_pages_hold_no_css_into_streamlit() -> None:
    """No page styles Streamlit's own markup, but for three frames that stand together."""
    sources = [*PAGES, *(ROOT / "pages").rglob("*.css")]
    found = {where(path) for path in sources if any(word in text(path) for word in ("data-testid", ".st-emotion"))}

    assert found <= FRAMES, (
        f"{sorted(found - FRAMES)} reach into Streamlit's markup, whose test ids and classes are not ours and change "
        "with any release. Set it in .streamlit/config.toml, or draw an element of our own (pages/elements)."
    )


STOPS = {"pages/ui/current_member.py", "pages/sections/bar/workspace.py", "pages/projects.py"}
"""Where nothing of a page is drawn any more: who looks is signed out or elsewhere, or there is no project yet."""


def test_pages_end_by_returning() -> None:
    """No part of a page stops the run."""
    found = {where(path) for path in PAGES if re.search(r"^\s*st\.stop\(\)", text(path), re.MULTILINE)}

    assert found <= STOPS, (
        f"{sorted(found - STOPS)} end a run by st.stop. Streamlit then keeps values of widgets that were not drawn, "
        "while the browser forgets them: where one comes back it shows its first option, and says so with the next "
        "press. Return instead."
    )


def test_page_scripts_leave_no_loose_text() -> None:
    """A script that Streamlit runs has no string by itself below its docstring."""
    found = [
        f"{where(path)}:{node.lineno}"
        for path in SCRIPTS
        for node in tree(path).body[1:]
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ]

    assert not found, (
        f"{found} hold a text that nothing takes, for example a docstring below a constant. Streamlit prints it on the "
        "page. Make it a comment."
    )


def _is_own(module: str, path: Path) -> bool:
    """Whether an adapter keeps this module for itself."""
    return module.startswith(f"core.providers.adapters.{path.stem}_")


def test_adapters_know_http_only() -> None:
    """An adapter imports contract, errors, messages and readers of replies, and no other adapter; it never sleeps."""
    readers = (
        "contract",
        "call_signatures",
        "vendor_calls",
        "models",
        "adapter",
        "http",
        "kept",
        "clip_links",
        "model_files",
    )
    allowed = ("core.errors", "core.messages", *(f"core.providers.{name}" for name in readers))
    found = [
        f"{where(path)} -> {module}"
        for path in ADAPTERS
        for module in imports(path)
        if (within(module, "core") and not within(module, *allowed) and not _is_own(module, path))
        or within(module, "time", "sqlalchemy", "os")
    ]
    found += [f"{where(path)} sleeps" for path in ADAPTERS if calls(path, "sleep")]

    assert not found, (
        f"{found}. An adapter says what to send and what an answer means; waiting, settings and rows are others'. One "
        "that sleeps holds up every vendor that the same process polls."
    )


def test_studio_is_the_far_side() -> None:
    """The demo's vendor shares nothing with the product but the wire."""
    found = [
        f"{where(path)} -> {module}"
        for path in STUDIO
        for module in imports(path)
        if within(module, "core", "pages", "app", "worker")
    ]
    found += [f"{where(path)} -> {module}" for path in PRODUCT for module in imports(path) if within(module, "studio")]

    assert STUDIO
    assert not found, (
        f"{found}. The studio stands where a vendor stands. What both sides share is not tested by sending it: a wrong "
        "field name would be wrong on both sides, and the demo would work."
    )


def test_imports_are_absolute() -> None:
    """No module imports relatively."""
    found = [
        f"{where(path)}:{node.lineno}"
        for path in [*PRODUCT, *STUDIO]
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ImportFrom) and node.level
    ]

    assert not found, f"{found} import relatively: a module that moves would take another one by the same name."


def test_what_only_computes_loads_alone() -> None:
    """The pure modules can be imported without a database or settings coming along."""
    contracts = tomllib.loads(text(ROOT / "pyproject.toml"))["tool"]["importlinter"]["contracts"]
    [pure] = [contract for contract in contracts if contract["id"] == "pure"]
    modules = [module for name in pure["source_modules"] for module in modules_of(name)]
    program = f"import importlib, sys; [importlib.import_module(name) for name in {modules}]; print(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    found = {"sqlalchemy", "alembic", "core.config", "core.db.engine"} & set(ran.stdout.split())
    assert not found, (
        f"{modules} bring {found} along. Prices and rules are tried in a browser's tab, a notebook or a thousand "
        "examples a second only where they bring nothing."
    )


def test_functions_are_short() -> None:
    """A function of more than 60 lines is two."""
    found = {
        f"{where(path)}:{function.name}"
        for path in [*PRODUCT, *STUDIO]
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= MAX_FUNCTION_LINES
    }

    held_to(LONG_FUNCTIONS, found, f"more than {MAX_FUNCTION_LINES} lines: nobody sees its end from its beginning")


def test_modules_are_short() -> None:
    """A module of more than 400 lines is two."""
    found = {where(path) for path in [*PRODUCT, *STUDIO] if len(text(path).splitlines()) > MAX_MODULE_LINES}

    held_to(LONG_MODULES, found, f"more than {MAX_MODULE_LINES} lines: it has more than one reason to change")


def test_parameters_have_names() -> None:
    """A function that takes more than six parameters takes the further ones by name."""
    found = {
        f"{where(path)}:{function.name}"
        for path in [*PRODUCT, *STUDIO]
        for function in functions(path)
        if len(set(positional(function)) - {"self", "cls"}) > MAX_POSITIONAL
    }

    held_to(MANY_POSITIONAL, found, f"more than {MAX_POSITIONAL} places: two of one type change places unnoticed")


def test_commands_of_the_makefile_are_complete() -> None:
    """A name that is called and not defined is nothing to make: the command ends as half a line, in CI first."""
    for target in re.findall(r"^([a-z-]+):(?!.*=)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE):
        make = ["make", "--warn-undefined-variables", "--dry-run", target]
        told = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True)
        parsed = subprocess.run(["bash", "-n"], input=told.stdout, capture_output=True, text=True, check=False)
        assert (told.stderr, parsed.stderr) == ("", ""), target


def held_to(exceptions: set[str], found: set[str], why: str) -> None:
    """What was found is excepted, and nothing is excepted that was not found."""
    assert not found - exceptions, f"{sorted(found - exceptions)} have {why}. Make it two."
    assert not exceptions - found, f"{sorted(exceptions - found)} need no exception: take them off the list."


def where(path: Path) -> str:
    """A file as one would open it."""
    return path.relative_to(ROOT).as_posix()


@cache
def text(path: Path) -> str:
    """What a file says."""
    return path.read_text()


@cache
def tree(path: Path) -> ast.Module:
    """What a file says, as its parser sees it."""
    return ast.parse(text(path))


def functions(path: Path) -> Iterator[Function]:
    """Every function of a file, also inside of others."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def positional(function: Function) -> list[str]:
    """Names of the parameters that can be given by place."""
    return [argument.arg for argument in [*function.args.posonlyargs, *function.args.args]]


def parameters(function: Function) -> list[str]:
    """Names of all parameters but `self` and `cls`, in their order."""
    names = [*positional(function), *(argument.arg for argument in function.args.kwonlyargs)]
    return [name for name in names if name not in ("self", "cls")]


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports, `from core import x` as `core.x`."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{name.name}" for name in node.names)


def calls(path: Path, name: str) -> bool:
    """Whether a file calls a method of this name."""
    nodes = ast.walk(tree(path))
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr == name for n in nodes)


def within(module: str, *packages: str) -> bool:
    """Whether a module is one of these packages or lies in one."""
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def modules_of(name: str) -> list[str]:
    """A module, or every module of a package, by its dotted name."""
    place = ROOT.joinpath(*name.split("."))
    if not place.is_dir():
        return [name]
    return [name, *(f"{name}.{path.stem}" for path in sorted(place.glob("*.py")) if path.stem != "__init__")]


def uses_beside_annotations(path: Path, *, module: str) -> list[int]:
    """Lines where a file uses a name of `module` otherwise than to say a type."""
    nodes = list(ast.walk(tree(path)))
    names = {
        name.asname or name.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == module
        for name in node.names
    }
    said = [node.annotation for node in nodes if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation]
    said += [
        node.returns for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns
    ]
    types = {id(part) for annotation in said for part in ast.walk(annotation)}
    return [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id in names and id(node) not in types]
