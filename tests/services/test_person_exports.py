import io
import json
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core import db, errors
from core.clock import utc_now
from core.db.enums import BulkState
from core.db.tables import PersonExport
from core.files import storage as storages
from core.installation import Installation
from core.personal_data import exports, packing
from core.worker import person_exports, sweep
from core.workspaces.access import Member
from tests.factories.generations import create_completed
from tests.factories.users import create_member
from tests.factories.workspaces import create_admin, create_team_of, join, remove


@pytest.fixture
def ana(site: Installation) -> Member:
    """Somebody with three clips."""
    found = create_member(db.default(), credits=100_000)
    for number in range(3):
        stored(site, found, f"lake {number}")
    return found


def stored(site: Installation, member: Member, prompt: str) -> str:
    """The id of a clip with its file."""
    row = create_completed(db.default(), member, prompt=prompt)
    assert row.output_key is not None
    site.storage.put_bytes(row.output_key, prompt.encode(), media_type=storages.media_type_of(row.output_key))
    return row.id


def asked(member: Member, of_user_id: str | None = None) -> str:
    """The id of a pack."""
    with db.write_session() as session:
        return exports.start(session, member, of_user_id=of_user_id).id


def packed(site: Installation, export_id: str) -> list[zipfile.ZipFile]:
    """Its files, as whoever fetches them reads them."""
    with db.read_session() as session:
        row = session.get_one(PersonExport, export_id)
        assert row.state is BulkState.DONE
        return [zipfile.ZipFile(io.BytesIO(site.storage.read_bytes(each.key))) for each in exports.files_of(row)]


def test_everything_of_a_person_is_packed(site: Installation, ana: Member) -> None:
    """Rows that name them as JSON, without hashes of secrets; clips as files; nothing of somebody else's."""
    ben = create_member(db.default(), "ben@example.org", credits=1_000)
    stored(site, ben, "another's")
    found = asked(ana)
    assert asked(ana) == found

    person_exports.work_down(site)

    [made] = packed(site, found)
    assert sorted(made.read(name) for name in made.namelist() if name.startswith("clips/")) == [
        b"lake 0",
        b"lake 1",
        b"lake 2",
    ]
    rows = [json.loads(line) for line in made.read("data/generations.jsonl").splitlines()]
    assert sorted(row["prompt"] for row in rows) == ["lake 0", "lake 1", "lake 2"]
    assert "data/ledger_entries.jsonl" in made.namelist()
    text = b"".join(made.read(name) for name in made.namelist())
    assert b"ana@example.org" in text
    assert b"ben@example.org" not in text
    assert b"another" not in text
    assert b"token_hash" not in text


def test_pack_goes_on_where_it_was(site: Installation, ana: Member) -> None:
    """A file a time; one that was broken off is packed anew by the next, each clip is in it once."""
    found = asked(ana)
    asked_to_stop = iter([False, False, True])
    person_exports.work_down(site, lambda: next(asked_to_stop, True), part_files=1)
    with db.write_session() as session:
        row = session.get_one(PersonExport, found)
        assert row.state is BulkState.RUNNING
        late = exports.claim(session)
        assert late is not None
    with db.write_session() as session:  # its worker died, and another one takes it
        session.execute(update(PersonExport).values(next_at=utc_now()))
    person_exports.work_down(site, part_files=1)
    with db.write_session() as session:
        assert not exports.record(session, late, size_bytes=1, after_id="", is_last=True, days=1)

    made = packed(site, found)
    assert len(made) == 3
    names = [name for each in made for name in each.namelist()]
    assert len(names) == len(set(names))
    assert sum(name.startswith("clips/") for name in names) == 3


def test_clips_of_a_team_come_along_while_one_is_in_it(site: Installation, ana: Member) -> None:
    """What was made in a team is the team's: whoever has left takes no file of it, but what they wrote."""
    root = create_admin(db.default())
    team = create_team_of(db.default(), root)
    ben = join(db.default(), root, team, create_member(db.default(), "ben@example.org"))
    stored(site, ben, "ours")
    with db.read_session() as session:
        row = PersonExport(user_id=ben.id, after_id="", files=[])
        assert len(packing.items(session, row, part_bytes=10**9, part_files=10)[0]) == 1
    remove(ben)
    with db.read_session() as session:
        assert packing.items(session, row, part_bytes=10**9, part_files=10) == ([], True)


def test_whose_packs_are_seen(site: Installation, ana: Member) -> None:
    """One's own; administrators those they asked for; nobody else any."""
    root, ben = create_admin(db.default()), create_member(db.default(), "ben@example.org")
    own, by_root = asked(ana), asked(root, ana.id)
    assert own != by_root
    with pytest.raises(errors.Forbidden):
        asked(ben, ana.id)
    with db.read_session() as session:
        assert [each.id for each in exports.list_visible(session, ana)] == [own]
        assert [each.id for each in exports.list_visible(session, root, of_user_id=ana.id)] == [by_root]
        for member, other in ((ben, own), (ana, by_root), (root, own)):
            with pytest.raises(errors.NotFound):
                exports.get(session, member, other)


def test_packs_go_in_time(site: Installation, ana: Member) -> None:
    """Files first, then the row; a file that no row knows is swept, one that is known is not."""
    found = asked(ana)
    person_exports.work_down(site)
    with db.read_session() as session:
        [file] = exports.files_of(session.get_one(PersonExport, found))
        assert sweep.orphans(session, [file.key, f"people/{found}/9-9.zip"]) == [f"people/{found}/9-9.zip"]
    with db.write_session() as session:
        session.execute(update(PersonExport).values(expires_at=utc_now() - timedelta(days=1)))

    assert person_exports.remove_expired(site) == 1

    assert not site.storage.exists(file.key)
    with db.read_session() as session:
        assert session.scalars(select(PersonExport)).all() == []
