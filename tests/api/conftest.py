"""The API as it is mounted in the product, and people who talk to it."""

import asyncio
import io
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from PIL import Image
from starlette.applications import Starlette

from core import db
from core.api import mounted
from core.db.enums import NoticeWay, ReportEvery, Scope, WorkspaceRole
from core.db.tables import Generation, User, WebhookEndpoint
from core.identity import api_tokens
from core.ids import new_id
from core.installation import Installation, current
from core.notifications import report_schedules, ways, webhooks
from core.notifications.webhooks import ValidUrl
from core.usage import saved_views
from core.usage.views import View
from core.workspaces import members
from core.workspaces.access import Member
from tests.factories import approvals, generations
from tests.factories.assets import create_asset, create_group
from tests.factories.users import ensure_member
from tests.factories.workspaces import create_team, create_team_of, now

ORIGIN = "http://studio.test"
PREFIX = "/api/apps/video-generator"
APP = Starlette(routes=[mounted(PREFIX)])
CLIP = bytes(range(256)) * 40

ORDER = {
    "modelId": "demo-film",
    "prompt": "A lake at dusk, mist rising",
    "resolution": "720p",
    "duration": 5,
    "aspectRatio": "16:9",
}


@dataclass(frozen=True)
class Client:
    """One caller; `person` and `token` are None for somebody who sends no token, `workspace_id` for who names none."""

    person: Member | None = None
    token: str | None = None
    workspace_id: str | None = None

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request to a path of the API, or to a whole address."""
        return asyncio.run(self._exchange(method, path, options))

    def send_at_once(self, method: str, path: str, several: list[dict[str, Any]]) -> list[httpx.Response]:
        """As many requests as there are options, all at the same time; handlers run in threads."""

        async def all_of_them() -> list[httpx.Response]:
            return await asyncio.gather(*(self._exchange(method, path, options) for options in several))

        return asyncio.run(all_of_them())

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.send("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.send("POST", path, **options)

    def project(self, name: str = "Lakes") -> str:
        """The id of a new project."""
        return str(self.post("/projects", json={"name": name}).json()["project"]["id"])

    def order(self, **changes: Any) -> dict[str, Any]:
        """A body for generate, in a new project unless one is given."""
        return ORDER | {"projectId": changes.get("projectId") or self.project()} | changes

    def generate(self, **changes: Any) -> str:
        """The id of a new generation."""
        answer = self.post("/generate", json=self.order(**changes))
        assert answer.status_code == 202, answer.text
        return str(answer.json()["generation"]["id"])

    def preset(self, **changes: Any) -> str:
        """The id of a new preset."""
        settings = {name: value for name, value in ORDER.items() if name != "projectId"}
        answer = self.post("/presets", json={"name": "Reels", "settings": settings} | changes)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["preset"]["id"])

    def asset(self) -> str:
        """The id of a new asset."""
        assert self.person is not None
        return create_asset(db.default(), self.person).id

    def asset_group(self) -> str:
        """The id of a new character without pictures."""
        assert self.person is not None
        return create_group(db.default(), self.person, f"a{new_id()}", pictures=0).row.id

    def note(self, generation_id: str, text: str = "Too dark", **fields: Any) -> str:
        """The id of a new note on a clip."""
        answer = self.post(f"/generations/{generation_id}/notes", json={"text": text, **fields})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["note"]["id"])

    def notice(self) -> str:
        """The id of what they were told of a clip that is finished."""
        self.finished()
        return str(self.get("/notices").json()["notices"][0]["id"])

    def share_link(self, *rows: Generation, **choices: Any) -> dict[str, Any]:
        """The answer to a new link to these clips, or to a new one."""
        ids = [row.id for row in rows] or [self.finished().id]
        answer = self.post("/share-links", json={"generationIds": ids, **choices})
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made

    def check(self, *lines: str, **fields: str) -> httpx.Response:
        """The answer to a table of these lines, in a new project and with the demo's model where none is given."""
        fields = {"projectId": fields.get("projectId") or self.project(), "modelId": "demo-film"} | fields
        return self.post("/sheets", files={"file": ("clips.csv", "\r\n".join(lines).encode())}, data=fields)

    def sheet(self) -> str:
        """The id of a table that orders one clip for 50 credits."""
        return str(self.check("Prompt,Seconds", "A lake,5").json()["sheet"]["id"])

    def webhook(self) -> tuple[str, str]:
        """The ids of a webhook, at an address that nothing is sent to, and of its one delivery."""
        assert self.person is not None
        with db.write_session() as session:
            whose = {"workspace_id": self.person.workspace_id, "user_id": self.person.id}
            endpoint = WebhookEndpoint(**whose, url="https://hooks.example.org/video")
            session.add(endpoint)
            session.flush()
            return endpoint.id, webhooks.send_test(session, self.person, endpoint.id).id

    def usage_report(self) -> str:
        """The id of a view of usage that is sent to a webhook of theirs, which nothing is sent to."""
        assert self.person is not None
        with db.write_session() as session:
            view = saved_views.create(session, self.person, name=new_id(), view=View())
            ways.set_address(session, self.person, NoticeWay.WEBHOOK, ValidUrl("https://hooks.example.org/told"))
            every = ReportEvery.MONTHLY
            return report_schedules.put(session, self.person, view.id, NoticeWay.WEBHOOK, every=every).id

    def way(self) -> str:
        """The id of a webhook by which they are told, which nothing is sent to."""
        assert self.person is not None
        with db.write_session() as session:
            address = ValidUrl("https://hooks.example.org/told")
            return ways.set_address(session, self.person, NoticeWay.WEBHOOK, address).id

    def team(self, name: str = "Film") -> str:
        """The id of a new team that they manage."""
        assert self.person is not None
        return create_team_of(db.default(), self.person, name=name)

    def join(self, team: str, role: WorkspaceRole = WorkspaceRole.MAKER) -> str:
        """The id of somebody new who was put into a team."""
        person = arrive(f"{new_id()}@example.org").person
        assert person is not None
        answer = self.post(f"/workspaces/{team}/members", json={"email": person.email, "role": role.value})
        assert answer.status_code == 201, answer.text
        return person.id

    def asked_for_approval(self) -> str:
        """The id of an order of somebody else, in a team that they manage, which waits for their approval."""
        assert self.person is not None
        team = self.team()
        maker_id = self.join(team)
        approvals.ask(db.default(), now(db.default(), self.person, team))
        with db.read_session() as session:
            maker = members.at_work(session, session.get_one(User, maker_id), team)
        return generations.create_generation(db.default(), maker).id

    def uncertain(self) -> str:
        """The id of a generation of which nobody knows whether the provider has it."""
        assert self.person is not None
        row = generations.create_generation(db.default(), self.person)
        return generations.lose_submit(db.default(), row.id).id

    def finished(self, **changes: Any) -> Generation:
        """A completed generation whose file is in storage."""
        assert self.person is not None
        row = generations.create_completed(db.default(), self.person, **changes)
        assert row.output_key is not None
        current().storage.put_bytes(row.output_key, CLIP, media_type="video/mp4")
        return row

    async def _exchange(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Workspace-Id": self.workspace_id} if self.workspace_id else {}
        headers |= options.pop("headers", {})
        address = path if path.startswith("http") else f"{ORIGIN}{PREFIX}{path}"
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=APP)) as client:
            return await client.request(method, address, headers=headers, **options)


