"""What a workspace has that the cells of a table can name: its projects, its uploaded images, the models on offer."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from core import db, ids, normal_form
from core.assets.resolving import Resolved
from core.catalog import in_force
from core.catalog.catalogue import Catalogue
from core.db import ReadSession
from core.db.tables import Project, Upload
from core.generations import named
from core.generations.orders import Order
from core.generations.sheets import columns
from core.generations.sheets.columns import Column
from core.generations.sheets.tables import Table
from core.projects import projects
from core.providers.contract import MediaKind
from core.workspaces.access import Member, in_workspace

_NAMES_AT_ONCE = 300

Found = Mapping[str, Sequence[str]]
"""A name, as `named` has it, or an id -> the ids of what is called so."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is there at a moment; `project_names` by id, `configured` names the providers that have a key."""

    projects: Found
    project_names: Mapping[str, str]
    images: Found
    known: Catalogue
    configured: Collection[str]
    now: datetime
    resolve: Callable[[Order], tuple[Resolved, Order]]
    """What names such as `@mira` in the prompt of an order come to."""


def of(
    session: ReadSession, member: Member, table: Table, *, configured: Collection[str], also: Collection[str] = ()
) -> Surroundings:
    """What the cells of a table can mean in the member's workspace; `also` are ids of further projects."""
    places = columns.places(table.heads)

    def said(*wanted: Column) -> list[str]:
        found = (places[column] for column in wanted if column in places)
        return sorted({line.cells[place] for place in found for line in table.lines if line.cells[place]})

    return Surroundings(
        _projects(session, member, [*said(Column.PROJECT), *also]),
        projects.names(session, member),
        _images(session, member, said(Column.START_IMAGE, Column.END_IMAGE)),
        in_force.current(),
        configured,
        db.now(session),
        lambda order: named.look(session, member, order, configured=configured),
    )


def missing_projects(session: ReadSession, member: Member, table: Table) -> Sequence[str]:
    """Names in the cells by which the member's workspace has no project, each once, in the order of rows."""
    place = columns.places(table.heads).get(Column.PROJECT)
    if place is None:
        return []
    wanted: dict[str, str] = {}
    for line in table.lines:
        name = " ".join(line.cells[place].split())
        if name and not line.is_left_out and not ids.is_id(name):
            wanted.setdefault(by_name(name), name)
    found = _projects(session, member, list(wanted.values()))
    return [name for key, name in wanted.items() if not found.get(key)]


def by_name(text: str) -> str:
    """A name as it is looked up."""
    return normal_form.normal(" ".join(text.split()))


def _projects(session: ReadSession, member: Member, wanted: Sequence[str]) -> Found:
    found: dict[str, list[str]] = defaultdict(list)
    for some in _some(wanted):
        keys = [by_name(name) for name in some]
        query = select(Project.id, Project.name_key).where(
            in_workspace(Project, member),
            Project.archived_at.is_(None),
            or_(Project.id.in_(some), Project.name_key.in_(keys)),
        )
        for project_id, name_key in session.execute(query):
            for name in (project_id, name_key):
                if project_id not in found[name]:
                    found[name].append(project_id)
    return found


def _images(session: ReadSession, member: Member, wanted: Sequence[str]) -> Found:
    """Images of the library by their path, their name and the name of their file."""
    found: dict[str, list[str]] = defaultdict(list)
    for some in _some(wanted):
        query = (
            select(Upload.storage_key, Upload.name, Upload.file_name)
            .where(
                in_workspace(Upload, member),
                Upload.kind == MediaKind.IMAGE.value,
                Upload.deleted_at.is_(None),
                or_(
                    Upload.storage_key.in_(some),
                    Upload.name_key.in_([by_name(name) for name in some]),
                    func.lower(Upload.file_name).in_([name.lower() for name in some]),
                ),
            )
            .order_by(Upload.id)
        )
        for key, name, file_name in session.execute(query):
            for called in (key, by_name(name), by_name(file_name)):
                if called and key not in found[called]:
                    found[called].append(key)
    return found


def _some(wanted: Sequence[str]) -> Iterator[Sequence[str]]:
    """So many at once that no statement has too many parameters."""
    yield from (wanted[begin : begin + _NAMES_AT_ONCE] for begin in range(0, len(wanted), _NAMES_AT_ONCE))
