"""Filters of the library under a name, over REST."""

from datetime import datetime
from typing import Self

from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import leads_to, refuses
from core.api.schemas import fields, requests, responses
from core.api.schemas.filters import FilterBody, FilterShape
from core.db.tables import SavedFilter
from core.generations import saved_filters
from core.generations.filters import KeptFilter
from core.identity import idempotency as keys
from core.workspaces.access import Member

router = routing.router("saved filters")


class NewFilter(requests.Body):
    """A filter to save; a shared one can be used by everybody in the workspace."""

    name: fields.Name
    filter: FilterBody
    shared: bool = False


class FilterChanges(requests.Changes):
    """What to change of a saved filter; what is absent or null stays."""

    name: fields.Name | None = None
    filter: FilterBody | None = None
    shared: bool | None = None


class SavedFilterShape(responses.ApiModel):
    """A saved filter; `mine` says whether you may change it."""

    id: fields.Id
    name: fields.Name
    shared: bool
    mine: bool
    filter: FilterShape
    created_at: datetime

    @classmethod
    def of(cls, row: SavedFilter, member: Member) -> Self:
        """The shape of a row."""
        return cls(
            id=row.id,
            name=row.name,
            shared=row.shared,
            mine=row.user_id == member.id,
            filter=FilterShape.of(KeptFilter.from_json(row.asked)),
            created_at=row.created_at,
        )


class SavedFiltersAnswer(responses.Response):
    """Your own filters by name, then those that others share."""

    saved_filters: list[SavedFilterShape]


class SavedFilterAnswer(responses.Response):
    """One saved filter."""

    saved_filter: SavedFilterShape


class OpenedFilterAnswer(SavedFilterAnswer):
    """One saved filter, and the filter as it can be used today: without what it names that is gone, as `gone` tells."""

    usable: FilterShape
    gone: list[str]


@router.get("/saved-filters")
def list_saved_filters(member: CurrentMember) -> SavedFiltersAnswer:
    """List the saved filters that you can use in the workspace."""
    with db.read_session() as session:
        rows = saved_filters.list_visible(session, member)
    return SavedFiltersAnswer(saved_filters=[SavedFilterShape.of(row, member) for row in rows])


@router.post(
    "/saved-filters",
    status_code=201,
    response_model=SavedFilterAnswer,
    responses=refuses(404, 409)
    | idempotency.says_so(
        201, {"links": leads_to("openSavedFilter", "changeSavedFilter", "deleteSavedFilter", id_at="savedFilter/id")}
    ),
)
def create_saved_filter(member: CurrentMember, body: NewFilter, idempotency_key: IdempotencyKey = None) -> Response:
    """Save a filter under a name.

    A repeat tells the filter as it is by then; 404 when it was deleted.
    """
    request = f"saved filter\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            kept = body.filter.kept_filter()
            row = saved_filters.create(session, member, name=body.name, kept=kept, shared=body.shared)
            keys.remember(session, member.user, idempotency_key, request=request, made_id=row.id)
        else:
            row = saved_filters.get(session, member, made_id)
    answer = SavedFilterAnswer(saved_filter=SavedFilterShape.of(row, member))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@router.get("/saved-filters/{id}", responses=refuses(404))
def open_saved_filter(member: CurrentMember, filter_id: PathId) -> OpenedFilterAnswer:
    """Open a saved filter: as it was saved, and as it can be used today."""
    with db.read_session() as session:
        row = saved_filters.get(session, member, filter_id)
        opened = saved_filters.open_it(session, member, filter_id)
    return OpenedFilterAnswer(
        saved_filter=SavedFilterShape.of(row, member),
        usable=FilterShape.of(opened.kept),
        gone=[str(each) for each in opened.gone],
    )


@router.patch("/saved-filters/{id}", responses=refuses(404, 409))
def change_saved_filter(member: CurrentMember, filter_id: PathId, body: FilterChanges) -> SavedFilterAnswer:
    """Rename a saved filter of yours, share or unshare it, or keep another filter under its name."""
    kept = body.filter.kept_filter() if body.filter else None
    with db.write_session() as session:
        row = saved_filters.update(session, member, filter_id, name=body.name, shared=body.shared, kept=kept)
    return SavedFilterAnswer(saved_filter=SavedFilterShape.of(row, member))


@router.delete("/saved-filters/{id}", responses=refuses(404, 409))
def delete_saved_filter(member: CurrentMember, filter_id: PathId) -> responses.Response:
    """Delete a saved filter of yours."""
    with db.write_session() as session:
        saved_filters.delete(session, member, filter_id)
    return responses.Response()
