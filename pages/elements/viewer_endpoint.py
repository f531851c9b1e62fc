"""The dashboard's own address to which the viewer in somebody's browser sends what they decide, one thing at a time.

An answer of 200 says what each clip has come to. One of 401 asks for a new token and one of 503 for patience: what was
sent is kept and sent again, which is harmless. With any other it is dropped, and `said` tells why.

What scripts decide is the REST API's; this one answers only a page's own token.
"""

import json
from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core import config, db, errors, installation
from core.db import ReadSession
from core.db.availability import is_away
from core.db.enums import RejectReason
from core.db.tables import Generation
from core.generations import review
from core.generations.list_filter import ReviewStatus
from core.generations.review import Changes, Decided, Decision
from core.identity import page_tokens
from core.workspaces import page_holders, profiles
from core.workspaces.access import Member
from pages.ui import language, page_token
from pages.ui.language import _, translate_message

NAME = "review"
PATH = f"{config.API_PATH}/{NAME}"
_PURPOSE = "review"
MOST_BYTES = 16 * 1024
MOST_DECISIONS = 8


def token(person: Member) -> str:
    """What the viewer sends along: it judges clips as this person for an hour."""
    return page_token.sign(_PURPOSE, person)


def route(api_path: str = config.API_PATH) -> Route:
    """The route beside the REST API that is mounted at `api_path`; mounted by app.py before it."""

    async def answer(request: Request) -> Response:
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return Response(status_code=413)
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        return await run_in_threadpool(_answer, given, body)

    return Route(f"{api_path}/{NAME}", answer, methods=["POST"])


def _answer(given: str, body: bytes) -> Response:
    settings = installation.current().settings
    try:
        holder = page_tokens.check(_PURPOSE, given, secrets=settings.secrets_in_force, now=db.clock().now())
        with language.using_language(holder.language):
            try:
                return JSONResponse(_write(holder, body), headers={"Cache-Control": "no-store"})
            except errors.Unauthorized:
                raise
            except errors.AppError as refused:
                said = translate_message(refused.message)
                return JSONResponse({"said": said}, status_code=refused.http_status)
    except errors.Unauthorized:
        return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
    except Exception as failure:
        if not is_away(failure):
            raise
        away = errors.DatabaseUnavailable
        return Response(status_code=away.http_status, headers={"Retry-After": str(away.retry_after_seconds)})


def _write(holder: page_tokens.Holder, body: bytes) -> dict[str, Any]:
    asked = _asked(body)
    with db.read_session() as session:
        member = page_holders.member(session, holder, installation.current().settings)
    if isinstance(asked, tuple):
        with db.write_session() as writing:
            row = review.update(writing, member, asked[0], Changes(favourite=asked[1]))
            return {"clips": [clip(row)]}
    with db.write_session() as writing:
        found = review.decide(writing, member, asked)
        told = {"clips": [clip(each.row) for each in found]}
        late = [each for each in found if not each.is_written]
        return told | ({"said": _overtaken(writing, member, late)} if late else {})


def clip(row: Generation) -> dict[str, Any]:
    """How a clip stands, as the viewer keeps it."""
    return {
        "id": row.id,
        "verdict": ReviewStatus.of(row.kept).value,
        "reason": row.reject_reason and row.reject_reason.value,
        "favourite": row.favourite,
    }


def _asked(body: bytes) -> tuple[str, bool] | Sequence[Decision]:
    """A heart that is set or taken away, or decisions; InvalidRequest for anything else."""
    try:
        said = json.loads(body)
        if "favourite" in said:
            return str(said["id"]), bool(said["favourite"])
        found = [
            Decision(
                str(each["id"]),
                ReviewStatus(each["verdict"]),
                ReviewStatus(each["seen"]),
                RejectReason(each["reason"]) if each.get("reason") else None,
            )
            for each in said["decisions"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as wrong:
        raise errors.InvalidRequest from wrong
    if not 0 < len(found) <= MOST_DECISIONS:
        raise errors.InvalidRequest
    return found


def _overtaken(session: ReadSession, member: Member, late: Sequence[Decided]) -> str:
    """What somebody else had decided meanwhile; of several clips that of the first."""
    row = late[0].row
    name = _("Somebody")
    if row.judged_by_id is not None:
        own = row.judged_by_id == member.id
        name = _("You") if own else profiles.people(session, [row.judged_by_id])[row.judged_by_id].name
    verdict = ReviewStatus.of(row.kept)
    said = {
        ReviewStatus.KEPT: _("{name} kept this clip meanwhile. That stays; decide again to change it."),
        ReviewStatus.REJECTED: _("{name} rejected this clip meanwhile. That stays; decide again to change it."),
        ReviewStatus.UNDECIDED: _("The verdict on this clip was taken back meanwhile. Decide again to change that."),
    }[verdict]
    return said.format(name=name)
