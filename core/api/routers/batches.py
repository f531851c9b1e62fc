"""Several generations ordered with one call over REST: all of them or none."""

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember
from core.api.http.idempotency import IdempotencyKey
from core.api.http.installed import CurrentInstallation
from core.api.openapi.answers import refuses
from core.api.routers import generations
from core.api.schemas import fields, requests, responses
from core.generations import batches

router = routing.router("generations")


class BatchBody(requests.Body):
    """Clips to be made; `extendsId` is a clip of yours that they go on from (see `/generations/{id}/last-frame`).

    With `expectedCredits`, the price of all that you were shown, nothing is ordered at another one (`price_changed`).
    """

    generations: Annotated[list[requests.OrderBody], Field(min_length=1, max_length=batches.MAX_BATCH)]
    extends_id: Annotated[str, Field(pattern=requests.ID_PATTERN)] | None = None
    expected_credits: requests.ExpectedCredits = None


class BatchAnswer(responses.Response):
    """The generations in the order of the request; `batchId` is null for a single one."""

    batch_id: str | None
    total: fields.Credits
    generations: list[generations.Ordered]
    message: Annotated[str, Field(examples=["3,250 credits are reserved."])]


@router.post(
    "/generate-batch",
    status_code=202,
    response_model=BatchAnswer,
    responses=refuses(402, 404, 409) | idempotency.says_so(202, {}),
)
def generate_batch(
    member: CurrentMember,
    installation: CurrentInstallation,
    body: BatchBody,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Order several clips at once: all of them or none.

    The price of all is reserved now. A field that needs a change is named with the place of its clip, from 0:
    `generations.1.duration`.
    """
    orders = [generations.order_of(one) for one in body.generations]
    with db.write_session() as session:
        rows = batches.submit_batch(
            session,
            member,
            orders,
            configured=installation.configured,
            quota_bytes=installation.settings.storage_quota_bytes,
            key=idempotency_key,
            extends_id=body.extends_id,
            shown_credits=body.expected_credits,
        )
        ordered = generations.Ordered.of(session, rows)
    total = sum(row.credits for row in rows)
    waits = "A manager has to approve them first. " if ordered[0].awaiting_approval else ""
    answer = BatchAnswer(
        batch_id=rows[0].batch_id,
        total=total,
        generations=ordered,
        message=f"{total:,} credits are reserved. {waits}Ask /generations/<id>/status how each of them goes.",
    )
    return routing.written(answer, status=202, headers=idempotency.headers(replayed=rows[0].replayed))
