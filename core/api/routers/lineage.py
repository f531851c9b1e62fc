"""How a clip came to be and what came of it, and how many clips match a filter, over REST."""

from datetime import datetime
from typing import Annotated, Self

from fastapi import Query

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import refuses
from core.api.routers.generations import filter_of
from core.api.routers.media import RequestLinks
from core.api.schemas import fields, requests, responses
from core.db.enums import Status
from core.generations import lineage, queries
from core.generations.lineage import Relation, Relative

router = routing.router("generations")


class RelativeShape(responses.ApiModel):
    """A clip of a lineage, and how it is related; `steps` away from the one that was asked about."""

    id: fields.Id
    relation: Relation
    steps: int
    status: Status
    model_name: fields.ModelName
    thumbnail_url: fields.TextOrNull
    favourite: bool
    kept: bool | None
    created_at: datetime

    @classmethod
    def of(cls, found: Relative, link: responses.Link) -> Self:
        """The shape of a relative."""
        return cls(
            id=found.id,
            relation=found.relation,
            steps=found.steps,
            status=found.status,
            model_name=found.model_name,
            thumbnail_url=link(found.thumbnail_key),
            favourite=found.favourite,
            kept=found.kept,
            created_at=found.created_at,
        )


class LineageAnswer(responses.Response):
    """What a clip was made from, nearest first; those ordered with the same press, it among them; what it led to.

    `isCut` says that it has led to more than is told.
    """

    ancestors: list[RelativeShape]
    takes: list[RelativeShape]
    successors: list[RelativeShape]
    is_cut: bool


class CountAnswer(responses.Response):
    """How many generations match; at least so many where it is not `isExact`."""

    count: int
    is_exact: bool


@router.get("/generations/count", responses=refuses(404))
def count_generations(member: CurrentMember, query: Annotated[requests.GenerationsQuery, Query()]) -> CountAnswer:
    """Count the generations that listing them with the same query would give, all pages together."""
    with db.read_session() as session:
        filters = filter_of(session, member, query)
    with db.read_connection() as connection:
        found = queries.count(connection, member, filters)
    return CountAnswer(count=found.number, is_exact=found.is_exact)


@router.get("/generations/{id}/lineage", responses=refuses(404))
def get_lineage(member: CurrentMember, generation_id: PathId, link: RequestLinks) -> LineageAnswer:
    """Get what a generation was made from, its takes, and what was made from it."""
    with db.read_connection() as connection:
        found = lineage.of(connection, member, generation_id)

    def shapes(relatives: list[Relative]) -> list[RelativeShape]:
        return [RelativeShape.of(each, link) for each in relatives]

    return LineageAnswer(
        ancestors=shapes(list(found.ancestors)),
        takes=shapes(list(found.takes)),
        successors=shapes(list(found.successors)),
        is_cut=found.is_cut,
    )
