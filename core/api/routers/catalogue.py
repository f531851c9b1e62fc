"""The catalogue over REST, for administrators: what is said of every model, and saying something else.

What is said of a model is a table of its record, as files have it: `{"base_credits": 2500, "default_seconds": 8}`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Path, Query
from pydantic import Field
from starlette.responses import Response

from core import db
from core.api.http import idempotency, routing
from core.api.http.auth import CurrentMember
from core.api.http.idempotency import IdempotencyKey
from core.api.openapi.answers import refuses
from core.api.schemas import fields, requests, responses
from core.catalog import overlay
from core.catalog.catalogue import Entry
from core.catalog.records import LifeState
from core.catalog_changes import changes, listing, live_lists
from core.catalog_changes.changes import Made
from core.db.enums import ChangeKind, NoteKind
from core.db.tables import ModelNote

router = routing.router("catalogue")

Table = Annotated[dict[str, Any], Field(examples=[{"base_credits": 2500, "default_seconds": 8}])]
Dated = Annotated[
    list[dict[str, Any]],
    Field(examples=[[{"since": "2026-11-01T00:00:00+00:00", "base_credits": 2500, "default_seconds": 8}]]),
]
Said = Literal["life", "price", "cost", "vendor_id", "position"]
ChangeId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class CatalogueModel(responses.ApiModel):
    """A model with all that is said of it, oldest first, each with the moment it begins.

    `state` is that of this moment. `upstreamId` is what the vendor is asked by; `added`: no file has this model.
    """

    id: fields.ModelId
    name: fields.ModelName
    provider: fields.ProviderName
    upstream_id: str
    added: bool
    state: LifeState
    prices: Dated
    costs: list[dict[str, Any]]
    life: list[dict[str, Any]]
    vendor_ids: list[dict[str, Any]]

    @classmethod
    def of(cls, entry: Entry, at: datetime) -> Self:
        """The shape of a model at a moment."""
        model = entry.model_at(at)
        return cls(
            id=model.id,
            name=model.name,
            provider=model.provider,
            upstream_id=model.upstream_id,
            added=entry.added,
            state=entry.state(at),
            prices=_tables(entry.prices),
            costs=_tables(entry.costs),
            life=_tables(entry.lives),
            vendor_ids=_tables(entry.vendor_ids),
        )


class CatalogueAnswer(responses.Response):
    """All models, in the order they are shown."""

    models: list[CatalogueModel]


class ChangesQuery(requests.Query):
    """Changes of which model, and which page of them."""

    model_id: requests.ModelId | None = None
    cursor: Annotated[int, Field(ge=1, le=2**63 - 1)] | None = None
    limit: requests.PageSize = 100


class CatalogueChangeShape(responses.ApiModel):
    """What an administrator said of a model; `takenBack`: it never began."""

    id: int
    model_id: fields.ModelId
    kind: ChangeKind
    since: datetime
    value: Table
    made_at: datetime
    author: Annotated[str, Field(examples=["root@example.org"])]
    taken_back: bool

    @classmethod
    def of(cls, made: Made) -> Self:
        """The shape of a change."""
        row = made.row
        return cls(
            id=row.id,
            model_id=row.model_id,
            kind=row.kind,
            since=row.since,
            value=row.value,
            made_at=row.made_at,
            author=row.author,
            taken_back=made.taken_back,
        )


class ChangesAnswer(responses.Response):
    """A page of changes, newest first; `nextCursor` asks for the next one."""

    changes: list[CatalogueChangeShape]
    next_cursor: fields.TextOrNull


class ChangeAnswer(responses.Response):
    """A change of the catalogue."""

    change: CatalogueChangeShape


class NoteShape(responses.ApiModel):
    """What a vendor's list of models has told; `modelId` is null for a model that is not offered here."""

    id: int
    provider: fields.ProviderName
    kind: NoteKind
    vendor_id: Annotated[str, Field(examples=["kling/kling-v2-5-turbo"])]
    name: str
    model_id: fields.TextOrNull
    noted_at: datetime

    @classmethod
    def of(cls, note: ModelNote) -> Self:
        """The shape of a note."""
        return cls(
            id=note.id,
            provider=note.provider,
            kind=note.kind,
            vendor_id=note.vendor_id,
            name=note.name,
            model_id=note.model_id,
            noted_at=note.noted_at,
        )


class NotesAnswer(responses.Response):
    """Notes that wait, two hundred at most."""

    notes: list[NoteShape]


class NoteAnswer(responses.Response):
    """A note."""

    note: NoteShape


