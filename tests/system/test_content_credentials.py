"""Content credentials where processes begin at once and die in the middle."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from core.db.enums import Stage, Status
from core.db.tables import SigningCertificate
from tests import simulators
from tests.fixtures.signing import read_publicly
from tests.system.installation import Installation, installed, kill_tree

pytestmark = pytest.mark.process
ROOT = Path(__file__).parents[2]


@pytest.fixture
def site() -> Iterator[Installation]:
    """An installation with Redis beside a ModelsLab stand-in, and no worker yet."""
    with simulators.running("modelslab", seconds=1, limit=1000) as vendor, installed(vendor) as found:
        found.start_redis()
        yield found


def keys(site: Installation) -> list[SigningCertificate]:
    """What clips are signed with."""
    with site.database.read_session() as session:
        return list(session.scalars(select(SigningCertificate)))


def test_first_start_of_several_processes_at_once(site: Installation) -> None:
    """They make one key between them."""
    assert keys(site) == []
    start = "from core import installation\nwith installation.opened():\n    pass"
    starts = [subprocess.Popen([sys.executable, "-c", start], env=site.environ, cwd=ROOT) for _ in range(4)]
    assert [each.wait(timeout=120) for each in starts] == [0] * 4
    assert len(keys(site)) == 1


def test_collect_killed_between_signing_and_storing(site: Installation, tmp_path: Path) -> None:
    """The next try signs again: one clip, one file with credentials that hold, and nothing is left on the disk."""
    dispatcher = site.start_worker("--role", "dispatcher")
    submitter = site.start_worker("--role", "submit")
    generation_id = site.order()
    site.until_stage(generation_id, Stage.READY_TO_DOWNLOAD)
    for process in (dispatcher, submitter):
        kill_tree(process)
    site.flush_redis()
    site.run_job_killed_at("collect", generation_id, "storing", 1)
    incoming = Path(site.environ["DATA_DIR"]) / "incoming"
    assert [path.name for path in incoming.glob("*.signed.mp4")] == [f"{generation_id}.signed.mp4"]
    assert site.row(generation_id).stage is Stage.DOWNLOADING
    site.start_worker()
    site.until(site.settled, "it is done")

    row = site.row(generation_id)
    assert (row.status, row.unsigned_reason) == (Status.COMPLETED, None)
    path = tmp_path / "clip.mp4"
    path.write_bytes(site.storage().read_bytes(str(row.output_key)))
    assert read_publicly(path)["state"] in ("Valid", "Trusted")
    assert list(incoming.glob("*.mp4")) == []
    assert site.submits() == {generation_id: 1}
    assert len(keys(site)) == 1
    site.check_books()
