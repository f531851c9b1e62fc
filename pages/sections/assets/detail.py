"""One asset in a dialog: what it is, where it was used and under which names, renaming, putting away, deleting."""

import html
from collections.abc import Collection, Sequence

import streamlit as st

from core import db
from core.assets import groups, library
from core.assets.groups import Item
from core.db.tables import AssetGroup, Upload
from core.workspaces.access import Member
from core.workspaces.permissions import Action
from pages.sections.clip.panel import download_link
from pages.ui import components, current_member, wording
from pages.ui.language import _, plural

_OPEN = "assets_open"


def open_it(asset_id: str) -> None:
    """Show this asset from the next run on."""
    st.session_state[_OPEN] = asset_id


def close() -> None:
    """Forget that one is open."""
    st.session_state.pop(_OPEN, None)


def dialog_if_open() -> None:
    """Draw the dialog while one is open."""
    if asset_id := st.session_state.get(_OPEN):
        st.dialog(_("Asset"), width="large", on_dismiss=close)(_dialog)(asset_id)


def _dialog(asset_id: str) -> None:
    with components.error_boundary():
        person = current_member.current_member()
        with db.read_session() as session:
            asset = library.get(session, person, asset_id)
            clips = library.clip_counts(session, person, [asset.storage_key]).get(asset.storage_key, 0)
            names = library.group_names(session, [asset.id]).get(asset.id, ())
            others = [group for group in groups.list_all(session, person) if group.row.name not in names]
        _media(asset)
        facts = [f"{asset.width} × {asset.height}"] if asset.width else []
        facts += [_("{number} s").format(number=wording.decimal(asset.seconds))] if asset.seconds else []
        facts += [wording.size(asset.size_bytes), wording.day(asset.created_at)]
        st.caption(" · ".join(facts))
        if names:
            st.caption(", ".join(f"@{components.escaped(name)}" for name in names))
        with st.container(horizontal=True, vertical_alignment="center"):
            if clips:
                label = plural("In {number} clip", "In {number} clips", clips).format(number=count(clips))
                st.page_link(
                    "history.py", label=label, icon=":material/grid_view:", query_params={"asset": asset.storage_key}
                )
            name = asset.file_name
            download_link(components.media_link(asset.storage_key, download_name=name) or "", _("Download"), name)
        if person.may(Action.EDIT):
            _edit(person, asset, [group.row for group in others], clips, names)


def count(clips: int) -> str:
    """A number of clips, which ends at the most that is counted."""
    return wording.credits(clips) + ("+" if clips >= library.MOST_COUNTED else "")


def _media(asset: Upload) -> None:
    link = html.escape(components.media_link(asset.storage_key) or "")
    label = html.escape(asset.name or asset.file_name, quote=True)
    style = "display:block;max-width:100%;max-height:52vh;margin:auto;border-radius:10px"
    if asset.kind == "image":
        st.html(f'<img src="{link}" alt="{label}" style="{style}">')
    elif asset.kind == "video":
        poster = html.escape(components.media_link(asset.poster_key) or "")
        source = f'src="{link}" poster="{poster}" aria-label="{label}"'
        st.html(f'<video controls loop playsinline {source} style="{style}"></video>')
    else:
        st.html(f'<audio controls src="{link}" aria-label="{label}" style="display:block;width:100%"></audio>')


def _edit(person: Member, asset: Upload, others: Sequence[AssetGroup], clips: int, names: Collection[str]) -> None:
    """Everything that changes it."""
    key = f"assets_asset_{asset.id}"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.text_input(_("Name"), asset.name or asset.file_name, max_chars=120, key=f"{key}_name")
        if st.button(_("Save"), key=f"{key}_save", disabled=name == asset.name):
            components.save_and_rerun(
                lambda session: library.update(session, person, asset.id, name=name or ""), done=_("Saved.")
            )
    if others:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            shown = {row.id: f"@{row.name}" for row in others}
            to = st.selectbox(
                _("Add to"), list(shown), index=None, format_func=shown.__getitem__, key=f"{key}_to", placeholder="@"
            )
            if st.button(_("Add"), key=f"{key}_add", disabled=to is None) and to:
                components.save_and_rerun(
                    lambda session: groups.add_item(session, person, to, Item(asset.id)), done=_("Saved.")
                )
    with st.container(horizontal=True):
        away = asset.archived_at is None
        if st.button(_("Archive") if away else _("Bring back"), key=f"{key}_archive", icon=":material/archive:"):
            components.save_and_rerun(
                lambda session: library.update(session, person, asset.id, archived=away),
                done=_("Archived. Find it under Archived.") if away else _("It is back."),
                then=close,
            )
        if asset.user_id == person.id or person.may(Action.DELETE):
            with st.popover(_("Delete"), icon=":material/delete:", key=f"{key}_delete"):
                st.markdown(_what_goes(clips, bool(names)))
                if st.button(_("Delete asset"), type="primary", key=f"{key}_delete_now"):
                    components.save_and_rerun(
                        lambda session: library.delete_asset(session, person, asset.id),
                        done=_("Deleted."),
                        then=close,
                    )


def _what_goes(clips: int, is_named: bool) -> str:
    """What deleting means, as sentences."""
    said = [_("It leaves the library. This cannot be undone.")]
    if is_named:
        said.append(_("The names that it belongs to lose it."))
    if clips:
        words = plural(
            "{number} clip was made from it: the file stays, and counts, as long as that clip does.",
            "{number} clips were made from it: the file stays, and counts, as long as they do.",
            clips,
        )
        said.append(words.format(number=count(clips)))
    return " ".join(said)
