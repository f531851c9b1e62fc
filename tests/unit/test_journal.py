import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import utc_now
from core.worker.journal import HEARD_WITHIN_SECONDS, Journal
from core.worker.sends import Send

ROOT = Path(__file__).parents[2]
OURS, THEIRS = "installation-1", "installation-2"
JOB = {"job": "j-1", "response": {}}


def build_send(generation_id: str = "g-1", *, attempt: int = 1, ago: timedelta = timedelta()) -> Send:
    """A send of an order, some time ago."""
    order = {"row": {"prompt": "a lake\n\0 \ud800 at dusk"}}
    return Send(OURS, generation_id, "demo", attempt, utc_now() - ago, order)


def note(journal: Journal, send: Send, *, taken: bool | None = True, settled: bool = False) -> None:
    """Write down a send and its answer."""
    with journal.sending(send):
        journal.answered(send, JOB, taken=taken)
    if settled:
        journal.settled(send)


def file_of(folder: Path) -> Path:
    """Where the records lie."""
    return folder / "sends.jsonl"


def test_what_was_sent_is_known_to_another_process(tmp_path: Path) -> None:
    """A send and its answer are read back as they were written, by anybody who opens the same folder."""
    send = build_send()
    note(Journal(tmp_path), send)

    assert Journal(tmp_path).find("g-1") == replace(send, outcome=JOB, taken=True)
    assert Journal(tmp_path).find("g-2") is None
    assert Journal(tmp_path).read(OURS).is_whole
    assert Journal(tmp_path).read(THEIRS).sends == []
    assert file_of(tmp_path).stat().st_mode & 0o077 == 0


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["send", "taken", "not taken", "nobody knows", "settle"]), st.integers(0, 2)), max_size=8
)
TAKEN = {"taken": True, "not taken": False, "nobody knows": None}


@given(OPERATIONS)
def test_journal_when_it_is_cut_anywhere(
    tmp_path_factory: pytest.TempPathFactory, operations: list[tuple[str, int]]
) -> None:
    """Wherever the file ends, what was sent may exist unless a whole record says that it was surely not taken."""
    folder = tmp_path_factory.mktemp("journal")
    journal = Journal(folder)
    attempts: dict[str, int] = {}
    sendable: dict[str, bool] = {}
    truths: list[tuple[int, dict[str, bool]]] = [(0, {})]
    for operation, number in operations:
        name = f"g-{number}"
        send = build_send(name, attempt=attempts.get(name, 0) + (operation == "send"))
        if operation == "send":
            attempts[name] = send.attempt
            with journal.sending(send):
                sendable[name] = False
        elif name not in attempts:
            continue
        elif operation == "settle":
            journal.settled(send)
        else:
            journal.answered(send, JOB, taken=TAKEN[operation])
            sendable[name] = operation == "not taken"
        whole_bytes = file_of(folder).stat().st_size - 1  # without the end of its line a record is whole
        truths.append((whole_bytes, dict(sendable)))
    data = file_of(folder).read_bytes() if file_of(folder).exists() else b""
    other = tmp_path_factory.mktemp("cut")
    reader = Journal(other)
    for end in range(len(data) + 1):
        file_of(other).write_bytes(data[:end])
        known = next(known for size_bytes, known in reversed(truths) if size_bytes <= end)
        found = {send.generation_id: not send.may_exist for send in reader.read(OURS).sends}
        assert found == known


def test_journal_when_its_end_was_cut_off(tmp_path: Path) -> None:
    """What is appended after half a record is read, and nothing counts as missing before that."""
    note(Journal(tmp_path), build_send("g-1"))
    with file_of(tmp_path).open("ab") as file:
        file.write(b'01234567 {"kind":"sen')
    assert Journal(tmp_path).read(OURS).is_whole
    note(Journal(tmp_path), build_send("g-2"))

    assert [send.generation_id for send in Journal(tmp_path).read(OURS).sends] == ["g-1", "g-2"]


def test_journal_when_it_is_damaged(tmp_path: Path) -> None:
    """A record in the middle that cannot be read is said to be missing; the others count."""
    for name in ("g-1", "g-2", "g-3"):
        note(Journal(tmp_path), build_send(name))
    lines = file_of(tmp_path).read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"lake", b"lamb")
    file_of(tmp_path).write_bytes(b"".join(lines))
    reading = Journal(tmp_path).read(OURS)

    assert not reading.is_whole
    assert [(send.generation_id, send.order != {}) for send in reading.sends] == [
        ("g-1", True),
        ("g-2", False),
        ("g-3", True),
    ]


def test_sent_again_after_try_later(tmp_path: Path) -> None:
    """A later send counts instead of the earlier one, whose answer says nothing of it."""
    journal = Journal(tmp_path)
    note(journal, build_send(), taken=False)
    assert not journal.find("g-1").may_exist  # type: ignore[union-attr]
    with journal.sending(build_send(attempt=2)):
        journal.answered(build_send(attempt=1), JOB, taken=False)  # it comes late
    found = journal.find("g-1")

    assert found is not None
    assert (found.attempt, found.may_exist, found.outcome) == (2, True, None)


