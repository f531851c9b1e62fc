from datetime import datetime
from typing import Any

import pytest

from core import db
from core.db.enums import VisitKind
from core.generations import share_visits
from core.generations.share_visits import SharedSet, Visitor
from core.ids import new_id
from core.installation import Installation
from tests.api.conftest import Client, refusal, team_of
from tests.factories import installations


def opened(url: str) -> SharedSet:
    """What a stranger finds at an address."""
    with db.read_session() as session:
        return share_visits.look(session, url.rpartition("/")[2])


def test_link_when_made_listed_looked_into_and_revoked(ana: Client, ben: Client) -> None:
    """The life of a link, seen by its workspace: its address is told once, then who came, then that it has ended."""
    outsider = ben
    ana, ben = team_of(ana, ben)
    rows = [ana.finished(), ana.finished()]
    made = ana.share_link(*rows, title="Takes", lifetimeHours=48, password="correct horse", allowDownload=True)

    link, url = made["shareLink"], made["url"]
    assert url.startswith("http://studio.test/share/")
    assert [clip.generation_id for clip in opened(url).clips] == [row.id for row in rows]
    assert {name: link[name] for name in ("title", "state", "clipCount", "hasPassword", "viewCount", "madeBy")} == {
        "title": "Takes",
        "state": "active",
        "clipCount": 2,
        "hasPassword": True,
        "viewCount": 0,
        "madeBy": "ana",
    }
    lifetime = datetime.fromisoformat(link["expiresAt"]) - datetime.fromisoformat(link["createdAt"])
    assert lifetime.total_seconds() == 48 * 3600
    assert "correct horse" not in str(made)

    with db.write_session() as session:
        for kind in (VisitKind.REFUSED, VisitKind.VIEW):
            share_visits.note_visit(session, opened(url), kind, Visitor("203.0.113.7", "Browser"))
    assert [each["id"] for each in ben.get("/share-links").json()["shareLinks"]] == [link["id"]]
    one = ben.get(f"/share-links/{link['id']}").json()
    assert one["shareLink"]["viewCount"] == 1
    assert [(visit["kind"], visit["address"], visit["generationId"]) for visit in one["visits"]] == [
        ("view", "203.0.113.7", None),
        ("refused", "203.0.113.7", None),
    ]
    assert url.rpartition("/")[2] not in f"{one}{ben.get('/share-links').text}"

    assert outsider.get("/share-links").json()["shareLinks"] == []
    assert ben.send("DELETE", f"/share-links/{link['id']}").json() == {"success": True}
    assert ben.send("DELETE", f"/share-links/{link['id']}").json() == {"success": True}
    assert ana.get(f"/share-links/{link['id']}").json()["shareLink"]["state"] == "revoked"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"generationIds": []}, "generationIds"),
        ({"generationIds": [new_id()] * 201}, "generationIds"),
        ({"generationIds": ["nothing"]}, "generationIds"),
        ({"lifetimeHours": 0}, "lifetimeHours"),
        ({"lifetimeHours": 2161}, "lifetimeHours"),
        ({"lifetimeHours": 1.5}, "lifetimeHours"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 201}, "password"),
        ({"title": "x" * 121}, "title"),
        ({"token": "mine"}, "token"),
    ],
)
def test_link_when_a_field_is_wrong(ana: Client, changes: dict[str, Any], field: str) -> None:
    """It is refused with a sentence for the field."""
    answer = ana.post("/share-links", json={"generationIds": [ana.finished().id], **changes})
    assert refusal(answer)[:2] == (422, "invalid_request")
    assert list(refusal(answer)[2]) == [field]


@pytest.mark.parametrize(("how_many", "said"), [(0, "Give 1 or more."), (201, "Give 200 or fewer.")])
def test_link_to_too_few_or_too_many_clips(ana: Client, how_many: int, said: str) -> None:
    """The sentence is one for people, and says how many there may be."""
    answer = ana.post("/share-links", json={"generationIds": [new_id()] * how_many})
    assert refusal(answer)[2] == {"generationIds": said}


def test_link_when_a_clip_cannot_be_shared(ana: Client, ben: Client) -> None:
    """Somebody else's clip is not there; one under way is refused."""
    theirs, waiting = ben.finished().id, ana.generate()
    assert ana.post("/share-links", json={"generationIds": [theirs]}).status_code == 404
    answer = ana.post("/share-links", json={"generationIds": [waiting]})
    assert refusal(answer) == (
        422,
        "invalid_request",
        {"generationIds": "Only completed clips can be shared."},
    )


def test_link_when_the_request_is_repeated(ana: Client) -> None:
    """A repeat makes no second link and cannot tell the address; another body under the same key is a conflict."""
    body = {"generationIds": [ana.finished().id]}
    key = {"Idempotency-Key": "one"}
    first, again = (ana.post("/share-links", json=body, headers=key) for _ in range(2))
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json() == first.json() | {"url": None}
    assert ana.post("/share-links", json=body | {"title": "Other"}, headers=key).status_code == 409
    assert len(ana.get("/share-links").json()["shareLinks"]) == 1


def test_lists_when_there_are_pages(ana: Client) -> None:
    """Links and visits come a page at a time, newest first."""
    row = ana.finished()
    made = [ana.share_link(row) for _ in range(3)]
    page = ana.get("/share-links?limit=2").json()
    rest = ana.get(f"/share-links?limit=2&cursor={page['nextCursor']}").json()
    assert [link["id"] for link in page["shareLinks"] + rest["shareLinks"]] == [
        answer["shareLink"]["id"] for answer in made[::-1]
    ]
    assert rest["nextCursor"] is None
    with db.write_session() as session:
        for number in range(3):
            visitor = Visitor(f"203.0.113.{number}", "")
            share_visits.note_visit(session, opened(made[0]["url"]), VisitKind.VIEW, visitor)
    path = f"/share-links/{made[0]['shareLink']['id']}"
    page = ana.get(f"{path}?limit=2").json()
    rest = ana.get(f"{path}?limit=2&cursor={page['nextCursor']}").json()
    addresses = [visit["address"] for visit in page["visits"] + rest["visits"]]
    assert addresses == ["203.0.113.2", "203.0.113.1", "203.0.113.0"]
    assert rest["nextCursor"] is None


def test_address_when_it_is_public(ana: Client, monkeypatch: pytest.MonkeyPatch, installation: Installation) -> None:
    """It is the one by which others reach the installation."""
    monkeypatch.setenv("PUBLIC_URL", "https://video.example.org/films")
    row = ana.finished()
    installations.reopen()
    assert ana.share_link(row)["url"].startswith("https://video.example.org/films/share/")
