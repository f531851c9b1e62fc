"""Pixels are taken whatever stands beside them; what is said of that is true."""

import io
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from core import errors
from core.files import image_cleaning
from core.files.image_sanitizer import CleanImage
from core.messages import Message, message

LEFT_OUT = message("side_data_left_out")
TURNED = message("turned_upright")


def picture(mode: str = "RGB") -> Image.Image:
    """A gradient in which every corner differs."""
    across = np.linspace(0, 255, 320, dtype=np.uint8)[None, :].repeat(200, 0)
    down = np.linspace(0, 255, 200, dtype=np.uint8)[:, None].repeat(320, 1)
    return Image.fromarray(np.dstack([across, down, 255 - across])).convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The file that Pillow writes of it."""
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def png_chunk(kind: bytes, body: bytes, *, good: bool = True) -> bytes:
    """A chunk, with a right or a wrong checksum."""
    checksum = zlib.crc32(kind + body) ^ (0 if good else 1)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def with_chunk(chunk: bytes, png: bytes | None = None) -> bytes:
    """A PNG with one more chunk, right before its pixels."""
    png = png or encoded(picture(), "PNG")
    at = png.index(b"IDAT") - 4
    return png[:at] + chunk + png[at:]


def with_segment(marker: int, body: bytes, jpeg: bytes | None = None) -> bytes:
    """A JPEG with one more segment, right behind its start."""
    jpeg = jpeg or encoded(picture(), "JPEG", quality=95)
    return jpeg[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + jpeg[2:]


def with_webp_chunk(kind: bytes, body: bytes, *, size: int | None = None, flags: int = 8) -> bytes:
    """A WebP with one more chunk at its end, which may claim another size."""
    still = encoded(picture(), "WEBP", lossless=True)
    extended = b"VP8X" + struct.pack("<IB3x", 10, flags) + (319).to_bytes(3, "little") + (199).to_bytes(3, "little")
    more = kind + struct.pack("<I", len(body) if size is None else size) + body
    inner = b"WEBP" + extended + still[12:] + more
    return b"RIFF" + struct.pack("<I", len(inner)) + inner


def exif(orientation: object, *, kind: int = 3) -> bytes:
    """An EXIF block with an orientation of this value and TIFF type alone."""
    return b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + struct.pack(">HHIH2x", 0x0112, kind, 1, orientation) + bytes(4)


def assert_same(clean: CleanImage, expected: Image.Image, *, within: float = 5) -> None:
    """The clean image shows this."""
    with Image.open(io.BytesIO(clean.data)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", expected.size)
        assert np.abs(np.asarray(image, float) - np.asarray(expected.convert("RGB"), float)).mean() < within


def large_profile() -> bytes:
    """A good colour profile of more than a megabyte."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes() + bytes(2_000_000))
    profile[:4] = struct.pack(">I", len(profile))
    return bytes(profile)


