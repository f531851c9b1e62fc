"""The mounted app below `/auth`: to the identity provider and back, out again, and in by a one-time link.

It has a cookie of its own for sign-ins under way: Streamlit's session middleware runs inside of any that is handed to
`st.App`, and signs with a secret of each process's own.
"""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from itsdangerous import TimestampSigner
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from core import db, errors, installation, signing
from core.api.http import visitors
from core.api.http.origin import OriginMiddleware
from core.db import availability
from core.identity import claims as said
from core.identity import failed_attempts, sessions, sign_in_links
from core.identity.issuers import Issuer
from core.identity.signed_tokens import InvalidToken
from core.messages import Writer
from core.sign_in import attempts, pages, places
from core.sign_in.page import Page, answer
from core.sign_in.under_way import UnderWay, keep, local_path, take
from core.workspaces import admission

FORM_LIMIT_BYTES = 64 * 1024


class SignIn:
    """The app, for where Streamlit serves the pages (`base_path`), with who writes in which language, by tag.

    Without sign-in there is nothing here.
    """

    def __init__(self, *, base_path: str, writers: Mapping[str, Writer]) -> None:
        self._base_path, self._writers = base_path, writers
        self._routes = Starlette(
            routes=[
                Route("/login", self._login),
                Route("/callback", self._callback),
                Route("/logout", self._logout, methods=["GET", "POST"]),
                Route("/signed-out", self._signed_out),
                Route("/backchannel", self._backchannel, methods=["POST"]),
                Route("/link", self._link),
                Route("/link", self._use_link, methods=["POST"]),
            ],
            exception_handlers={errors.AppError: self._refused, SQLAlchemyError: self._broken},
        )
        self._routes.router.redirect_slashes = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the cookie of sign-ins under way at hand."""
        settings = installation.current().settings
        if scope["type"] != "http" or not settings.has_sign_in:
            await PlainTextResponse("There is nothing at this address.", status_code=404)(scope, receive, send)
            return
        app = SessionMiddleware(
            self._routes,
            secret_key=signing.signature("sign-in under way", settings.secret_key),
            session_cookie=places.SIGN_IN_COOKIE,
            max_age=places.SIGN_IN_SECONDS,
            path=places.cookie_path(settings, self._base_path),
            https_only=places.is_secure(settings, scope),
        )
        app.signer = _Signer(app.signer.secret_key)  # as all nodes tell the time
        # A scope of its own: Streamlit's session middleware keeps whatever it finds as the session of the one it knows.
        await app({name: value for name, value in scope.items() if name != "session"}, receive, send)

    def _login(self, request: Request) -> Response:
        """Send a browser to the provider that it has chosen, or to the only one."""
        here = installation.current()
        key, next_path = request.query_params.get("issuer", ""), local_path(request.query_params.get("next"))
        issuer = here.issuers.all[0] if not key and len(here.issuers.all) == 1 else here.issuers.by_key(key)
        if issuer is None:
            return self._page(request, pages.choose(here, self._base_path, next_path=next_path), status=200)
        begun = issuer.begin(self._address("/callback"))
        keep(request.session, begun.state, UnderWay(issuer.settings.key, begun.nonce, begun.verifier, next_path))
        return _redirect(begun.url)

    def _callback(self, request: Request) -> Response:
        """Let in whom the provider has proved, and lead them to where they wanted to go."""
        here, visit = installation.current(), visitors.visit_of(request.scope)
        keys = [failed_attempts.of_address(visit.address)]
        attempts.check(keys)
        try:
            begun, issuer = self._begun(request)
            proof = issuer.finish(
                code=request.query_params.get("code", ""),
                redirect_uri=self._address("/callback"),
                verifier=begun.verifier,
                nonce=begun.nonce,
                answered_by=request.query_params.get("iss"),
            )
        except errors.SignInFailed as failure:
            attempts.failed(visit, keys, detail=failure.detail, asked=f"GET {request.url.path}")
            raise
        claims = said.read(proof.claims, issuer=proof.issuer, settings=issuer.settings)
        keys.append(failed_attempts.of_account(f"{claims.issuer} {claims.subject}"))
        attempts.check(keys)
        try:
            with db.write_session() as session:
                sessions.end(session, visitors.cookie(request.scope, here.settings))
                token = admission.sign_in(
                    session,
                    claims,
                    settings=here.settings,
                    visit=visit,
                    by="oidc",
                    sid=proof.sid,
                    id_token=proof.id_token,
                )
                failed_attempts.forget(session, keys)
        except errors.SignInRefused as refused:
            attempts.refused(keys, reason=refused.reason, email=claims.email, issuer=claims.issuer)
            raise
        found = _redirect(places.address(here.settings, self._base_path, begun.next_path))
        places.set_session(found, token, settings=here.settings, scope=request.scope)
        return found

    def _begun(self, request: Request) -> tuple[UnderWay, Issuer]:
        """The sign-in that a callback ends; SignInFailed when this browser has begun none, or the provider says no."""
        begun = take(request.session, request.query_params.get("state", ""))
        issuer = installation.current().issuers.by_key(begun.issuer_key) if begun else None
        if begun is None or issuer is None:
            raise errors.SignInFailed(detail="no such sign-in was begun in this browser within ten minutes")
        if refusal := request.query_params.get("error"):
            described = request.query_params.get("error_description", "")
            raise errors.SignInFailed(detail=_printable(f"the provider says {refusal} {described}"))
        return begun, issuer

    def _logout(self, request: Request) -> Response:
        """End the session of this browser in all its tabs, and where it can be at the provider, too."""
        here = installation.current()
        visitors.check_origin(request.scope, here.settings)
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            return _redirect(places.address(here.settings, self._base_path, "/"))  # another site's link or picture
        with db.write_session() as session:
            ended = sessions.end(session, visitors.cookie(request.scope, here.settings))
        where = back_to = self._address("/signed-out")
        if ended is not None and ended.issuer is not None and (issuer := here.issuers.named(ended.issuer)):
            where = issuer.sign_out_url(ended.id_token, back_to=back_to) or back_to
        answer = _redirect(where)
        places.clear_session(answer, settings=here.settings, scope=request.scope)
        return answer

    def _signed_out(self, request: Request) -> Response:
        """Say so, and how to come back."""
        return self._page(request, pages.signed_out(installation.current(), self._base_path), status=200)

    async def _backchannel(self, request: Request) -> Response:
        """End what the provider says has ended (OpenID Connect Back-Channel Logout 1.0, 2.5 to 2.8)."""
        token = (await _form(request)).get("logout_token", "")
        return await run_in_threadpool(self._end_at_provider, request, token)

    def _end_at_provider(self, request: Request, token: str) -> Response:
        visit = visitors.visit_of(request.scope)
        keys = [failed_attempts.of_address(visit.address)]
        for issuer in installation.current().issuers.all:
            try:
                notice = issuer.logout_notice(token)
            except (InvalidToken, errors.SignInUnavailable):
                continue  # another provider's, or nobody's
            with db.write_session() as session:
                sessions.end_at_provider(session, notice.issuer, sid=notice.sid, subject=notice.subject)
            return JSONResponse({}, headers=_NOT_KEPT)
        attempts.failed(visit, keys, detail="a logout token does not hold", asked=f"POST {request.url.path}")
        told = {"error": "invalid_request", "error_description": "The logout token does not hold."}
        return JSONResponse(told, status_code=400, headers=_NOT_KEPT)

    def _link(self, request: Request) -> Response:
        """Show whom a one-time link lets in; it is used by a press, so that what looks at links does not use it up."""
        visit, token = visitors.visit_of(request.scope), request.query_params.get("token", "")
        keys = [failed_attempts.of_address(visit.address)]
        attempts.check(keys)
        try:
            with db.read_session() as session:
                person = sign_in_links.person_of(session, token)
        except errors.NotFound:
            attempts.failed(visit, keys, detail="a one-time link that is over", asked=f"GET {request.url.path}")
            raise
        return self._page(request, pages.one_time_link(person.email, token), status=200)

    async def _use_link(self, request: Request) -> Response:
        """Let in whom the link is for."""
        form = await _form(request)
        return await run_in_threadpool(self._let_in_by_link, request, form.get("token", ""))

    def _let_in_by_link(self, request: Request, token: str) -> Response:
        here, visit = installation.current(), visitors.visit_of(request.scope)
        visitors.check_origin(request.scope, here.settings)
        keys = [failed_attempts.of_address(visit.address)]
        attempts.check(keys)
        try:
            with db.write_session() as session:
                person = sign_in_links.use(session, token)
                sessions.end(session, visitors.cookie(request.scope, here.settings))
                made = admission.begin(session, person, settings=here.settings, visit=visit, by="link")
                failed_attempts.forget(session, keys)
        except errors.NotFound:
            attempts.refused(keys, reason="link_over", email="", issuer=None)
            raise
        answer = _redirect(places.address(here.settings, self._base_path, "/"))
        places.set_session(answer, made, settings=here.settings, scope=request.scope)
        return answer

    async def _refused(self, request: Request, error: Exception) -> Response:
        """Say on a page why somebody did not come in."""
        if not isinstance(error, errors.AppError):
            raise error
        if error.http_status >= 500:
            pages.log_trouble(error)
        page = pages.refused(error, installation.current(), self._base_path)
        return self._page(request, page, status=error.http_status, headers=pages.retry_after(error))

    async def _broken(self, request: Request, error: Exception) -> Response:
        """Say that the database is away; what else may be wrong is for the server to log."""
        if not availability.is_away(error):
            raise error
        return await self._refused(request, errors.DatabaseUnavailable())

    def _page(self, request: Request, page: Page, *, status: int, headers: Mapping[str, str] | None = None) -> Response:
        return answer(page, scope=request.scope, writers=self._writers, status=status, headers=headers)

    def _address(self, path: str) -> str:
        settings = installation.current().settings
        return places.address(settings, self._base_path, f"{places.PATH}{path}")


class _Signer(TimestampSigner):
    """Goes by the database's clock: the node that ends a sign-in may not be the one that it was begun at."""

    def get_timestamp(self) -> int:
        """Seconds since 1970."""
        return int(db.clock().now().timestamp())


def mounted(path: str, app: SignIn) -> Mount:
    """The app at its path, below the one where Streamlit serves the pages or below none."""
    return Mount(f"{path}{places.PATH}", app=OriginMiddleware(app))


_NOT_KEPT = {"Cache-Control": "no-store", "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'"}


def _redirect(where: str) -> RedirectResponse:
    return RedirectResponse(where, status_code=303, headers=_NOT_KEPT)


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a small form; TooLarge for a large one."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_LIMIT_BYTES:
            raise errors.TooLarge
    return dict(parse_qsl(body.decode("latin-1"), max_num_fields=100))


def _printable(text: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", text)[:300].strip()
