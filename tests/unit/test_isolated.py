"""Hosts that do the work of each clip: what they load stays, and what goes wrong in one piece of work does not."""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from core import errors
from core.files import isolated

MEMORY_BYTES = 2 * 1024**3
LOADED_IN = os.getpid()
"""Which process has loaded this module."""


@pytest.fixture(autouse=True)
def hosts() -> Iterator[None]:
    """None from before, and none left."""
    isolated.end_hosts()
    yield
    isolated.end_hosts()


def work(data: bytes) -> tuple[Mapping[str, Any], bytes]:
    """What each test asks for by a word."""
    if data == b"break":
        raise RuntimeError("it broke")
    if data == b"refuse":
        raise errors.MediaRejected(reason="animated", detail="moves")
    if data == b"die":
        os.kill(os.getpid(), signal.SIGKILL)
    if data == b"hang":
        time.sleep(600)
    if data == b"forge":
        with contextlib.suppress(OSError):
            os.write(1, b'{"code": 0, "length": 12}\n{"forged": 1}')
        return {"heard": len(os.read(0, 1))}, b""
    if data == b"eat":
        bytearray(4 * MEMORY_BYTES)
    return {"host": LOADED_IN, "self": os.getpid()}, data[::-1]


def ask(data: bytes, *, seconds: int = 60) -> tuple[Mapping[str, Any], bytes]:
    """By a host."""
    name = f"{__name__}:work"
    return isolated.run(name, data, memory_bytes=MEMORY_BYTES, seconds=seconds, is_hosted=True)


def test_host_stays_and_its_children_do_not() -> None:
    """Each piece of work has a process of its own, forked from one that has loaded what it needs."""
    said = [ask(b"abc") for _ in range(3)]
    assert [body for _facts, body in said] == [b"cba"] * 3
    assert len({facts["host"] for facts, _body in said}) == 1
    assert len({facts["self"] for facts, _body in said} | {said[0][0]["host"], os.getpid()}) == 5
    assert ask(b"x" * 3_000_000)[1] == b"x" * 3_000_000


@pytest.mark.parametrize(("data", "why"), [(b"break", "it broke"), (b"die", "-9"), (b"eat", "MemoryError")])
def test_work_that_breaks_down(data: bytes, why: str) -> None:
    """It is told why, and the host does the next piece as if nothing had been."""
    host = ask(b"abc")[0]["host"]
    with pytest.raises(errors.MediaRejected) as refused:
        ask(data)
    assert why in refused.value.detail
    assert ask(b"abc")[0]["host"] == host


def test_work_that_speaks_for_its_host() -> None:
    """What was taken over answers for itself alone, and hears nothing of what is asked next."""
    host = ask(b"abc")[0]["host"]
    assert ask(b"forge") == ({"heard": 0}, b"")
    assert ask(b"abc")[0]["host"] == host


def test_work_that_refuses() -> None:
    """A refusal is the caller's own, reason and all."""
    with pytest.raises(errors.MediaRejected) as refused:
        ask(b"refuse")
    assert (refused.value.reason, refused.value.detail) == ("animated", "moves")


def test_work_that_takes_too_long() -> None:
    """It ends with its host; the next one has another."""
    host = ask(b"abc")[0]["host"]
    with pytest.raises(errors.MediaRejected) as refused:
        ask(b"hang", seconds=1)
    assert "took more than 1 s" in refused.value.detail
    assert ask(b"abc")[0]["host"] != host


def test_host_that_has_gone_meanwhile() -> None:
    """One that has ended while it rested is not missed."""
    host = ask(b"abc")[0]["host"]
    os.kill(host, signal.SIGTERM)
    until_gone(host)
    assert ask(b"abc")[1] == b"cba"


def test_several_at_once() -> None:
    """Each has a host of its own, and no answer goes to another."""
    said: dict[int, bytes] = {}

    def one(number: int) -> None:
        said[number] = ask(b"%d" % (number * 11))[1]

    threads = [threading.Thread(target=one, args=(number,)) for number in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert said == {number: (b"%d" % (number * 11))[::-1] for number in range(1, 9)}


def until_gone(pid: int) -> None:
    """Wait until a process is at its end, if not yet taken away."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123 -- no path of ours
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return
        except FileNotFoundError:
            return
        time.sleep(0.05)
    raise AssertionError("it lives")
