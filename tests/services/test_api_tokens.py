import time
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from core import errors
from core.clock import utc_now
from core.db import Database
from core.db.enums import Scope
from core.db.tables import ApiToken
from core.identity import api_tokens
from core.workspaces import callers
from core.workspaces.access import Member
from core.workspaces.callers import CallerCache
from tests.factories.users import ensure_member


def kept(database: Database) -> ApiToken:
    """The one token there is."""
    with database.read_session() as session:
        return session.scalars(select(ApiToken)).one()


def issue(database: Database, person: Member, name: str = "script") -> str:
    """A token of this person."""
    with database.write_session() as session:
        return api_tokens.create(session, person.user, name=name)


def test_token_when_issued(database: Database, person: Member) -> None:
    """A token opens its person's door; the table holds only a hash and the first characters of it."""
    token = issue(database, person)

    with database.read_session() as session:
        found, known = api_tokens.by_token(session, token)
    assert (found.id, known.scope) == (person.id, Scope.GENERATE)
    assert token not in str(vars(kept(database)))
    assert token.startswith(known.prefix)
    assert len(known.prefix) < 20


@pytest.mark.parametrize("values", [{"revoked_at": utc_now()}, {"expires_at": utc_now() - timedelta(seconds=1)}])
def test_token_when_it_is_over(database: Database, person: Member, values: dict[str, object]) -> None:
    """A revoked or expired token opens nothing."""
    token = issue(database, person)
    with database.write_session() as session:
        session.execute(update(ApiToken).values(**values))

    with pytest.raises(errors.Unauthorized), database.read_session() as session:
        api_tokens.by_token(session, token)


def test_known_when_revoked_here(database: Database, person: Member) -> None:
    """What was looked up is known without the database until the revocation is committed, and not a moment longer."""
    cache = CallerCache()
    token = issue(database, person)
    with database.read_session() as session:
        found, row = cache.authenticate(session, token)
    with database.write_session() as session:
        api_tokens.revoke(session, person.user, row.id, cache=cache)
        assert cache.get(token, now=utc_now()) == (found, row)

    assert cache.get(token, now=utc_now()) is None


def test_known_when_revoked_elsewhere(database: Database, person: Member) -> None:
    """What another process has revoked is known for the stated time and no longer, used or not."""
    cache = CallerCache()
    token = issue(database, person)
    with database.read_session() as session:
        cache.authenticate(session, token)
    with database.write_session() as session:
        session.execute(update(ApiToken).values(revoked_at=utc_now()))
    time.sleep(callers.CACHE_SECONDS / 2)
    cache.get(token, now=utc_now())
    time.sleep(callers.CACHE_SECONDS / 2)

    assert cache.get(token, now=utc_now()) is None
    with pytest.raises(errors.Unauthorized), database.read_session() as session:
        api_tokens.by_token(session, token)


def test_known_when_it_expires(database: Database, person: Member) -> None:
    """A token ends at its time, looked up just before or not."""
    cache = CallerCache()
    with database.write_session() as session:
        ends = utc_now() + timedelta(hours=1)
        token = api_tokens.create(session, person.user, name="short", expires_at=ends)
    with database.read_session() as session:
        cache.authenticate(session, token)
    assert cache.get(token, now=ends - timedelta(microseconds=1)) is not None
    assert cache.get(token, now=ends) is None


def test_refusals_when_for_different_reasons(database: Database, person: Member) -> None:
    """Unknown, revoked and expired are the same query with the same empty answer, so time does not tell them apart."""
    cache = CallerCache()
    revoked, expired = issue(database, person), issue(database, person)
    with database.write_session() as session:
        api_tokens.revoke(session, person.user, api_tokens.by_token(session, revoked)[1].id, cache=cache)
        past = utc_now() - timedelta(seconds=1)
        session.execute(update(ApiToken).where(ApiToken.revoked_at.is_(None)).values(expires_at=past))
    asked: list[str] = []
    event.listen(database.read_engine, "before_cursor_execute", lambda _c, _u, sql, *_more: asked.append(sql))

    for wrong in ("avg_unknown", revoked, expired, "", "\udcff"):
        with pytest.raises(errors.Unauthorized), database.read_session() as session:
            api_tokens.by_token(session, wrong)

    queries = [sql for sql in asked if "api_tokens" in sql]
    assert len(queries) == 5
    assert len(set(queries)) == 1


def test_list_when_revoked(database: Database, person: Member) -> None:
    """A list has one's own tokens, newest first, without those that were revoked; only one's own can be revoked."""
    cache = CallerCache()
    for name in ("first", "second"):
        issue(database, person, name)
        time.sleep(0.002)  # what is made in one millisecond has no order
    with database.write_session() as session:
        other = ensure_member(session, "ben@example.org", signup_credits=0)
        api_tokens.create(session, other.user, name="other")
    with database.write_session() as session:
        newest, oldest = api_tokens.list_for_user(session, person.user)
        assert (newest.name, oldest.name) == ("second", "first")
        with pytest.raises(errors.NotFound):
            api_tokens.revoke(session, other.user, oldest.id, cache=cache)
        api_tokens.revoke(session, person.user, oldest.id, cache=cache)
        with pytest.raises(errors.NotFound):
            api_tokens.revoke(session, person.user, oldest.id, cache=cache)
    with database.read_session() as session:
        assert [token.name for token in api_tokens.list_for_user(session, person.user)] == ["second"]


def test_issue_when_it_cannot_be(database: Database, person: Member) -> None:
    """A name and a time to come are wanted; somebody with very many tokens gets no more."""
    past = utc_now() - timedelta(minutes=1)
    for name, expires_at, field in (("  ", None, "name"), ("x" * 121, None, "name"), ("ok", past, "expiresAt")):
        with pytest.raises(errors.InvalidRequest) as refused, database.write_session() as session:
            api_tokens.create(session, person.user, name=name, expires_at=expires_at)
        assert set(refused.value.fields) == {field}
    with database.write_session() as session:
        for number in range(api_tokens.MAX_LIVE_TOKENS):
            api_tokens.create(session, person.user, name=str(number))
        with pytest.raises(errors.Conflict):
            api_tokens.create(session, person.user, name="one more")


def test_use_when_frequent(database: Database, person: Member) -> None:
    """Last use is kept to the minute: a second use right after writes nothing."""
    issue(database, person)
    seen = []
    for _ in range(2):
        with database.write_session() as session:
            api_tokens.note_use(session, kept(database).id)
        seen.append(kept(database).last_used_at)

    assert seen[0] == seen[1]
    assert seen[0] is not None
    assert not api_tokens.use_is_old(kept(database), now=utc_now())


def test_reach() -> None:
    """Each scope includes the ones before it."""
    reached = {(have, need) for have in Scope for need in Scope if api_tokens.satisfies(have, need)}

    assert (Scope.ADMIN, Scope.READ) in reached
    assert (Scope.READ, Scope.GENERATE) not in reached
    assert len(reached) == 6
