"""How fetched clips are called, over REST: each person's own template."""

from typing import Annotated

from fastapi import Query
from pydantic import Field

from core import db
from core.api.http import routing
from core.api.http.auth import CurrentMember
from core.api.openapi.answers import refuses
from core.api.schemas import requests, responses
from core.db.tables import User
from core.generations import clip_names

router = routing.router("generations")

_TEMPLATE = Field(max_length=clip_names.TEMPLATE_LIMIT_CHARS, examples=[clip_names.DEFAULT])


class NamesQuery(requests.Query):
    """A template to try; without one your own is told."""

    template: Annotated[requests.Word | None, _TEMPLATE] = None


class NewNames(requests.Body):
    """The template to use from now on; null for the usual one."""

    template: Annotated[requests.Word | None, _TEMPLATE]


class NamesAnswer(responses.Response):
    """A template, what a file would be called by it, and the fields that there are."""

    template: Annotated[str, Field(examples=[clip_names.DEFAULT])]
    preview: Annotated[str, Field(examples=["a-lake-at-dusk-mist-rising-3b9f6d.mp4"])]
    fields: list[str]


@router.get("/clip-names")
def get_clip_names(member: CurrentMember, query: Annotated[NamesQuery, Query()]) -> NamesAnswer:
    """Get the template by which the clips you fetch are named, or try another one."""
    if query.template is not None:
        return _answer(query.template)
    with db.read_session() as session:
        return _answer(clip_names.of_person(session.get_one(User, member.id)).text)


@router.put("/clip-names", responses=refuses(422))
def set_clip_names(member: CurrentMember, body: NewNames) -> NamesAnswer:
    """Choose the template by which the clips you fetch are named."""
    with db.write_session() as session:
        return _answer(clip_names.choose(session, member, body.template).text)


def _answer(template: str) -> NamesAnswer:
    return NamesAnswer(template=template, preview=clip_names.preview(template), fields=list(clip_names.EXAMPLE))
