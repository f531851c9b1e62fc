"""API tokens over REST; a caller needs a token of scope admin to manage them."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import leads_to, refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import Scope
from core.db.tables import ApiToken
from core.identity import api_tokens
from core.identity import idempotency as keys

router = routing.router("tokens")


class Token(responses.ApiModel):
    """A token as lists show it: by its first characters. `lastUsedAt` is true to the minute."""

    id: fields.Id
    name: fields.Name
    prefix: Annotated[str, Field(examples=["avg_3vQx9LmT"])]
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
    """A token was made; `secret` is shown this once, and is null in the answer to a repeat."""

    token: Token
    secret: Annotated[str | None, Field(examples=["avg_3vQx9LmT…"])]


@router.get("/tokens")
def list_tokens(member: CurrentMember) -> TokensAnswer:
    """List your tokens, newest first."""
    with db.read_session() as session:
        return TokensAnswer(tokens=[Token.of(row) for row in api_tokens.list_for_user(session, member.user)])


@router.post(
    "/tokens",
    status_code=201,
    response_model=NewTokenAnswer,
    responses=refuses(404, 409) | idempotency.says_so(201, {"links": leads_to("revokeToken", id_at="token/id")}),
)
def create_token(member: CurrentMember, body: requests.NewToken, idempotency_key: IdempotencyKey = None) -> Response:
    """Create a token; its `secret` is shown only once.

    A repeat tells the token without it, since only its hash is kept: whoever has lost the first answer revokes the
    token and makes another. 404 when it was revoked.
    """
    request, secret = f"token\n{body.model_dump_json()}", None
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            secret = api_tokens.create(
                session, member.user, name=body.name, scope=body.scope, expires_at=body.expires_at
            )
            row = api_tokens.by_token(session, secret)[1]
            keys.remember(session, member.user, idempotency_key, request=request, made_id=row.id)
        else:
            row = api_tokens.get(session, member.user, made_id)
    answer = NewTokenAnswer(token=Token.of(row), secret=secret)
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@router.delete("/tokens/{id}", responses=refuses(404, 409))
def revoke_token(member: CurrentMember, installation: CurrentInstallation, token_id: PathId) -> responses.Response:
    """Revoke a token; the next request with it is refused."""
    with db.write_session() as session:
        api_tokens.revoke(session, member.user, token_id, cache=installation.callers)
    return responses.Response()
