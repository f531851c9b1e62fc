from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from core import db
from core.clock import utc_now
from core.config import BadSetting
from core.db.enums import Scope
from core.db.opening import open_database
from core.db.tables import SigningCertificate
from core.identity import api_tokens
from core.installation import Installation, build, current, using
from tests.factories import installations
from tests.factories.users import ensure_member


def test_current_is_the_one_in_use(installation: Installation) -> None:
    """Inside its block an installation and its database are the current ones; afterwards those before are again."""
    other = replace(installation, redis_url="redis://other")
    with using(other):
        assert current() is other
        assert db.default() is other.database
    assert current() is installation
    assert db.default() is installation.database


def test_caches_are_of_one_installation(installation: Installation) -> None:
    """What one has looked up is nothing to the next one, which a process that starts anew is."""
    with installation.database.write_session() as session:
        person = ensure_member(session, "ana@example.org", signup_credits=0)
        token = api_tokens.create(session, person.user, name="t", scope=Scope.READ)
    with installation.database.read_session() as session:
        installation.callers.authenticate(session, token)
    again = build(installation.settings)
    assert installation.callers.get(token, now=utc_now()) is not None
    assert again.callers.get(token, now=utc_now()) is None
    again.close()


@pytest.mark.parametrize(
    "url",
    ["mysql://me:hunter2@127.0.0.1/x", "nonsense://me:hunter2@db/x", "postgresql://me:hunter2@127.0.0.1:1/x"],
)
def test_database_when_it_cannot_be_used(installation: Installation, url: str) -> None:
    """A kind we have no driver for, and a server that does not answer, stop the start with one sentence."""
    with pytest.raises(BadSetting, match="DATABASE_URL") as refused:
        open_database(installation.settings.model_copy(update={"database_url": url}))
    assert "hunter2" not in str(refused.value)


def test_first_start_makes_the_key_that_clips_are_signed_with(installation: Installation) -> None:
    """It is there before the first clip, and a later start has the same one."""
    with installation.database.read_session() as session:
        first = session.scalars(select(SigningCertificate)).one()
    assert first.sealed_key is not None
    with installations.reopen().database.read_session() as session:
        assert session.scalars(select(SigningCertificate)).one().fingerprint == first.fingerprint


def test_start_with_a_signing_key_that_cannot_be_used(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It holds up no start, and the log says which file and which settings."""
    broken = tmp_path / "broken.pem"
    broken.write_text("nothing")
    for name in ("CREDENTIALS_CERTIFICATE_FILE", "CREDENTIALS_KEY_FILE"):
        monkeypatch.setenv(name, str(broken))
    installations.reopen()
    [warning] = [each.getMessage() for each in caplog.records if "without content credentials" in each.getMessage()]
    assert "CREDENTIALS_CERTIFICATE_FILE" in warning
