"""Lets nobody to the pages who is not signed in: they get a sign-in page of ours at that address, and nothing else.

The API asks by itself, since it takes tokens as well.
"""

from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core import audit_log, config, db, errors, installation
from core.api.http import visitors
from core.db import availability
from core.identity import failed_attempts, sessions
from core.identity.claims import Claims
from core.messages import Writer
from core.sign_in import attempts, pages, places
from core.sign_in.page import answer
from core.sign_in.under_way import local_path
from core.workspaces import admission


class SignInGate:
    """Asks who a browser is before it sees anything of the dashboard, be it a page, a file or a websocket.

    `base_path` is where Streamlit serves the dashboard, `writers` who writes in which language, by tag. `open_paths`
    are paths below it that everybody may ask; one that ends with a slash stands for all below. `rerun` makes of what a
    browser says by the websocket of a page that it is to be drawn again, and nothing else: so the page says that its
    session is over.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        base_path: str,
        writers: Mapping[str, Writer],
        open_paths: Sequence[str] = (),
        rerun: Callable[[bytes], bytes] = lambda _message: b"",
    ) -> None:
        self._app, self._rerun = app, rerun
        self._base_path, self._writers = base_path, writers
        self._open_paths = (f"{config.API_PATH}/", f"{places.PATH}/", *open_paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer in its place."""
        if scope["type"] not in ("http", "websocket") or not self._asks_of(scope):
            await self._app(scope, receive, send)
            return
        try:
            token = await run_in_threadpool(_let_in, scope)
        except errors.AppError as error:
            refused = error
        except SQLAlchemyError as failure:
            if not availability.is_away(failure):
                raise
            refused = errors.DatabaseUnavailable()
        else:
            if token:
                scope, send = _with_cookie(scope, token), _setting_cookie(scope, token, send)
            if scope["type"] == "websocket":
                receive = self._asked_each_time(scope, receive)
            await self._app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._answer(refused, scope)(scope, receive, send)

    def _asks_of(self, scope: Scope) -> bool:
        """Whether this address is for people who are signed in."""
        if not installation.current().settings.has_sign_in:
            return False
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        below = {path, path.removeprefix(self._base_path)}
        return not any(
            known == each or (known.endswith("/") and each.startswith(known))
            for known in self._open_paths
            for each in below
        )

    def _asked_each_time(self, scope: Scope, receive: Receive) -> Receive:
        """What a browser says by a websocket, as long as its session holds; each message is asked about."""

        async def receive_if_signed_in() -> Message:
            message = await receive()
            if message["type"] != "websocket.receive" or await run_in_threadpool(_still_holds, scope):
                return message
            return {"type": "websocket.receive", "bytes": self._rerun(message.get("bytes") or b"")}

        return receive_if_signed_in

    def _answer(self, refused: errors.AppError, scope: Scope) -> Response:
        """A page for who looks at one, a line for everything else."""
        here = installation.current()
        headers = pages.retry_after(refused)
        if not _is_navigation(scope):
            said = str(refused.message if not isinstance(refused, errors.Unauthorized) else "You are not signed in.")
            return PlainTextResponse(
                said, status_code=refused.http_status, headers={"Cache-Control": "no-store", **headers}
            )
        if isinstance(refused, errors.Unauthorized):
            was_here = bool(visitors.cookie(scope, here.settings))
            page = pages.choose(here, self._base_path, next_path=self._path_below(scope), was_signed_in=was_here)
        else:
            if refused.http_status >= 500:
                pages.log_trouble(refused)
            page = pages.refused(refused, here, self._base_path)
        return answer(page, scope=scope, writers=self._writers, status=refused.http_status, headers=headers)

    def _path_below(self, scope: Scope) -> str:
        """The path and query that were asked for, below the address of the installation."""
        path, query = quote(scope["path"].removeprefix(self._base_path)), scope["query_string"].decode("latin-1")
        return local_path(f"{path}?{query}" if query else path)


def _let_in(scope: Scope) -> str | None:
    """Return for who may come in, with what a new session's cookie holds if one was begun; else an AppError."""
    is_page = scope["type"] == "websocket" or _is_navigation(scope)
    try:
        visitor = visitors.recognise(scope, notes_use=is_page)
    except errors.Forbidden:
        attempts.stranger(visitors.peer_of(scope), asked=scope["path"])
        raise
    if visitor.signed_in is not None:
        return None
    if visitor.named is None:
        raise errors.Unauthorized
    return _at_first_sight(scope, visitor.named, begins=is_page)


def _still_holds(scope: Scope) -> bool:
    """Whether the session of a websocket holds; without the database nothing can be done by it anyway."""
    try:
        return visitors.session_holds(scope)
    except SQLAlchemyError as failure:
        if not availability.is_away(failure):
            raise
        return True


def _at_first_sight(scope: Scope, named: Claims, *, begins: bool) -> str | None:
    """Let in whom the front names; a page or a websocket begins a session, what belongs to one does not."""
    settings, visit = installation.current().settings, visitors.visit_of(scope)
    keys = [failed_attempts.of_account(f"{named.issuer} {named.subject}")]
    attempts.check(keys)
    with audit_log.acting_from(visit.address, audit_log.origin().request_id):
        try:
            if not begins:
                visitors.person_named(named, settings)
                return None
            with db.write_session() as session:
                sessions.end(session, visitors.cookie(scope, settings))
                return admission.sign_in(session, named, settings=settings, visit=visit, by="proxy")
        except errors.SignInRefused as refused:
            attempts.refused(keys, reason=refused.reason, email=named.email, issuer=named.issuer)
            raise


def _is_navigation(scope: Scope) -> bool:
    """Whether a person looks at the answer: a browser says so, or wants a page."""
    if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
        return False
    headers = Headers(scope=scope)
    mode = headers.get("sec-fetch-mode")
    return mode == "navigate" if mode else "text/html" in headers.get("accept", "")


def _with_cookie(scope: Scope, token: str) -> Scope:
    """The request as if it had the cookie of the session that it began: a page reads it from its websocket."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    name = installation.current().settings.session_cookie
    others = [part for part in headers.get("cookie", "").split(";") if part.strip().partition("=")[0] != name]
    headers["cookie"] = ";".join([*filter(str.strip, others), f"{name}={token}"])
    return {**scope, "headers": headers.raw}


def _setting_cookie(scope: Scope, token: str, send: Send) -> Send:
    """Send with the cookie of a new session."""
    carrier = Response()
    places.set_session(carrier, token, settings=installation.current().settings, scope=scope)
    cookie = carrier.headers["set-cookie"]

    async def send_with_cookie(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.accept"):
            headers = MutableHeaders(raw=list(message.get("headers", ())))
            headers.append("set-cookie", cookie)
            message = {**message, "headers": headers.raw}
        await send(message)

    return send_with_cookie
