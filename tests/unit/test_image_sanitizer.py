import io
import random
import struct
import threading
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from core import errors
from core.files import image_cleaning, image_parts, image_sanitizer, isolated
from core.messages import message

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def picture(width: int = 320, height: int = 200, mode: str = "RGB") -> Image.Image:
    """A gradient in which every corner differs."""
    across = np.linspace(0, 255, width, dtype=np.uint8)[None, :].repeat(height, 0)
    down = np.linspace(0, 255, height, dtype=np.uint8)[:, None].repeat(width, 1)
    return Image.fromarray(np.dstack([across, down, 255 - across])).convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    """The file that Pillow writes of it."""
    target = io.BytesIO()
    image.save(target, kind, **options)
    return target.getvalue()


def reason_for(data: bytes) -> str:
    """Why `clean` refuses these bytes."""
    with pytest.raises(errors.MediaRejected) as caught:
        image_sanitizer.clean(data)
    return caught.value.reason


def pixels_of(clean: image_sanitizer.CleanImage) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The clean image decoded again."""
    with Image.open(io.BytesIO(clean.data)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (clean.width, clean.height))
        return np.asarray(image).astype(float)


def huge_png(width: int, height: int) -> bytes:
    """A few kilobytes that claim to be an enormous 1-bit picture."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9000)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_clean_accepts_the_three_formats(kind: str) -> None:
    """JPEG, PNG and WebP come out as a JPEG with the same picture and nothing to remark."""
    clean = image_sanitizer.clean(encoded(picture(), kind))
    assert (clean.width, clean.height, clean.notes) == (320, 200, ())
    assert np.abs(pixels_of(clean) - np.asarray(picture())).mean() < 5


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (SVG, "svg"),
        (b'\xef\xbb\xbf <?xml version="1.0"?>' + SVG, "svg"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "html"),
        (encoded(picture(), "GIF"), "unsupported_format"),
        (encoded(picture(), "TIFF"), "unsupported_format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "unsupported_format"),
        (random.Random(3).randbytes(4000), "not_an_image"),
        (encoded(picture(16, 16), "PNG"), "too_small"),
        (huge_png(50_000, 50_000), "too_many_pixels"),
        (huge_png(10_000, 10_000), "too_many_pixels"),
        (huge_png(7_000, 6_000), "too_many_pixels"),
        (encoded(picture(), "PNG", save_all=True, append_images=[picture(mode="L").convert("RGB")]), "animated"),
        (encoded(picture(), "WEBP", save_all=True, append_images=[picture(mode="L").convert("RGB")]), "animated"),
        (encoded(picture(), "JPEG")[:3000], "damaged"),
        (encoded(picture(), "PNG")[:-300], "damaged"),
        (encoded(picture(), "WEBP")[:-300], "damaged"),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_clean_refuses_with_a_reason(data: bytes, reason: str) -> None:
    """Every rule of the intake has its own stable name."""
    assert reason_for(data) == reason


def test_clean_refuses_more_than_the_limit() -> None:
    """Size is looked at before anything is decoded."""
    with pytest.raises(errors.TooLarge, match="10 MB"):
        image_sanitizer.clean(encoded(picture(), "JPEG") + bytes(image_sanitizer.MAX_UPLOAD_BYTES))


def test_clean_passes_over_a_text_bomb() -> None:
    """A PNG's text that would unpack to far more than the picture is never unpacked."""
    text = PngImagePlugin.PngInfo()
    text.add_text("bomb", "a" * 20_000_000, zip=True)
    data = encoded(picture(), "PNG", pnginfo=text)
    parts = image_parts.parts_of(data)
    assert parts is not None
    assert len(parts.pixels) < len(data) - 15_000
    assert image_sanitizer.clean(data).notes == ()


def test_clean_turns_upright_and_forgets_the_place() -> None:
    """A phone's photo: the rotation is applied, GPS and camera are gone, and the person is told."""
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turn by 90 degrees clockwise
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825)[2] = (6.0, 10.0, 30.0)  # GPSLatitude
    clean = image_sanitizer.clean(encoded(picture(), "JPEG", exif=exif, comment=b"SecretComment"))
    assert (clean.width, clean.height) == (200, 320)
    assert clean.notes == (message("location_removed"), message("turned_upright"))
    assert b"Secret" not in clean.data
    assert b"Exif" not in clean.data
    upright = np.asarray(picture().transpose(Image.Transpose.ROTATE_270))
    assert np.abs(pixels_of(clean) - upright).mean() < 5


def test_clean_removes_what_hangs_behind_the_picture() -> None:
    """A file that is a picture and an archive with a script at once leaves as a picture only."""
    tail = io.BytesIO()
    with zipfile.ZipFile(tail, "w") as archive:
        archive.writestr("run.js", "alert('SecretScript')")
    clean = image_sanitizer.clean(encoded(picture(), "JPEG") + tail.getvalue())
    assert b"SecretScript" not in clean.data
    assert b"run.js" not in clean.data