def large_text() -> bytes:
    """A PNG with 3 MB of text in 3 kB."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt("note", "a" * 3_000_000, zip=True)
    return encoded(picture(), "PNG", pnginfo=text)


JPEG = encoded(picture(), "JPEG", quality=95)
PROGRESSIVE = encoded(picture(), "JPEG", quality=95, progressive=True)
PNG = encoded(picture(), "PNG")
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()

BESIDE: dict[str, tuple[Callable[[], bytes], tuple[Message, ...]]] = {
    "text with a wrong checksum": (lambda: with_chunk(png_chunk(b"tEXt", b"Title\0x", good=False)), (LEFT_OUT,)),
    "time with a wrong checksum": (lambda: with_chunk(png_chunk(b"tIME", bytes(7), good=False)), (LEFT_OUT,)),
    "profile with a wrong checksum": (
        lambda: with_chunk(png_chunk(b"iCCP", b"p\0\0" + zlib.compress(ICC), good=False)),
        (LEFT_OUT,),
    ),
    "profile that is not packed": (lambda: with_chunk(png_chunk(b"iCCP", b"p\0\0" + ICC)), (LEFT_OUT,)),
    "profile bomb": (lambda: with_chunk(png_chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(10**8)))), (LEFT_OUT,)),
    "profile of 2 MB": (lambda: encoded(picture(), "PNG", icc_profile=large_profile()), ()),
    "text of 3 MB": (large_text, ()),
    "private chunk": (lambda: with_chunk(png_chunk(b"prVt", b"x" * 100)), ()),
    "gamma of no length": (lambda: with_chunk(png_chunk(b"gAMA", b"")), ()),
    "density of no length": (lambda: with_chunk(png_chunk(b"pHYs", b"")), ()),
    "animation of one frame": (lambda: with_chunk(png_chunk(b"acTL", struct.pack(">II", 1, 0))), ()),
    "EXIF nonsense in a PNG": (lambda: with_chunk(png_chunk(b"eXIf", b"nonsense")), (LEFT_OUT,)),
    "no end chunk": (lambda: PNG[:-12], ()),
    "no end chunk nor last checksum": (lambda: PNG[:-16], ()),
    "bytes behind a PNG": (lambda: PNG + b"PK\3\4" + bytes(500), ()),
    "EXIF nonsense": (lambda: with_segment(0xE1, b"Exif\0\0nonsense"), (LEFT_OUT,)),
    "EXIF cut short": (lambda: with_segment(0xE1, exif(6)[:18]), (LEFT_OUT,)),
    "EXIF empty": (lambda: with_segment(0xE1, b"Exif\0\0"), ()),
    "orientation 0": (lambda: with_segment(0xE1, exif(0)), ()),
    "orientation 1": (lambda: with_segment(0xE1, exif(1)), ()),
    "orientation 9": (lambda: with_segment(0xE1, exif(9)), ()),
    "orientation 65535": (lambda: with_segment(0xE1, exif(65535)), ()),
    "profile nonsense": (lambda: with_segment(0xE2, b"ICC_PROFILE\0\1\1nonsense"), (message("colours_unreadable"),)),
    "profile in pieces that do not fit": (lambda: with_segment(0xE2, b"ICC_PROFILE\0\1\3half"), (LEFT_OUT,)),
    "second pictures nonsense": (lambda: with_segment(0xE2, b"MPF\0MM\0*nonsense"), ()),
    "second pictures far away": (lambda: with_segment(0xE2, b"MPF\0MM\0*\xff\xff\xff\xff"), ()),
    "short JFIF": (lambda: with_segment(0xE0, b"JFIF\0"), ()),
    "Photoshop nonsense": (lambda: with_segment(0xED, b"Photoshop 3.0\x008BIM\4\4"), ()),
    "bytes behind a JPEG": (lambda: JPEG + bytes(3000), ()),
    "no end mark": (lambda: JPEG[:-2], ()),
    "half an end mark": (lambda: JPEG[:-1], ()),
    "no end mark, progressive": (lambda: PROGRESSIVE[:-2], ()),
    "EXIF nonsense in a WebP": (lambda: with_webp_chunk(b"EXIF", b"nonsense"), (LEFT_OUT,)),
    "EXIF cut short in a WebP": (lambda: with_webp_chunk(b"EXIF", exif(6)[:20], size=5000), (LEFT_OUT,)),
    "profile nonsense in a WebP": (
        lambda: with_webp_chunk(b"ICCP", b"nonsense", flags=0x20),
        (message("colours_unreadable"),),
    ),
    "bytes behind a WebP": (lambda: encoded(picture(), "WEBP", lossless=True) + bytes(300), ()),
}


@pytest.mark.parametrize("name", BESIDE)
def test_pixels_count_and_not_what_stands_beside_them(name: str) -> None:
    """The picture is taken as it is, and what is noted is what happened."""
    data, notes = BESIDE[name]
    clean = image_cleaning.cleaned(data())
    assert clean.notes == notes
    assert_same(clean, picture())


@pytest.mark.parametrize("orientation", range(2, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_turned_upright_is_said_when_it_was(orientation: int, kind: str) -> None:
    """Each of the seven turns is made as viewers make it, in every format."""
    block = exif(orientation)
    clean = image_cleaning.cleaned(encoded(picture(), kind, exif=block))
    assert clean.notes == (TURNED,)
    turned = picture()
    turned.getexif()[0x0112] = orientation
    ways = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_90],
        6: [Image.Transpose.ROTATE_270],
        7: [Image.Transpose.FLIP_LEFT_RIGHT, Image.Transpose.ROTATE_270],
        8: [Image.Transpose.ROTATE_90],
    }
    for way in ways[orientation]:
        turned = turned.transpose(way)
    assert_same(clean, turned)


@pytest.mark.parametrize(
    "data",
    [JPEG[:-40], JPEG[: len(JPEG) // 2], PROGRESSIVE[: len(PROGRESSIVE) * 2 // 3], PROGRESSIVE[:-30], PNG[:-60]],
    ids=["last bytes", "half", "progressive, without its last scans", "progressive, last bytes", "PNG"],
)
def test_missing_pixels_are_refused(data: bytes) -> None:
    """A file that lacks some of its pixels is damaged, also when a viewer would fill them with grey."""
    with pytest.raises(errors.MediaRejected) as caught:
        image_cleaning.cleaned(data)
    assert caught.value.reason == "damaged"


def test_progressive_cut_between_two_scans() -> None:
    """A picture that would be shown blurred lacks something, though no scan is cut."""
    cuts = [at for at in range(len(PROGRESSIVE)) if PROGRESSIVE[at : at + 2] == b"\xff\xda"]
    for at in cuts[1:]:
        table = PROGRESSIVE.rfind(b"\xff\xc4", 0, at)
        with pytest.raises(errors.MediaRejected):
            image_cleaning.cleaned(PROGRESSIVE[:table])


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"GIF89a", "GIF"),
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (b"\0\0\0\x18ftypmif1", "HEIC"),
        (b"\0\0\0\x18ftypavif", "AVIF"),
        (b"\0\0\0\x18ftypisom", "MP4"),
        (b"II*\0", "TIFF"),
        (b"BM", "BMP"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_other_kinds_are_named(start: bytes, kind: str) -> None:
    """What is no JPEG, PNG or WebP is refused with a sentence that says what it is."""
    with pytest.raises(errors.MediaRejected) as caught:
        image_cleaning.cleaned(start + bytes(100))
    assert caught.value.message == message("image_of_other_kind", kind=kind)
    assert caught.value.reason == "unsupported_format"


@pytest.mark.parametrize("transparency", [b"", bytes(range(256)) + bytes(10), bytes(5)])
def test_palette_with_a_transparency_that_does_not_fit(transparency: bytes) -> None:
    """Transparency of no entry, or of more than the palette has, is passed over; viewers do so, too."""
    few = picture().quantize(4)
    png = encoded(few, "PNG")
    clean = image_cleaning.cleaned(with_chunk(png_chunk(b"tRNS", transparency), png))
    assert clean.notes == (LEFT_OUT,)
    assert_same(clean, few)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_told_only_where_there_is_some(mode: str) -> None:
    """A picture with a channel of transparency in which nothing is transparent has no white parts."""
    assert image_cleaning.cleaned(encoded(picture(mode), "PNG")).notes == ()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_of_pixels(mode: str) -> None:
    """Black and white, grey, palette, colours, print colours, 8 and 16 bits: each comes out as it looks."""
    if mode == "I;16":
        image = Image.fromarray(np.asarray(picture("L")).astype(np.uint16) * 257)
        expected = picture("L")
    else:
        image = expected = picture(mode)
    clean = image_cleaning.cleaned(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert_same(clean, expected, within=20 if mode == "1" else 8)
