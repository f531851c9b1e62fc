"""Every route of the API, asked by everybody there is: each role, in the workspace and outside, and each credential.

The answers are written out below. A route without a row fails: whoever adds one says there who may ask it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from sqlalchemy import update

from core import db
from core.analyst_pack.asked import Asked
from core.api import api
from core.clock import utc_now
from core.db.enums import BulkKind, NoticeAudience, NoticeKind, NoticeWay, ReportEvery, Role, Scope, WorkspaceRole
from core.db.tables import (
    AnalystPack,
    ApiToken,
    BulkJob,
    ClipNote,
    Notice,
    Preset,
    ReportSchedule,
    SavedFilter,
    UsageView,
    User,
    WorkspaceMember,
)
from core.generations import commands, share_links
from core.generations.sheets import kept
from core.generations.sheets.checked import Defaults
from core.identity import api_tokens
from core.ids import new_id
from core.installation import current
from core.messages import message
from core.notifications import ways, webhooks
from core.personal_data import exports
from core.workspaces import invitations, members
from core.workspaces.access import Member
from tests.api.conftest import ORDER, Client, arrive, picture
from tests.factories import approvals as approval_factory
from tests.factories import generations, installations, statements
from tests.factories.assets import create_asset, create_group
from tests.factories.catalogue import coming_change, note_on_models
from tests.factories.projects import create_project
from tests.factories.sheets import read
from tests.factories.users import create_member
from tests.factories.workspaces import create_team
from tests.unit.test_overlay import ADDED

Options = Callable[["World", Client], dict[str, Any]]
"""What a request is sent with, beside its path."""

OPENS = 0
"""In place of a status: a stream that does not end, whose opening is tested beside it."""


CONFINED = "with a token of another workspace"


class Answers(NamedTuple):
    """The status for each person: three of the team, and three who are not in it."""

    viewer: int
    maker: int
    manager: int
    stranger: int
    analyst: int
    admin: int


def seen(ok: int = 200) -> Answers:
    """For everybody in the workspace; for others it is not there."""
    return Answers(ok, ok, ok, 404, 404, 404)


def made(ok: int = 200) -> Answers:
    """For makers and managers."""
    return Answers(403, ok, ok, 404, 404, 404)


def managed(ok: int = 200) -> Answers:
    """For managers."""
    return Answers(403, 403, ok, 404, 404, 404)


def everybody(ok: int = 200) -> Answers:
    """One's own, or what is the same for all."""
    return Answers(ok, ok, ok, ok, ok, ok)


def analysts(ok: int = 200) -> Answers:
    """Figures of everybody."""
    return Answers(403, 403, 403, 403, ok, ok)


def managed_from_outside(ok: int = 200) -> Answers:
    """People of a workspace: for its managers, and for administrators, who are not in it."""
    return Answers(403, 403, ok, 404, 404, ok)


def administrators(ok: int = 200) -> Answers:
    """The installation."""
    return Answers(403, 403, 403, 403, 403, ok)


@dataclass(frozen=True)
class Row:
    """Who is answered how; `about` is what the path's id is of, `here` that the team is named by a header.

    `confined` is for a token of another workspace, where that is not what a stranger is answered.
    """

    answers: Answers
    about: str = ""
    here: bool = False
    confined: int | None = None
    options: Options = lambda _world, _caller: {}


def body(**values: Any) -> Options:
    """A fixed JSON body."""
    return lambda _world, _caller: {"json": values}


SETTINGS = {"settings": ORDER}
SHEET = b"Prompt,Model\nA lake at dusk,demo-film\n"
STATEMENT = b"Job ID,Time,Amount\njob,2026-10-05,0.35\n"
HOOK = "http://127.0.0.1:9/hook"
PUBLIC = {
    "GET /health",
    "GET /media/{key:path}",
    "HEAD /media/{key:path}",
    "GET /clips.zip",
    "POST /hooks/{id}/{signature}",
    "GET /openapi.json",
    "GET /docs",
}
"""Without a token: a probe has none, a signed address is its own permission, and the document is no secret."""

