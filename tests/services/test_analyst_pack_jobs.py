"""Packs made in the background: for whom, once a night, again after a kill, never when the books disagree."""

import io
import logging
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from pyarrow import parquet
from sqlalchemy import select, update

from core import db, errors
from core.analyst_pack import jobs
from core.analyst_pack.asked import Asked
from core.audit import runs
from core.clock import utc_now
from core.db.enums import BulkState, Role, WorkspaceRole
from core.db.tables import Account, AnalystPack, AuditLogEntry, User
from core.files.storage import LocalStorage
from core.installation import Installation, current
from core.worker import analyst_packs, maintenance
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.generations import create_completed
from tests.factories.users import create_member, deactivate
from tests.factories.workspaces import change_role, create_team_of, join, now, remove

pytestmark = pytest.mark.both_databases


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody who manages their own workspace, in which a clip was made."""
    found = create_member(site.database)
    create_completed(site.database, found)
    return found


@pytest.fixture
def analyst(site: Installation) -> Member:
    """Somebody who sees everybody's figures."""
    return create_member(site.database, "ida@example.org", role=Role.ANALYST)


def start(member: Member, asked: Asked | None = None) -> str:
    """The id of a pack that is to be made, of the workspace where they are at work unless another is asked for."""
    with db.write_session() as session:
        return jobs.start(session, member, asked or Asked(member.workspace_id)).id


def kept(pack_id: str) -> AnalystPack:
    """A pack as it is now."""
    with db.read_session() as session:
        return session.get_one(AnalystPack, pack_id)


def found(member: Member) -> list[str]:
    """The packs that somebody finds."""
    with db.read_session() as session:
        today = members.at_work(session, session.get_one(User, member.id), member.workspace_id)
        return [each.id for each in jobs.list_visible(session, today)]


def stored(pack: AnalystPack) -> zipfile.ZipFile:
    """Its file."""
    return zipfile.ZipFile(io.BytesIO(current().storage.read_bytes(str(pack.storage_key))))


def rows(packed: zipfile.ZipFile, name: str) -> int:
    """How many rows a file has."""
    return int(parquet.read_table(io.BytesIO(packed.read(f"{name}.parquet"))).num_rows)


def test_pack_is_made_and_kept(ana: Member, site: Installation) -> None:
    """It is whole, told with its size, and asking for it is an act in the log."""
    pack_id = start(ana)
    analyst_packs.work_down(site)

    pack = kept(pack_id)
    assert (pack.state, pack.attempt, jobs.share(pack)) == (BulkState.DONE, 1, 1.0)
    packed = stored(pack)
    assert packed.testzip() is None
    assert rows(packed, "prompts") == 1
    assert pack.prompts_of == [ana.workspace_id]
    assert site.storage.stat(str(pack.storage_key)).size_bytes == pack.size_bytes
    with db.read_session() as session:
        [act] = session.scalars(select(AuditLogEntry).where(AuditLogEntry.action == "export.made"))
    assert (act.target, act.target_id, act.actor_id) == ("analyst_pack", pack_id, ana.id)


def test_pack_for_whom(ana: Member, analyst: Member, site: Installation) -> None:
    """A workspace's is for its managers, everybody's for analysts; each finds their own, as long as they may."""
    team_id = create_team_of(site.database, ana, name="Harbour")
    team = now(site.database, ana, team_id)
    ben = join(site.database, ana, team_id, create_member(site.database, "ben@example.org"))
    for member, asked in ((ben, Asked(team_id)), (ana, Asked(None)), (analyst, Asked(team_id))):
        with pytest.raises(errors.Forbidden):
            start(member, asked)
    mine, everybodys = start(team, Asked(team_id)), start(analyst, Asked(None))
    analyst_packs.work_down(site)

    assert (found(team), found(analyst), found(ben)) == ([mine], [everybodys], [])
    with pytest.raises(errors.NotFound), db.read_session() as session:
        jobs.get(session, analyst, mine)
    change_role(team, WorkspaceRole.MAKER)
    assert found(now(site.database, ana)) == []
    with db.write_session() as session:
        session.execute(update(User).where(User.id == analyst.id).values(role=Role.USER))
    assert found(analyst) == []


def test_pack_with_prompts_when_a_workspace_was_left(ana: Member, analyst: Member, site: Installation) -> None:
    """An analyst's pack has prompts of their teams; once they have left one, they find the pack no longer."""
    team_id = create_team_of(site.database, ana, name="Harbour")
    create_completed(site.database, now(site.database, ana, team_id))
    ida = join(site.database, ana, team_id, analyst, WorkspaceRole.VIEWER)
    pack_id = start(ida, Asked(None))
    analyst_packs.work_down(site)

    assert rows(stored(kept(pack_id)), "prompts") == 1
    assert found(ida) == [pack_id]
    remove(ida)
    assert found(now(site.database, analyst)) == []


def test_pack_when_its_person_is_gone(ana: Member, site: Installation) -> None:
    """Nothing is made for who may not have it by the time its turn comes."""
    pack_id = start(ana)
    deactivate(ana)
    analyst_packs.work_down(site)

    pack = kept(pack_id)
    assert (pack.state, pack.error and pack.error.code, pack.storage_key) == (BulkState.FAILED, "pack_departed", None)


def test_too_many_packs(ana: Member) -> None:
    """A person has a few under way at most."""
    for _ in range(jobs.MAX_LIVE):
        start(ana)
    with pytest.raises(errors.Conflict):
        start(ana)


