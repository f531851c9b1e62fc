from streamlit.testing.v1 import AppTest

from core import db
from core.generations import batches
from tests.factories.generations import CONFIGURED, QUOTA_BYTES, build_order
from tests.factories.studio import Studio
from tests.pages.conftest import press, sent


def section() -> None:
    """The strips of the clip that the address names, which a press puts there."""
    import streamlit as st

    from core import db
    from pages.sections.clip import lineage
    from pages.ui import components, current_member

    def open_it(generation_id: str) -> None:
        st.query_params["clip"] = generation_id

    with components.error_boundary():
        with db.read_connection() as reader:
            found = lineage.of(reader, current_member.current_member(), st.query_params["clip"])
        st.text(str(found is not None))
        if found:
            lineage.show(found, st.query_params["clip"], on_open=open_it)


def opened(generation_id: str) -> AppTest:
    """The section of a clip."""
    at = AppTest.from_function(section, default_timeout=20)
    at.query_params["clip"] = generation_id
    return at.run()


def test_lineage_shows_where_a_clip_comes_from_and_what_came_of_it(studio: Studio) -> None:
    """Strips say how each is related and how it stands; a press opens it, and the clip itself is marked."""
    first = studio.complete(studio.order(studio.project()))
    with db.write_session() as session:
        orders = [build_order(first.project_id) for _ in range(2)]
        takes = batches.submit_batch(
            session, studio.person, orders, configured=CONFIGURED, quota_bytes=QUOTA_BYTES, extends_id=first.id
        )
        ids = [take.id for take in takes]
    at = opened(ids[1])
    shown = sent(at, "clip_lineage")
    assert shown is not None
    titles = {
        strip["title"]: [(clip["id"], clip["label"], clip["here"]) for clip in strip["clips"]]
        for strip in shown["strips"]
    }
    assert titles == {
        "Made from": [(first.id, "Goes on", False)],
        "Takes": [(ids[0], "Take 1", False), (ids[1], "Take 2", True)],
    }
    assert [clip["state"] for strip in shown["strips"] for clip in strip["clips"]] == ["", "Waiting", "Waiting"]
    press(at, "clip_lineage", "open", first.id)
    assert at.query_params["clip"] == first.id


def test_lineage_of_a_clip_that_stands_alone(studio: Studio) -> None:
    """Nothing is drawn."""
    at = opened(studio.complete(studio.order(studio.project())).id)
    assert (sent(at, "clip_lineage"), at.text[0].value) == (None, "False")