TABLE: Mapping[str, Row] = {
    # Clips
    "GET /generations/events": Row(seen(OPENS), here=True),
    "HEAD /generations/events": Row(everybody()),
    "POST /generate": Row(made(202), options=lambda world, _caller: {"json": world.order()}),
    "POST /generate-batch": Row(
        made(202), options=lambda world, _caller: {"json": {"generations": [world.order()] * 2}}
    ),
    "GET /generations": Row(seen(), here=True),
    "GET /generations/{id}": Row(seen(), "clip"),
    "GET /generations/{id}/status": Row(seen(), "clip"),
    "GET /generations/{id}/credentials": Row(seen(), "clip"),
    "PATCH /generations/{id}": Row(made(), "clip", options=body(favourite=True)),
    "POST /generations/{id}/cancel": Row(made(), "clip that waits"),
    "POST /generations/{id}/retry": Row(made(202), "clip that was cancelled"),
    "POST /retry-batch": Row(
        made(202),
        options=lambda world, _caller: {
            "json": {"generationIds": [world.fresh("clip that was cancelled", world.manager)["id"]]}
        },
    ),
    "POST /generations/{id}/last-frame": Row(made(422), "clip"),  # what the tests store is no video
    "POST /generations/{id}/frame": Row(made(422), "clip", options=body(seconds=0.5)),  # same
    "GET /trash": Row(managed(), here=True),
    "POST /generations/{id}/restore": Row(managed(409), "clip that was cancelled"),
    "DELETE /generations/{id}": Row(managed(), "clip that was cancelled"),
    "POST /generations/zip": Row(seen(), options=lambda world, _caller: {"json": {"ids": [world.clip]}}),
    "GET /download/{id}": Row(seen(), "clip"),
    "HEAD /download/{id}": Row(seen(), "clip"),
    "POST /upload-image": Row(
        made(),
        here=True,
        options=lambda _world, _caller: {
            "files": {"file": ("lake.png", picture(), "image/png")},
            "data": {"type": "start"},
        },
    ),
    "GET /assets": Row(seen(), here=True),
    "POST /assets": Row(
        made(201),
        here=True,
        options=lambda _world, _caller: {"files": {"file": ("lake.png", picture(), "image/png")}},
    ),
    "GET /assets/{id}": Row(seen(), "asset"),
    "PATCH /assets/{id}": Row(made(), "asset", options=body(name="Lake")),
    "DELETE /assets/{id}": Row(managed(), "asset"),  # of the manager
    "DELETE /assets/{id}?of=their-own": Row(made(), "asset of their own"),
    "GET /asset-groups": Row(seen(), here=True),
    "POST /asset-groups": Row(
        made(201),
        here=True,
        options=lambda _world, _caller: {"json": {"kind": "style", "name": f"a{new_id()}"}},
    ),
    "GET /asset-groups/{id}": Row(seen(), "asset group"),
    "PATCH /asset-groups/{id}": Row(made(), "asset group", options=body(description="Dark")),
    "DELETE /asset-groups/{id}": Row(managed(), "asset group"),  # of the manager
    "DELETE /asset-groups/{id}?of=their-own": Row(made(), "asset group of their own"),
    "GET /generations/{id}/notes": Row(seen(), "clip"),
    "POST /generations/{id}/notes": Row(made(201), "clip", options=body(text="Too dark")),
    "PATCH /generations/{id}/notes/{noteId}": Row(made(), "note", options=body(text="Too bright")),
    "DELETE /generations/{id}/notes/{noteId}": Row(made(), "note"),
    "GET /generations/{id}/lineage": Row(seen(), "clip"),
    "GET /generations/count": Row(seen(), here=True),
    # What is done to everything that matches, and what fetched clips are called
    "GET /bulk-jobs": Row(seen(), here=True),
    "POST /bulk-jobs": Row(
        made(202),
        here=True,
        options=lambda world, _caller: {
            "json": {"kind": "tag", "tags": ["night"], "filter": {"text": world.clip and "lake"}}
        },
    ),
    "POST /bulk-jobs?kind=delete": Row(
        managed(202),
        here=True,
        options=lambda world, _caller: {"json": {"kind": "delete", "filter": {"text": world.clip and "lake"}}},
    ),
    "POST /bulk-jobs?kind=fetch": Row(
        seen(202),
        here=True,
        options=lambda world, _caller: {"json": {"kind": "fetch", "filter": {"text": world.clip and "lake"}}},
    ),
    "GET /bulk-jobs/{id}": Row(Answers(404, 404, 200, 404, 404, 404), "bulk job"),  # the manager's own
    "POST /bulk-jobs/{id}/cancel": Row(seen(), "bulk job"),
    "GET /clip-names": Row(everybody()),
    "PUT /clip-names": Row(everybody(), options=body(template=None)),
    "GET /saved-filters": Row(seen(), here=True),
    "POST /saved-filters": Row(seen(201), here=True, options=lambda _world, _caller: kept_filter()),
    "POST /saved-filters?shared=true": Row(
        made(201), here=True, options=lambda _world, _caller: kept_filter(shared=True)
    ),
    "GET /saved-filters/{id}": Row(seen(), "saved filter"),
    "PATCH /saved-filters/{id}": Row(seen(), "saved filter", options=lambda _world, _caller: kept_filter()),
    "DELETE /saved-filters/{id}": Row(seen(), "saved filter"),
    # Tables of orders
    "POST /sheets": Row(made(), here=True, options=lambda _world, _caller: {"files": {"file": ("a.csv", SHEET)}}),
    "POST /sheets/from-prompt": Row(made(), here=True, options=body(prompt="A {b}", lists={"b": ["c"]})),
    "GET /sheets": Row(seen(), here=True),
    "GET /sheets/{id}": Row(seen(), "sheet"),
    "POST /sheets/{id}/order": Row(made(202), "sheet", options=body(expectedCredits=50)),
    "POST /sheets/{id}/cancel": Row(made(), "sheet"),
    "GET /sheets/{id}/result.csv": Row(seen(), "sheet"),
    "GET /sheets/{id}/result.xlsx": Row(seen(), "sheet"),
    # Links for people outside
    "GET /share-links": Row(made(), here=True),
    "POST /share-links": Row(made(201), options=lambda world, _caller: {"json": {"generationIds": [world.clip]}}),
    "GET /share-links/{id}": Row(made(), "share link"),
    "DELETE /share-links/{id}": Row(made(), "share link"),
    # Projects and presets
    "GET /projects": Row(seen(), here=True),
    "POST /projects": Row(made(201), here=True, options=body(name="Hills")),
    "GET /projects/{id}": Row(seen(), "project"),
    "PATCH /projects/{id}": Row(made(), "project", options=body(name="Hills")),
    "DELETE /projects/{id}": Row(managed(), "project"),
    "POST /projects/{id}/transfer": Row(
        managed(), "project", options=lambda _world, caller: {"json": {"workspaceId": home_of(caller)}}
    ),
    "GET /presets": Row(seen(), here=True),
    "POST /presets": Row(made(201), here=True, options=body(name="Reels", **SETTINGS)),
    "PATCH /presets/{id}": Row(made(), "preset", options=body(shared=True)),
    "DELETE /presets/{id}": Row(made(), "preset"),
    # Models and prices
    "GET /models": Row(everybody()),
    "GET /providers": Row(everybody()),
    "POST /estimate-credits": Row(everybody(), options=body(modelId="veo3", resolution="720p")),
    # Money
    "GET /credits": Row(seen(), here=True),
    "GET /credits/entries": Row(seen(), here=True),
    "GET /credits/statement?month=2026-10": Row(seen(), here=True),
    "GET /usage": Row(seen(), here=True),
    "GET /usage?people=everybody": Row(analysts()),
    "GET /usage?people=everybody&groupBy=user&format=csv": Row(analysts()),
    "GET /usage/explore": Row(seen(), here=True),
    "GET /usage/explore?workspaces=mine&by=workspace": Row(everybody()),
    "GET /usage/explore?workspaces=all": Row(analysts()),
    "GET /usage/explore?workspaces=all&by=tag&format=csv": Row(analysts()),
    "GET /usage-views": Row(seen(), here=True),
    "POST /usage-views": Row(seen(201), here=True, options=lambda _world, _caller: kept_view()),
    "POST /usage-views?shared=true": Row(made(201), here=True, options=lambda _world, _caller: kept_view(shared=True)),
    "GET /usage-views/{id}": Row(seen(), "usage view"),
    "PATCH /usage-views/{id}": Row(seen(), "usage view", options=lambda _world, _caller: kept_view()),
    "DELETE /usage-views/{id}": Row(seen(), "usage view"),
    "GET /usage-reports": Row(seen(), here=True),
    "PUT /usage-reports": Row(
        seen(), here=True, options=lambda world, caller: {"json": world.report(caller) | {"every": "weekly"}}
    ),
    "DELETE /usage-reports/{id}": Row(seen(), "usage report"),
    "GET /usage/month": Row(seen(), here=True),
    "GET /usage/month?people=everybody": Row(analysts()),
    "GET /usage/what-if?withModelId=veo3": Row(seen(), here=True),
    "GET /usage/what-if?withModelId=veo3&people=everybody": Row(analysts()),
    "GET /usage/models": Row(seen(), here=True),
    "GET /usage/models?people=everybody&format=csv": Row(analysts()),
    "GET /usage/waste": Row(seen(), here=True),
    "GET /usage/waste?people=everybody&groupBy=user&format=csv": Row(analysts()),
    "GET /retry-batch": Row(seen(), here=True),
    "GET /usage/substitution?modelId=demo-film&withModelId=veo3": Row(seen(), here=True),
    "GET /usage/substitution?modelId=demo-film&withModelId=veo3&people=everybody": Row(analysts()),
    "PUT /usage/budget": Row(managed(), here=True, options=body(monthlyBudgetCredits=500)),
    "PUT /usage/budget?of=project": Row(
        managed(), options=lambda world, _caller: {"json": {"monthlyBudgetCredits": 500, "projectId": world.project}}
    ),
    "GET /budgets": Row(seen(), here=True),
    "PUT /budgets": Row(managed(), here=True, options=body(scope="workspace", limitCredits=500, mode="warn")),
    "PUT /budgets?of=project": Row(
        managed(),
        options=lambda world, _caller: {"json": {"scope": "project", "id": world.project, "limitCredits": 500}},
    ),
    "PUT /budgets/each-member": Row(managed(), here=True, options=body(limitCredits=500_000, mode="warn")),
    "PUT /budgets/time-zone": Row(managed(), here=True, options=body(timeZone="Asia/Jakarta")),
    "GET /approvals": Row(seen(), here=True),
    "GET /approvals/rule": Row(seen(), here=True),
    "PUT /approvals/rule": Row(managed(), here=True, options=body(aboveCredits=500, overBudget=False)),
    "POST /approvals": Row(
        everybody(),
        options=lambda world, _caller: {"json": {"generationIds": [world.waiting()], "decision": "approve"}},
    ),
    "POST /approvals/{id}": Row(managed(), "order that waits for approval", options=body(decision="approve")),
    # Webhooks
    "GET /webhooks": Row(managed(), here=True),
    "POST /webhooks": Row(managed(201), here=True, options=body(url=HOOK)),
    "GET /webhooks/{id}": Row(managed(), "webhook"),
    "PATCH /webhooks/{id}": Row(managed(), "webhook", options=body(description="Team")),
    "DELETE /webhooks/{id}": Row(managed(), "webhook"),
    "POST /webhooks/{id}/rotate": Row(managed(), "webhook"),
    "POST /webhooks/{id}/test": Row(managed(202), "webhook"),
    "GET /webhooks/{id}/deliveries": Row(managed(), "webhook"),
    "POST /webhooks/{id}/deliveries/{deliveryId}/replay": Row(managed(202), "webhook"),
    # Workspaces and who is in them
    "GET /workspaces": Row(everybody()),
    "GET /workspaces?all=true": Row(administrators()),
    "POST /workspaces": Row(administrators(201), options=body(name="Film unit")),
    "GET /workspaces/{id}": Row(seen()._replace(admin=200), "team"),
    "PATCH /workspaces/{id}": Row(managed_from_outside(), "team", options=body(name="Film unit")),
    "PATCH /workspaces/{id}?archived=true": Row(managed_from_outside(), "team", options=body(archived=True)),
    "GET /workspaces/{id}/members": Row(seen()._replace(admin=200), "team"),
    "POST /workspaces/{id}/members": Row(
        managed_from_outside(201),
        "team",
        options=lambda _world, _caller: {"json": {"email": newcomer().email, "role": "maker"}},
    ),
    "PATCH /workspaces/{id}/members/{userId}": Row(managed_from_outside(), "member", options=body(role="viewer")),
    "DELETE /workspaces/{id}/members/{userId}": Row(managed_from_outside(), "member"),
    "GET /workspaces/{id}/invitations": Row(managed_from_outside(), "team"),
    "POST /workspaces/{id}/invitations": Row(
        managed_from_outside(201), "team", options=body(email="new@example.org", role="maker")
    ),
    "DELETE /invitations/{id}": Row(managed_from_outside(), "invitation"),
    "GET /invitations": Row(administrators()),
    "POST /invitations": Row(administrators(201), options=body(email="new@example.org")),
    "POST /invitations/look": Row(everybody(404), options=body(token="not-one-of-ours")),  # who has it, may
    "POST /invitations/accept": Row(everybody(404), options=body(token="not-one-of-ours")),
    "PATCH /workspaces/{id}?tellsPrompts=true": Row(
        managed()._replace(admin=403), "team", options=body(tellsPrompts=True)
    ),
    # One's own
    "GET /notices": Row(everybody()),
    "POST /notices/read": Row(everybody()),
    "GET /attention": Row(everybody()),  # of what one manages
    "GET /attention?installation=true": Row(administrators()),
    "PATCH /notices/{id}": Row(Answers(404, 404, 200, 404, 404, 404), "notice", options=body(read=True)),
    "GET /ways": Row(everybody(), confined=403),
    "PUT /ways": Row(
        everybody(), confined=403, options=lambda _world, _caller: {"json": {"way": "webhook", "address": HOOK}}
    ),
    "PATCH /ways/{id}": Row(everybody(), "way", confined=403, options=body(enabled=False)),
    "DELETE /ways/{id}": Row(everybody(), "way", confined=403),
    "POST /ways/{id}/test": Row(everybody(202), "way", confined=403),
    "GET /tokens": Row(everybody()),
    "POST /tokens": Row(everybody(201), options=body(name="script")),
    "DELETE /tokens/{id}": Row(everybody(), "token", confined=404),
    # The installation
    "GET /metrics": Row(administrators()),
    "GET /usage/margins": Row(analysts()),
    "GET /exchange-rates": Row(analysts()),
    "POST /exchange-rates": Row(administrators(201), options=body(idrPerUsd=16_800)),
    "GET /closed-periods": Row(analysts()),
    "POST /closed-periods": Row(administrators(409), options=body(month="2001-01")),
    "GET /charge-back?month=2026-10": Row(analysts()),
    "GET /export/pack": Row(managed(), here=True),
    "GET /export/pack?people=everybody&pseudonymous=true": Row(analysts()),
    "GET /export/{name}": Row(managed(), "exported file", here=True),
    "GET /export/{name}?people=everybody&format=csv": Row(analysts(), "exported file"),
    "GET /analyst-packs": Row(everybody()),
    "POST /analyst-packs": Row(managed(202), here=True, options=body(period="2026-10")),
    "POST /analyst-packs?people=everybody": Row(analysts(202), options=body(people="everybody")),
    "POST /person-exports": Row(everybody(202), confined=403, options=body()),
    "GET /person-exports": Row(everybody()),
    "GET /person-exports/{id}": Row(Answers(404, 404, 200, 404, 404, 404), "person export"),  # the manager's own
    "GET /analyst-packs/{id}": Row(Answers(404, 404, 200, 404, 404, 404), "analyst pack"),  # the manager's own
    "GET /charge-back?month=2026-10&format=pdf": Row(analysts()),
    "GET /statements": Row(analysts()),
    "POST /statements": Row(
        administrators(),
        options=lambda _world, _caller: {
            "files": {"file": ("a.csv", STATEMENT)},
            "data": {"provider": "demo", "month": "2026-10"},
        },
    ),
    "GET /statements/{id}": Row(analysts(), "statement"),
    "GET /statements/{id}/lines": Row(analysts(), "statement"),
    "POST /statements/{id}/compare": Row(administrators(), "statement"),
    "POST /statements/{id}/accept": Row(
        administrators(409), "statement", options=body(lineIds=["none"], reason="as billed")
    ),
    "POST /statements/{id}/undo": Row(
        administrators(409), "statement", options=body(lineIds=["none"], reason="as billed")
    ),
    "DELETE /statements/{id}": Row(administrators(), "statement"),
    "GET /audit-log": Row(administrators()),
    "GET /people": Row(administrators()),
    "GET /people/{id}": Row(administrators(), "person"),
    "PATCH /people/{id}": Row(administrators(), "person", options=body(active=False)),
    "GET /people/{id}/erasure": Row(administrators(), "person"),
    "POST /people/{id}/erase": Row(administrators(), "person", options=body(email="x@example.org", dryRun=True)),
    "POST /people/{id}/merge": Row(
        administrators(), "person", options=lambda _world, _caller: {"json": {"intoId": newcomer().id}}
    ),
    "GET /grants": Row(administrators()),
    "POST /grants": Row(
        administrators(201),
        options=lambda world, _caller: {"json": {"workspaceId": world.team, "credits": 5, "reason": "Spring"}},
    ),
    "POST /transfers": Row(
        Answers(403, 403, 403, 404, 404, 201),
        options=lambda world, caller: {
            "json": {"fromWorkspaceId": world.team, "toWorkspaceId": home_of(caller), "credits": 5, "reason": "Spring"}
        },
    ),
    "GET /catalogue": Row(administrators()),
    "GET /catalogue/changes": Row(administrators()),
    "POST /catalogue/changes": Row(
        administrators(201), options=body(modelId="veo2", kind="position", value={"before": None})
    ),
    "DELETE /catalogue/changes/{id}": Row(administrators(), "coming change"),
    "POST /catalogue/models": Row(administrators(201), options=body(record=ADDED)),
    "GET /catalogue/notes": Row(administrators()),
    "DELETE /catalogue/notes/{id}": Row(administrators(), "note on models"),
    "GET /uncertain": Row(administrators()),
    "POST /uncertain/{id}/release": Row(administrators(), "clip that is unclear"),
    "POST /uncertain/{id}/found": Row(
        administrators(),
        "clip that is unclear",
        options=lambda _world, _caller: {"json": {"providerJobId": f"job-{new_id()}"}},
    ),
}
"""Method and path, with a query where that decides who may ask -> the answers."""


