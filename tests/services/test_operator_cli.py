from datetime import timedelta

import pytest
from sqlalchemy import select

from core import config, db, operator_cli
from core.billing import ledger
from core.clock import utc_now
from core.db.enums import Role, Scope, Status
from core.db.tables import AuditLogEntry, Generation
from core.generations import reconciliation
from core.identity import api_tokens, sign_in_links, users
from core.installation import Installation
from core.providers.contract import JobMatches, ProviderJob
from tests.factories import generations
from tests.factories.users import ensure_member
from tests.postgres import restricted


@pytest.fixture
def lost(installation: Installation) -> Generation:
    """A generation of which nobody knows whether its provider has it."""
    with db.write_session() as session:
        person = ensure_member(session, "ana@example.org", signup_credits=1000)
    return generations.lose_submit(db.default(), generations.create_generation(db.default(), person).id)


def read(generation_id: str) -> Generation:
    """The row as it is now."""
    with db.read_session() as session:
        return session.get_one(Generation, generation_id)


def available(email: str) -> int:
    """A person's available credits."""
    with db.read_session() as session:
        return ledger.balance(session, users.get(session, email).id).available_credits


def test_token_is_the_last_line(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """A new person is made and can use the printed token."""
    assert operator_cli.main(["token", "Ana@Example.org"]) == 0

    token = capsys.readouterr().out.strip().splitlines()[-1]
    with db.read_session() as session:
        person, known = api_tokens.by_token(session, token)
    assert (person.email, person.role) == ("ana@example.org", Role.USER)
    assert (known.name, known.scope, known.expires_at) == ("command line", Scope.GENERATE, None)
    assert available("ana@example.org") == installation.settings.signup_credits


def test_token_as_asked(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, scope and days can be given."""
    assert operator_cli.main(["token", "ana@example.org", "--name", "cron", "--scope", "read", "--days", "30"]) == 0

    with db.read_session() as session:
        _person, known = api_tokens.by_token(session, capsys.readouterr().out.strip())
    assert (known.name, known.scope) == ("cron", Scope.READ)
    assert known.expires_at is not None
    assert timedelta(days=29) < known.expires_at - utc_now() <= timedelta(days=30)


def test_local_person_is_an_administrator(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """The person of the local demo has the same role however it came into being."""
    assert operator_cli.main(["token", config.LOCAL_PERSON]) == 0

    with db.read_session() as session:
        assert api_tokens.by_token(session, capsys.readouterr().out.strip())[0].role is Role.ADMIN


def test_grant_twice_books_twice(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """Each call is a grant of its own, and prints the new balance."""
    start = installation.settings.signup_credits
    assert operator_cli.main(["grant", "ana@example.org", "500"]) == 0
    assert operator_cli.main(["grant", "ana@example.org", "500", "--reason", "Campaign"]) == 0

    assert capsys.readouterr().out.split() == [str(start + 500), str(start + 1000)]
    with db.read_session() as session:
        newest = ledger.entries(session, users.get(session, "ana@example.org").id)[0]
    assert (newest.reason, newest.actor, newest.amount_credits) == ("Campaign", "command line", 500)


def test_acts_of_the_operator_are_written_down(lost: Generation) -> None:
    """A token, its new person, credits and decisions stand in the audit log, as done on the command line."""
    assert operator_cli.main(["token", "ben@example.org", "--name", "CI"]) == 0
    assert operator_cli.main(["grant", "ben@example.org", "5", "--reason", "Test"]) == 0
    assert operator_cli.main(["resolve", lost.id, "--found", "job-7"]) == 0

    with db.read_session() as session:
        told = session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.id)).all()
    assert [(entry.action, entry.actor, entry.target) for entry in told] == [
        ("person.made", "command line", "ben@example.org"),
        ("token.made", "command line", "CI"),
        ("credits.granted", "command line", "ben@example.org"),
        ("uncertain.found", config.LOCAL_PERSON, "Demo Film"),
    ]
    assert {entry.address for entry in told} == {"command line"}
    assert told[2].after == {"credits": 5, "reason": "Test"}


def test_audit_log_is_pruned_by_hand(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """What is older than the setting goes, and the log says who removed it."""
    with db.write_session() as session:
        for days in (1, 401, 500):
            at = utc_now() - timedelta(days=days)
            session.add(AuditLogEntry(at=at, actor="system", noun="token", action="token.made"))
    assert operator_cli.main(["prune-audit-log"]) == 0
    assert capsys.readouterr().out == "2 entries were older than 400 days and are removed.\n"
    assert operator_cli.main(["prune-audit-log"]) == 0
    assert capsys.readouterr().out.startswith("0 entries")
    with db.read_session() as session:
        told = session.scalars(select(AuditLogEntry).order_by(AuditLogEntry.id)).all()
    assert [(entry.action, entry.actor) for entry in told] == [
        ("token.made", "system"),
        ("audit_log.pruned", "command line"),
    ]


@pytest.mark.only_postgresql
def test_audit_log_when_the_role_may_not_prune(
    installation: Installation, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A role that may only append is told so in a sentence."""
    monkeypatch.setenv("DATABASE_URL", restricted(database_url))
    assert operator_cli.main(["prune-audit-log"]) == 2
    assert "may not remove entries of the audit log" in capsys.readouterr().err


def test_uncertain_ones_are_listed(lost: Generation, capsys: pytest.CaptureFixture[str]) -> None:
    """The list says whose it is, what is reserved and what is known."""
    assert operator_cli.main(["uncertain"]) == 0

    out = capsys.readouterr().out
    for known in (lost.id, "ana@example.org", "Demo Film", "50 reserved", "ReadTimeout"):
        assert known in out


def test_uncertain_ones_are_listed_with_what_they_may_be(lost: Generation, capsys: pytest.CaptureFixture[str]) -> None:
    """When the provider's list shows several jobs that may be it, an administrator is told which."""
    with db.write_session() as session:
        reconciliation.reconcile(session, lost, JobMatches(exact=[ProviderJob("j-1"), ProviderJob("j-2")]))
    assert operator_cli.main(["uncertain"]) == 0
    assert "It may be one of these jobs: j-1, j-2 ReadTimeout" in capsys.readouterr().out


def test_nothing_uncertain(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty list is said in words."""
    assert operator_cli.main(["uncertain"]) == 0
    assert capsys.readouterr().out == "Nothing is uncertain.\n"


def test_resolve_by_release(lost: Generation) -> None:
    """Released: it has failed and its credits are back, decided by the local administrator."""
    assert operator_cli.main(["resolve", lost.id, "--release"]) == 0

    assert read(lost.id).status is Status.FAILED
    assert available("ana@example.org") == 1000


def test_resolve_by_finding_the_job(lost: Generation) -> None:
    """Found: it is waited for under the provider's job id and its credits stay reserved."""
    assert operator_cli.main(["resolve", lost.id, "--found", "job-77"]) == 0

    row = read(lost.id)
    assert (row.status, row.provider_job_id) == (Status.PROCESSING, "job-77")
    assert available("ana@example.org") == 950


def test_sample_company_that_is_not_there(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    """Removing none says so."""
    assert operator_cli.main(["sample", "remove"]) == 0
    assert capsys.readouterr().out == "There is no sample company.\n"


def test_sample_company_where_people_sign_in(
    installation: Installation, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with a sentence in every mode but local."""
    monkeypatch.setenv("AUTH_MODE", "open")

    assert operator_cli.main(["sample", "make"]) == 2
    assert "AUTH_MODE=local" in capsys.readouterr().err


def test_refusal_is_one_sentence(lost: Generation, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be done is said on stderr, with exit code 2 and without a traceback."""
    assert operator_cli.main(["resolve", lost.id, "--release"]) == 0
    capsys.readouterr()

    for arguments in (
        ["resolve", lost.id, "--release"],
        ["resolve", "unknown", "--release"],
        ["resolve", lost.id, "--found", ""],
        ["token", "not an address"],
        ["grant", "not an address", "5"],
    ):
        assert operator_cli.main(arguments) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert len(said.err.strip().splitlines()) == 1
        assert said.err.endswith(".\n")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["token", "ana@example.org", "--scope", "all"],
        ["token", "ana@example.org", "--days", "0"],
        ["token", "ana@example.org", "--days", "99999"],
        ["grant", "ana@example.org", "0"],
        ["grant", "ana@example.org", "-5"],
        ["grant", "ana@example.org", "1.5"],
        ["grant", "ana@example.org", "9" * 30],
        ["grant", "ana@example.org", "5", "--reason", "x" * 501],
        ["resolve", "some-id"],
        ["resolve", "some-id", "--release", "--found", "job"],
    ],
)
def test_wrong_arguments(installation: Installation, arguments: list[str]) -> None:
    """What is not a command ends with exit code 2 before anything is touched."""
    with pytest.raises(SystemExit) as ended:
        operator_cli.main(arguments)
    assert ended.value.code == 2


def test_link_to_sign_in_with_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where people sign in, the first line is a link for somebody who is known, and it is written down."""
    with db.write_session() as session:
        ensure_member(session, "ana@example.org")
    assert operator_cli.main(["session", "ana@example.org"]) == 2
    assert "AUTH_MODE=local" in capsys.readouterr().err
    told = {"AUTH_MODE": "oidc", "OIDC_ISSUER": "https://id.example.org", "OIDC_CLIENT_ID": "studio"}
    for name, value in (told | {"PUBLIC_URL": "https://studio.example.org"}).items():
        monkeypatch.setenv(name, value)
    assert operator_cli.main(["session", "nobody@example.org"]) == 2
    capsys.readouterr()
    assert operator_cli.main(["session", "ana@example.org"]) == 0
    link = capsys.readouterr().out.splitlines()[0]
    assert link.startswith("https://studio.example.org/auth/link?token=")
    with db.write_session() as session:
        assert sign_in_links.use(session, link.rpartition("=")[2]).email == "ana@example.org"
        made = select(AuditLogEntry).where(AuditLogEntry.action == "sign_in.link_made")
        [row] = session.scalars(made).all()
    assert (row.target, row.address) == ("ana@example.org", "command line")
