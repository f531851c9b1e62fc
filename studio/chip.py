"""The chip that says on every frame what the clip is, so that nobody takes it for a model's work."""

from PIL import Image, ImageDraw

from studio import typeface

TEXT = "Demo clip · drawn on this computer"
INK = (16, 14, 24, 158)


class Chip:
    """Dark translucent box with the text, in the top right corner of a frame of ``width`` x ``height`` pixels."""

    def __init__(self, *, width: int, height: int) -> None:
        side = min(width, height)
        size = max(5.0, side * 0.024)
        size = min(size, size * width * 0.86 / typeface.font(typeface.BROAD, size).getlength(TEXT))
        font = typeface.font(typeface.BROAD, size)
        wide, high = min(round(font.getlength(TEXT) + 1.7 * size), width), round(size * 2.1)
        box = Image.new("RGBA", (wide * 4, high * 4), (*INK[:3], 0))
        ImageDraw.Draw(box).rounded_rectangle((0, 0, wide * 4 - 1, high * 4 - 1), high * 2, fill=INK)
        box = box.reduce(4)  # Pillow's own rounded rectangles have hard edges
        ImageDraw.Draw(box).text((wide / 2, high / 2), TEXT, fill=(255, 255, 255, 235), font=font, anchor="mm")
        margin = round(side * 0.048)
        self.box = (max(0, width - margin - wide), margin, max(0, width - margin - wide) + wide, margin + high)
        self._colour, self._mask = box.convert("RGB"), box.getchannel("A")

    def paint(self, frame: Image.Image) -> None:
        """Draw it onto an RGB frame."""
        frame.paste(self._colour, self.box, self._mask)