@dataclass
class World:
    """A team with a viewer, a maker and a manager, and what it has; people outside; and bad credentials."""

    people: Mapping[str, Client]
    refused: Mapping[str, Client]
    outsiders: Mapping[str, Client]
    shared: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def manager(self) -> Client:
        return self.people["manager"]

    @property
    def project(self) -> str:
        return self.known("project")["id"]

    @property
    def clip(self) -> str:
        return self.known("clip")["id"]

    @property
    def team(self) -> str:
        return str(person_of(self.manager).workspace_id)

    def order(self) -> dict[str, Any]:
        """The body of an order in the team."""
        return ORDER | {"projectId": self.known("project of orders")["id"]}

    def waiting(self) -> str:
        """An order of the team that waits for approval."""
        return self.fresh("order that waits for approval", self.manager)["id"]

    def known(self, about: str) -> dict[str, str]:
        """One thing of the team for all who are refused."""
        if about not in self.shared:
            self.shared[about] = self.fresh(about, self.manager)
        return self.shared[about]

    def fresh(self, about: str, caller: Client) -> dict[str, str]:
        """A new thing of the team, or the caller's own; the parts of a path about it."""
        manager = self.manager.person
        assert manager is not None
        assert caller.person is not None
        match about:
            case "":
                return {}
            case "project" | "project of orders":
                return {"id": create_project(db.default(), manager).id}
            case "clip":
                return {"id": self.manager.finished(project_id=self.known("project of orders")["id"]).id}
            case "statement":
                return {"id": statements.billed().id}
            case "asset" | "asset of their own":
                return {"id": create_asset(db.default(), manager if about == "asset" else self._maker_or(caller)).id}
            case "asset group" | "asset group of their own":
                whose = manager if about == "asset group" else self._maker_or(caller)
                return {"id": create_group(db.default(), whose, f"a{new_id()}", pictures=0).row.id}
            case "note":
                with db.write_session() as session:
                    note = ClipNote(generation_id=self.clip, user_id=caller.person.id, text="Too dark")
                    session.add(note)
                    session.flush()
                    return {"id": self.clip, "noteId": note.id}
            case "notice":
                news = {"group_key": new_id(), "title": message("notice_test"), "told_at": utc_now()}
                of_team = {"audience": NoticeAudience.MEMBER, "kind": NoticeKind.TEST, **news}
                with db.write_session() as session:
                    notice = Notice(user_id=caller.person.id, workspace_id=manager.workspace_id, **of_team)
                    session.add(notice)
                    session.flush()
                    return {"id": notice.id}
            case "share link":
                with db.write_session() as session:
                    return {"id": share_links.make(session, manager, [self.clip]).link.id}
            case "sheet":
                content = SHEET.replace(b"dusk", new_id().encode())  # the same content is the same table
                otherwise = Defaults(project_id=self.known("project of orders")["id"])
                with db.write_session() as session:
                    return {"id": kept.keep(session, manager, read(content), otherwise, name="a.csv").id}
            case "team" | "member" | "invitation":
                return self._fresh_in_team(about)
            case "coming change":
                return {"id": coming_change()}
            case "note on models":
                return {"id": note_on_models()}
            case "person":
                return {"id": newcomer().id}
            case "clip that is unclear":
                row = generations.create_generation(db.default(), manager)
                return {"id": generations.lose_submit(db.default(), row.id).id}
            case "clip that waits" | "clip that was cancelled":
                row = generations.create_generation(
                    db.default(), manager, project_id=self.known("project of orders")["id"]
                )
                if about == "clip that was cancelled":
                    with db.write_session() as session:
                        commands.cancel(session, manager, row.id)
                return {"id": row.id}
            case "order that waits for approval":
                maker = person_of(self.people["maker"])
                approval_factory.ask(db.default(), manager)
                row = generations.create_generation(
                    db.default(), maker, project_id=self.known("project of orders")["id"]
                )
                approval_factory.ask(db.default(), manager, None)
                return {"id": row.id}
            case "preset":
                with db.write_session() as session:
                    preset = Preset(
                        workspace_id=manager.workspace_id,
                        user_id=caller.person.id,
                        name=f"Reels {utc_now()}",
                        settings=generations.build_spec().values(),
                    )
                    session.add(preset)
                    session.flush()
                    return {"id": preset.id}
            case "bulk job":
                return {"id": self._waiting_job(manager.workspace_id, caller.person.id)}
            case "exported file":
                return {"name": "ledger"}
            case "person export":
                with db.write_session() as session:
                    return {"id": exports.start(session, caller.person).id}
            case "analyst pack":
                with db.write_session() as session:
                    pack = AnalystPack(workspace_id=manager.workspace_id, user_id=caller.person.id, next_at=utc_now())
                    pack.asked = dict(Asked(manager.workspace_id).to_json())
                    session.add(pack)
                    session.flush()
                    return {"id": pack.id}
            case "saved filter":
                with db.write_session() as session:
                    owner = {"workspace_id": manager.workspace_id, "user_id": caller.person.id}
                    named = SavedFilter(**owner, name=new_id(), asked={}, shared=True)
                    session.add(named)
                    session.flush()
                    return {"id": named.id}
            case "usage view":
                with db.write_session() as session:
                    owner = {"workspace_id": manager.workspace_id, "user_id": caller.person.id}
                    view = UsageView(**owner, name=new_id(), asked={}, shared=True)
                    session.add(view)
                    session.flush()
                    return {"id": view.id}
            case "way":
                with db.write_session() as session:  # one test a minute: those of before are older
                    tests = Notice.user_id == caller.person.id, Notice.kind == NoticeKind.TEST
                    session.execute(update(Notice).where(*tests).values(created_at=utc_now() - timedelta(hours=1)))
                return {"id": caller.way()}
            case "usage report":
                of_caller = {"view_id": self.report(caller)["viewId"], "user_id": caller.person.id}
                when = {"every": ReportEvery.DAILY, "time_zone": "UTC", "next_at": utc_now()}
                with db.write_session() as session:
                    schedule = ReportSchedule(way=NoticeWay.WEBHOOK, **of_caller, **when)
                    session.add(schedule)
                    session.flush()
                    return {"id": schedule.id}
            case "webhook":
                own, delivery = self.manager.webhook()
                return {"id": own, "deliveryId": delivery}
            case "token":
                return {"id": token_of(caller)[0]}
        raise AssertionError(f"say in World.fresh how to make: {about}")

    def report(self, caller: Client) -> dict[str, Any]:
        """A shared view of the team, to be sent to a webhook that its caller has."""
        person = person_of(self.manager if caller.person is None else caller)
        address = webhooks.validate_url(HOOK, allow=current().settings.webhook_allow_hosts)
        with db.write_session() as session:
            ways.set_address(session, person, NoticeWay.WEBHOOK, address)
        view_id = self.fresh("usage view", self.manager)["id"]
        return {"viewId": view_id, "way": "webhook"}

    def _waiting_job(self, workspace_id: str, user_id: str) -> str:
        with db.write_session() as session:
            what = {"kind": BulkKind.FAVOURITE, "asked": {}, "details": {}, "matched_count": 1}
            job = BulkJob(workspace_id=workspace_id, user_id=user_id, next_at=utc_now(), **what)
            session.add(job)
            session.flush()
            return job.id

    def _maker_or(self, caller: Client) -> Member:
        """The caller where they can have made something in the team, else its manager."""
        person: Member = person_of(caller if caller is self.people["maker"] else self.manager)
        return person

    def _fresh_in_team(self, about: str) -> dict[str, str]:
        """Another team with the same people in the same roles, and what is asked for in it."""
        inside = {"viewer": WorkspaceRole.VIEWER, "maker": WorkspaceRole.MAKER, "manager": WorkspaceRole.MANAGER}
        team = create_team(db.default(), *((person_of(self.people[name]), role) for name, role in inside.items()))
        current().callers.clear()  # it is not known yet who is in it
        manager, parts = team[-1], {"id": team[0].workspace_id}
        with db.write_session() as session:
            if about == "member":
                someone = newcomer()
                members.add(session, manager, parts["id"], email=someone.email, role=WorkspaceRole.MAKER)
                return parts | {"userId": someone.id}
            if about == "invitation":
                role = WorkspaceRole.MAKER
                made, _token = invitations.create(
                    session, manager, email="new@example.org", workspace_id=parts["id"], workspace_role=role
                )
                return {"id": made.id}
        return parts


