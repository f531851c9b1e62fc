import json
import logging
import sys
from collections.abc import Callable, Iterator
from io import StringIO
from threading import Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import logs

log = logging.getLogger("core.somewhere")


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], StringIO]]:
    """Begins to write lines as a process of a role does, and gives what was written; all is as before afterwards."""
    root, made_by = logging.getLogger(), logging.getLoggerClass()
    handlers, level = list(root.handlers), root.level
    others = {name: (logger.level, logger.propagate) for name, logger in _known().items()}
    out = StringIO()

    def begin(form: str) -> StringIO:
        monkeypatch.setattr(sys, "stderr", out)
        logs.configure("submit", form=form)
        return out

    yield begin
    root.handlers, root.level = handlers, level
    logging.setLoggerClass(made_by)
    for name, (before, propagates) in others.items():
        logging.getLogger(name).level, logging.getLogger(name).propagate = before, propagates


def _known() -> dict[str, logging.Logger]:
    return {name: found for name, found in logging.root.manager.loggerDict.items() if isinstance(found, logging.Logger)}


def test_json_says_what_when_where_and_about_what(written: Callable[[str], StringIO]) -> None:
    """A line is one object with the ids that are bound, those of the block around included, and no others."""
    out = written(logs.JSON)
    with logs.bound(request_id="r-1", provider=None), logs.bound(generation_id="g-1"):
        log.info("sent: %s", "größer")
    log.warning("alone")

    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["level"], first["logger"], first["event"]) == ("info", "core.somewhere", "sent: größer")
    assert (first["request_id"], first["generation_id"], first["role"]) == ("r-1", "g-1", "submit")
    assert first["node"]
    assert first["ts"].endswith("Z")
    assert {"request_id", "generation_id", "provider", "exception"}.isdisjoint(second)


def test_text_has_ids_behind_what_is_said(written: Callable[[str], StringIO]) -> None:
    """A person reads the sentence first; a traceback stays below its line."""
    out = written(logs.TEXT)
    try:
        int("why")
    except ValueError:
        with logs.bound(request_id="r-1"):
            log.exception("broke")

    first, *below = out.getvalue().splitlines()
    assert first.endswith("ERROR core.somewhere: broke [request_id=r-1]")
    assert below[-1] == "ValueError: invalid literal for int() with base 10: 'why'"


def test_others_write_through_us(written: Callable[[str], StringIO]) -> None:
    """A library that brings a handler of its own, before or later, writes the same lines; what it only tells is left
    out."""
    early = logging.getLogger("library.early")
    early.addHandler(logging.StreamHandler(StringIO()))
    early.propagate = False
    out = written(logs.JSON)
    late = logging.getLogger("library.late")
    late.addHandler(logging.StreamHandler(StringIO()))
    late.propagate = False
    early.warning("one")
    late.warning("two")
    late.info("three")

    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["one", "two"]


def test_begin_forgets_what_a_thread_did_before(written: Callable[[str], StringIO]) -> None:
    """A thread that goes on to other work has none of the ids of before."""
    out = written(logs.JSON)

    def work() -> None:
        logs.begin(request_id="r-1")
        logs.bind(generation_id="g-1")
        log.info("one")
        logs.begin(request_id="r-2")
        log.info("two")

    thread = Thread(target=work)
    thread.start()
    thread.join()

    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["request_id"], first["generation_id"]) == ("r-1", "g-1")
    assert (second["request_id"], "generation_id" in second) == ("r-2", False)


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("get https://cdn.example.org/a/b.mp4?X-Sig=1, then", "get https://cdn.example.org/***?***, then"),
        ("at http://user:pass@10.0.0.1:80/x (twice)", "at http://***@10.0.0.1:80/*** (twice)"),
        ("running on http://127.0.0.1:8501.", "running on http://127.0.0.1:8501."),
        ("GET /media/a.mp4?e=1&s=2 failed", "GET /media/a.mp4?*** failed"),
        (f"POST /share/{'Ab-_' * 11}/password", "POST /share/***/password"),
        ("POST /api/hooks/0190/abcDEF", "POST /api/hooks/***"),
        ("Bearer avg_0123456789abcdef", "Bearer ***"),
        ("videos/0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b/0123456789abcdef.mp4 is gone, is it?",) * 2,
        ("sqlite:////srv/studio.db is locked",) * 2,
    ],
)
def test_no_link_is_written(said: str, kept: str) -> None:
    """Of what lets in by itself only the place stays; ids and what lets nobody in stay as they are."""
    assert logs.clean(said) == kept


@given(st.text(min_size=4, max_size=60).filter(lambda text: len(text.strip()) >= 4 and "*" not in text))
def test_what_is_private_is_not_written(prompt: str) -> None:
    """However a prompt looks, and also as JSON repeats it, it is not in a line."""
    with logs.bound(private=(prompt, None)):
        assert prompt.strip() not in logs.clean(f"it said {prompt} and {json.dumps(prompt)}").replace("it said", "")
