"""Views of the usage explorer under a name, over REST."""

from datetime import date, datetime
from typing import Annotated, Self

from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember, PathId
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import leads_to, refuses
from core.api.schemas import fields, requests, responses
from core.clock import utc_now
from core.db.tables import UsageView
from core.identity import idempotency as keys
from core.usage import saved_views
from core.usage.dimensions import Dimension, Interval
from core.usage.exploration import Measure
from core.usage.views import DEFAULT_BY, Unit, View, Whose
from core.workspaces.access import Member

router = routing.router("usage")


class ViewBody(requests.Body):
    """What a view shows, as `GET /usage/explore` is asked; a period by name moves with the calendar."""

    period: Annotated[requests.Word | None, Field(examples=["last-month"])] = None
    since: Annotated[requests.Day | None, Field(strict=False, examples=[None])] = None
    until: Annotated[requests.Day | None, Field(strict=False, examples=[None])] = None
    by: Annotated[
        list[Annotated[Dimension, Field(strict=False)]], Field(min_length=1, max_length=2, examples=[["model"]])
    ] = list(DEFAULT_BY)
    over: Annotated[Interval | None, Field(strict=False)] = None
    measure: Annotated[Measure, Field(strict=False)] = Measure.SPENT
    unit: Annotated[Unit, Field(strict=False)] = Unit.CREDITS
    workspaces: Annotated[Whose, Field(strict=False, examples=["present"])] = Whose.PRESENT

    def view(self) -> View:
        """The same as services take it; InvalidRequest for what cannot be asked."""
        found = View(
            period=self.period,
            since=self.since,
            until=self.until,
            by=tuple(self.by),
            over=self.over,
            measure=self.measure,
            unit=self.unit,
            whose=self.workspaces,
        )
        found.question(utc_now().date())
        return found


class ViewShape(responses.ApiModel):
    """What a view shows."""

    period: str | None
    since: date | None
    until: date | None
    by: list[Dimension]
    over: Interval | None
    measure: Measure
    unit: Unit
    workspaces: Whose

    @classmethod
    def of(cls, view: View) -> Self:
        """The shape of a view."""
        return cls(
            period=view.period,
            since=view.since,
            until=view.until,
            by=list(view.by),
            over=view.over,
            measure=view.measure,
            unit=view.unit,
            workspaces=view.whose,
        )


class NewView(requests.Body):
    """A view to save; a shared one can be used by everybody in the workspace, who see of it what they may see."""

    name: fields.Name
    view: ViewBody
    shared: bool = False


class ViewChanges(requests.Changes):
    """What to change of a saved view; what is absent or null stays."""

    name: fields.Name | None = None
    view: ViewBody | None = None
    shared: bool | None = None


class SavedViewShape(responses.ApiModel):
    """A saved view; `mine` says whether you may change it."""

    id: fields.Id
    name: fields.Name
    shared: bool
    mine: bool
    view: ViewShape
    created_at: datetime

    @classmethod
    def of(cls, row: UsageView, member: Member) -> Self:
        """The shape of a row."""
        return cls(
            id=row.id,
            name=row.name,
            shared=row.shared,
            mine=row.user_id == member.id,
            view=ViewShape.of(View.from_json(row.asked)),
            created_at=row.created_at,
        )


class SavedViewsAnswer(responses.Response):
    """Your own views by name, then those that others share."""

    saved_views: list[SavedViewShape]


class SavedViewAnswer(responses.Response):
    """One saved view."""

    saved_view: SavedViewShape


@router.get("/usage-views")
def list_usage_views(member: CurrentMember) -> SavedViewsAnswer:
    """List the saved views of usage that you can use in the workspace."""
    with db.read_session() as session:
        rows = saved_views.list_visible(session, member)
    return SavedViewsAnswer(saved_views=[SavedViewShape.of(row, member) for row in rows])


@router.post(
    "/usage-views",
    status_code=201,
    response_model=SavedViewAnswer,
    responses=refuses(403, 404, 409)
    | idempotency.says_so(
        201, {"links": leads_to("getUsageView", "changeUsageView", "deleteUsageView", id_at="savedView/id")}
    ),
)
def create_usage_view(member: CurrentMember, body: NewView, idempotency_key: IdempotencyKey = None) -> Response:
    """Save a view of usage under a name.

    A repeat tells the view as it is by then; 404 when it was deleted.
    """
    request = f"usage view\n{body.model_dump_json()}"
    with db.write_session() as session:
        made_id = keys.made_before(session, member.user, idempotency_key, request=request)
        if made_id is None:
            row = saved_views.create(session, member, name=body.name, view=body.view.view(), shared=body.shared)
            keys.remember(session, member.user, idempotency_key, request=request, made_id=row.id)
        else:
            row = saved_views.get(session, member, made_id)
    answer = SavedViewAnswer(saved_view=SavedViewShape.of(row, member))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made_id is not None))


@router.get("/usage-views/{id}", responses=refuses(404))
def get_usage_view(member: CurrentMember, view_id: PathId) -> SavedViewAnswer:
    """Get a saved view of usage."""
    with db.read_session() as session:
        row = saved_views.get(session, member, view_id)
    return SavedViewAnswer(saved_view=SavedViewShape.of(row, member))


@router.patch("/usage-views/{id}", responses=refuses(403, 404, 409))
def change_usage_view(member: CurrentMember, view_id: PathId, body: ViewChanges) -> SavedViewAnswer:
    """Rename a saved view of yours, share or unshare it, or keep another view under its name."""
    view = body.view.view() if body.view else None
    with db.write_session() as session:
        row = saved_views.update(session, member, view_id, name=body.name, shared=body.shared, view=view)
    return SavedViewAnswer(saved_view=SavedViewShape.of(row, member))


@router.delete("/usage-views/{id}", responses=refuses(404, 409))
def delete_usage_view(member: CurrentMember, view_id: PathId) -> responses.Response:
    """Delete a saved view of yours."""
    with db.write_session() as session:
        saved_views.delete(session, member, view_id)
    return responses.Response()
