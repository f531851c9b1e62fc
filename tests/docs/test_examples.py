"""What the documents tell a reader to run is run."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from sqlalchemy import select
from standardwebhooks.webhooks import Webhook

from core import db
from core.db.tables import ShareLink, WebhookEndpoint
from core.installation import Installation
from tests.api import live
from tests.api.conftest import Client
from tests.docs.documents import DOCS, DOCUMENTS, ROOT, programs
from tests.factories import generations
from tests.system.app import API, running

TUTORIAL = DOCS / "tutorial.md"
HOW_TO = DOCS / "how-to"
RUN_HERE = {
    TUTORIAL,
    HOW_TO / "answer-questions-about-spend.md",
    HOW_TO / "add-a-provider.md",  # by test_lantern.py
    HOW_TO / "approve-orders.md",
    HOW_TO / "back-up-and-upgrade.md",
    HOW_TO / "choose-a-model.md",
    HOW_TO / "connect-an-agent.md",  # by test_client_examples.py
    HOW_TO / "connect-an-openai-video-server.md",  # by test_vendor_examples.py
    HOW_TO / "connect-comfyui.md",  # by test_vendor_examples.py
    HOW_TO / "decide-uncertain-generations.md",
    HOW_TO / "order-from-a-spreadsheet.md",
    HOW_TO / "order-from-scripts.md",  # by test_client_examples.py
    HOW_TO / "set-budgets.md",
    HOW_TO / "share-clips-outside.md",
    HOW_TO / "store-files-in-s3.md",
    HOW_TO / "use-webhooks.md",
}


def run(commands: str, folder: Path, **variables: str) -> str:
    """Run commands of a document as a reader would, with the project's modules at hand; what they printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(ROOT)} | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def commands(path: Path) -> list[str]:
    """The shell blocks of a document."""
    return [block.text for block in programs(path) if block.language == "sh"]


def test_every_example_is_run() -> None:
    """A document with programs that no test runs is not left over; the README's two are what CI itself runs."""
    assert {path for path in DOCUMENTS if programs(path)} - {ROOT / "README.md"} == RUN_HERE


@pytest.mark.process
def test_tutorial(tmp_path: Path) -> None:
    """The part by script, copied block by block, ends with a clip and right books."""
    (program,) = (block for block in programs(TUTORIAL) if block.language == "python")
    (tmp_path / program.words[0]).write_text(program.text, encoding="utf-8")
    folder = tmp_path / "data"

    with running(folder) as app:
        here = "\n".join(commands(TUTORIAL)).replace("localhost:8501", f"127.0.0.1:{app.port}")
        assert f"VIDEO_API=http://127.0.0.1:{app.port}{API}" in here
        printed = run(here.replace("source .venv/bin/activate\n", ""), tmp_path, DATA_DIR=str(folder))

    assert '"total":80' in printed.replace(" ", "")
    assert "costs 50 credits" in printed
    assert "BROKEN" not in printed
    with av.open(tmp_path / "first.mp4") as clip:
        assert clip.streams.video[0].width == 1280


@pytest.fixture
def shell(ana: Client) -> Mapping[str, str]:
    """What a reader has set after the tutorial, without the address."""
    assert ana.token is not None
    return {"VIDEO_TOKEN": ana.token, "PROJECT": ana.project()}


def test_questions_about_spend(ana: Client, shell: Mapping[str, str], tmp_path: Path) -> None:
    """The file has its heads and its total, and the answer says that it adds up."""
    as_file, as_json = commands(HOW_TO / "answer-questions-about-spend.md")
    ana.finished()

    with live.serving() as address:
        printed = [run(block, tmp_path, VIDEO_API=address, **shell) for block in (as_file, as_json)]

    assert "person_id,person,project_id,project,spent_credits" in printed[0]
    assert '"spentCredits":50' in printed[1]
    assert '"addsUp":true' in printed[1]


def test_budgets(ana: Client, shell: Mapping[str, str], tmp_path: Path) -> None:
    """All budgets told, a project's set, that of each person, and the time zone of the months."""
    blocks = commands(HOW_TO / "set-budgets.md")

    with live.serving() as address:
        look, set_project, set_each, set_zone = (run(block, tmp_path, VIDEO_API=address, **shell) for block in blocks)

    assert '"timeZone":"UTC"' in look
    assert '"limitCredits":500,"mode":"stop","takenCredits":0,"leftCredits":500' in set_project
    assert '"limitCredits"' in set_each
    assert '"timeZone":"Asia/Jakarta"' in set_zone


def test_approval_is_asked_for(ana: Client, shell: Mapping[str, str], tmp_path: Path) -> None:
    """What waits is listed, and the rule is set."""
    look, set_rule = commands(HOW_TO / "approve-orders.md")

    with live.serving() as address:
        waiting, rule = (run(block, tmp_path, VIDEO_API=address, **shell) for block in (look, set_rule))

    assert '"approvals":[]' in waiting
    assert '"aboveCredits":5000,"overBudget":true' in rule


