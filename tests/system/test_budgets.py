"""A budget that stops, and orders at once from two web processes and beside them: exactly what fits is taken."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from core.audit import runs
from core.db import Database
from core.db.enums import BudgetMode, BudgetScope
from core.identity import users
from core.usage import budget_overview, budgets
from core.usage.cache import UsageCache
from core.workspaces import members
from tests import redis
from tests.system.app import App

ROOT = Path(__file__).parents[2]
PRICE, FIT = 50, 11

pytestmark = pytest.mark.process

BUYER = """
import sys
from core import errors
from core.db import Database
from core.db.tables import User
from core.workspaces import members
from tests.factories.generations import create_generation

database = Database(sys.argv[1])
with database.read_session() as session:
    person = members.at_work(session, session.get(User, sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
taken = 0
for _ in range(10):
    try:
        create_generation(database, person, project_id=sys.argv[3], duration_seconds=2)
        taken += 1
    except errors.BudgetExceeded:
        pass
print(taken)
"""
"""What pages and workers do, who call the services themselves."""


def order(app: App, project_id: str, take: int) -> int:
    """Order one clip over REST, again while the database is busy; the status of the answer."""
    wanted: dict[str, Any] = {"projectId": project_id, "modelId": "demo-film", "prompt": f"take {take}"}
    wanted |= {"resolution": "720p", "duration": 2, "aspectRatio": "1:1"}
    answer = app.client.post("/generate", json=wanted)
    while answer.status_code == 503:
        answer = app.client.post("/generate", json=wanted)
    if answer.status_code == 402:
        assert answer.json()["error"]["limit"]["scope"] == "workspace"
    return answer.status_code


@pytest.mark.both_databases
def test_fifty_orders_at_two_nodes(database_url: str, tmp_path: Path) -> None:
    """Of fifty orders, forty at the API of two web processes and ten beside them, eleven are taken that pay for all."""
    environ = {"DATABASE_URL": database_url, "SECRET_KEY": "k" * 40, "SIGNUP_CREDITS": "100000"}
    environ |= {"STORAGE_URL": (tmp_path / "media").as_uri(), "API_REQUESTS_PER_MINUTE": "1000000"}
    with ExitStack() as opened:
        environ["REDIS_URL"] = opened.enter_context(redis.server())
        apps = []
        for number in range(2):
            folder = tmp_path / f"node-{number}"
            folder.mkdir()
            apps.append(App(folder, environ=environ))
            opened.callback(apps[-1].stop)
        for app in apps:
            app.sign_in()
        project_id = apps[0].client.post("/projects", json={"name": "Lakes"}).json()["project"]["id"]
        database = Database(database_url)
        opened.callback(database.dispose)
        with database.write_session() as session:
            person = members.at_work(session, users.get(session, "demo@localhost"))
            limit = FIT * PRICE + PRICE - 1
            budgets.set_limit(
                session, person, BudgetScope.WORKSPACE, person.workspace_id, credits=limit, mode=BudgetMode.STOP
            )
        command = [sys.executable, "-c", BUYER, database_url, person.id, project_id]
        buyer = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        opened.callback(buyer.kill)
        assert buyer.stdout is not None
        assert buyer.stdin is not None
        assert buyer.stdout.readline() == "ready\n"
        buyer.stdin.write("go\n")
        buyer.stdin.flush()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda take: order(apps[take % 2], project_id, take), range(40)))
        beside = int(buyer.communicate(timeout=240)[0])

        assert set(answers) <= {202, 402}
        assert answers.count(202) + beside == FIT
        with database.read_session() as session:
            found = budget_overview.overview(session, person, cache=UsageCache(), with_forecast=False)
            assert [one.taken_credits for one in found.standings] == [FIT * PRICE] * 3
            assert [result.code for result in runs.run(session) if not result.holds] == []
