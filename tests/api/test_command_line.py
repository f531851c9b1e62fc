"""`python -m core.cli` against the API, over connections that break at every step."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from core import db
from core.audit import runs
from core.billing import ledger
from core.cli.main import NOT_ENDED, REFUSED, UNREACHABLE, WORKED, main
from core.db.enums import EntryKind, Scope
from core.db.tables import Generation, LedgerEntry, Project
from core.identity import api_tokens
from tests.api import live
from tests.api.conftest import CLIP, Client
from tests.fixtures.dropping_proxy import Drop, dropping

LAKE = ("a lake at dusk", "--model", "demo-film", "--project", "Lakes")
WISH = (*LAKE, "--duration", "5", "--aspect-ratio", "1:1")


class Said:
    """What a command printed; `of` takes it off what was captured."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def of(self) -> tuple[list[str], str]:
        """Lines of stdout, and the text of stderr."""
        captured = self._capsys.readouterr()
        return captured.out.splitlines(), captured.err

    def json(self) -> dict[str, Any]:
        """The object on stdout."""
        found: dict[str, Any] = json.loads(self._capsys.readouterr().out)
        return found


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """What the commands of a test print."""
    return Said(capsys)


@pytest.fixture
def address(ana: Client) -> Iterator[str]:
    """The API on a socket."""
    with live.serving() as found:
        yield found


def called(address: str, client: Client) -> Mapping[str, str]:
    """The environment of somebody's scripts."""
    assert client.token is not None
    return {"VIDEO_API": address, "VIDEO_TOKEN": client.token}


def clips() -> list[Generation]:
    """All clips there are."""
    with db.read_session() as session:
        return list(session.scalars(select(Generation).order_by(Generation.id)))


def check_one_clip(client: Client, credits: int = 50) -> None:
    """One clip was made and charged once, and the books are right."""
    assert client.person is not None
    with db.read_session() as session:
        kinds = session.scalars(select(LedgerEntry.kind).where(LedgerEntry.generation_id.is_not(None))).all()
        balance = ledger.balance(session, client.person.workspace_id)
        broken = [rule.code for rule in runs.run(session) if not rule.holds]
        projects = session.scalars(select(Project.name)).all()
    assert len(clips()) == 1
    assert sorted(kinds) == sorted([EntryKind.HOLD, EntryKind.SETTLE])
    assert (balance.available_credits, balance.held_credits) == (10_000 - credits, 0)
    assert broken == []
    assert projects == ["Lakes"]


@pytest.mark.parametrize(
    "drops",
    [[Drop.BEFORE], [Drop.AFTER], [Drop.WITHIN], [Drop.AFTER, Drop.WITHIN, Drop.BEFORE]],
    ids=["before", "after", "within", "all three"],
)
def test_order_is_one_clip_when_every_step_is_dropped(
    address: str, ana: Client, tmp_path: Path, said: Said, drops: list[Drop]
) -> None:
    """However the connection is lost in every step, it is one clip, one charge, and a whole file."""
    with live.finishing(), dropping(address, *drops) as proxy:
        code = main(["order", *WISH, "--up-to", "50", "--output", str(tmp_path)], called(proxy.address, ana))
        steps = dict(proxy.met)

    lines, beside = said.of()
    assert code == WORKED, beside
    [clip] = clips()
    assert lines == [str(tmp_path / f"{clip.id}.mp4")]
    assert (tmp_path / f"{clip.id}.mp4").read_bytes() == CLIP
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".part")] == []
    assert "Trying again." in beside
    assert set(steps) == {
        *("GET /models", "POST /estimate-credits", "GET /credits", "GET /projects", "POST /projects"),
        *("POST /generate", "GET /generations/ID/status", "GET /generations/ID", "GET /download/ID"),
    }
    assert all(count > len(drops) for count in steps.values()), "a step was not dropped as often as it should be"
    check_one_clip(ana)


def test_download_goes_on_where_it_broke_off(address: str, ana: Client, tmp_path: Path, said: Said) -> None:
    """The rest is asked for, not the whole again, however often it breaks."""
    with live.finishing():
        main(["order", *WISH, "--up-to", "50", "--no-download"], called(address, ana))
    [clip] = clips()

    drops = [Drop.WITHIN, Drop.WITHIN, Drop.WITHIN]
    with dropping(address, *drops, only="GET /download/ID") as proxy:
        assert main(["download", clip.id, "--output", str(tmp_path / "lake.mp4")], called(proxy.address, ana)) == WORKED
        heads = [head for head in proxy.heads if "/download/" in head]

    begins = [int(found[1]) if (found := re.search(r"(?i)range: bytes=(\d+)-", head)) else 0 for head in heads]
    assert begins == sorted(set(begins))
    assert len(begins) == 4
    assert (tmp_path / "lake.mp4").read_bytes() == CLIP


