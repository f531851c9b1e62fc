from datetime import timedelta

import pytest
from sqlalchemy import select, true, update

from core import db, ids, operator_cli
from core.clock import utc_now
from core.db.enums import ErasureState
from core.db.tables import AuditLogEntry, Erasure, Generation, GenerationEvent, User, WebhookDelivery
from core.generations import review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.installation import Installation
from core.messages import message
from core.notifications import webhooks
from core.worker import maintenance
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
    assert "0 deliveries of webhooks are older than 30 days, and go." in said
    assert said.endswith("Nothing was changed.\n")
    assert load_generation(row.id).leaves_at is None
    assert operator_cli.main(["retention"]) == 0
    assert load_generation(row.id).leaves_at is not None


def test_retention_counts_what_goes(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the dry run counts of steps, words, deliveries, notices and log is what goes then, and no more."""
    for name in ("EVENT_DAYS", "DEPARTED_PROMPT_DAYS", "WEBHOOK_DELIVERY_DAYS", "INBOX_DAYS", "AUDIT_LOG_DAYS"):
        monkeypatch.setenv(name, "40")
    opened = installations.reopen()
    ana = create_member(db.default())
    row, young = create_completed(db.default(), ana), create_completed(db.default(), ana)
    old = utc_now() - timedelta(days=60)
    with db.write_session() as session:
        address = webhooks.ValidUrl("https://hooks.example.org/studio")
        endpoint = webhooks.create(session, ana, address, key=b"the installation's key")
        for at in (old, utc_now()):
            told = webhooks.send_test(session, ana, endpoint.id)
            session.execute(update(WebhookDelivery).where(WebhookDelivery.id == told.id).values(id=ids.lowest_at(at)))
        webhooks.abandon(session, true(), why=message("webhook_stopped"))
        session.execute(update(Generation).where(Generation.id == row.id).values(ended_at=old))
        session.execute(update(GenerationEvent).where(GenerationEvent.generation_id == row.id).values(at=old))
        session.execute(update(User).where(User.id == ana.id).values(deactivated_at=old))
        for at in (old, utc_now()):
            entry = AuditLogEntry(at=at, actor="ana@example.org", noun="session", action="x")
            session.add(entry)
    steps = len(timeline_of(row.id))

    assert operator_cli.main(["retention", "--dry-run"]) == 0

    said = capsys.readouterr().out
    assert f"{steps} steps of clips are older than 40 days" in said
    assert "2 clips lose their words: their people left 40 days ago." in said
    assert "1 deliveries of webhooks are older than 40 days" in said
    assert "0 notices are older than 40 days" in said
    assert "1 entries of the audit log are older than 40 days" in said
    maintenance.run(opened)
    assert operator_cli.main(["retention", "--dry-run"]) == 0
    said = capsys.readouterr().out
    for words in ("steps of clips", "clips lose their words", "deliveries of webhooks", "entries of the audit log"):
        assert f"0 {words}" in said
    assert [len(timeline_of(each.id)) for each in (row, young)] == [0, steps]


def timeline_of(id_: str) -> list[int]:
    """The steps of a clip that lie in their table."""
    with db.read_session() as session:
        return list(session.scalars(select(GenerationEvent.id).where(GenerationEvent.generation_id == id_)))


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
