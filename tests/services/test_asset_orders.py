"""Orders whose prompt has names in it: what they come to, what is refused, and that they stay what they were."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from core import db, errors
from core.assets import groups, library, made_from, retention
from core.billing import pricing
from core.db.enums import GroupKind, Status
from core.db.tables import Generation, GenerationUpload
from core.generations import batches, commands, named
from core.generations.submit import Order, submit
from core.installation import Installation
from core.providers.models import VideoModel
from core.spec import Reference
from core.workspaces.access import Member
from tests.factories.assets import create_asset, create_group, let_time_pass
from tests.factories.generations import CONFIGURED, QUOTA_BYTES, build_order, create_generation
from tests.factories.models import ABLE, able_demo
from tests.factories.projects import create_project
from tests.factories.users import create_member

HOW = {"configured": CONFIGURED, "quota_bytes": QUOTA_BYTES}


@pytest.fixture
def able() -> Iterator[VideoModel]:
    """A model that takes three images as references."""
    with able_demo() as model:
        yield model


@pytest.fixture
def ana(site: Installation, able: VideoModel) -> Member:
    """Somebody with a model that takes references."""
    return create_member(db.default())


def order(ana: Member, prompt: str, **changes: object) -> Generation:
    """Order a clip."""
    return create_generation(db.default(), ana, prompt=prompt, **changes)


def refused(ana: Member, prompt: str, **changes: object) -> str:
    """The code of what the prompt is refused with."""
    with pytest.raises(errors.InvalidRequest) as refusal:
        order(ana, prompt, **changes)
    assert list(refusal.value.fields) == ["prompt"]
    return refusal.value.fields["prompt"].code


def test_names_become_references_and_words(ana: Member) -> None:
    """The model reads plain names with the numbers of their images; each image has the role of what it is of."""
    given = create_asset(db.default(), ana)
    mira = create_group(db.default(), ana, "Mira", pictures=1)
    noir = create_group(db.default(), ana, "noir", kind=GroupKind.STYLE, pictures=1)

    row = order(
        ana,
        "@mira waits, @MIRA runs, shot as @noir. Mail a@mira.org or \\@mira",
        references=(Reference("image", "subject", given.storage_key),),
    )

    assert row.prompt == "Mira (image 2) waits, Mira (image 2) runs, shot as noir (image 3). Mail a@mira.org or @mira"
    assert row.references == (
        Reference("image", "subject", given.storage_key),
        Reference("image", "subject", mira.items[0][0].storage_key),
        Reference("image", "style", noir.items[0][0].storage_key),
    )
    with db.read_session() as session:
        assert made_from.names_of(session, [row]) == {
            row.id: {"Mira": [row.references[1]], "noir": [row.references[2]]}
        }
        assert library.clip_counts(session, ana, [each.key for each in row.references]) == {
            each.key: 1 for each in row.references
        }


def test_image_that_is_named_and_given(ana: Member) -> None:
    """It goes along once, under the number that it has."""
    mira = create_group(db.default(), ana, "mira", pictures=2)
    key = mira.items[1][0].storage_key
    row = order(ana, "@mira", references=(Reference("image", "style", key),))
    assert row.prompt == "mira (image 2, image 1)"
    assert [each.key for each in row.references] == [key, mira.items[0][0].storage_key]


def test_words_of_the_model(ana: Member, able: VideoModel) -> None:
    """A model that binds its references by tags reads those."""
    create_group(db.default(), ana, "mira", pictures=2)
    tagged = replace(able, reference_tag="<REF_{index}>", mention="{references} ({name})")
    with able_demo(tagged):
        assert order(ana, "@mira").prompt == "<REF_0>, <REF_1> (mira)"


@pytest.mark.parametrize("prompt", ["@tom walks", "mail tom@example.org", "@", "a @ b", "@example.com"])
def test_name_that_nobody_has_given(ana: Member, prompt: str) -> None:
    """It is text, as it was before there were names."""
    create_group(db.default(), ana, "mira")
    row = order(ana, prompt)
    assert (row.prompt, row.references) == (prompt, ())


def test_name_that_is_almost_one(ana: Member) -> None:
    """It was meant for that, so nothing is paid before it is put right, or said to be text."""
    create_group(db.default(), ana, "mira")
    assert refused(ana, "@mria walks") == "no_such_mention"
    assert order(ana, "\\@mria walks").prompt == "@mria walks"


def test_name_without_anything(ana: Member) -> None:
    """A name that has neither pictures nor words stands for nothing; one with words gives these."""
    create_group(db.default(), ana, "mira", pictures=0)
    create_group(db.default(), ana, "noir", kind=GroupKind.STYLE, pictures=0, description="hard light, deep shadows")
    assert refused(ana, "@mira") == "mention_is_empty"
    assert order(ana, "as @noir").prompt == "as noir (hard light, deep shadows)"


def test_more_than_the_model_takes(ana: Member, able: VideoModel) -> None:
    """It is refused before anything is paid, and the model that takes as many is named where there is one."""
    create_group(db.default(), ana, "mira", pictures=4)
    with pytest.raises(errors.InvalidRequest) as refusal:
        order(ana, "@mira")
    said = refusal.value.fields["prompt"]
    assert (said.code, said.params["needed"], said.params["limit"]) == ("mentions_need_more", 4, 3)
    wanted = build_order(create_project(db.default(), ana).id, prompt="@mira")
    with pytest.raises(errors.InvalidRequest) as refusal, db.write_session() as session:
        submit(session, ana, wanted, configured={*CONFIGURED, "minimax"}, quota_bytes=QUOTA_BYTES)
    said = refusal.value.fields["prompt"]
    assert (said.code, said.params["other"], said.params["more"]) == ("mentions_need_other_model", "MiniMax H3", 9)
    assert refused(ana, "@mira", model_id="kling-2.5", duration_seconds=5) == "mentions_need_references"
    with db.read_session() as session:
        assert session.scalars(select(Generation)).all() == []


def test_price_counts_what_names_bring(ana: Member) -> None:
    """What is held is the quote of the order as it is made, in a batch, too."""
    create_group(db.default(), ana, "mira", pictures=3)
    project = create_project(db.default(), ana)
    with db.write_session() as session:
        rows = batches.submit_batch(session, ana, [build_order(project.id, prompt="@mira")] * 2, **HOW)  # type: ignore[arg-type]
    for row in rows:
        assert len(row.references) == 3
        assert row.credits == pricing.priced(row.spec).total_credits
    with db.read_session() as session:
        assert len(session.scalars(select(GenerationUpload)).all()) == 6


def test_wrong_name_in_a_batch(ana: Member) -> None:
    """The field says which order it is in, and none is made."""
    create_group(db.default(), ana, "mira")
    project = create_project(db.default(), ana)
    orders = [build_order(project.id, prompt=prompt) for prompt in ("a lake", "@mria")]
    with pytest.raises(errors.InvalidRequest) as refusal, db.write_session() as session:
        batches.submit_batch(session, ana, orders, **HOW)  # type: ignore[arg-type]
    assert list(refusal.value.fields) == ["generations.1.prompt"]


def test_old_clip_stays_what_it_was(ana: Member, site: Installation) -> None:
    """After the name is another's and its pictures are deleted, a retry is made from the same files and words."""
    mira = create_group(db.default(), ana, "mira", pictures=2)
    for asset, _role in mira.items:
        site.storage.put_bytes(asset.storage_key, b"x", media_type="image/jpeg")
    old = order(ana, "@mira meets \\@mira")
    with db.write_session() as session:
        commands.cancel(session, ana, old.id)
        for asset, _role in mira.items:
            library.delete_asset(session, ana, asset.id)
        groups.delete_group(session, ana, mira.row.id)
    for asset, _role in mira.items:
        let_time_pass(db.default(), asset, hours=1)
    create_group(db.default(), ana, "mira", pictures=1)
    assert retention.purge(site.storage) == 0

    with db.write_session() as session:
        again = commands.retry(session, ana, old.id, idempotency_key="again", **HOW)  # type: ignore[arg-type]
    assert (
        (again.prompt, again.references)
        == (old.prompt, old.references)
        == ("mira (image 1, image 2) meets @mira", old.references)
    )
    with db.write_session() as session:
        assert commands.retry(session, ana, old.id, idempotency_key="again", **HOW).id == again.id  # type: ignore[arg-type]


