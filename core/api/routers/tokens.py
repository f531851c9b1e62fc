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
from core.workspaces.access import Member

router = routing.router("tokens")


class Token(responses.ApiModel):
    """A token as lists show it: by its first characters. `lastUsedAt` is true to the minute.

    `workspaceId` is null where it reaches all workspaces of its person. `spentCredits` is what was ordered with it and
    not given back, never more than `capCredits` where it has a cap.
    """

    id: fields.Id
    name: fields.Name
    prefix: Annotated[str, Field(examples=["avg_3vQx9LmT"])]
    scope: Scope
    workspace_id: fields.TextOrNull
    cap_credits: Annotated[int | None, Field(examples=[10_000])]
    spent_credits: fields.Credits
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
            workspace_id=row.workspace_id,
            cap_credits=row.cap_credits,
            spent_credits=row.spent_credits,
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
    """List your tokens, newest first; a token for one workspace lists those for it."""
    with db.read_session() as session:
        rows = api_tokens.list_for_user(session, member.user, workspace_id=_only(member))
        return TokensAnswer(tokens=[Token.of(row) for row in rows])


@router.post(
    "/tokens",
    status_code=201,
    response_model=NewTokenAnswer,
    responses=refuses(404, 409) | idempotency.says_so(201, {"links": leads_to("revokeToken", id_at="token/id")}),
)
def create_token(member: CurrentMember, body: requests.NewToken, idempotency_key: IdempotencyKey = None) -> Response:
    """Create a token; its `secret` is shown only once.

    One that is made with a token for one workspace is for that, too; a token with a cap makes none (403).
    A repeat tells the token without it, since only its hash is kept: whoever has lost the first answer revokes the
    token and makes another. 404 when it was revoked.
    """
    unnamed = {name for name in ("workspace_id", "cap_credits") if getattr(body, name) is None}
    request, secret = f"token\n{body.model_dump_json(exclude=unnamed)}", None
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            secret = api_tokens.create(
                session,
                member.user,
                name=body.name,
                scope=body.scope,
                expires_at=body.expires_at,
                workspace_id=body.workspace_id,
                cap_credits=body.cap_credits,
                made_with_id=member.token_id,
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
        api_tokens.revoke(session, member.user, token_id, cache=installation.callers, workspace_id=_only(member))
    return responses.Response()


def _only(member: Member) -> str | None:
    """The workspace whose tokens alone are in reach of whoever came with one for it; None: all of the person's."""
    return member.workspace_id if member.is_confined else None