def test_pack_when_the_books_disagree(ana: Member, site: Installation, caplog: pytest.LogCaptureFixture) -> None:
    """There is no file; its person and the log are told what differs, and the books are checked at once."""
    pack_id = start(ana)
    with db.write_session() as session:
        session.execute(update(Account).values(held_credits=Account.held_credits + 1))
    analyst_packs.work_down(site)

    pack = kept(pack_id)
    assert (pack.state, pack.storage_key, pack.error and pack.error.code) == (BulkState.FAILED, None, "pack_disagrees")
    assert "accounts_held" in str(pack.error)
    assert [record.levelno for record in caplog.records if pack_id in record.getMessage()] == [logging.ERROR]
    with db.read_session() as session:
        last = runs.last_run(session)
    assert last is not None
    assert last.broken > 0, "administrators find it under attention"
    assert not any(Path(str(site.storage.folder)).rglob("*.zip"))


def test_nightly_pack(ana: Member, analyst: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    """One a night however many processes look, without prompts, for those who see all figures."""
    monkeypatch.setenv("ANALYST_PACK_NIGHTLY", "pseudonymous")
    site = installations.reopen()
    for _ in range(3):
        analyst_packs.work_down(site)

    with db.read_session() as session:
        [pack] = session.scalars(select(AnalystPack))
    assert (pack.night, pack.state) == (f"{utc_now():%Y-%m-%d}", BulkState.DONE)
    packed = stored(pack)
    assert rows(packed, "clips") == 1
    assert rows(packed, "prompts") == 0
    assert ana.id.encode() not in packed.read("clips.parquet")
    assert (found(analyst), found(ana)) == ([pack.id], [])
    with db.write_session() as session:
        assert not jobs.start_nightly(session, is_pseudonymous=False)
        session.execute(update(AnalystPack).values(night="2001-01-01"))
    analyst_packs.work_down(site)
    assert len(found(analyst)) == 2


def test_no_nightly_pack_unless_asked_for(ana: Member, site: Installation) -> None:
    """By itself nothing is made."""
    analyst_packs.work_down(site)
    with db.read_session() as session:
        assert session.scalars(select(AnalystPack)).all() == []
    assert found(ana) == []


def test_pack_when_its_worker_was_killed(ana: Member, site: Installation) -> None:
    """It is made anew once the lease is over; what the late worker writes then changes nothing."""
    pack_id = start(ana)
    with db.write_session() as session:
        lost = jobs.claim(session)
        assert lost is not None
        assert jobs.claim(session) is None, "it is leased"
        session.execute(update(AnalystPack).values(next_at=utc_now() - timedelta(seconds=1)))
    analyst_packs.work_down(site)

    pack = kept(pack_id)
    assert (pack.state, pack.version, pack.attempt) == (BulkState.DONE, 2, 2)
    with db.write_session() as session:
        order = jobs.order_of(session, pack, secret=b"x")
        assert not jobs.record(session, lost, order, size_bytes=1, days=1)
        assert not jobs.extend(session, lost, row_count=1, done_count=1)
        jobs.end(session, lost, errors.Forbidden().message)
    assert kept(pack_id).state is BulkState.DONE


def test_pack_that_never_comes_to_an_end(ana: Member, site: Installation) -> None:
    """After a few tries it is given up."""
    pack_id = start(ana)
    for _ in range(jobs.TRIES):
        with db.write_session() as session:
            assert jobs.claim(session) is not None
            session.execute(update(AnalystPack).values(next_at=utc_now() - timedelta(seconds=1)))
    analyst_packs.work_down(site)

    pack = kept(pack_id)
    assert (pack.state, pack.error and pack.error.code) == (BulkState.FAILED, "bulk_broke")


def test_worker_that_ends_gives_its_pack_back(ana: Member, site: Installation) -> None:
    """It is no failed try, and the next one makes it."""
    pack_id, looks = start(ana), [False, True]
    analyst_packs.work_down(site, lambda: looks.pop(0) if looks else True)
    assert (kept(pack_id).state, kept(pack_id).attempt) == (BulkState.RUNNING, 0)
    analyst_packs.work_down(site)
    assert kept(pack_id).state is BulkState.DONE


def test_pack_when_the_disk_is_full(ana: Member, site: Installation) -> None:
    """It is told, tried again, and nothing half written is left."""
    pack_id = start(ana)
    folder = Path(str(site.storage.folder)) / "packs"
    folder.write_text("a file where a folder should be")
    analyst_packs.work_down(site)
    assert (kept(pack_id).state, kept(pack_id).error and kept(pack_id).error.code) == (  # type: ignore[union-attr]  # it has one
        BulkState.RUNNING,
        "bulk_no_room",
    )
    folder.unlink()
    with db.write_session() as session:
        session.execute(update(AnalystPack).values(next_at=utc_now()))
    analyst_packs.work_down(site)
    assert (kept(pack_id).state, kept(pack_id).error) == (BulkState.DONE, None)


def test_packs_whose_time_is_over(ana: Member, site: Installation) -> None:
    """The file goes, the pack is told of for a while, and then it goes, too; others stay."""
    old, young = start(ana), start(ana)
    analyst_packs.work_down(site)
    key, ended = str(kept(old).storage_key), utc_now() - jobs.KEPT - timedelta(days=1)
    with db.write_session() as session:
        session.execute(update(AnalystPack).where(AnalystPack.id == old).values(expires_at=utc_now()))
    maintenance.run(site)

    assert isinstance(site.storage, LocalStorage)
    assert (site.storage.exists(key), site.storage.exists(str(kept(young).storage_key))) == (False, True)
    assert not jobs.has_file(kept(old))
    with db.write_session() as session:
        session.execute(update(AnalystPack).where(AnalystPack.id == old).values(ended_at=ended))
    maintenance.run(site)
    assert found(ana) == [young]
