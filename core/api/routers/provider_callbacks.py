"""Takes the calls of vendors; each only makes us look at one generation sooner."""

from starlette.responses import Response

from core import db
from core.api.http import routing
from core.api.http.installed import CurrentInstallation
from core.generations import lifecycle
from core.providers import callbacks

router = routing.router("hooks")


@router.post("/hooks/{id}/{signature}", status_code=204, response_class=Response)
def take_hook(installation: CurrentInstallation, id: str, signature: str) -> Response:
    """A vendor says that a job has moved. The body is not read: its provider is asked instead."""
    callbacks.check(id, signature, secret=installation.settings.secret_key)
    with db.write_session() as session:
        lifecycle.expedite(session, id)
    return Response(status_code=204)
