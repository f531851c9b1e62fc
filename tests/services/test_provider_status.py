import pytest

from core import errors
from core.config import Settings
from core.db import Database
from core.insights import circuit_breaker, provider_status
from core.installation import Installation
from core.workspaces.access import Member
from tests.factories import installations
from tests.factories.generations import DISPATCHED, SUBMITTING, WAITING, advance, create_completed, create_generation
from tests.said import codes


def of(database: Database, settings: Settings, name: str) -> provider_status.ProviderStatus:
    """The status of one provider."""
    with database.read_session() as session:
        return next(s for s in provider_status.statuses(session, settings) if s.provider.name == name)


def test_status_when_nothing_happened(database: Database, installation: Installation) -> None:
    """Without a key a provider says who can help; the demo is ready; nothing is claimed about a week without clips."""
    assert of(database, installation.settings, "modelslab").state == provider_status.NOT_CONFIGURED
    assert codes(of(database, installation.settings, "modelslab").trouble) == {"provider_has_no_key"}
    demo = of(database, installation.settings, "demo")

    assert (demo.state, demo.trouble, demo.key_works) == ("ok", None, None)
    assert (demo.week.in_flight, demo.week.success_rate, demo.week.median_seconds) == (0, None, None)


def test_status_when_there_is_a_week(database: Database, installation: Installation, person: Member) -> None:
    """The week counts what ended and what is in flight, for everybody."""
    create_completed(database, person)
    advance(database, create_generation(database, person).id, DISPATCHED, SUBMITTING, WAITING)

    week = of(database, installation.settings, "demo").week
    assert (week.in_flight, week.success_rate) == (1, 1.0)


@pytest.mark.parametrize(
    ("error", "times", "code"),
    [
        (errors.ProviderUnavailable(), circuit_breaker.FAILURES_TO_OPEN, "provider_has_trouble"),
        (errors.BadKey(), 1, "provider_refuses_account"),
        (errors.ProviderMoved(), 1, "provider_has_moved"),
    ],
)
def test_status_when_in_trouble(
    database: Database, installation: Installation, error: errors.AppError, times: int, code: str
) -> None:
    """Trouble is said in a sentence that tells what it means for an order."""
    with database.write_session() as session:
        for _ in range(times):
            circuit_breaker.record_failure(session, "demo", error)

    assert of(database, installation.settings, "demo").state == "trouble"
    with database.read_session() as session:
        assert provider_status.troubles(session)["demo"].code == code


def test_key_with_a_line_end(database: Database, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is used without that, and shown as in doubt until it is seen to work."""
    monkeypatch.setenv("MODELSLAB_API_KEY", "secret\r")
    settings = installations.reopen().settings
    assert settings.provider_keys == {"modelslab": "secret"}
    doubtful = of(database, settings, "modelslab")
    assert (doubtful.state, codes(doubtful.trouble)) == ("trouble", {"key_was_mended"})
    with database.write_session() as session:
        circuit_breaker.record_key_check(session, "modelslab", works=True)
    assert of(database, settings, "modelslab").state == "ok"
