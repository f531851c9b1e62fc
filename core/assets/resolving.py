"""Puts what a name in a prompt stands for into an order: its assets as references, and words for the model.

What comes out is an order like any other, priced, checked and kept as one: what happens to the name or its assets
afterwards changes nothing in it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from difflib import get_close_matches

from sqlalchemy import select

from core.assets import groups, mentions
from core.assets.groups import Group
from core.catalog import in_force, offered
from core.db import ReadSession
from core.db.enums import GroupKind
from core.db.tables import AssetGroup
from core.errors import FieldProblem
from core.messages import message
from core.providers.contract import MediaKind
from core.providers.models import VideoModel
from core.spec import GenerationSpec, Reference

MOST_NAMES = 50
"""So many different names of one prompt are looked up; any more stay text."""

_ROLES: Mapping[GroupKind, tuple[str, ...]] = {
    GroupKind.CHARACTER: ("character", "subject", "asset"),
    GroupKind.PRODUCT: ("product", "object", "subject", "asset"),
    GroupKind.STYLE: ("style",),
}
"""The roles that fit a kind of group, the best first; a model that knows none of them has its first role."""


@dataclass(frozen=True, slots=True)
class Used:
    """A name that stands in a prompt, and what came into the order by it; without a description it is only a name."""

    name: str
    group_id: str
    kind: GroupKind
    references: tuple[Reference, ...]
    is_described: bool = True


@dataclass(frozen=True, slots=True)
class Unknown:
    """A name that nobody has given to anything; `near` are names that it may have been meant for."""

    name: str
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolved:
    """A spec with references and words in place of names. With `problems` it cannot be ordered as it was meant."""

    spec: GenerationSpec
    used: tuple[Used, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    problems: tuple[FieldProblem, ...] = ()

    def names(self) -> Mapping[str, str]:
        """Key of a file that came by a name -> the name."""
        return {reference.key: used.name for used in reversed(self.used) for reference in used.references}


def resolve(
    session: ReadSession,
    workspace_id: str,
    spec: GenerationSpec,
    *,
    at: datetime,
    configured: Collection[str] | None = None,
) -> Resolved:
    """What is ordered by a spec whose prompt may have names of this workspace in it.

    A name that nobody has given stays text, so that a prompt may have an @ in it; one that is almost a given name is a
    problem, since it was meant for that. `at` is the moment, and `configured` the providers, that a better model for it
    is looked for with. A spec of a model that is not here is left as it is: others complain of that.
    """
    entry = in_force.find(spec.model_id)
    found = mentions.find(spec.prompt)
    if entry is None or not found:
        return Resolved(replace(spec, prompt=mentions.replaced(spec.prompt, {})) if "@" in spec.prompt else spec)
    model = entry.model
    wanted = list(dict.fromkeys(mention.key for mention in found))[:MOST_NAMES]
    known = {group.row.name_key: group for group in _known(session, workspace_id, wanted)}
    unknown = _unknown(session, workspace_id, found, known)
    used: list[Used] = []
    words: dict[str, str] = {}
    references = list(spec.references)
    for key in wanted:
        if key in known:
            group = known[key]
            own = _references(group, model)
            references += [each for each in own if each.key not in {there.key for there in references}]
            words[key] = _words(group, own, references, model)
            used.append(Used(group.row.name, group.row.id, group.row.kind, own, bool(group.row.description)))
    prompt = mentions.replaced(spec.prompt, words)
    made = Resolved(replace(spec, prompt=prompt, references=tuple(references)), tuple(used), unknown)
    return replace(made, problems=tuple(_problems(made, _Better(model, at, configured))))


def _known(session: ReadSession, workspace_id: str, keys: Collection[str]) -> Sequence[Group]:
    query = select(AssetGroup).where(AssetGroup.workspace_id == workspace_id, AssetGroup.name_key.in_(keys))
    return groups.with_items(session, session.scalars(query).all())


def _unknown(
    session: ReadSession, workspace_id: str, found: Sequence[mentions.Mention], known: Collection[str]
) -> tuple[Unknown, ...]:
    missing = {mention.key: mention.name for mention in reversed(found) if mention.key not in known}
    if not missing:
        return ()
    query = select(AssetGroup.name_key, AssetGroup.name).where(
        AssetGroup.workspace_id == workspace_id, AssetGroup.archived_at.is_(None)
    )
    names = {row.name_key: row.name for row in session.execute(query.limit(groups.MAX_GROUPS))}
    ordered = dict.fromkeys(mention.key for mention in found if mention.key in missing)
    return tuple(Unknown(missing[key], tuple(names[near] for near in get_close_matches(key, names))) for key in ordered)


def _references(group: Group, model: VideoModel) -> tuple[Reference, ...]:
    """The assets of a group as references, each in a role that the model knows."""
    return tuple(
        Reference(upload.kind, _role(role, group.row.kind, model.reference_roles), upload.storage_key)
        for upload, role in group.items
    )


def _role(own: str, kind: GroupKind, roles: Sequence[str]) -> str:
    fitting = [role for role in (own, *_ROLES[kind]) if role in roles]
    return fitting[0] if fitting else next(iter(roles), "")


def _words(group: Group, own: Sequence[Reference], references: Sequence[Reference], model: VideoModel) -> str:
    """What the model reads in place of a name; of one without assets it reads what is written about it."""
    name = group.row.name
    if not own:
        return f"{name} ({group.row.description})" if group.row.description else name
    numbers = _numbers(references)
    tags = [
        model.reference_tag.format(kind=each.kind, number=numbers[each.key], index=numbers[each.key] - 1)
        for each in own
    ]
    return model.mention.format(name=name, references=", ".join(dict.fromkeys(tags)))


def _numbers(references: Iterable[Reference]) -> Mapping[str, int]:
    """Key of a file -> its number among those of its kind, from 1."""
    counts: Counter[str] = Counter()
    numbers: dict[str, int] = {}
    for each in references:
        counts[each.kind] += 1
        numbers.setdefault(each.key, counts[each.kind])
    return numbers


def _problems(made: Resolved, better: "_Better") -> Iterator[FieldProblem]:
    for unknown in made.unknown:
        if unknown.near:
            near = ", ".join(f"@{name}" for name in unknown.near)
            yield FieldProblem("prompt", message("no_such_mention", name=unknown.name, near=near), "mention")
    for used in made.used:
        if not used.references and not used.is_described:
            yield FieldProblem("prompt", message("mention_is_empty", name=used.name), "mention")
    needed = Counter(reference.kind for reference in made.spec.references)
    by_name = {reference.kind for used in made.used for reference in used.references}
    for kind in MediaKind:
        if kind in by_name and needed[kind] > most_references(better.model, kind):
            yield _too_many(made, needed, kind, better)
            return


@dataclass(frozen=True, slots=True)
class _Better:
    """The model that is too small for an order, and where a larger one is looked for."""

    model: VideoModel
    at: datetime
    configured: Collection[str] | None

    def find(self, needed: Mapping[str, int], kind: MediaKind) -> VideoModel | None:
        """The smallest one that takes as many, of the same vendor if there is one."""
        fitting = [
            other
            for other in offered.models(self.at)
            if (self.configured is None or other.provider in self.configured)
            and all(needed[each] <= most_references(other, each) for each in MediaKind)
        ]
        provider = self.model.provider
        return min(fitting, key=lambda each: (each.provider != provider, most_references(each, kind)), default=None)


def _too_many(made: Resolved, needed: Counter[str], kind: MediaKind, better: _Better) -> FieldProblem:
    """How many references the model takes, and which model takes as many as are needed."""
    names = ", ".join(f"@{used.name}" for used in made.used if any(each.kind == kind for each in used.references))
    limit, other = most_references(better.model, kind), better.find(needed, kind)
    said: dict[str, str | int] = {"names": names, "model": better.model.name}
    most: dict[str, str | int] = {"needed": needed[kind], "limit": limit}
    if other is None:
        told = message("mentions_need_more", **said, **most) if limit else message("mentions_need_references", **said)
    else:
        said |= {"other": other.name, "more": most_references(other, kind)}
        told = (
            message("mentions_need_other_model", **said, **most)
            if limit
            else message("mentions_need_referring_model", **said)
        )
    return FieldProblem("prompt", told, "mention")


def most_references(model: VideoModel, kind: str) -> int:
    """How many references of a kind a model takes."""
    return {
        MediaKind.IMAGE: model.reference_images,
        MediaKind.VIDEO: model.reference_videos,
        MediaKind.SOUND: model.reference_sounds,
    }[MediaKind(kind)]
