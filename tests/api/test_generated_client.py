import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.api import api
from core.api.openapi import document
from tests.api import live
from tests.api.conftest import CLIP, PREFIX, Client

PACKAGE = "generated_video_client"
Module = Callable[[str], Any]

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Module]:
    """A client that a stranger's generator has made of our document; gives its modules by name."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_text(json.dumps(document.of(api, base=PREFIX)))
    (folder / "config.yaml").write_text("post_hooks: []\n")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", "openapi.json", "--meta", "none"]
    options = ["--config", "config.yaml", "--output-path", PACKAGE]
    made = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}{name}")
    sys.path.remove(str(folder))


def test_whole_path(generated: Module, ana: Client) -> None:
    """Project, price, order, wait, list and download work with the client alone, typed all the way."""
    models = generated(".models")
    with live.serving() as address:
        client = generated(".client").AuthenticatedClient(base_url=address, token=ana.token)

        def call(operation: str, **arguments: Any) -> Any:
            return generated(f".api.{operation}").sync_detailed(client=client, **arguments)

        made = call("projects.create_project", body=models.NewProject(name="Lakes"))
        assert made.status_code == 201
        project_id = made.parsed.project.id

        settings = {"model_id": "demo-film", "resolution": "720p", "duration": 5}
        price = call("credits_.estimate_credits", body=models.EstimateBody(**settings)).parsed.estimate
        body = models.GenerateBody(project_id=project_id, prompt="A lake", aspect_ratio="16:9", **settings)
        ordered = call("generations.generate", body=body, idempotency_key="one").parsed
        assert ordered.generation.credit_used == price.total
        again = call("generations.generate", body=body, idempotency_key="one").parsed
        assert again.generation.id == ordered.generation.id

        clip_id = ordered.generation.id
        assert call("generations.get_generation_status", id=clip_id).parsed.status.status == models.Status.PENDING
        live.finish_soon(ordered.generation.id).join()
        status = call("generations.get_generation_status", id=clip_id).parsed.status
        assert (status.status, status.progress) == (models.Status.COMPLETED, 100)

        page = call("generations.list_generations", project_id=project_id, status=[models.Status.COMPLETED]).parsed
        assert [clip.id for clip in page.generations] == [ordered.generation.id]
        assert page.next_cursor is None
        assert call("media.download_generation", id=clip_id).content == CLIP


def test_refusal_is_typed(generated: Module, ana: Client) -> None:
    """A refusal comes as the shape that the document has for it."""
    models = generated(".models")
    with live.serving() as address:
        client = generated(".client").AuthenticatedClient(base_url=address, token="avg_wrong")
        answer = generated(".api.credits_.get_credits").sync_detailed(client=client)

    assert answer.status_code == 401
    assert isinstance(answer.parsed, models.Refusal)
    assert answer.parsed.error.code == "unauthorized"
