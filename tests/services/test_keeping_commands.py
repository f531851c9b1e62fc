from datetime import timedelta

import pytest
from sqlalchemy import update

from core import db, operator_cli
from core.clock import utc_now
from core.db.enums import ErasureState
from core.db.tables import Erasure, Generation, User
from core.generations import review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.installation import Installation
from tests.factories import installations
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, load_generation
from tests.factories.users import create_member


def test_retention_is_told_first(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run counts and changes nothing; without it, whose clips will go are told."""
    for name, value in (("REJECTED_CLIP_DAYS", "30"), ("TRASH_DAYS", "14")):
        monkeypatch.setenv(name, value)
    installations.reopen()
    ana = create_member(db.default())
    row = create_completed(db.default(), ana)
    old = utc_now() - timedelta(days=60)
    with db.write_session() as session:
        session.execute(update(Generation).values(ended_at=old, next_at=None))
        review.update(session, ana, row.id, Changes(verdict=ReviewStatus.REJECTED))
        session.execute(update(Generation).values(retained_since=old))

    assert operator_cli.main(["retention", "--dry-run"]) == 0

    said = capsys.readouterr().out
    assert "1 rejected clips are older than 30 days (0.0 MB)" in said
    assert "Undecided clips are kept for ever (UNDECIDED_CLIP_DAYS)." in said
    assert said.endswith("Nothing was changed.\n")
    assert load_generation(row.id).leaves_at is None
    assert operator_cli.main(["retention"]) == 0
    assert load_generation(row.id).leaves_at is not None


def test_trash_is_needed_where_clips_go(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """No clip goes by itself without days in which it can be brought back."""
    monkeypatch.setenv("UNDECIDED_CLIP_DAYS", "180")
    with pytest.raises(Exception, match="TRASH_DAYS"):
        installations.reopen()


def test_person_is_erased_from_here(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run says what would go; the command does all that can be done at once, and can be said again."""
    ana = create_member(db.default())
    create_completed(db.default(), ana)

    assert operator_cli.main(["erase", "ana@example.org", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "1 clips (0.0 MB) and 0 files of their own go." in said
    with db.read_session() as session:
        assert session.get(Erasure, ana.id) is None

    assert operator_cli.main(["erase", "ana@example.org"]) == 0
    assert ana.id in capsys.readouterr().out
    with db.read_session() as session:
        assert session.get_one(Erasure, ana.id).state is ErasureState.DONE
        assert session.get_one(User, ana.id).email == f"erased-{ana.id}"
    assert operator_cli.main(["erase", "ana@example.org"]) == 2
    assert broken_rules() == []


def test_last_administrator_is_not_erased(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody has to be able to act."""
    assert operator_cli.main(["token", "demo@localhost"]) == 0
    assert operator_cli.main(["erase", "demo@localhost"]) == 2
    assert "erase yourself" in capsys.readouterr().err
