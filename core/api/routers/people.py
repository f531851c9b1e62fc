"""People over REST, for administrators of the installation."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember, PathId
from core.api.openapi.answers import refuses
from core.api.schemas import fields, requests, responses
from core.db.enums import ErasureState, Role
from core.personal_data import requests as erasing
from core.workspaces import merging, people

router = routing.router("people")


class PeopleQuery(requests.Query):
    """Which people, and which page of them; `active` left out asks for those who may come in and those who may not."""

    search: requests.Word = ""
    role: Role | None = None
    active: bool | None = None
    cursor: requests.Word = ""
    limit: requests.PageSize = 100


class PersonChanges(requests.Changes):
    """What to change of a person; what is absent or null stays. `active` false lets them in no more."""

    role: Annotated[Role, Field(strict=False)] | None = None
    active: bool | None = None


class Merge(requests.Body):
    """Who the person is from now on."""

    into_id: Annotated[fields.Id, Field(pattern=requests.ID_PATTERN)]


class Erasing(requests.Body):
    """Their address once more, so that nobody is erased by a slip; with `dryRun` nothing is changed."""

    email: Annotated[str, Field(min_length=1, max_length=254, examples=["ben@example.org"])]
    dry_run: bool = False


class ErasurePlan(responses.ApiModel):
    """What goes, and what stays without their name: clips and bytes of their own workspace, and clips in teams.

    `underWay` clips have to end first, `uncertain` of them by a decision. `teamsLeftAlone` need
    another manager, `rows` is what else is theirs alone.
    """

    own_clips: int
    own_bytes: int
    own_uploads: int
    team_clips: int
    under_way: int
    uncertain: int
    teams_left_alone: list[str]
    rows: dict[str, int]


class ErasureAnswer(responses.Response):
    """How far erasing a person is; `state` null while nothing was asked for, `error` says why it waits."""

    state: ErasureState | None
    error: fields.TextOrNull
    asked_at: fields.MomentOrNull
    ended_at: fields.MomentOrNull
    plan: ErasurePlan | None

    @classmethod
    def of(cls, found: erasing.Standing | None) -> Self:
        """The shape of one, or of none."""
        if found is None:
            return cls(state=None, error=None, asked_at=None, ended_at=None, plan=None)
        error = None if found.error is None else str(found.error)
        return cls(state=found.state, error=error, asked_at=found.asked_at, ended_at=found.ended_at, plan=None)


class PersonShape(responses.ApiModel):
    """A person; `mergedIntoId` is who they are now, null for who was not merged into somebody.

    `lastSeenAt` is when a browser of theirs was last seen.
    """

    id: fields.Id
    email: Annotated[str, Field(examples=["ben@example.org"])]
    name: Annotated[str, Field(examples=["Ben"])]
    role: Role
    workspace_count: int
    created_at: datetime
    last_seen_at: fields.MomentOrNull
    deactivated_at: fields.MomentOrNull
    merged_into_id: fields.TextOrNull

    @classmethod
    def of(cls, person: people.Person) -> Self:
        """The shape of a person."""
        return cls(**{name: getattr(person, name) for name in cls.model_fields})


class PeopleAnswer(responses.Response):
    """A page of people by address; `nextCursor` asks for the next one."""

    people: list[PersonShape]
    next_cursor: fields.TextOrNull


class PersonAnswer(responses.Response):
    """One person."""

    person: PersonShape


@router.get("/people", responses=refuses(403))
def list_people(member: CurrentMember, query: Annotated[PeopleQuery, Query()]) -> PeopleAnswer:
    """List people by address, for administrators, a page at a time."""
    with db.read_session() as session:
        found = people.list_page(
            session,
            member,
            search=query.search,
            role=query.role,
            deactivated=None if query.active is None else not query.active,
            after_email=query.cursor,
            limit=query.limit + 1,
        )
    page = found[: query.limit]
    return PeopleAnswer(
        people=[PersonShape.of(person) for person in page],
        next_cursor=page[-1].email if len(found) > query.limit else None,
    )


@router.get("/people/{id}", responses=refuses(403, 404))
def get_person(member: CurrentMember, user_id: PathId) -> PersonAnswer:
    """Get a person, for administrators."""
    with db.read_session() as session:
        return PersonAnswer(person=PersonShape.of(people.get(session, member, user_id)))


@router.patch("/people/{id}", responses=refuses(404, 409))
def change_person(member: CurrentMember, user_id: PathId, body: PersonChanges) -> PersonAnswer:
    """Change what a person is in the installation, or whether they may come in, for administrators.

    Who is deactivated has no page, no token and no webhook from their next click or call on; clips under way finish and
    what they made stays. 409 for the last administrator.
    """
    with db.write_session() as session:
        if body.active is True:
            people.reactivate(session, member, user_id)
        if body.role is not None:
            people.set_role(session, member, user_id, body.role)
        if body.active is False:
            people.deactivate(session, member, user_id)
        return PersonAnswer(person=PersonShape.of(people.get(session, member, user_id)))


@router.post("/people/{id}/merge", responses=refuses(404, 409))
def merge_person(member: CurrentMember, user_id: PathId, body: Merge) -> PersonAnswer:
    """Make one person of two, for administrators: the one in the path is the one in the body from now on, for ever.

    Sign-ins, memberships, tokens, webhooks and presets move over, of two roles the higher one. Their personal workspace
    becomes a team. What they made and spent keeps their name, so that no figure changes.
    """
    with db.write_session() as session:
        person = merging.merge(session, member, gone_id=user_id, into_id=body.into_id)
    return PersonAnswer(person=PersonShape.of(person))


@router.get("/people/{id}/erasure", responses=refuses(403, 404))
def get_erasure(member: CurrentMember, user_id: PathId) -> ErasureAnswer:
    """Get how far erasing a person is, for administrators; everything is null while nobody has asked for it."""
    with db.read_session() as session:
        people.get(session, member, user_id)
        return ErasureAnswer.of(erasing.standing(session, member, user_id))


@router.post("/people/{id}/erase", responses=refuses(404, 409))
def erase_person(member: CurrentMember, user_id: PathId, body: Erasing) -> ErasureAnswer:
    """Erase a person for ever, for administrators; with `dryRun` only say what that means.

    They are let in no more at once; a worker does the rest when their clips under way have ended. Ledger, usage and
    clips of teams stay, without prompt, name and address. 409 for oneself and for the last administrator.
    """
    if body.dry_run:
        with db.read_session() as session:
            found = erasing.plan(session, member, user_id)
        plan = ErasurePlan.model_validate(asdict(found))
        return ErasureAnswer(state=None, error=None, asked_at=None, ended_at=None, plan=plan)
    with db.write_session() as session:
        return ErasureAnswer.of(erasing.ask(session, member, user_id, email=body.email))
