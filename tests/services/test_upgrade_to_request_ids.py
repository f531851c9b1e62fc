"""A filled database of before orders knew their request, brought to this version, and back."""

import pytest

from core import logs
from core.db import Database
from core.workspaces.access import Member
from tests.factories.books import broken_rules
from tests.factories.generations import create_completed, create_generation, load_generation
from tests.factories.upgrades import check_there_and_back

pytestmark = pytest.mark.both_databases  # each has its own way to change a table

BEFORE = "0040"


def test_upgrade_of_orders_of_before(database: Database, person: Member) -> None:
    """Nothing of before changes, whoever goes back and forth; nobody knows their request, and new ones have theirs."""
    done, queued = create_completed(database, person), create_generation(database, person)
    check_there_and_back(database, BEFORE)
    assert {load_generation(each.id, database).request_id for each in (done, queued)} == {None}
    with logs.bound(request_id="r-1"):
        assert create_generation(database, person).request_id == "r-1"
    assert broken_rules(database) == []
