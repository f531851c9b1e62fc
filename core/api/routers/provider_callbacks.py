"""Takes the calls of vendors; each makes us look at one generation sooner, and may tell which job is its own."""

import logging
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import db, errors
from core.api.http import routing
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import Answers, refuses
from core.catalog_changes import asked
from core.db.tables import Generation
from core.generations import reconciliation, told
from core.installation import Installation
from core.providers import callbacks, registry
from core.providers.models import VideoModel
from core.providers.vendor_calls import JobNotice, VendorCall

log = logging.getLogger(__name__)
router = routing.router("hooks")


async def _body(request: Request) -> bytes:
    return await request.body()


_TRIED: Answers = {
    200: {
        "description": "The answer to a provider that only tries the address.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"challenge": "c-1"}}},
    }
}


@router.post(
    "/hooks/{id}/{signature}", status_code=204, response_class=Response, responses=_TRIED | refuses(404, 409, 503)
)
def take_hook(
    installation: CurrentInstallation, request: Request, id: str, signature: str, body: Annotated[bytes, Depends(_body)]
) -> Response:
    """Take a provider's notice that a job has moved on.

    The provider is asked for the status; of the body only the job's id and the link to its clip are kept, and nothing
    where the provider signs its calls and this one is not. A provider that only tries the address gets back what it
    sent. While its keys cannot be had it is asked to call again.
    """
    callbacks.check(id, signature, secrets=installation.settings.secrets_in_force)
    call = callbacks.received(body, headers=request.headers, query=request.query_params)
    with db.read_session() as session:
        row = session.get(Generation, id)
        if row is not None:
            told.from_now_on_about(row)
        model = asked.model(session, installation.settings, row) if row else None
    if row and (answer := registry.provider_class(row.provider).callback_answer(call.body)) is not None:
        return JSONResponse(answer)
    notice, unsure = None, None
    try:
        notice = _notice(installation, row, model, call)
    except errors.ProviderError as unknown:
        unsure = unknown
    with db.write_session() as session:
        reconciliation.take_notice(session, id, notice, poll_seconds=installation.settings.poll_seconds)
    if unsure is not None:
        raise errors.ProviderUnavailable(detail=unsure.detail) from unsure
    return Response(status_code=204)


def _notice(
    installation: Installation, row: Generation | None, model: VideoModel | None, call: VendorCall
) -> JobNotice | None:
    """What the call tells; None when it cannot be read, which is no reason to refuse it. Raises as `is_believed`."""
    if row is None or model is None:
        return None
    provider = registry.provider_class(row.provider)
    if not installation.call_keys.is_believed(provider, call, db.clock().now()):
        if installation.told.is_news(("call not signed", row.provider)):
            log.warning("A call to the address of a clip is not signed by %s, so it is not read.", row.provider)
        return None
    key = installation.settings.provider_keys.get(row.provider, "")
    return callbacks.read_notice(provider, model, call, key=key)
