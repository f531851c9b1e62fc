"""Which columns of a table say what of an order, by the words that people write over them; pure."""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from core import errors, normal_form
from core.messages import message


class Column(StrEnum):
    """What a column says, under the name of its field in the API."""

    PROMPT = "prompt"
    NEGATIVE_PROMPT = "negativePrompt"
    MODEL = "modelId"
    RESOLUTION = "resolution"
    SECONDS = "duration"
    RATIO = "aspectRatio"
    SOUND = "generateAudio"
    ENHANCE = "enhancePrompt"
    SEED = "seed"
    FPS = "fps"
    START_IMAGE = "startImagePath"
    END_IMAGE = "endImagePath"
    PROJECT = "projectId"
    TAGS = "tags"
    VARIATIONS = "variations"
    NOTE = "note"


HEADS: Mapping[Column, str] = {
    Column.PROMPT: "Prompt",
    Column.NEGATIVE_PROMPT: "Negative prompt",
    Column.MODEL: "Model",
    Column.RESOLUTION: "Resolution",
    Column.SECONDS: "Seconds",
    Column.RATIO: "Aspect ratio",
    Column.SOUND: "Sound",
    Column.ENHANCE: "Enhance",
    Column.SEED: "Seed",
    Column.FPS: "Frames a second",
    Column.START_IMAGE: "Start image",
    Column.END_IMAGE: "End image",
    Column.PROJECT: "Project",
    Column.TAGS: "Tags",
    Column.VARIATIONS: "Variations",
    Column.NOTE: "Note",
}
"""What the templates write over each column, in their order."""

_FURTHER: Mapping[Column, tuple[str, ...]] = {
    Column.PROMPT: ("text", "description", "perintah", "teks", "deskripsi", "naskah"),
    Column.NEGATIVE_PROMPT: ("negative", "avoid", "prompt negatif", "negatif", "hindari"),
    Column.MODEL: ("model name", "id model", "nama model"),
    Column.RESOLUTION: ("size", "resolusi", "ukuran"),
    Column.SECONDS: ("length", "second", "durasi", "detik", "panjang", "lama"),
    Column.RATIO: ("ratio", "format", "rasio", "rasio aspek", "perbandingan"),
    Column.SOUND: ("audio", "with sound", "suara", "bunyi", "dengan suara"),
    Column.ENHANCE: ("enhance the prompt", "improve", "sempurnakan", "perbaiki prompt", "tingkatkan"),
    Column.SEED: ("benih", "angka acak", "bibit"),
    Column.FPS: ("frame rate", "frames", "bingkai per detik", "laju bingkai"),
    Column.START_IMAGE: ("start", "first frame", "image", "start frame", "gambar awal", "gambar", "gambar mulai"),
    Column.END_IMAGE: ("end", "last frame", "end frame", "gambar akhir"),
    Column.PROJECT: ("folder", "project name", "proyek", "nama proyek"),
    Column.TAGS: ("tag", "label", "labels", "tanda"),
    Column.VARIATIONS: ("takes", "copies", "variasi", "jumlah klip", "banyaknya"),
    Column.NOTE: ("notes", "comment", "remark", "catatan", "komentar", "keterangan"),
}

RESULT_HEADS = ("Clip status", "Credits charged", "Clip link", "File link", "What went wrong")
"""What a result sheet has beside the columns that were brought; left aside when it is brought again."""


def key(head: str) -> str:
    """A head as it is compared: without case, spaces and signs, so that `Start_Image` is `start image`."""
    return "".join(char for char in normal_form.normal(head) if char.isalnum())


_OWN_KEYS: Mapping[str, Column] = {key(word): column for column in Column for word in (HEADS[column], column.value)}
_FURTHER_KEYS: Mapping[str, Column] = {key(word): column for column in Column for word in _FURTHER[column]}
_RESULT_KEYS = frozenset(key(head) for head in RESULT_HEADS)


def is_known(head: str) -> bool:
    """Whether a column of this head says something of an order."""
    return key(head) in _OWN_KEYS or key(head) in _FURTHER_KEYS


def is_of_result(head: str) -> bool:
    """Whether a column is one that a result sheet adds."""
    return key(head) in _RESULT_KEYS


def places(heads: Sequence[str]) -> Mapping[Column, int]:
    """Where each known column stands; one under its own name comes before one under another word for the same.

    InvalidRequest for two of which nobody can say which is meant.
    """
    found: dict[Column, int] = {}
    for known in (_OWN_KEYS, _FURTHER_KEYS):
        before = dict(found)
        for place, head in enumerate(heads):
            column = known.get(key(head))
            if column is None or column in before:
                continue
            if column in found:
                twice = message("sheet_column_twice", first=heads[found[column]], second=head)
                raise errors.InvalidRequest(fields={"file": twice})
            found[column] = place
    return found


def unknown(heads: Sequence[str]) -> list[str]:
    """Heads of the person's own, which are carried along and order nothing."""
    known = set(places(heads).values())
    return [head for place, head in enumerate(heads) if place not in known]