def test_repeated_request_after_the_name_has_changed(ana: Member) -> None:
    """A repeat is the first order, though it would come to something else by now; another prompt is a conflict."""
    mira = create_group(db.default(), ana, "mira", pictures=1)
    project = create_project(db.default(), ana)
    first = order(ana, "@mira", project_id=project.id, idempotency_key="k")
    with db.write_session() as session:
        groups.update(session, ana, mira.row.id, items=[])

    again = order(ana, "@mira", project_id=project.id, idempotency_key="k")

    assert (again.id, again.replayed) == (first.id, True)
    with pytest.raises(errors.IdempotencyConflict):
        order(ana, "@tom", project_id=project.id, idempotency_key="k")


def test_asset_is_deleted_while_an_order_is_written(ana: Member, site: Installation) -> None:
    """An order with a file that is still here goes through, and keeps it; one whose file is gone is refused."""
    kept, gone = (create_asset(db.default(), ana, storage=site.storage) for _ in range(2))
    with db.write_session() as session:
        for asset in (kept, gone):
            library.delete_asset(session, ana, asset.id)
    row = order(ana, "a lake", start_image_key=kept.storage_key)
    for asset in (kept, gone):
        let_time_pass(db.default(), asset, hours=1)

    assert retention.purge(site.storage) == 1
    assert site.storage.exists(kept.storage_key)
    assert row.status is Status.PENDING
    with pytest.raises(errors.InvalidRequest) as refusal:
        order(ana, "a lake", start_image_key=gone.storage_key)
    assert list(refusal.value.fields) == ["startImagePath"]


