"""Many processes at one balance, on both databases."""

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from core import audit, ledger, users
from core.db import Database

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.process

BUYER = """
import sys
from core import errors
from core.db import Database
from core.models import User
from tests.orders import ordered

database = Database(sys.argv[1])
with database.session(read_only=True) as session:
    user = session.get(User, sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
taken = 0
for _ in range(10):
    try:
        ordered(database, user)
        taken += 1
    except errors.InsufficientCredits:
        pass
print(taken)
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of an empty database of each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "test.db")
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    address = request.getfixturevalue("postgres_address")
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(address.format("postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE empty")
        yield address.format(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_fifty_orders_from_five_processes(url: str) -> None:
    """Of fifty orders that five processes place at once, exactly as many are taken as the credits cover."""
    database = Database(url)
    with database.session() as session:
        user = users.ensure(session, "poor@example.org", signup_credits=11 * 50 + 20)
    command = [sys.executable, "-c", BUYER, url, user.id]
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
    with database.session(read_only=True) as session:
        assert ledger.balance(session, user.id) == ledger.Balance(20, 550)
        assert [result.rule for result in audit.run(session) if not result.holds] == []
    database.dispose()
