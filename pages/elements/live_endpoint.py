"""The dashboard's own address that a page in somebody's browser asks every two seconds: what moves, in their language.

A page says which ids it shows (`?shown=`), and is told of those only: most pages show none, and cost next to nothing.
One that may not be drawn again now asks for what is to be said of ids that went (`?ended=`).

Facts for scripts are the REST API's; this one answers only a page's own token.
"""

import hashlib
import json
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core import config, db, errors, installation
from core.config import Settings
from core.db import availability
from core.generations import progress
from core.identity import sessions
from core.notifications import inbox
from core.workspaces import page_holders
from pages.sections import ended_text, progress_text
from pages.ui import language

NAME = "live"
PATH = f"{config.API_PATH}/{NAME}"
MAX_NEWEST = 10
"""So many ids are told though no page shows them: what begins and ends while nothing may be drawn is told of later."""


def route(api_path: str = config.API_PATH) -> Route:
    """The route beside the REST API that is mounted at `api_path`; mounted by app.py before it."""

    def answer(request: Request) -> Response:  # not async: Starlette runs it in a thread, as it asks the database
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        try:
            settings = installation.current().settings
            watcher = progress.check_token(token, secrets=settings.secrets_in_force, now=db.clock().now())
            shown = request.query_params.get("shown", "").split(",")[: progress.MAX_ITEMS]
            gone = request.query_params.get("ended", "")
            with language.using_language(watcher.language):
                if gone:
                    body = _ended(watcher, settings, gone.split(",")[: progress.MAX_WATCHED])
                else:
                    _check_session(watcher, settings)
                    body = _look(watcher.user_id, watcher.workspace_id, shown)
        except errors.Unauthorized:
            return Response(status_code=401, headers={"WWW-Authenticate": "Bearer"})
        except Exception as failure:
            if not availability.is_away(failure):
                raise
            away = errors.DatabaseUnavailable
            return Response(status_code=away.http_status, headers={"Retry-After": str(away.retry_after_seconds)})
        etag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type="application/json", headers=headers)

    return Route(f"{api_path}/{NAME}", answer, methods=["GET"])


def state(ids: Sequence[str], newest: str, outage: str) -> str:
    """What a page is drawn for: changes when something begins or ends, and when workers go or come back.

    `newest` is the newest id, which tells of what begins and ends between two looks and is never among `ids`.
    """
    return progress.fingerprint([*ids, newest, outage])


def _check_session(watcher: progress.Watcher, settings: Settings) -> None:
    """Return while the session lasts that the token was made in; looking does not make it last. Else Unauthorized."""
    if not settings.has_sign_in:
        return
    with db.read_connection() as connection:
        if not sessions.is_live(connection, watcher.session_id, idle=settings.session_idle):
            raise errors.Unauthorized


def _look(user_id: str, workspace_id: str, shown: Sequence[str]) -> bytes:
    """`{"state": <see `state`>, "live": <how many>, "newest": [ids], "items": [...], "unread": <how many
    notices>, "outage": <a sentence>}`.
    """
    with db.read_connection() as connection:
        newest = progress.newest_id(connection, workspace_id)
        ids = progress.live_ids(connection, user_id, workspace_id)
        unread = inbox.unread_count(connection, user_id)
    standings: Sequence[progress.InFlightItem] = ()
    if among := set(shown).intersection(ids):
        with db.read_session() as session:
            standings = progress_text.board().snapshots(session, workspace_id, among=among)
    outage = progress_text.outage()
    items = [progress_text.item(each, waits=bool(outage)) for each in standings]
    told = {"state": state(ids, newest, outage), "live": len(ids), "newest": list(ids[-MAX_NEWEST:]), "items": items}
    told["unread"] = unread
    if outage:
        told["outage"] = outage
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _ended(watcher: progress.Watcher, settings: Settings, gone: Sequence[str]) -> bytes:
    """`{"ids": [those of them that have ended], "text": <what is said of them>}`."""
    with db.read_session() as session:
        person = page_holders.member(session, watcher, settings)
        ended = progress.ended(session, person, gone)
        text = ended_text.told(session, person, ended) if ended else ""
    ended_text.note_told(person, ended)
    return json.dumps({"ids": [row.id for row in ended], "text": text}, ensure_ascii=False).encode()
