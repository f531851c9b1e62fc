"""Takes the calls of vendors; each makes us look at one generation sooner, and may tell which job is its own."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from core import db
from core.api.http import routing
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import Answers, refuses
from core.catalog_changes import asked
from core.db.tables import Generation
from core.generations import reconciliation
from core.installation import Installation
from core.providers import callbacks, registry
from core.providers.contract import JobNotice
from core.providers.models import VideoModel

router = routing.router("hooks")


async def _body(request: Request) -> bytes:
    return await request.body()


_TRIED: Answers = {
    200: {
        "description": "The answer to a provider that only tries the address.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": {"challenge": "c-1"}}},
    }
}


@router.post("/hooks/{id}/{signature}", status_code=204, response_class=Response, responses=_TRIED | refuses(404, 409))
def take_hook(
    installation: CurrentInstallation, id: str, signature: str, body: Annotated[bytes, Depends(_body)]
) -> Response:
    """Take a provider's notice that a job has moved on.

    The provider is asked for the status; of the body only the job's id and the link to its clip are kept. A provider
    that only tries the address gets back what it sent.
    """
    callbacks.check(id, signature, secrets=installation.settings.secrets_in_force)
    with db.read_session() as session:
        row = session.get(Generation, id)
        model = asked.model(session, installation.settings, row) if row else None
    if row and (answer := callbacks.trial_answer(registry.provider_class(row.provider), body)) is not None:
        return JSONResponse(answer)
    with db.write_session() as session:
        reconciliation.take_notice(
            session, id, _notice(installation, row, model, body), poll_seconds=installation.settings.poll_seconds
        )
    return Response(status_code=204)


def _notice(
    installation: Installation, row: Generation | None, model: VideoModel | None, body: bytes
) -> JobNotice | None:
    """What the call tells; None when it cannot be read, which is no reason to refuse it."""
    if row is None or model is None:
        return None
    key = installation.settings.provider_keys.get(row.provider, "")
    return callbacks.read_notice(registry.provider_class(row.provider), model, body, key=key)
