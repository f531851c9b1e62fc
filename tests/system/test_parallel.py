"""Many processes at one balance, on both databases."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.audit import runs
from core.billing import ledger
from core.db import Database
from tests.factories.users import ensure_member

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.process

BUYER = """
import sys
from core import errors
from core.db import Database
from core.db.tables import User
from core.workspaces import members
from tests.factories.generations import create_generation

database = Database(sys.argv[1])
with database.read_session() as session:
    user = members.at_work(session, session.get(User, sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
taken = 0
for _ in range(10):
    try:
        create_generation(database, user)
        taken += 1
    except errors.InsufficientCredits:
        pass
print(taken)
"""


@pytest.mark.both_databases
def test_fifty_orders_from_five_processes(database_url: str) -> None:
    """Of fifty orders that five processes place at once, exactly as many are taken as the credits cover."""
    database = Database(database_url)
    with database.write_session() as session:
        user = ensure_member(session, "poor@example.org", signup_credits=11 * 50 + 20)
    command = [sys.executable, "-c", BUYER, database_url, user.id]
    buyers = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(5)
    ]
    for buyer in buyers:
        assert buyer.stdout is not None
        assert buyer.stdout.readline() == "ready\n"
    for buyer in buyers:
        assert buyer.stdin is not None
        buyer.stdin.write("go\n")
        buyer.stdin.flush()
    answers = [buyer.communicate(timeout=120)[0] for buyer in buyers]

    assert sum(int(answer) for answer in answers) == 11
    with database.read_session() as session:
        assert ledger.balance(session, user.id) == ledger.Balance(20, 550)
        assert [result.code for result in runs.run(session) if not result.holds] == []
    database.dispose()
