"""Orders that wait for approval in a whole installation: nothing sends them, and nothing of a yes is lost."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from core.db.enums import Stage, Status
from tests import simulators
from tests.factories.approvals import ask, decide, let_time_pass
from tests.factories.workspaces import create_admin
from tests.system.installation import ROOT, Installation, installed, kill_tree

pytestmark = pytest.mark.process

KILLED = 137

DECIDE = """
import os, sys
from core import db, installation
from core.generations import approvals
from core.identity import users
from core.workspaces import members
with installation.opened() as found:
    with db.write_session() as session:
        admin = members.at_work(session, users.ensure(session, "root@example.org", signup_credits=0))
        approvals.decide(session, admin, sys.argv[1], approve=True, configured=found.configured)
        if sys.argv[2] == "before":
            os._exit(137)
    os._exit(137)
"""
"""Says yes and dies on the spot, before or after that is written down."""


@pytest.fixture
def site() -> Iterator[Installation]:
    """An installation with Redis and no worker, whose one person orders nothing without approval."""
    with simulators.running("modelslab", seconds=2, limit=1000) as vendor, installed(vendor) as found:
        found.start_redis()
        yield found


def decide_and_die(site: Installation, generation_id: str, when: str) -> None:
    """Let a process say yes that dies before or after its commit."""
    command = [sys.executable, "-c", DECIDE, generation_id, when]
    ended = subprocess.run(command, env=site.environ, cwd=ROOT, check=False, timeout=120)
    assert ended.returncode == KILLED


def test_what_waits_is_sent_by_nothing(site: Installation) -> None:
    """Neither a flushed Redis nor other workers send it; a yes that was not written down is none, one that was counts.

    Each is bought once, and what nobody answers for a week comes back.
    """
    root = create_admin(site.database)
    ask(site.database, site.user)
    waits, declined, lapses = (site.order(f"waits {n}") for n in range(3))
    ask(site.database, site.user, None)
    worker = site.start_worker()
    passes = site.order("passes")
    site.until(lambda: site.row(passes).status is Status.COMPLETED, "what needs no approval is made")
    site.flush_redis()
    kill_tree(worker)
    worker = site.start_worker()
    later = site.order("later")
    site.until(lambda: site.row(later).status is Status.COMPLETED, "a new worker makes what needs none")
    assert {site.row(each).stage for each in (waits, declined, lapses)} == {Stage.AWAITING_APPROVAL}
    kill_tree(worker)

    decide_and_die(site, waits, "before")
    assert site.row(waits).stage is Stage.AWAITING_APPROVAL
    decide_and_die(site, waits, "after")
    assert site.row(waits).stage is Stage.QUEUED
    decide(site.database, root, declined, approve=False)
    let_time_pass(site.database, lapses)
    site.flush_redis()
    site.start_worker()
    site.until(site.settled, "all are at their end")

    assert [site.row(each).status for each in (waits, declined, lapses)] == [
        Status.COMPLETED,
        Status.CANCELLED,
        Status.CANCELLED,
    ]
    assert site.row(lapses).error_code == "approval_lapsed"
    assert site.submits() == {passes: 1, later: 1, waits: 1}
    site.check_books()
