"""A filled database of before rejections had reasons, brought to this one: verdicts and figures stay as they were."""

import pytest

from core.db import Database
from core.db.tables import Generation
from core.generations import review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, load_generation
from tests.factories.upgrades import check_there_and_back

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0018"


def judge(database: Database, person: Member, row: Generation, verdict: ReviewStatus) -> None:
    """Write a verdict."""
    with database.write_session() as session:
        review.update(session, person, row.id, Changes(verdict=verdict))


def test_upgrade_of_judged_clips(database: Database, person: Member) -> None:
    """Nothing of before changes, whoever goes back and forth; no reason and no name is made up for old verdicts."""
    kept, rejected, _undecided = (create_completed(database, person) for _ in range(3))
    judge(database, person, kept, ReviewStatus.KEPT)
    judge(database, person, rejected, ReviewStatus.REJECTED)

    def look_after() -> None:
        found = load_generation(rejected.id, database)
        assert (found.kept, found.reject_reason, found.judged_by_id) == (False, None, None)
        assert load_generation(kept.id, database).kept is True
        assert broken_rules(database) == []

    check_there_and_back(database, BEFORE, look_after=look_after)
