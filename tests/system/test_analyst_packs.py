"""An analyst pack is made whole wherever its maker was killed, and by one worker only."""

import io
import json
import zipfile

import pytest
from sqlalchemy import update

from core.analyst_pack import jobs
from core.analyst_pack.asked import Asked
from core.clock import utc_now
from core.db.enums import BulkState
from core.db.tables import AnalystPack
from tests.factories.generations import create_completed
from tests.system.installation import Installation, installed

pytestmark = pytest.mark.process


def pack_of(site: Installation, pack_id: str) -> AnalystPack:
    """The pack as it is now."""
    with site.database.read_session() as session:
        return session.get_one(AnalystPack, pack_id)


def test_pack_when_its_makers_are_killed() -> None:
    """Killed right after its claim, and between file and commit; then two workers make it once, and it agrees."""
    with installed("http://127.0.0.1:9") as site:
        create_completed(site.database, site.user, project_id=site.project.id)
        with site.database.write_session() as session:
            pack_id = jobs.start(session, site.user, Asked(site.user.id)).id
        for when, nth in (("after", 1), ("before", 2)):
            site.run_job_killed_at("pack", pack_id, when, nth)
            assert pack_of(site, pack_id).state is BulkState.RUNNING
            with site.database.write_session() as session:
                session.execute(update(AnalystPack).values(next_at=utc_now()))
        for _ in range(2):
            site.start_worker("--role", "dispatcher")
        site.until(lambda: pack_of(site, pack_id).state is BulkState.DONE, "it is made")

        pack = pack_of(site, pack_id)
        assert (pack.version, pack.attempt) == (3, 3)
        packed = zipfile.ZipFile(io.BytesIO(site.storage().read_bytes(str(pack.storage_key))))
        assert packed.testzip() is None
        assert json.loads(packed.read("checks.json"))["agrees"]
        site.storage().delete_below(f"packs/{pack_id}")
        assert not site.storage().exists(f"packs/{pack_id}/2.zip"), "what a killed one left goes with it"
