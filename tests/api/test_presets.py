from tests.api.conftest import Client, refusal, team_of

SETTINGS = {"modelId": "kling-2.5", "resolution": "1080p", "duration": 10, "aspectRatio": "9:16", "prompt": "A lake"}


def test_presets_when_kept_shared_changed_and_deleted(ana: Client, ben: Client) -> None:
    """The life of a preset, seen by its person, by another of the team, and from another workspace of theirs."""
    at_home = ben
    ana, ben = team_of(ana, ben)
    preset_id = ana.preset(settings=SETTINGS)
    [mine] = ana.get("/presets").json()["presets"]
    assert (mine["name"], mine["shared"], mine["mine"]) == ("Reels", False, True)
    open_settings = {"negativePrompt": "", "generateAudio": False, "enhancePrompt": False, "seed": None, "fps": None}
    assert mine["settings"] == SETTINGS | open_settings
    assert ben.get("/presets").json()["presets"] == []

    changed = ana.send("PATCH", f"/presets/{preset_id}", json={"name": "Stories", "shared": True}).json()["preset"]
    assert (changed["name"], changed["settings"]["duration"]) == ("Stories", 10)
    [theirs] = ben.get("/presets").json()["presets"]
    assert (theirs["name"], theirs["mine"]) == ("Stories", False)
    assert at_home.get("/presets").json()["presets"] == []
    changed = ana.send("PATCH", f"/presets/{preset_id}", json={"settings": SETTINGS | {"duration": 5}}).json()["preset"]
    assert changed["settings"]["duration"] == 5

    assert refusal(ben.send("DELETE", f"/presets/{preset_id}"))[0] == 404
    assert refusal(ben.send("PATCH", f"/presets/{preset_id}", json={"shared": False}))[0] == 404
    assert ana.send("DELETE", f"/presets/{preset_id}").json() == {"success": True}
    assert ben.get("/presets").json()["presets"] == []


def test_preset_when_it_is_refused(ana: Client) -> None:
    """A used name is a conflict; settings that no order could use, and changes that say nothing, are refused."""
    preset_id = ana.preset(settings=SETTINGS)
    again = ana.post("/presets", json={"name": "Reels", "settings": SETTINGS})
    assert refusal(again)[:2] == (409, "conflict")
    wrong = ana.post("/presets", json={"name": "Other", "settings": SETTINGS | {"duration": 7}})
    assert refusal(wrong) == (422, "invalid_request", {"duration": "Kling 2.5 makes clips of 5 or 10 seconds."})
    assert refusal(ana.send("PATCH", f"/presets/{preset_id}", json={}))[0] == 422
