"""What the clips of one model would have come to on another one, each as the nearest order that this one makes.

It says first how many could have been made at all, and which settings another one would have changed for it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.catalog import in_force, rules
from core.catalog.rules import Adjustment
from core.db import ReadSession
from core.messages import Message
from core.usage import reports, repricing
from core.usage.repricing import ClipGroup, GroupTotal, Scenario
from core.workspaces.access import Member


@dataclass(frozen=True, slots=True)
class Change:
    """A setting that another model makes otherwise, and in how many of the clips that it could have made."""

    adjustment: Adjustment
    clips: int


@dataclass(frozen=True, slots=True)
class Substitution:
    """The same clips as they were charged and as the other model would have charged them.

    `of_clips` were charged in all; `clips` of them were looked at, the newest. `as_ordered` are those that need no
    change, `changes` what it would have taken elsewhere. `impossible` maps a reason to what could not have been made.
    """

    model_id: str
    with_model_id: str
    of_clips: int
    clips: int
    as_ordered: int
    changes: Sequence[Change]
    impossible: Mapping[Message, GroupTotal]
    was: GroupTotal
    would_be: GroupTotal
    was_seconds: int
    would_be_seconds: int

    @property
    def coverage(self) -> float | None:
        """Which share of all charged clips the answer is about; None where there are none."""
        return self.was.clips / self.of_clips if self.of_clips else None


def substitute(
    session: ReadSession, member: Member, chosen: reports.UsageQuery, *, model_id: str, with_model_id: str
) -> Substitution:
    """The chosen clips of the one model on the other; raises as `repricing.clip_groups` and `repricing.reprice`."""
    of_model = replace(chosen, model_id=model_id)
    of_clips = reports.total(session, member, of_model).completed
    groups = repricing.clip_groups(session, member, of_model)
    return of_groups(groups, model_id=model_id, with_model_id=with_model_id, of_clips=of_clips)


def of_groups(groups: Iterable[ClipGroup], *, model_id: str, with_model_id: str, of_clips: int) -> Substitution:
    """The same for clips that are counted already; pure but for the catalogue in force."""
    scenario = Scenario(with_model_id)
    repricing.reprice((), scenario)  # refuses a model that there is not, or that has no price
    model = in_force.model(with_model_id)
    was, would_be = GroupTotal(), GroupTotal()
    clips = as_ordered = was_seconds = would_be_seconds = 0
    changes: Counter[Adjustment] = Counter()
    impossible: defaultdict[Message, GroupTotal] = defaultdict(GroupTotal)
    for group in _alike(groups):
        clips += group.clips
        adapted = rules.adapt(group.spec, model)
        nearest = replace(group, spec=replace(adapted.spec, model_id=group.spec.model_id))
        one = repricing.reprice((nearest,), scenario)
        for reason, some in one.impossible.items():
            impossible[reason] += some
        if not one.was.clips:
            continue
        was, would_be = was + one.was, would_be + one.would_be
        was_seconds += group.clips * group.spec.duration_seconds
        would_be_seconds += group.clips * adapted.spec.duration_seconds
        as_ordered += 0 if adapted.changes else group.clips
        for change in adapted.changes:
            changes[replace(change, reason=None)] += group.clips
    return Substitution(
        model_id,
        with_model_id,
        of_clips,
        clips,
        as_ordered,
        [Change(adjustment, number) for adjustment, number in changes.most_common()],
        dict(impossible),
        was,
        would_be,
        was_seconds,
        would_be_seconds,
    )


def _alike(groups: Iterable[ClipGroup]) -> Iterator[ClipGroup]:
    """Groups that differ only by a seed or by which files they refer to, as one: no model or price looks at these."""
    found: defaultdict[object, list[ClipGroup]] = defaultdict(list)
    for group in groups:
        seed = None if group.spec.seed is None else 1
        references = tuple(reference._replace(key="given") for reference in group.spec.references)
        spec = replace(group.spec, seed=seed, references=references)
        found[spec].append(replace(group, spec=spec))
    for some in found.values():
        clips = sum(one.clips for one in some)
        yield ClipGroup(
            some[0].spec,
            clips,
            charged_credits=sum(one.charged_credits for one in some),
            unreported_credits=sum(one.unreported_credits for one in some),
            reported_cost_microusd=sum(one.reported_cost_microusd for one in some),
            reported_cost_idr=sum(one.reported_cost_idr for one in some),
            estimated_cost_microusd=sum(one.estimated_cost_microusd for one in some),
            estimated_cost_idr=sum(one.estimated_cost_idr for one in some),
            cost_unknown_clips=sum(one.cost_unknown_clips for one in some),
            idr_per_usd=round(sum(one.idr_per_usd * one.clips for one in some) / clips)
            if clips
            else some[0].idr_per_usd,
        )
