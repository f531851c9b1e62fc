"""Pictures as people bring them."""

import io

from PIL import Image


def create_image(colour: str = "teal", mode: str = "RGB", size: tuple[int, int] = (320, 180)) -> bytes:
    """A small PNG of one colour."""
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, "PNG")
    return file.getvalue()
