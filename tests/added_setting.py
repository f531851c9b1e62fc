"""Looks, in a copy of the product to which a setting `steps` was added, whether every place that handles orders has it.

Run in that copy as `python -m tests.added_setting FILE`, it writes what each place makes of the steps 7, as JSON. The
setting is reached by name only, since here it does not exist.
"""

import json
import sys
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from core import db, installation
from core.catalog.adaptation import adapt
from core.clock import utc_now
from core.db.enums import Scope
from core.db.tables import Generation
from core.generations import batches, commands
from core.generations.submit import Order, made_before
from core.projects import presets, projects
from core.providers import registry
from core.usage import reports, repricing
from core.worker import provider_request
from core.workspaces.access import Member
from tests.api.conftest import ORDER, Client, arrive
from tests.factories import generations
from tests.factories.generations import load_generation
from tests.unit.test_spec import PLAIN_REQUEST_HASH, PROJECT

STEPS = 7
_STEPSS: list[dict[str, Any]] = [{}, {"steps": STEPS}, {"steps": STEPS + 1}]
HOW: dict[str, Any] = {"configured": generations.CONFIGURED, "quota_bytes": generations.QUOTA_BYTES}


class Places:
    """One method a place, named after it: what it makes of the setting. All have one installation."""

    def __init__(self) -> None:
        self.client: Client = arrive("ana@example.org", credits=100_000, scope=Scope.ADMIN)
        assert self.client.person is not None
        self.person: Member = self.client.person
        with db.write_session() as session:
            self.project_id = projects.create(session, self.person, name="Lakes").id

    def digest(self) -> Any:
        """Another steps is another request, and no steps the request it always was."""
        plain, stepped, other = (Order(PROJECT, generations.build_spec(**steps)).digest() for steps in _STEPSS)
        return STEPS if plain == PLAIN_REQUEST_HASH and len({plain, stepped, other}) == 3 else None

    def recipe(self) -> Any:
        """Another steps is another clip."""
        recipes = {Order("p", generations.build_spec(steps=steps)).recipe() for steps in (None, 7, 8)}
        return STEPS if len(recipes) == 3 else None

    def trimmed(self) -> Any:
        """White space around the texts goes, nothing else."""
        return _steps(generations.build_spec(prompt=" a lake ", steps=STEPS).trimmed())

    def adaptation(self) -> Any:
        """Another model's order keeps what nobody had to change."""
        fitted = adapt(generations.build_spec(duration_seconds=9, steps=STEPS), registry.model("kling-2.5"))
        return _steps(fitted.spec) if fitted.changes else None

    def row(self) -> Any:
        """What is written down is read back."""
        return _steps(load_generation(self._ordered().id).spec)

    def already_made(self) -> Any:
        """Only the very same clip was made before."""
        self._ordered(prompt="made before", steps=STEPS)
        with db.read_session() as session:
            same, other = (
                made_before(session, self.person, generations.build_order("p", prompt="made before", steps=steps))
                for steps in (STEPS, STEPS + 1)
            )
        return _steps(same) if other is None else None

    def retry(self) -> Any:
        """A retry asks for the same."""
        row = self._ordered()
        with db.write_session() as session:
            commands.cancel(session, self.person, row.id)
            again = commands.retry(session, self.person, row.id, **HOW)
        return _steps(load_generation(again.id))

    def batch(self) -> Any:
        """Each of several keeps its own."""
        wanted = [generations.build_order(self.project_id, steps=steps) for steps in (6, STEPS)]
        with db.write_session() as session:
            rows = batches.submit_batch(session, self.person, wanted, **HOW)
        return _steps(load_generation(rows[1].id)) if _steps(load_generation(rows[0].id)) == 6 else None

    def preset(self) -> Any:
        """What is kept is what is applied, at once and after a change."""
        with db.write_session() as session:
            kept = presets.create(session, self.person, name="Kept", spec=generations.build_spec(steps=6))
            first = _steps(kept.spec)
            presets.update(session, self.person, kept.id, spec=generations.build_spec(steps=STEPS))
        with db.read_session() as session:
            return _steps(presets.get(session, self.person, kept.id).spec) if first == 6 else None

    def repricing(self) -> Any:
        """Clips of two steps_found are two groups, since a price may come to depend on it."""
        for steps in (6, STEPS):
            generations.create_completed(db.default(), self.person, project_id=self.project_id, steps=steps)
        today = utc_now().date()
        with db.read_session() as session:
            chosen = reports.UsageQuery(today - timedelta(days=1), today + timedelta(days=1))
            groups = repricing.clip_groups(session, self.person, chosen)
        steps_found = {_steps(group.spec) for group in groups}
        return STEPS if {6, STEPS} <= steps_found else sorted(map(str, steps_found))

    def provider_request(self) -> Any:
        """The provider is asked for it."""
        house = installation.current()
        request = provider_request.from_row(self._ordered(), house.settings, house.storage)
        return _steps(request)

    def api_estimate(self) -> Any:
        """A body that is priced may have it."""
        body = {"modelId": "demo-film", "resolution": "720p", "steps": STEPS}
        answer = self.client.post("/estimate-credits", json=body)
        return STEPS if answer.status_code == 200 else answer.text

    def api_order(self) -> Any:
        """What was ordered over REST is shown alone and in a list."""
        clip = self.client.generate(steps=STEPS, projectId=self.project_id)
        alone = self.client.get(f"/generations/{clip}").json()["generation"]
        [listed] = [row for row in self.client.get("/generations").json()["generations"] if row["id"] == clip]
        return alone["steps"] if listed["steps"] == alone["steps"] == _steps(load_generation(clip)) else None

    def api_batch(self) -> Any:
        """The same for several at once."""
        bodies = [self.client.order(steps=steps, projectId=self.project_id) for steps in (6, STEPS)]
        made = self.client.post("/generate-batch", json={"generations": bodies}).json()["generations"]
        return _steps(load_generation(made[1]["id"])) if _steps(load_generation(made[0]["id"])) == 6 else None

    def api_preset(self) -> Any:
        """A preset made over REST is answered whole."""
        self.client.preset(name="Over REST", settings=ORDER | {"steps": STEPS})
        [found] = [one for one in self.client.get("/presets").json()["presets"] if one["name"] == "Over REST"]
        return found["settings"]["steps"]

    def form_order(self) -> Any:
        """What was wished for on the page is ordered."""
        page = AppTest.from_function(_order_of_the_form)
        page.session_state["generate_steps"] = STEPS
        return _said(page)

    def form_filled(self) -> Any:
        """A preset fills the form with it, also one that leaves the prompt as it is."""
        page = AppTest.from_function(_filled_form)
        page.session_state["filled_with"] = {"prompt": "", "steps": STEPS}
        return _said(page)

    def _ordered(self, **changes: Any) -> Generation:
        settings = {"project_id": self.project_id, "steps": STEPS} | changes
        return generations.create_generation(db.default(), self.person, **settings)


def _steps(value: object) -> Any:
    return getattr(value, "steps")  # noqa: B009  # a name that type checkers do not know


def _said(page: AppTest) -> Any:
    page.run(timeout=30)
    return page.exception[0].message if page.exception else page.session_state["said"]


def _order_of_the_form() -> None:
    import streamlit as st

    from core.providers import registry
    from pages.sections.generate import form_state

    st.session_state["said"] = getattr(form_state.spec(registry.model("demo-film")), "steps")  # noqa: B009


def _filled_form() -> None:
    import streamlit as st

    from pages.sections.generate import form_state
    from tests.factories.generations import build_spec

    form_state.apply(build_spec(**st.session_state["filled_with"]))
    st.session_state["said"] = st.session_state["generate_steps"]


PLACES = [name for name in vars(Places) if not name.startswith("_")]


def main() -> None:
    """Add the column as its migration would, and look at every place."""
    with db.default().engine.begin() as connection:
        connection.execute(text("ALTER TABLE generations ADD COLUMN steps INTEGER"))
    places = Places()
    found = {}
    for name in PLACES:
        place: Callable[[], Any] = getattr(places, name)
        try:
            found[name] = place()
        except Exception:
            found[name] = traceback.format_exc()
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    with installation.opened():
        main()