def arrive(email: str, *, credits: int = 10_000, scope: Scope = Scope.ADMIN) -> Client:
    """A new person with a token."""
    with db.write_session() as session:
        person = ensure_member(session, email, signup_credits=credits)
        return Client(person, api_tokens.create(session, person.user, name="test", scope=scope))


def team_of(*clients: Client) -> list[Client]:
    """The same callers, makers of a team of theirs and at work in it."""
    people = [(client.person, WorkspaceRole.MAKER) for client in clients if client.person is not None]
    return [
        replace(client, person=member, workspace_id=member.workspace_id)
        for client, member in zip(clients, create_team(db.default(), *people), strict=True)
    ]


@pytest.fixture
def ana(installation: Installation) -> Client:
    """Somebody with 10,000 credits."""
    return arrive("ana@example.org")


@pytest.fixture
def ben(installation: Installation) -> Client:
    """Somebody else."""
    return arrive("ben@example.org")


@pytest.fixture
def nobody(installation: Installation) -> Client:
    """A caller without a token."""
    return Client()


def picture(width: int = 64, height: int = 48, kind: str = "PNG") -> bytes:
    """An image file."""
    target = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(target, kind)
    return target.getvalue()


def refusal(answer: httpx.Response) -> tuple[int, str, dict[str, str]]:
    """Status, code and fields of a refusal of the one shape."""
    body = answer.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    assert set(body["error"]) <= {"code", "message", "fields", "problems", "limit", "requestId"}
    assert body["error"].get("requestId") == answer.headers.get("x-request-id")
    assert body["error"]["message"].endswith((".", "?"))
    return answer.status_code, body["error"]["code"], body["error"].get("fields", {})
