"""API tokens over REST; a caller needs a token of scope admin to manage them."""

from datetime import datetime
from typing import Self

from core import db, tokens
from core.api import answers, routes, schemas
from core.api.auth import PathId, Person
from core.models import ApiToken
from core.states import Scope

router = routes.router("tokens")


class Token(answers.Part):
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


class TokensAnswer(answers.Envelope):
    """All tokens that were not revoked."""

    tokens: list[Token]


class NewTokenAnswer(answers.Envelope):
    """A token was made; `secret` is shown this once."""

    token: Token
    secret: str


@router.get("/tokens")
def list_tokens(person: Person) -> TokensAnswer:
    """Your tokens, newest first."""
    with db.session(read_only=True) as session:
        return TokensAnswer(tokens=[Token.of(row) for row in tokens.browse(session, person)])


@router.post("/tokens", status_code=201)
def create_token(person: Person, body: schemas.NewToken) -> NewTokenAnswer:
    """Make a token; keep its `secret`, nobody can show it again."""
    with db.session() as session:
        secret = tokens.issue(session, person, name=body.name, scope=body.scope, expires_at=body.expires_at)
        made = tokens.by_token(session, secret)[1]
    return NewTokenAnswer(token=Token.of(made), secret=secret)


@router.delete("/tokens/{id}")
def revoke_token(person: Person, token_id: PathId) -> answers.Envelope:
    """End a token, from the next request on."""
    with db.session() as session:
        tokens.revoke(session, person, token_id)
    return answers.Envelope()
