"""Plays a year of the sample company: who ordered what, when, with which model, and what became of it; pure.

The same moment and seed give the same year.
"""

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from random import Random

from core import errors
from core.catalog import rules
from core.db.enums import Status, WorkspaceRole
from core.providers import registry
from core.sample import company, projects
from core.sample.projects import Project, Scene
from core.spec import GenerationSpec

SEED = 20
TAKES = 1_900
DAYS = 365
RESOLUTION = "720p"
VARIANTS = 2
"""In how many ways a scene is drawn, so that takes of it differ."""
NOT_YET = timedelta(hours=2)
"""Everything has ended by now: what is newer than this was not ordered."""

_WEEKEND = 0.12
"""How likely a day at a weekend is worked on, against another."""
_SITTINGS = ((1, 45), (2, 30), (3, 10), (4, 15))
"""How many takes are ordered with one press, and how often."""
_FAILURES: Sequence[tuple[type[errors.AppError], int]] = (
    (errors.GenerationFailed, 55),
    (errors.ContentRefused, 22),
    (errors.ModelUnavailable, 8),
    (errors.InvalidInput, 8),
    (errors.ProviderOutOfCredits, 7),
)
_FAILED_SHARE, _CANCELLED_SHARE, _RETRIED_SHARE = 0.065, 0.02, 0.4
_KEPT_SHARE, _REJECTED_SHARE, _FAVOURITE_SHARE, _TAGGED_SHARE, _REMARK_SHARE = 0.24, 0.2, 0.06, 0.3, 0.05


@dataclass(frozen=True, slots=True)
class Take:
    """One order and how it ended; `person` and `project` are places in the lists of the company.

    `scene` is a place in those of the project, `variant` one of the `VARIANTS` that it is drawn in. `error` says why it
    failed, `accepted` whether its provider had it by then; `remark` is what somebody says about it.
    """

    id: str
    person: int
    project: int
    scene: int
    variant: int
    spec: GenerationSpec
    created_at: datetime
    ended_at: datetime
    status: Status
    error: errors.AppError | None = None
    accepted: bool = True
    batch_id: str | None = None
    retry_of_id: str | None = None
    kept: bool | None = None
    favourite: bool = False
    tags: tuple[str, ...] = ()
    remark: str = ""

    @property
    def is_opened(self) -> bool:
        """Whether anybody looked: at what was judged, tagged or spoken of, and at most of the others."""
        is_noticed = self.kept is not None or self.favourite or bool(self.tags) or bool(self.remark)
        return is_noticed or int(self.id[-1], 16) > 3


@dataclass(slots=True)
class Year:
    """Everything that is made up: ids of people, teams and projects in the order of the company's lists, and the takes.

    Takes are in the order of their ids, which is that of their time.
    """

    begun_at: datetime
    people: list[str] = field(default_factory=list)
    teams: dict[str, str] = field(default_factory=dict)
    projects: list[str] = field(default_factory=list)
    takes: list[Take] = field(default_factory=list)