def test_file_of_another_kind(ana: Member) -> None:
    """A sound is no start image."""
    sound = create_asset(db.default(), ana, "voice.mp3", kind="sound")
    with pytest.raises(errors.InvalidRequest) as refusal:
        order(ana, "a lake", start_image_key=sound.storage_key)
    assert refusal.value.fields["startImagePath"].code == "asset_of_another_kind"


def test_names_of_another_workspace(ana: Member) -> None:
    """They are not known here."""
    create_group(db.default(), create_member(db.default(), "eve@example.org"), "mira")
    assert order(ana, "@mira").prompt == "@mira"


def test_look_says_what_is_wrong_and_what_it_would_be(ana: Member) -> None:
    """A form shows both; an order whose names were resolved is left alone."""
    create_group(db.default(), ana, "mira", pictures=1)
    wanted = build_order(create_project(db.default(), ana).id, prompt="@mira and @tom and @mir")
    with db.read_session() as session:
        found, made = named.look(session, ana, wanted)
        assert named.look(session, ana, made)[1] == made
    assert [used.name for used in found.used] == ["mira"]
    assert [(each.name, each.near) for each in found.unknown] == [("tom", ()), ("mir", ("mira",))]
    assert [problem.message.code for problem in found.problems] == ["no_such_mention"]
    assert made.spec.prompt == "mira (image 1) and @tom and @mir"
    assert made.digest() == wanted.digest()
    assert Order.of(Generation(project_id="p", **ABLE_SPEC)).written is not None


ABLE_SPEC = build_order("p").spec.values() | {"model_id": ABLE.id}
