"""API tokens over REST; a caller needs a token of scope admin to manage them."""

from datetime import datetime
from typing import Self

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentUser, PathId
from core.api.http.installed import CurrentInstallation
from core.api.schemas import requests, responses
from core.db.enums import Scope
from core.db.tables import ApiToken
from core.identity import api_tokens

router = routing.router("tokens")


class Token(responses.ApiModel):
    """A token as lists show it: by its first characters. `lastUsedAt` is true to the minute."""

    id: str
    name: str
    prefix: str
    scope: Scope
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None

    @classmethod
    def of(cls, row: ApiToken) -> Self:
        """The shape of a row."""
        return cls(
            id=row.id,
            name=row.name,
            prefix=row.prefix,
            scope=row.scope,
            created_at=row.created_at,
            last_used_at=row.last_used_at,
            expires_at=row.expires_at,
        )


class TokensAnswer(responses.Response):
    """All tokens that were not revoked."""

    tokens: list[Token]


class NewTokenAnswer(responses.Response):
    """A token was made; `secret` is shown this once."""

    token: Token
    secret: str


@router.get("/tokens")
def list_tokens(person: CurrentUser) -> TokensAnswer:
    """Your tokens, newest first."""
    with db.read_session() as session:
        return TokensAnswer(tokens=[Token.of(row) for row in api_tokens.list_for_user(session, person)])


@router.post("/tokens", status_code=201)
def create_token(person: CurrentUser, body: requests.NewToken) -> NewTokenAnswer:
    """Make a token; keep its `secret`, nobody can show it again."""
    with db.write_session() as session:
        secret = api_tokens.create(session, person, name=body.name, scope=body.scope, expires_at=body.expires_at)
        made = api_tokens.by_token(session, secret)[1]
    return NewTokenAnswer(token=Token.of(made), secret=secret)


@router.delete("/tokens/{id}")
def revoke_token(person: CurrentUser, installation: CurrentInstallation, token_id: PathId) -> responses.Response:
    """End a token, from the next request on."""
    with db.write_session() as session:
        api_tokens.revoke(session, person, token_id, cache=installation.tokens)
    return responses.Response()
