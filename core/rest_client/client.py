"""What can be asked of the API: models, a price, a clip, how it goes, what there is, what was spent."""

import re
import uuid
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from core.rest_client import downloads, quotes
from core.rest_client.access import Access
from core.rest_client.answers import Clip, Model, ModelSpend, Ordered, Progress, Quote, Spend, Wanted
from core.rest_client.connection import Connection, Waiting
from core.rest_client.problems import BadSetting, NotQuoted, Refused

USUAL_POLL_SECONDS = 2.0

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Client:
    """The API as one caller. Every call raises a ClientProblem, whose sentence says what to do."""

    def __init__(self, access: Access, waiting: Waiting | None = None) -> None:
        self._access = access
        self._connection = Connection(access, waiting)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def models(self) -> list[Model]:
        """All models that are shown."""
        return [Model.of(found) for found in self._connection.ask("GET", "/models").body["models"]]

    def quote(self, wanted: Wanted) -> Quote:
        """What a clip would cost, and the code to order just that. Nothing is ordered or made."""
        model, wanted = self._completed(wanted)
        found = self._connection.ask("POST", "/estimate-credits", body=_settings(wanted)).body["estimate"]
        reasons = [str(reason["message"]) for reason in found["reasons"]]
        if not model.orderable and not reasons:
            reasons = [f"{model.name} cannot be ordered here now."]
        if len(wanted.prompt) > model.prompt_limit_chars:
            reasons.append(f"{model.name} takes prompts of {model.prompt_limit_chars:,} characters at most.")
        available = self._connection.ask("GET", "/credits").body["credits"]["available"]
        return Quote(
            wanted=wanted,
            model_name=found["model"],
            credits=found["total"],
            breakdown=found["breakdown"],
            idr=found["totalIdr"],
            available_credits=available,
            reasons=reasons,
            confirmation=None if reasons else quotes.confirmation(self._access, wanted, found["total"]),
        )

    def order(self, wanted: Wanted, *, credits: int, confirmation: str) -> Ordered:
        """Order what was quoted. The same again orders nothing and tells the first clip, whatever came between.

        NotQuoted when the confirmation was given for something else, Refused (`price_changed`) when the price is
        another one by now.
        """
        _model, wanted = self._completed(wanted)
        if not quotes.is_confirmed(self._access, wanted, credits, confirmation):
            raise NotQuoted(
                "This confirmation is not for this order: it holds for the very settings, prompt, project and credits "
                "that were quoted, and for this token. Nothing was ordered. Ask for a quote, and order that."
            )
        body = _settings(wanted) | {
            "projectId": self._project_id(wanted.project),
            "prompt": wanted.prompt,
            "aspectRatio": wanted.aspect_ratio,
            "expectedCredits": credits,
        }
        if wanted.negative_prompt:
            body["negativePrompt"] = wanted.negative_prompt
        try:
            answer = self._connection.ask("POST", "/generate", body=body, key=quotes.key(self._access, wanted))
        except Refused as refused:
            if refused.code == "idempotency_conflict":
                sentence = "This was ordered before, in another project. For a further clip, ask for the next take."
                raise Refused(refused.status, refused.code, sentence) from None
            raise
        made = answer.body["generation"]
        return Ordered.of(made, credits=made["creditUsed"], is_repeat=answer.is_repeat)

    def clip(self, clip_id: str) -> Clip:
        """One clip."""
        return Clip.of(self._connection.ask("GET", f"/generations/{_checked(clip_id)}").body["generation"])

    def progress(self, clip_id: str) -> tuple[Progress, float]:
        """How far a clip is, and in how many seconds to ask again."""
        answer = self._connection.ask("GET", f"/generations/{_checked(clip_id)}/status")
        seconds = answer.retry_after_seconds
        return Progress.of(answer.body["status"]), USUAL_POLL_SECONDS if seconds is None else seconds

    def wait(
        self, clip_id: str, *, seconds: float | None = None, seen: Callable[[Progress], None] = lambda _progress: None
    ) -> Clip:
        """The clip once it has ended, somebody has to decide about it, or so many seconds have passed."""
        waiting = self._connection.waiting
        until = None if seconds is None else waiting.monotonic() + seconds
        while True:
            progress, pause = self.progress(clip_id)
            seen(progress)
            left = pause if until is None else until - waiting.monotonic()
            if progress.is_at_rest or left <= 0:
                return self.clip(clip_id)
            waiting.sleep(min(pause, left))

    def find(
        self,
        *,
        words: str = "",
        status: Sequence[str] = (),
        model: str | None = None,
        project: str | None = None,
        limit: int = 20,
    ) -> list[Clip]:
        """The newest clips that fit: prompts with all the words, in one of these states, of a model or project."""
        query: dict[str, Any] = {"text": words, "status": list(status), "limit": limit}
        if model is not None:
            query["modelId"] = model
        if project is not None:
            query["projectId"] = self._found_project(project)
        return [Clip.of(row) for row in self._connection.ask("GET", "/generations", query=query).body["generations"]]

    def spend(self, *, since: date | None = None, until: date | None = None, project: str | None = None) -> Spend:
        """Balance, and what was charged between two days; the last 30 where none are named."""
        query: dict[str, Any] = {"groupBy": "model"}
        query |= {name: day.isoformat() for name, day in (("since", since), ("until", until)) if day is not None}
        if project is not None:
            query["projectId"] = self._found_project(project)
        balance = self._connection.ask("GET", "/credits").body["credits"]
        usage = self._connection.ask("GET", "/usage", query=query).body["usage"]
        totals = usage["totals"]
        return Spend.of(
            usage,
            available_credits=balance["available"],
            held_credits=balance["held"],
            charged_credits=totals["settledCredits"],
            charged_idr=totals["settledIdr"],
            completed=totals["completed"],
            failed=totals["failed"],
            models=[ModelSpend.of(row) for row in usage["rows"]],
        )

    def download(self, clip_id: str, target: Path) -> Path:
        """The file of a completed clip, whole, at `target`, or in it as `ID.mp4` when that is a folder."""
        return downloads.download(self._connection, self.clip(clip_id), target)

    def _completed(self, wanted: Wanted) -> tuple[Model, Wanted]:
        for model in self.models():
            if model.id == wanted.model:
                return model, quotes.completed(wanted, model)
        raise BadSetting(f"There is no model {wanted.model!r}. Ask for the list of models, and use an id of it.")

    def _project_id(self, project: str) -> str:
        """The id of a project; it is made when there is none of this name."""
        found = self._id_of_project(project)
        if found is not None:
            return found
        try:
            return self._make_project(project, quotes.project_key(self._access, project))
        except Refused as refused:
            if refused.status != 404:  # it was made before and is deleted by now
                raise
            return self._make_project(project, f"client-project-{uuid.uuid4()}")

    def _make_project(self, name: str, key: str) -> str:
        return str(self._connection.ask("POST", "/projects", body={"name": name}, key=key).body["project"]["id"])

    def _found_project(self, project: str) -> str:
        found = self._id_of_project(project.strip())
        if found is None:
            raise BadSetting(f"There is no project {project!r}.")
        return found

    def _id_of_project(self, project: str) -> str | None:
        """The id of the one project of this id or name; None for none, BadSetting for several."""
        if _ID.fullmatch(project):
            return project
        found, cursor = [], None
        while True:
            query = {"search": project} | ({} if cursor is None else {"cursor": cursor})
            page = self._connection.ask("GET", "/projects", query=query).body
            found += [each["id"] for each in page["projects"] if each["name"] == project]
            cursor = page["nextCursor"]
            if cursor is None:
                break
        if len(found) > 1:
            raise BadSetting(
                f"{len(found)} projects are called {project!r}. Name the one by its id: {', '.join(found)}."
            )
        return str(found[0]) if found else None


def _settings(wanted: Wanted) -> dict[str, Any]:
    """What has a price, as the API takes it."""
    named: dict[str, Any] = {
        "modelId": wanted.model,
        "resolution": wanted.resolution,
        "duration": wanted.duration,
        "generateAudio": wanted.audio,
        "seed": wanted.seed,
        "startImagePath": wanted.start_image,
        "endImagePath": wanted.end_image,
    }
    return {name: value for name, value in named.items() if value is not None}


def _checked(clip_id: str) -> str:
    """An id as it can stand in an address; BadSetting for what is none."""
    if not _ID.fullmatch(clip_id.strip()):
        raise BadSetting(f"{clip_id!r} is no id of a clip.")
    return clip_id.strip()