def kept_filter(**values: Any) -> dict[str, Any]:
    """A body with a filter under a name that nobody has used."""
    return {"json": {"name": new_id(), "filter": {"text": "lake"}, **values}}


def kept_view(**values: Any) -> dict[str, Any]:
    """A body with a view of usage under a name that nobody has used."""
    return {"json": {"name": new_id(), "view": {"by": ["model"]}, **values}}


def home_of(caller: Client) -> str:
    """The caller's personal workspace; nobody's for who is nobody."""
    return new_id() if caller.person is None else caller.person.id


def newcomer() -> Member:
    """Somebody who has just come."""
    return create_member(db.default(), f"{new_id()}@example.org", credits=0)


def token_of(client: Client, **values: Any) -> tuple[str, str]:
    """Id and secret of another token of this person; `values` are what became of it."""
    assert client.person is not None
    with db.write_session() as session:
        secret = api_tokens.create(session, client.person.user, name="other", scope=Scope.ADMIN)
        row = api_tokens.by_token(session, secret)[1]
        if values:
            session.execute(update(ApiToken).where(ApiToken.id == row.id).values(**values))
        return row.id, secret


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Made once: what a call changes is its own."""
    with pytest.MonkeyPatch.context() as environ:
        for name in ("DATABASE_URL", "REDIS_URL", "STORAGE_URL", "SECRET_KEY", "AUTH_MODE"):
            environ.delenv(name, raising=False)
        environ.setenv("DATA_DIR", str(tmp_path_factory.mktemp("permissions")))
        environ.setenv("WEBHOOK_ALLOW_HOSTS", "127.0.0.1:9")
        with installations.opened():
            yield build_world()


def build_world() -> World:
    """People with tokens of the widest scope, so that nothing but who they are decides."""
    inside = ("viewer", "maker", "manager", "former", "gone")
    found = {name: arrive(f"{name}@example.org") for name in (*inside, "stranger", "analyst", "admin")}
    with db.write_session() as session:
        for name in ("analyst", "admin"):
            email = f"{name}@example.org"
            session.execute(update(User).where(User.email == email).values(role=Role(name)))
    roles = dict.fromkeys(inside, WorkspaceRole.MANAGER) | {
        "viewer": WorkspaceRole.VIEWER,
        "maker": WorkspaceRole.MAKER,
    }
    team = create_team(db.default(), *((person_of(found[name]), role) for name, role in roles.items()), credits=10**6)
    [other] = create_team(db.default(), (person_of(found["manager"]), WorkspaceRole.MANAGER), name="Hills")
    for name, member in zip(roles, team, strict=True):
        found[name] = replace(found[name], person=member)
    team_id = team[0].workspace_id
    manager, now = found["manager"], utc_now()
    with db.write_session() as session:
        session.delete(session.get_one(WorkspaceMember, (team_id, person_of(found["former"]).id)))
        session.get_one(User, person_of(found["gone"]).id).deactivated_at = now
        manager_at_work = members.at_work(session, person_of(manager).user, team_id)
    found["manager"] = replace(manager, person=manager_at_work)
    return World(
        people={name: found[name] for name in Answers._fields},
        refused={
            "without a token": Client(),
            "unknown": Client(token="avg_unknown"),
            "revoked": Client(token=token_of(manager, revoked_at=now)[1]),
            "expired": Client(token=token_of(manager, expires_at=now - timedelta(seconds=1))[1]),
            "deactivated": Client(token=found["gone"].token),
        },
        outsiders={
            "taken out": found["former"],
            CONFINED: replace(manager, token=token_of(manager, workspace_id=other.workspace_id)[1]),
        },
    )


def person_of(client: Client) -> Any:
    """Who it is."""
    assert client.person is not None
    return client.person


def status(world: World, client: Client, name: str, expected: int) -> int:
    """What somebody is answered; about a thing of its own where the call may change it."""
    row = TABLE[name]
    method, path = name.split(" ", 1)
    own = row.about in ("preset", "token", "note") and client.person is not None
    may_change = expected < 400 and method not in ("GET", "HEAD") and client.person is not None
    parts = world.fresh(row.about, client) if own or may_change else world.known(row.about)
    headers = {"Workspace-Id": person_of(world.manager).workspace_id} if row.here else {}
    address = re.sub(r"\?(of|archived|tellsPrompts)=[\w-]+", "", path)  # what the body says
    for word, value in parts.items():
        address = address.replace(f"{{{word}}}", value)
    return client.send(method, address, headers=headers, **row.options(world, client)).status_code


def test_every_route_has_a_row() -> None:
    """Whoever adds a route writes down who may ask it; whoever takes one away, takes its row away."""
    routes = {f"{door.method} {door.path}" for door in api.state.table.permissions}
    rows = PUBLIC | {name.partition("?")[0] for name in TABLE}
    assert routes - rows == set(), "Say in TABLE, or in PUBLIC, how each of these answers whom."
    assert rows - routes == set(), "There is no such route; take its row away."


def test_routes_without_a_token_are_written_out() -> None:
    """Nobody makes a route public by the way."""
    assert {f"{door.method} {door.path}" for door in api.state.table.permissions if door.need is None} == PUBLIC


@pytest.mark.parametrize("name", TABLE)
def test_route_by_role(world: World, name: str) -> None:
    """Every role is answered as the table says; who is outside by any way is answered as a stranger is."""
    row = TABLE[name]
    expected = row.answers._asdict() | dict.fromkeys(world.outsiders, row.answers.stranger)
    if row.confined is not None:
        expected[CONFINED] = row.confined
    asking = {who: client for who, client in {**world.people, **world.outsiders}.items() if expected[who] is not OPENS}
    found = {who: status(world, client, name, expected[who]) for who, client in asking.items()}
    assert found == {who: expected[who] for who in asking}


@pytest.mark.parametrize("name", TABLE)
def test_route_by_credential(world: World, name: str) -> None:
    """Nobody is let in without a valid token of somebody who is still here, whatever they ask for."""
    found = {who: status(world, client, name, 401) for who, client in world.refused.items()}
    assert found == dict.fromkeys(world.refused, 401)