def test_clean_takes_the_photo_of_a_jpeg_with_two_pictures() -> None:
    """Phones put a depth map behind the photo (MPO); that is not an animation."""
    data = encoded(picture(), "MPO", save_all=True, append_images=[picture(160, 100)])
    clean = image_sanitizer.clean(data)
    assert (clean.width, clean.height) == (320, 200)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_clean_puts_transparent_parts_on_white(mode: str) -> None:
    """Where nothing was, white is; where something was, it stays."""
    image = picture().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 160, 200))
    kept = np.asarray(picture())[:, 240:]
    clean = image_sanitizer.clean(encoded(image.convert(mode), "PNG"))
    assert message("transparency_is_white") in clean.notes
    assert pixels_of(clean)[:, :150].min() > 250
    if mode == "RGBA":
        assert np.abs(pixels_of(clean)[:, 240:] - kept).mean() < 5


def test_clean_scales_16_bit_grey() -> None:
    """A 16-bit gradient stays a gradient instead of being clipped to white."""
    deep = np.linspace(0, 65535, 320, dtype=np.uint16)[None, :].repeat(200, 0)
    pixels = pixels_of(image_sanitizer.clean(encoded(Image.fromarray(deep), "PNG")))
    assert pixels[:, :10].mean() < 10
    assert abs(pixels[:, 155:165].mean() - 127) < 3
    assert pixels[:, -10:].mean() > 245


def test_clean_converts_cmyk() -> None:
    """A JPEG for print comes out in RGB, not inverted."""
    pixels = pixels_of(image_sanitizer.clean(encoded(picture(mode="CMYK"), "JPEG")))
    assert np.abs(pixels - np.asarray(picture())).mean() < 8


def test_clean_converts_a_foreign_colour_profile() -> None:
    """Colours are converted to sRGB (here from a space whose red is sRGB's green), and the profile does not remain."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for old, new in [(b"rXYZ", b"????"), (b"gXYZ", b"rXYZ"), (b"????", b"gXYZ")]:
        profile = profile.replace(old, new, 1)
    profile = profile.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    clean = image_sanitizer.clean(encoded(picture(), "PNG", icc_profile=profile))
    assert clean.notes == (message("colours_converted"),)
    assert b"ICC_PROFILE" not in clean.data
    assert np.abs(pixels_of(clean) - np.asarray(picture())[..., [1, 0, 2]]).mean() < 5


def test_clean_lives_with_a_broken_colour_profile() -> None:
    """A profile that cannot be read does not cost the person the picture."""
    clean = image_sanitizer.clean(encoded(picture(), "PNG", icc_profile=b"no profile"))
    assert clean.notes == (message("colours_unreadable"),)


def test_clean_reduces_a_wide_picture() -> None:
    """No side is longer than 4096 pixels afterwards, and the proportion stays."""
    clean = image_sanitizer.clean(encoded(picture(5000, 1000), "JPEG"))
    assert (clean.width, clean.height) == (4096, 819)
    assert clean.notes == (message("made_smaller", width=4096, height=819),)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_clean_survives_damaged_files(kind: str) -> None:
    """Whatever is changed in a file, the answer is an image or MediaRejected, never another exception."""
    chance = random.Random(kind)
    exif = Image.Exif()
    exif[0x0112] = 6
    original = encoded(
        picture(), kind, exif=exif, icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    )
    refused = 0
    for _ in range(100):
        data = bytearray(original)
        for _ in range(chance.randint(1, 30)):
            data[chance.randrange(len(data) if chance.random() < 0.5 else 600)] = chance.randrange(256)
        try:
            assert image_cleaning.cleaned(bytes(data)).data
        except errors.MediaRejected:
            refused += 1
    assert refused > 5


def test_clean_works_in_parallel() -> None:
    """Six uploads at once all come out; the bound on decoding makes them wait, not fail."""
    data = encoded(picture(1200, 800), "JPEG")
    results: list[image_sanitizer.CleanImage] = []
    threads = [threading.Thread(target=lambda: results.append(image_sanitizer.clean(data))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({result.data for result in results}) == 1
    assert len(results) == 6


@pytest.mark.parametrize(
    ("work", "memory_mb", "seconds"),
    [
        ("os:abort", 1000, 20),
        ("core.files.image_cleaning:work", 40, 20),
        ("tests.unit.test_image_sanitizer:endless", 1000, 1),
    ],
    ids=["breaks", "needs too much memory", "takes too long"],
)
def test_clean_when_its_process_comes_to_no_end(work: str, memory_mb: int, seconds: int) -> None:
    """However the process that decodes goes wrong, it is a refusal of its own kind, and the next image passes."""
    with pytest.raises(errors.MediaRejected) as caught:
        isolated.run(work, encoded(picture(3000, 3000), "PNG"), memory_bytes=memory_mb * 1024**2, seconds=seconds)
    assert caught.value.reason == "unreadable"
    assert image_sanitizer.clean(encoded(picture(), "PNG")).width == 320


def endless(_data: bytes) -> tuple[dict[str, object], bytes]:
    """Work that never ends."""
    while True:
        pass


@pytest.mark.parametrize(("kind", "mode"), [("PNG", "RGBA"), ("PNG", "I;16"), ("JPEG", "RGB"), ("WEBP", "RGB")])
def test_clean_takes_the_largest_picture(kind: str, mode: str) -> None:
    """40 million pixels come through in every format, within what their process may take."""
    colour = 20_000 if mode == "I;16" else "teal"
    data = encoded(Image.new(mode, (6300, 6300), colour), kind)
    clean = image_sanitizer.clean(data)
    assert (clean.width, clean.height) == (4096, 4096)