def test_unsettled_follows_the_file(tmp_path: Path) -> None:
    """What the database was not told is found as it comes, and after the file was written anew."""
    follower, journal = Journal(tmp_path), Journal(tmp_path)
    assert follower.unsettled(OURS) == []
    note(journal, build_send("g-0", ago=timedelta(days=99)), settled=True)
    note(journal, build_send("g-1"))
    with journal.sending(build_send("g-2")):
        assert [send.generation_id for send in follower.unsettled(OURS)] == ["g-1", "g-2"]
    journal.settled(build_send("g-1"))
    assert [send.generation_id for send in follower.unsettled(OURS)] == ["g-2"]
    assert journal.prune(OURS, set) == 1
    note(journal, build_send("g-3"), taken=None)

    assert [(send.generation_id, send.taken) for send in follower.unsettled(OURS)] == [("g-2", None), ("g-3", None)]
    assert follower.unsettled(THEIRS) == []


def test_under_way_while_its_process_lives(tmp_path: Path) -> None:
    """A send is under way until its block ends or its process dies, however it dies; nobody sends it beside that."""
    code = f"""
import os, signal, sys
from pathlib import Path
from core.worker.journal import Journal
from tests.unit.test_journal import build_send
with Journal(Path(sys.argv[1])).sending(build_send()):
    print("sent", flush=True)
    sys.stdin.read()
    os.kill(os.getpid(), {int(signal.SIGKILL)})
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    journal = Journal(tmp_path)
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"sent\n"
        assert journal.is_under_way("g-1")
        with pytest.raises(BlockingIOError), journal.sending(build_send()):
            pass
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == -signal.SIGKILL

    assert not journal.is_under_way("g-1")
    assert [send.generation_id for send in journal.unsettled(OURS)] == ["g-1"]
    with journal.sending(build_send(attempt=2)):
        assert journal.is_under_way("g-1")
    assert not journal.is_under_way("g-1")


def test_under_way_when_its_process_sleeps(tmp_path: Path) -> None:
    """A process of which nothing is heard for long does not count as sending, though it holds its lock."""
    journal = Journal(tmp_path)
    with journal.sending(build_send()):
        assert journal.is_under_way("g-1")
        heard_ns = time.monotonic_ns() - (HEARD_WITHIN_SECONDS + 1) * 10**9
        os.utime(tmp_path / "g-1.sending", ns=(heard_ns, heard_ns))
        assert not journal.is_under_way("g-1")


def test_send_that_cannot_be_noted(tmp_path: Path) -> None:
    """Where nothing can be written the block is not entered, so that nothing is sent without a note."""
    journal = Journal(tmp_path)
    file_of(tmp_path).mkdir()
    entered = []
    with pytest.raises(OSError, match="directory"), journal.sending(build_send()):
        entered.append(True)

    assert not entered
    assert not journal.is_under_way("g-1")


def test_prune_forgets_what_ended_long_ago(tmp_path: Path) -> None:
    """Old sends of ended orders go; young, unsettled and live ones stay, and the newest moment that went is kept."""
    journal = Journal(tmp_path)
    old, older = timedelta(days=40), timedelta(days=50)
    for name, ago, settled in (
        ("ended", older, True),
        ("ended too", old, True),
        ("lives", old, True),
        ("unsettled", old, False),
        ("young", timedelta(days=1), True),
    ):
        note(journal, build_send(name, ago=ago), settled=settled)
    before = journal.read(OURS)
    assert journal.prune(OURS, lambda ids: {*ids} - {"lives"}) == 2
    assert journal.prune(OURS, lambda ids: {*ids} - {"lives"}) == 0
    after = Journal(tmp_path).read(OURS)

    assert after.floor == before.sends[1].at
    assert after.sends == before.sends[2:]
    assert Journal(tmp_path).read(THEIRS).floor is None


def test_prune_when_the_file_is_large(tmp_path: Path) -> None:
    """Beyond its size the oldest that have ended go first, whatever their age, down to half of it."""
    journal = Journal(tmp_path)
    for n in range(20):
        note(journal, build_send(f"g-{n}", ago=timedelta(hours=20 - n)), settled=n != 0)
    limit_bytes = file_of(tmp_path).stat().st_size - 1
    assert journal.prune(OURS, set, limit_bytes=limit_bytes) > 5
    names = [send.generation_id for send in journal.read(OURS).sends]

    assert names == ["g-0", *(f"g-{n}" for n in range(20 - len(names) + 1, 20))]
    assert file_of(tmp_path).stat().st_size <= limit_bytes // 2 + 200


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_prune_when_its_process_dies(tmp_path: Path, step: str) -> None:
    """A process that dies while it writes the file anew has changed nothing, and the next one does it."""
    journal = Journal(tmp_path)
    note(journal, build_send("old", ago=timedelta(days=40)), settled=True)
    note(journal, build_send("new"))
    before = file_of(tmp_path).read_bytes()
    code = f"""
import os, signal, sys
from pathlib import Path
from core.worker.journal import Journal
def die(*arguments):
    os.kill(os.getpid(), {int(signal.SIGKILL)})
os.{step} = die
Journal(Path(sys.argv[1])).prune({OURS!r}, set)
"""
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    assert file_of(tmp_path).read_bytes() == before

    assert journal.prune(OURS, set) == 1
    assert [send.generation_id for send in journal.read(OURS).sends] == ["new"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "sends.jsonl"]
