import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import update

from core import audit, db, users
from core import storage as storages
from core.config import Settings
from core.models import Account, User
from tests.orders import completed

ROOT = Path(__file__).parents[1]


@pytest.fixture
def ana(installation: Settings) -> User:
    """Somebody with one finished clip whose file is in storage."""
    with db.session() as session:
        user = users.ensure(session, "ana@example.org", signup_credits=1000)
    row = completed(db.default(), user)
    assert row.output_key is not None
    storages.open_storage(installation.storage_url).put_bytes(row.output_key, b"clip", media_type="video/mp4")
    return user


def command() -> "subprocess.CompletedProcess[str]":
    """Run the check as an operator would; the folder is taken from the environment."""
    return subprocess.run(
        [sys.executable, "-m", "core.audit"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )


def test_command_when_all_holds(ana: User) -> None:
    """One line a rule with its count, and exit 0."""
    ended = command()

    assert ended.returncode == 0, ended.stdout
    assert all(line.startswith("ok") for line in ended.stdout.splitlines())
    assert len(ended.stdout.splitlines()) == 12


def test_command_when_a_rule_is_broken(ana: User) -> None:
    """The broken rule is named with the ids that break it, and exit is 1."""
    with db.session() as session:
        session.execute(update(Account).values(available_credits=Account.available_credits + 1))
        account_id = session.scalar(update(Account).values(held_credits=0).returning(Account.id))
    ended = command()

    assert ended.returncode == 1
    assert "BROKEN" in ended.stdout
    assert str(account_id) in ended.stdout


def test_command_when_a_file_is_missing(ana: User, installation: Settings) -> None:
    """A completed clip whose file is gone is found."""
    for path in (installation.data_dir / "media").rglob("*.mp4"):
        path.unlink()
    ended = command()

    assert ended.returncode == 1
    assert "in storage" in ended.stdout


def test_last_run_when_recorded(installation: Settings, ana: User) -> None:
    """The newest result is kept with its time and what was broken."""
    with db.session() as session:
        audit.record(session, audit.run(session))
    with db.session(read_only=True) as session:
        last = audit.last_run(session)

    assert last is not None
    assert last.broken == 0
    assert len(last.results) == 11