def test_models_are_compared(shell: Mapping[str, str], tmp_path: Path) -> None:
    """The comparison is saved as a file, one model is put in another's place, and nothing is there to order again."""
    compare, look_at_waste = commands(HOW_TO / "choose-a-model.md")

    with live.serving() as address:
        printed = [run(block, tmp_path, VIDEO_API=address, **shell) for block in (compare, look_at_waste)]

    assert "\nkling-2.5," in (tmp_path / "models.csv").read_text(encoding="utf-8-sig")
    assert '"makeableClips":0' in printed[0]
    assert (tmp_path / "waste.csv").read_text(encoding="utf-8-sig").startswith("outcome,reason,provider,model_id,")
    assert '"generationIds":[]' in printed[1]


def test_orders_from_a_spreadsheet(ana: Client, shell: Mapping[str, str], tmp_path: Path) -> None:
    """The file is checked, ordered for the total that was told, and its result has a line a row."""
    check, order = commands(HOW_TO / "order-from-a-spreadsheet.md")
    (tmp_path / "spring.csv").write_text("Prompt,Client\nA lake,Acme\nRain,Bolt\n", encoding="utf-8")

    with live.serving() as address:
        run(check, tmp_path, VIDEO_API=address, **shell)
        printed = run(order, tmp_path, VIDEO_API=address, **shell)

    assert "100 credits are reserved for 2 clips." in printed
    assert (tmp_path / "result.csv").read_text(encoding="utf-8-sig").count("pending") == 2


def test_webhook_registered(ana: Client, shell: Mapping[str, str], tmp_path: Path) -> None:
    """The address is kept with the two events, and the secret comes with the answer."""
    (register,) = commands(HOW_TO / "use-webhooks.md")

    with live.serving() as address:
        printed = run(register, tmp_path, VIDEO_API=address, RECEIVER="https://1.1.1.1/hooks", **shell)

    assert '"secret":"whsec_' in printed
    with db.read_session() as session:
        kept = session.scalars(select(WebhookEndpoint)).one()
    assert kept.events == ["generation.completed", "generation.failed"]


def test_link_made(ana: Client, shell: Mapping[str, str], tmp_path: Path) -> None:
    """The answer has the address, and the link opens for three days, with download."""
    (make,) = commands(HOW_TO / "share-clips-outside.md")

    with live.serving() as address:
        printed = run(make, tmp_path, VIDEO_API=address, GENERATION_ID=ana.finished().id, **shell)

    assert f'"url":"{address.removesuffix(API)}/share/' in printed
    with db.read_session() as session:
        kept = session.scalars(select(ShareLink)).one()
    assert (kept.title, kept.allow_download) == ("First take", True)
    assert kept.expires_at - kept.created_at == timedelta(days=3)


def test_webhook_receiver(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The receiver acts on a signed event once, and refuses one that is signed with something else."""
    (program,) = (block for block in programs(HOW_TO / "use-webhooks.md") if block.language == "python")
    secret, other = "whsec_" + "A" * 43 + "=", "whsec_" + "B" * 43 + "="
    monkeypatch.setenv("WEBHOOK_SECRET", secret)
    receiver: dict[str, Any] = {}
    exec(compile(program.text, program.words[0], "exec"), receiver)  # noqa: S102 -- a program of our own document
    body = '{"type":"generation.completed","data":{"id":"one","creditsCharged":50}}'

    async def send(with_secret: str) -> int:
        now = datetime.now(UTC)
        signature = Webhook(with_secret).sign("event-1", now, body)
        headers = {"webhook-id": "event-1", "webhook-timestamp": str(int(now.timestamp()))}
        transport = httpx.ASGITransport(app=receiver["app"])
        async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
            answer = await client.post("/hooks", content=body, headers=headers | {"webhook-signature": signature})
        return answer.status_code

    assert [asyncio.run(send(key)) for key in (secret, secret, other)] == [204, 204, 401]
    assert capsys.readouterr().out == "generation.completed one 50 credits\n"


def test_uncertain_listed(installation: Installation, ana: Client, tmp_path: Path) -> None:
    """The command shows what is uncertain."""
    (listing,) = commands(HOW_TO / "decide-uncertain-generations.md")
    lost = generations.lose_submit(db.default(), ana.generate())

    assert lost.id in run(listing, tmp_path, DATA_DIR=str(installation.settings.data_dir))


def test_copy_and_restore(installation: Installation, ana: Client, tmp_path: Path) -> None:
    """A restored copy is whole, and the audit that is run on it looks at the copy, its files too."""
    copy, prove, restore = commands(HOW_TO / "back-up-and-upgrade.md")
    clip = ana.finished()
    assert installation.settings.data_dir == tmp_path / "data"

    printed = run(copy + prove + restore, tmp_path)

    assert "BROKEN" not in printed
    assert "Every rule holds." in printed
    assert (tmp_path / "restored" / "secret.key").read_text() == (tmp_path / "data" / "secret.key").read_text()
    (tmp_path / "restored" / "media" / str(clip.output_key)).unlink()
    with pytest.raises(AssertionError, match=clip.id):
        run("DATA_DIR=restored python -m core.audit", tmp_path)


def test_place_of_files_looked_at(installation: Installation, ana: Client, tmp_path: Path) -> None:
    """The place of files is tried, and what no row knows is listed; here it is a folder."""
    check, sweep = commands(HOW_TO / "store-files-in-s3.md")
    ana.finished()

    printed = run(check + sweep, tmp_path, DATA_DIR=str(installation.settings.data_dir))

    assert f"Files lie in {installation.settings.storage_url}." in printed
    assert "1 files, of which 0 have no row" in printed