def test_download_of_a_later_process_takes_up_what_is_there(address: str, ana: Client, tmp_path: Path) -> None:
    """What an earlier process left is used when it is of this clip, and thrown away when it is not."""
    with live.finishing():
        main(["order", *WISH, "--up-to", "50", "--no-download"], called(address, ana))
    [clip] = clips()
    part = tmp_path / f".{clip.id}.part"

    for left in (CLIP[:3000], b"x" * 3000, CLIP, CLIP + b"x"):
        part.write_bytes(left)
        with dropping(address) as proxy:
            assert main(["download", clip.id, "--output", str(tmp_path)], called(proxy.address, ana)) == WORKED
            asked = proxy.met["GET /download/ID"]
        assert (tmp_path / f"{clip.id}.mp4").read_bytes() == CLIP
        assert not part.exists()
        assert asked == {CLIP[:3000]: 1, b"x" * 3000: 2, CLIP: 0, CLIP + b"x": 1}[left]
        (tmp_path / f"{clip.id}.mp4").unlink()


def test_same_order_later_is_the_same_clip(address: str, ana: Client, tmp_path: Path, said: Said) -> None:
    """The same command again orders nothing, fetches nothing that is there, and says so; another take is another."""
    order = ["order", *WISH, "--up-to", "50", "--output", str(tmp_path)]
    with live.finishing():
        assert main(order, called(address, ana)) == WORKED
        first, _beside = said.of()
        with dropping(address) as proxy:
            assert main(order, called(proxy.address, ana)) == WORKED
            again, beside = said.of()
            assert proxy.met["GET /download/ID"] == 0
        check_one_clip(ana)
        assert main([*order, "--take", "2"], called(address, ana)) == WORKED

    assert again == first
    assert "was ordered before" in beside
    assert len(clips()) == 2


def test_quoted_order_takes_just_what_was_quoted(address: str, ana: Client, said: Said) -> None:
    """The code of a quote orders its own clip, and no other length, prompt, project or price."""
    assert main(["quote", *WISH, "--json"], called(address, ana)) == WORKED
    quote = said.json()
    assert (quote["credits"], quote["available_credits"], quote["reasons"]) == (50, 10_000, [])
    code = quote["confirmation"]

    others = [("--duration", "6"), ("--resolution", "1080p"), ("--project", "Other"), ("--take", "2"), ("--seed", "1")]
    for other in others:
        assert main(["order", *WISH, *other, "--confirm", code, "--no-wait"], called(address, ana)) == REFUSED
        assert "is not for this order" in said.of()[1]
    cheaper = code.replace("q-50-", "q-10-")
    assert main(["order", *WISH, "--confirm", cheaper, "--no-wait"], called(address, ana)) == REFUSED
    assert main(["order", *WISH, "--confirm", "yes", "--no-wait"], called(address, ana)) == REFUSED
    assert clips() == []
    assert main(["order", *WISH, "--confirm", code, "--no-wait"], called(address, ana)) == WORKED
    assert len(clips()) == 1


def test_confirmation_of_another_token_is_refused(address: str, ana: Client, ben: Client, said: Said) -> None:
    """A code is good for the token that it was quoted to."""
    main(["quote", *WISH, "--json"], called(address, ben))
    code = said.json()["confirmation"]

    assert main(["order", *WISH, "--confirm", code, "--no-wait"], called(address, ana)) == REFUSED
    assert clips() == []


def test_cap_is_refused_with_its_sentence(address: str, ana: Client, said: Said) -> None:
    """A token with a cap orders up to it, then the reason is told and nothing more is ordered."""
    assert ana.person is not None
    with db.write_session() as session:
        capped = api_tokens.create(session, ana.person.user, name="agent", scope=Scope.GENERATE, cap_credits=60)
    environ = {"VIDEO_API": address, "VIDEO_TOKEN": capped}

    assert main(["order", *WISH, "--up-to", "50", "--no-wait"], environ) == WORKED
    said.of()
    assert main(["order", *WISH, "--take", "2", "--up-to", "50", "--no-wait"], environ) == REFUSED

    _lines, beside = said.of()
    assert "This API token has reached its cap." in beside
    assert "(token_cap_reached)" in beside
    assert len(clips()) == 1
    assert capped not in beside


def test_reading_token_is_refused(address: str, ana: Client, said: Said) -> None:
    """What a token may not do is refused by the API, in its words."""
    assert ana.person is not None
    with db.write_session() as session:
        reading = api_tokens.create(session, ana.person.user, name="look", scope=Scope.READ)

    assert main(["order", *WISH, "--up-to", "50"], {"VIDEO_API": address, "VIDEO_TOKEN": reading}) == REFUSED
    assert "This token has the scope 'read'" in said.of()[1]
    assert clips() == []