def play(now: datetime, *, seed: int = SEED, takes: int = TAKES) -> Year:
    """The year that ends now."""
    chance = Random(seed)  # noqa: S311 -- invented figures, and the same ones each time
    begun_at = datetime.combine(now.astimezone(UTC).date() - timedelta(days=DAYS + 1), time(), UTC)
    year = Year(begun_at)
    year.people = [_id(chance, begun_at) for _person in company.PEOPLE]
    year.teams = {team.name: _id(chance, begun_at) for team in company.TEAMS}
    year.projects = [_id(chance, max(begun_at, now - timedelta(days=each.since_days))) for each in projects.PROJECTS]
    shares = sum(each.share for each in projects.PROJECTS)
    for number, project in enumerate(projects.PROJECTS):
        wanted = round(takes * project.share / shares)
        made = 0
        while made < wanted:
            sitting = _sitting(chance, now, number, project)
            year.takes += sitting
            made += len(sitting)
    year.takes.sort(key=lambda take: take.id)
    return year


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody wants to see; they order it once or several times."""

    person: int
    project: int
    scene: int
    spec: GenerationSpec


def _sitting(chance: Random, now: datetime, number: int, project: Project) -> list[Take]:
    """The takes that one person orders of one scene with one press, and perhaps those that are ordered again."""
    at = _moment(chance, now, project)
    scene = chance.randrange(len(project.scenes))
    wish = _Wish(_maker(chance, project), number, scene, _spec(chance, project, project.scenes[scene]))
    [count] = chance.choices([count for count, _ in _SITTINGS], [weight for _, weight in _SITTINGS])
    batch_id = _id(chance, at) if count > 1 else None
    chosen = chance.randrange(count)
    found: list[Take] = []
    for place in range(count):
        take = _take(chance, wish, at + timedelta(milliseconds=40 * place), is_best=place == chosen)
        found.append(replace(take, batch_id=batch_id))
        if take.status is Status.FAILED and chance.random() < _RETRIED_SHARE:
            again_at = take.ended_at + timedelta(seconds=chance.randint(30, 600))
            found.append(replace(_take(chance, wish, again_at, is_best=True), retry_of_id=take.id))
    return found


def _take(chance: Random, wish: _Wish, created_at: datetime, *, is_best: bool) -> Take:
    """One order and how it ended."""
    model, luck = registry.model(wish.spec.model_id), chance.random()
    made_in = timedelta(seconds=model.typical_seconds * math.exp(chance.gauss(0, 0.25)) + 4)
    status, error, accepted = Status.COMPLETED, None, True
    if luck < _FAILED_SHARE:
        [kind] = chance.choices([kind for kind, _ in _FAILURES], [weight for _, weight in _FAILURES])
        status, error, accepted = Status.FAILED, kind(), kind is errors.GenerationFailed
        made_in = made_in if accepted else timedelta(seconds=4)
    elif luck < _FAILED_SHARE + _CANCELLED_SHARE:
        status, accepted, made_in = Status.CANCELLED, False, timedelta(seconds=3)
    take = Take(
        id=_id(chance, created_at),
        person=wish.person,
        project=wish.project,
        scene=wish.scene,
        variant=chance.randrange(VARIANTS),
        spec=wish.spec,
        created_at=created_at,
        ended_at=created_at + made_in,
        status=status,
        error=error,
        accepted=accepted,
    )
    return _judged(chance, take, is_best=is_best) if status is Status.COMPLETED else take


def _judged(chance: Random, take: Take, *, is_best: bool) -> Take:
    """What people think of a clip; of several takes one is the best."""
    kept: bool | None = None
    if chance.random() < (_KEPT_SHARE if is_best else 0.08):
        kept = True
    elif chance.random() < (_REJECTED_SHARE if is_best else 0.45):
        kept = False
    is_tagged = kept is True or chance.random() < _TAGGED_SHARE
    return replace(
        take,
        kept=kept,
        favourite=kept is not False and chance.random() < _FAVOURITE_SHARE * (4 if kept else 1),
        tags=(chance.choice(projects.PROJECTS[take.project].tags),) if is_tagged else (),
        remark=chance.choice(company.REMARKS) if chance.random() < _REMARK_SHARE else "",
    )


def _moment(chance: Random, now: datetime, project: Project) -> datetime:
    """A time at which somebody works, in Jakarta; later days are a little busier."""
    while True:
        ago = project.until_days + (project.since_days - project.until_days) * chance.random() ** 1.2
        day = (now - timedelta(days=ago)).astimezone(UTC).date()
        at = datetime.combine(day, time(1), UTC) + timedelta(seconds=chance.triangular(0, 10 * 3600, 3 * 3600))
        is_worked = day.weekday() < 5 or chance.random() < _WEEKEND
        if is_worked and now - timedelta(days=DAYS) < at < now - NOT_YET:
            return at


def _maker(chance: Random, project: Project) -> int:
    """Somebody of the team who may order; its manager seldom."""
    weights = [
        {WorkspaceRole.MAKER: 5.0, WorkspaceRole.MANAGER: 1.0}.get(
            person.teams.get(project.team, WorkspaceRole.VIEWER), 0.0
        )
        for person in company.PEOPLE
    ]
    return chance.choices(range(len(weights)), weights)[0]


def _spec(chance: Random, project: Project, scene: Scene) -> GenerationSpec:
    """An order that its model can make."""
    team = next(team for team in company.TEAMS if team.name == project.team)
    models = [registry.model(model_id) for model_id in team.models]
    weights = [
        team.models[model.id]
        if {scene.aspect_ratio} <= {*model.aspect_ratios} and RESOLUTION in model.resolutions
        else 0
        for model in models
    ]
    [model] = chance.choices(models, weights)
    lengths = [seconds for seconds in model.durations if seconds in (5, 6, 8, 10)] or [model.default_seconds]
    is_usual = model.default_seconds in lengths and chance.random() < 0.7
    spec = GenerationSpec(
        model_id=model.id,
        prompt=chance.choice(scene.prompts),
        resolution=RESOLUTION,
        duration_seconds=model.default_seconds if is_usual else chance.choice(lengths),
        aspect_ratio=scene.aspect_ratio,
    )
    assert not rules.validate(spec), f"{model.id} cannot make {spec}"  # noqa: S101 -- data of this package
    return spec


def _id(chance: Random, at: datetime) -> str:
    """An id of that moment (UUID version 7), as `core.ids` makes them."""
    value = (int(at.timestamp() * 1000) << 80) | chance.getrandbits(80)
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    return str(uuid.UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62)))
