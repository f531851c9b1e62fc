"""Takes the calls of vendors; each only makes us look at one generation sooner."""

from starlette.responses import Response

from core import db
from core.api.http import routing
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses
from core.generations import lifecycle
from core.providers import callbacks

router = routing.router("hooks")


@router.post("/hooks/{id}/{signature}", status_code=204, response_class=Response, responses=refuses(404, 409))
def take_hook(installation: CurrentInstallation, id: str, signature: str) -> Response:
    """Take a provider's notice that a job has moved on.

    The body is not read; the provider is asked for the status instead.
    """
    callbacks.check(id, signature, secrets=installation.settings.secrets_in_force)
    with db.write_session() as session:
        lifecycle.expedite(session, id)
    return Response(status_code=204)
