import pytest

from core.installation import Installation
from tests.api.conftest import Client, refusal
from tests.api.test_workspaces import administrator, at, id_of
from tests.factories.books import broken_rules


@pytest.fixture
def root(installation: Installation) -> Client:
    """An administrator."""
    return administrator("root@example.org")


def test_team_is_given_credits_once(root: Client, ana: Client) -> None:
    """A repeat with the same key books nothing more; a correction takes away what is there, and no more than that."""
    team = ana.team()
    body = {"workspaceId": team, "credits": 500, "reason": "Campaign"}
    answers = [root.post("/grants", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    booked = answers[0].json()["grant"]
    assert {name: booked[name] for name in ("kind", "amount", "actor", "reason", "workspaceId", "workspaceName")} == {
        "kind": "grant",
        "amount": 500,
        "actor": "root@example.org",
        "reason": "Campaign",
        "workspaceId": team,
        "workspaceName": "Film",
    }
    assert root.post("/grants", json=body | {"credits": -600}).json()["grant"]["kind"] == "adjust"
    assert at(ana, team).get("/credits").json()["credits"]["available"] == 9_900
    refused = root.post("/grants", json=body | {"credits": -10_000})
    assert refusal(refused)[:2] == (402, "insufficient_credits")
    assert broken_rules() == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"credits": 0}, "credits"),
        ({"credits": 10**12 + 1}, "credits"),
        ({"credits": "5"}, "credits"),
        ({"reason": " "}, "reason"),
        ({"workspaceId": "x"}, "workspaceId"),
    ],
)
def test_grant_that_cannot_be(root: Client, changes: dict[str, object], field: str) -> None:
    """What is wrong is said on its field."""
    body = {"workspaceId": id_of(root), "credits": 5, "reason": "Campaign"} | changes

    status, _code, fields = refusal(root.post("/grants", json=body))

    assert (status, set(fields)) == (422, {field})


def test_grants_are_for_administrators(root: Client, ana: Client) -> None:
    """Nobody else books or lists them; where there is no workspace, none is booked to."""
    body = {"workspaceId": id_of(ana), "credits": 5, "reason": "Mine"}
    assert refusal(ana.post("/grants", json=body))[:2] == (403, "forbidden")
    assert refusal(ana.get("/grants"))[:2] == (403, "forbidden")
    nowhere = body | {"workspaceId": "00000000-0000-0000-0000-000000000000"}
    assert root.post("/grants", json=nowhere).status_code == 404


def test_token_with_a_cap_moves_no_credits(root: Client, ana: Client) -> None:
    """What a token may spend at most, it cannot give away either, nor make more of; without a cap it can."""
    team = ana.team()
    gift = {"fromWorkspaceId": id_of(ana), "toWorkspaceId": team, "credits": 400, "reason": "For the film"}
    asked = {"name": "t", "scope": "admin"}
    for who, path, body in (
        (ana, "/transfers", gift),
        (root, "/grants", {"workspaceId": team, "credits": 5, "reason": "Campaign"}),
    ):
        capped, free = (who.post("/tokens", json=asked | cap).json()["secret"] for cap in ({"capCredits": 10}, {}))

        refused = refusal(Client(who.person, capped).post(path, json=body))

        assert refused[:2] == (403, "forbidden")
        assert Client(who.person, free).post(path, json=body).status_code == 201
    assert at(ana, team).get("/credits").json()["credits"]["available"] == 10_405


def test_credits_go_from_ones_own_to_a_team(root: Client, ana: Client, ben: Client) -> None:
    """Once for a key; neither back nor to where one is not, but for administrators. All of it is listed."""
    team = ana.team()
    body = {"fromWorkspaceId": id_of(ana), "toWorkspaceId": team, "credits": 400, "reason": "For the film"}
    answers = [ana.post("/transfers", json=body, headers={"Idempotency-Key": "one"}) for _ in range(2)]

    assert answers[0].status_code == 201, answers[0].text
    assert answers[0].json() == answers[1].json()
    assert (answers[0].json()["outOf"]["amount"], answers[0].json()["into"]["amount"]) == (-400, 400)
    assert ana.get("/credits").json()["credits"]["available"] == 9_600
    back = body | {"fromWorkspaceId": team, "toWorkspaceId": id_of(ana)}
    assert refusal(ana.post("/transfers", json=back))[:2] == (403, "forbidden")
    assert ana.post("/transfers", json=body | {"toWorkspaceId": id_of(ben)}).status_code == 404
    assert refusal(ana.post("/transfers", json=body | {"credits": 9_601}))[:2] == (402, "insufficient_credits")
    assert root.post("/transfers", json=back).status_code == 201

    first = root.get("/grants", params={"workspaceId": team, "limit": 1}).json()
    rest = root.get("/grants", params={"workspaceId": team, "cursor": first["nextCursor"]}).json()
    assert [each["amount"] for each in first["grants"] + rest["grants"]] == [-400, 400, 10_000]
    assert broken_rules() == []


def test_entries_of_a_transfer_are_in_the_own_list(ana: Client) -> None:
    """Who gave sees it among the movements of their credits."""
    body = {"fromWorkspaceId": id_of(ana), "toWorkspaceId": ana.team(), "credits": 400, "reason": "For the film"}
    ana.post("/transfers", json=body)

    newest = ana.get("/credits/entries").json()["entries"][0]

    assert (newest["kind"], newest["amount"], newest["availableAfter"]) == ("transfer", -400, 9_600)
