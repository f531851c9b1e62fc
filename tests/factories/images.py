"""Pictures as people bring them."""

import io

from PIL import Image


def create_image(colour: str = "teal", mode: str = "RGB") -> bytes:
    """A small PNG of one colour."""
    file = io.BytesIO()
    Image.new(mode, (320, 180), colour).save(file, "PNG")
    return file.getvalue()
