import io
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from core import db, errors
from core.db.tables import Upload
from core.files.storage import LocalStorage
from core.installation import Installation
from core.projects import crops, uploads
from core.projects.crops import Box
from core.workspaces.access import Member
from tests.factories.generations import QUOTA_BYTES
from tests.factories.users import create_member


@pytest.mark.parametrize(
    ("size", "ratio", "place", "kept"),
    [
        ((180, 320), "16:9", 0.5, Box(0, 110, 180, 101)),
        ((180, 320), "16:9", 0, Box(0, 0, 180, 101)),
        ((180, 320), "16:9", 7, Box(0, 219, 180, 101)),
        ((320, 180), "1:1", 1, Box(140, 0, 180, 180)),
        ((1280, 720), "16:9", 0.5, Box(0, 0, 1280, 720)),
    ],
)
def test_box_is_the_largest_of_its_ratio(size: tuple[int, int], ratio: str, place: float, kept: Box) -> None:
    """It lies where it was put, and never beyond an edge."""
    assert crops.box(*size, ratio, place) == kept


def test_crop_makes_another_image(installation: Installation, tmp_path: Path) -> None:
    """The cut picture is an upload of its own, made once; the first one stays, and is nobody else's to cut."""
    ana, ben = (create_member(db.default(), f"{name}@example.org") for name in ("ana", "ben"))
    storage = LocalStorage(tmp_path / "files")
    upright = Image.new("RGB", (180, 320), "white")
    upright.paste("black", (0, 0, 180, 101))
    data = io.BytesIO()
    upright.save(data, "PNG")
    whole, _ = uploads.store_image(
        ana, identity=b"whole", picture=data.getvalue, file_name="a.png", storage=storage, quota_bytes=QUOTA_BYTES
    )

    def crop(member: Member, ratio: str = "16:9", place: float = 0) -> Upload:
        return crops.crop(member, whole.storage_key, ratio=ratio, place=place, storage=storage, quota_bytes=QUOTA_BYTES)

    first, again, other = crop(ana), crop(ana), crop(ana, place=1)
    assert first.id == again.id != other.id
    assert (first.width, first.height, first.file_name) == (180, 101, "a.png")
    top, bottom = (Image.open(io.BytesIO(storage.read_bytes(each.storage_key))).convert("L") for each in (first, other))
    assert (top.getpixel((90, 50)), bottom.getpixel((90, 50))) == (0, 255)
    assert crop(ana, ratio="9:16").id == whole.id
    with db.read_session() as session:
        assert len(session.scalars(select(Upload.id)).all()) == 3
    for member, ratio in ((ben, "16:9"), (ana, "auto"), (ana, "0:0"), (ana, "16:9:1")):
        with pytest.raises(errors.InvalidRequest):
            crop(member, ratio=ratio)