class NewChange(requests.Body):
    """What to say of a model from `since` on, or from now where that is absent.

    `value` by kind: the table of a record without its `since` (`life`, `price`, `cost`), `{"upstream_id": "..."}`
    (`vendor_id`), `{"before": "id of another model, or null"}` (`position`).
    """

    model_id: fields.ModelId
    kind: Annotated[Said, Field(examples=["price"])]
    since: Annotated[requests.Moment, Field(strict=False)] | None = None
    value: Table


class NewModel(requests.Body):
    """A model of a known provider, as a record of its files, with `provider`; its id again says anew what it makes."""

    record: Annotated[
        dict[str, Any],
        Field(
            examples=[
                {
                    "provider": "fal",
                    "id": "fal-new-model",
                    "name": "New Model",
                    "description": "What it is good for.",
                    "upstream_id": "fal-ai/new-model",
                    "default_seconds": 5,
                    "durations": [5, 10],
                    "resolutions": ["720p"],
                    "aspect_ratios": ["16:9", "9:16"],
                    "prices": [{"since": "2026-12-01", "credits_per_second": {"720p": 77}}],
                }
            ]
        ),
    ]


@router.get("/catalogue", responses=refuses(403))
def get_catalogue(member: CurrentMember) -> CatalogueAnswer:
    """Get all models with their prices, costs, life and vendor's ids by day, for administrators."""
    with db.read_session() as session:
        catalogue, now = listing.everything(session, member)
    return CatalogueAnswer(models=[CatalogueModel.of(entry, now) for entry in catalogue.entries.values()])


@router.get("/catalogue/changes", responses=refuses(403, 404))
def list_catalogue_changes(member: CurrentMember, query: Annotated[ChangesQuery, Query()]) -> ChangesAnswer:
    """List what administrators have changed, of all models or of one, a page at a time."""
    with db.read_session() as session:
        found = changes.list_changes(
            session, member, model_id=query.model_id, before_id=query.cursor, limit=query.limit + 1
        )
    page = found[: query.limit]
    return ChangesAnswer(
        changes=[CatalogueChangeShape.of(made) for made in page],
        next_cursor=str(page[-1].row.id) if len(found) > query.limit else None,
    )


@router.post(
    "/catalogue/changes",
    status_code=201,
    response_model=ChangeAnswer,
    responses=refuses(403, 404, 409) | idempotency.says_so(201, {}),
)
def change_catalogue(member: CurrentMember, body: NewChange, idempotency_key: IdempotencyKey = None) -> Response:
    """Say of a model whether it can be ordered, what it costs, what its vendor calls it or where it stands.

    It begins now or later, never earlier. 409 when another change of the same begins at that very moment.
    """
    with db.write_session() as session:
        made = changes.change(
            session, member, body.model_id, ChangeKind(body.kind), body.value, since=body.since, key=idempotency_key
        )
    return _answer(made)


@router.post(
    "/catalogue/models",
    status_code=201,
    response_model=ChangeAnswer,
    responses=refuses(403, 409) | idempotency.says_so(201, {}),
)
def add_model(member: CurrentMember, body: NewModel, idempotency_key: IdempotencyKey = None) -> Response:
    """Add a model of a known provider, or say anew what an added one makes.

    `fields` name the place in the record that is wrong. 409 when files have a model with this id.
    """
    with db.write_session() as session:
        made = changes.describe(session, member, body.record, key=idempotency_key)
    return _answer(made)


@router.delete("/catalogue/changes/{id}", responses=refuses(403, 404, 409, 422))
def take_change_back(member: CurrentMember, id: ChangeId) -> ChangeAnswer:
    """Take a change back that has not begun; it stays on record. 409 when it has begun or is taken back."""
    with db.write_session() as session:
        made = changes.take_back(session, member, id)
    return ChangeAnswer(change=CatalogueChangeShape.of(made))


@router.get("/catalogue/notes", responses=refuses(403))
def list_catalogue_notes(member: CurrentMember) -> NotesAnswer:
    """List what vendors' own lists of models have told and nobody has put aside, oldest first."""
    with db.read_session() as session:
        found = live_lists.list_open(session, member)
    return NotesAnswer(notes=[NoteShape.of(note) for note in found])


@router.delete("/catalogue/notes/{id}", responses=refuses(403, 404, 409, 422))
def dismiss_catalogue_note(member: CurrentMember, id: ChangeId) -> NoteAnswer:
    """Put a note aside; a repeat changes nothing."""
    with db.write_session() as session:
        note = live_lists.dismiss(session, member, id)
        return NoteAnswer(note=NoteShape.of(note))


def _answer(made: Made) -> Response:
    answer = ChangeAnswer(change=CatalogueChangeShape.of(made))
    return routing.written(answer, status=201, headers=idempotency.headers(replayed=made.replayed))


def _tables(said: Sequence[overlay.Said]) -> list[dict[str, Any]]:
    return [overlay.table_of(each) for each in said]