def test_order_above_the_limit_is_not_sent(address: str, ana: Client, said: Said) -> None:
    """What costs more than was said is not ordered, and no project is made for it."""
    assert main(["order", *WISH, "--up-to", "49"], called(address, ana)) == REFUSED

    assert "This costs 50 credits, more than 49." in said.of()[1]
    with db.read_session() as session:
        assert session.scalars(select(Project)).all() == []


def test_place_that_cannot_be_written_is_told_before_the_order(
    address: str, ana: Client, tmp_path: Path, said: Said
) -> None:
    """Nothing is ordered that could not be put where it is wanted."""
    nowhere = str(tmp_path / "missing" / "lake.mp4")

    assert main(["order", *WISH, "--up-to", "50", "--output", nowhere], called(address, ana)) == REFUSED
    assert "is no folder" in said.of()[1]
    assert main(["order", *WISH[1:], "a lake \udcff", "--up-to", "50", "--no-wait"], called(address, ana)) == REFUSED
    assert clips() == []


def test_impossible_clip_is_told_why(address: str, ana: Client, said: Said) -> None:
    """A quote of what cannot be made has no code, and neither it nor an order goes through."""
    assert main(["quote", *WISH, "--duration", "500"], called(address, ana)) == REFUSED
    lines, _beside = said.of()
    assert any("Demo Film" in line for line in lines[1:])
    assert not any("--confirm" in line for line in lines)
    assert main(["order", *WISH, "--duration", "500", "--up-to", "100000"], called(address, ana)) == REFUSED
    assert main(["quote", *WISH, "--model", "no-such"], called(address, ana)) == REFUSED
    assert "There is no model 'no-such'." in said.of()[1]


def test_wait_that_is_over_says_so(address: str, ana: Client, said: Said) -> None:
    """A clip that has not ended in time has an exit code of its own, and can be waited for again."""
    assert main(["order", *WISH, "--up-to", "50", "--for", "0"], called(address, ana)) == NOT_ENDED
    [clip] = clips()
    said.of()

    with live.finishing():
        assert main(["wait", clip.id, "--json"], called(address, ana)) == WORKED
    assert said.json()["ended"] is True


def test_lists_and_spend(address: str, ana: Client, said: Said) -> None:
    """Models, clips and what was charged are told as lines and as JSON."""
    with live.finishing():
        main(["order", *WISH, "--up-to", "50", "--no-download"], called(address, ana))
    [clip] = clips()
    said.of()

    assert main(["models"], called(address, ana)) == WORKED
    assert any(line.startswith("demo-film ") and "50 credits" in line for line in said.of()[0])
    assert main(["find", "lake", "dusk", "--project", "Lakes", "--status", "completed"], called(address, ana)) == WORKED
    [line] = said.of()[0]
    assert line.startswith(clip.id)
    assert main(["find", "volcano", "--json"], called(address, ana)) == WORKED
    assert said.json() == {"clips": []}
    assert main(["spend", "--project", "Lakes"], called(address, ana)) == WORKED
    lines, _beside = said.of()
    assert lines[0] == "9,950 credits are available, 0 are reserved."
    assert lines[1].startswith("50 credits (Rp ")
    assert lines[2].endswith("demo-film: 1 clips")


def test_nobody_answers(ana: Client, said: Said) -> None:
    """Where nothing listens, patience ends with a sentence and an exit code of its own."""
    environ = {"VIDEO_API": "http://127.0.0.1:9/api", "VIDEO_TOKEN": "avg_secret"}

    assert main(["models", "--patience", "1"], environ) == UNREACHABLE

    _lines, beside = said.of()
    assert "No answer from http://127.0.0.1:9/api for 1 seconds." in beside
    assert "avg_secret" not in beside


def test_wrong_settings(address: str, ana: Client, said: Said) -> None:
    """A missing token, an address of something else and ids of nothing are told, none with the token."""
    assert main(["models"], {"VIDEO_API": address}) == REFUSED
    assert "VIDEO_TOKEN is not set." in said.of()[1]
    assert main(["models"], {"VIDEO_API": "studio", "VIDEO_TOKEN": "avg_secret"}) == REFUSED
    assert main(["models"], called(address.removesuffix("/api/apps/video-generator"), ana)) == REFUSED
    assert "is not this API" in said.of()[1]
    assert main(["wait", "../credits"], called(address, ana)) == REFUSED
    assert main(["models"], {"VIDEO_API": address, "VIDEO_TOKEN": "avg_secret"}) == REFUSED
    assert "avg_secret" not in said.of()[1]
