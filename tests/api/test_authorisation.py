"""Who gets in where: every route of the table, tried by everybody who could ask."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from core import db
from core.api import api
from core.api.http.permissions import RoutePermission
from core.clock import utc_now
from core.db.enums import Role, Scope
from core.db.tables import ApiToken, User
from core.identity import api_tokens
from core.ids import new_id
from core.installation import Installation
from tests.api.conftest import Client, arrive, refusal
from tests.api.routes import ADMINISTRATION, fitting_body, own_path

GUARDED: list[RoutePermission] = [door for door in api.state.table.permissions if door.need is not None]
STREAM = ("GET", "/generations/events")
"""It does not end once it is open; that it opens is tested beside it."""
BELOW = {Scope.GENERATE: Scope.READ, Scope.ADMIN: Scope.GENERATE}


@pytest.fixture
def owner(installation: Installation) -> Client:
    """An administrator with a token that reaches everything, and things of their own."""
    client = arrive("owner@example.org")
    assert client.person is not None
    with db.write_session() as session:
        session.execute(update(User).where(User.id == client.person.id).values(role=Role.ADMIN))
    return client


def with_token(client: Client, scope: Scope, **values: object) -> Client:
    """The same person with another token; `values` are what became of it."""
    assert client.person is not None
    with db.write_session() as session:
        token = api_tokens.create(session, client.person.user, name="other", scope=scope)
        if values:
            token_id = api_tokens.by_token(session, token)[1].id
            session.execute(update(ApiToken).where(ApiToken.id == token_id).values(**values))
    return Client(client.person, token)


@pytest.mark.parametrize("door", GUARDED, ids=lambda door: f"{door.method} {door.path}")
def test_door(owner: Client, door: RoutePermission) -> None:
    """It opens for its owner with just the scope it needs, and for nobody else."""
    assert door.need is not None
    path = own_path(owner, door.path)
    now = utc_now()

    refused = {
        "without a token": Client(),
        "unknown": Client(token="avg_unknown"),
        "revoked": with_token(owner, Scope.ADMIN, revoked_at=now),
        "expired": with_token(owner, Scope.ADMIN, expires_at=now - timedelta(seconds=1)),
    }
    same_id = {"X-Request-Id": "one-for-all"}
    answers = {who: caller.send(door.method, path, headers=same_id) for who, caller in refused.items()}
    assert {who: answer.status_code for who, answer in answers.items()} == dict.fromkeys(refused, 401)
    assert len({answer.content for answer in answers.values()}) == 1, "the same words for all of them"
    assert {answer.headers["www-authenticate"] for answer in answers.values()} == {"Bearer"}

    if door.need in BELOW:
        answer = with_token(owner, BELOW[door.need]).send(door.method, path)
        assert refusal(answer)[:2] == (403, "forbidden")

    body = fitting_body(owner, door.method, door.path)
    if "{id}" in door.path:
        answer = arrive(f"{new_id()}@example.org").send(door.method, path, **body)
        assert answer.status_code == (403 if door.path.split("/")[1] in ADMINISTRATION else 404)

    if (door.method, door.path) != STREAM:
        assert with_token(owner, door.need).send(door.method, path, **body).status_code not in (401, 403, 404)
