"""Content credentials (C2PA): signs a clip with what it is, and reads what a file's credentials say.

The library works on foreign bytes, so it runs in a process of its own with an end to memory and time; nothing that it
does here reaches the network: no time stamp, no remote manifest, no status of certificates. Only MP4 is signed, which
is all that is delivered.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from core import errors
from core.files import credentials_report, isolated, sniff
from core.files.credentials_report import Report
from core.files.signing_certificate import ORGANIZATION, KnownSigner, SigningKey
from core.messages import N_, Message, message, register

MEMORY_BYTES = 2 * 1024**3
SECONDS = 60
_BYTES_PER_SECOND = 10 * 1024**2
"""A slow disk reads and writes at least so much."""
_ROOM_BYTES = 64 * 1024**2
"""More than credentials take, so that signing never takes the last of a disk."""
_WORK = "core.files.content_credentials"
HOST_LOADS = ("c2pa",)
"""What a host of this work loads before it forks: a tenth of a second of a processor for each clip else."""
_SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
"""IPTC's vocabulary of how something was made, which C2PA uses."""

_OFFLINE = {
    "core": {
        "allowed_network_hosts": [],
        "decode_identity_assertions": False,
        "backing_store_memory_threshold_in_mb": 128,
    },
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
}
_BUILDING = {"builder": {"thumbnail": {"enabled": False}, "generate_c2pa_archive": False}}


class Unsigned(StrEnum):
    """Why a clip was delivered without credentials, as it is kept."""

    KEY_UNREADABLE = "key_unreadable"
    KEY_MISMATCH = "key_mismatch"
    CERTIFICATE_UNREADABLE = "certificate_unreadable"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_NOT_YET_VALID = "certificate_not_yet_valid"
    NO_ROOM = "no_room"
    TOO_SLOW = "too_slow"
    FAILED = "failed"

    @classmethod
    def of(cls, word: str) -> "Unsigned":
        """The reason that was kept; one that this release does not know is `FAILED`."""
        return next((reason for reason in cls if reason.value == word), cls.FAILED)

    @property
    def message(self) -> Message:
        """The reason in a sentence."""
        return message(f"unsigned_{self.value}")


for _reason, _sentence in {
    Unsigned.KEY_UNREADABLE: N_("The signing key cannot be read."),
    Unsigned.KEY_MISMATCH: N_("The signing certificate belongs to another key."),
    Unsigned.CERTIFICATE_UNREADABLE: N_("The signing certificate cannot be read."),
    Unsigned.CERTIFICATE_EXPIRED: N_("The signing certificate has expired."),
    Unsigned.CERTIFICATE_NOT_YET_VALID: N_("The signing certificate is not valid yet."),
    Unsigned.NO_ROOM: N_("There was no room on the disk for a signed copy."),
    Unsigned.TOO_SLOW: N_("Signing took too long."),
    Unsigned.FAILED: N_("Signing did not work."),
}.items():
    register(f"unsigned_{_reason.value}", _sentence)


class NotSigned(Exception):
    """A file could not be signed, and is as it was; `detail` is for the log."""

    def __init__(self, reason: Unsigned, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is said of a clip: no prompt, and nobody's name.

    `is_ai` is False for what is drawn by a program without a trained model. `is_re_encoded` and `is_marked` are what
    was done to it here before it was signed.
    """

    generation_id: str
    installation_id: str
    provider: str
    model_id: str
    model_name: str
    made_at: datetime
    is_ai: bool = True
    is_re_encoded: bool = False
    is_marked: bool = False


def sign(source: Path, target: Path, provenance: Provenance, key: SigningKey, *, fetched: Path) -> Report:
    """Write `source`, an MP4, to `target` with credentials, and say what was read back of them.

    Credentials that `fetched`, the file as it came, has of its own are kept inside as those of an ingredient. Raises
    NotSigned, and then `target` may hold a part of the file.
    """
    if shutil.disk_usage(target.parent).free < source.stat().st_size + _ROOM_BYTES:
        raise NotSigned(Unsigned.NO_ROOM, f"no room for a copy of {source.stat().st_size} bytes")
    request = {
        "source": str(source.absolute()),
        "target": str(target.absolute()),
        "fetched": str(fetched.absolute()),
        "fetched_type": _media_type(fetched),
        "certificates": key.certificates_pem,
        "key": key.key_pem,
        "algorithm": key.algorithm,
        "provenance": _said(provenance),
        "own": _own([KnownSigner.of(key.certificates_pem)]),
    }
    try:
        told, _body = _run("sign_work", request, size_bytes=source.stat().st_size)
    except errors.RateLimited as busy:
        raise NotSigned(Unsigned.TOO_SLOW, "waited too long for a turn") from busy
    except errors.AppError as failure:
        raise NotSigned(_reason_of(failure.detail), failure.detail) from failure
    report = Report.from_json(told)
    if report.validation is credentials_report.Validation.INVALID:
        raise NotSigned(Unsigned.FAILED, f"what was signed does not hold: {', '.join(report.problems)}")
    return report


def read(path: Path, *, own: Sequence[KnownSigner]) -> Report | None:
    """What the credentials of an MP4, MOV, JPEG, PNG or WebP say; None where it has none.

    `own` are the signers that this installation is or was. Raises errors.MediaRejected for any other file and for one
    that cannot be read within bounds, errors.RateLimited.
    """
    request = {"path": str(path.absolute()), "type": _media_type(path), "own": _own(own)}
    if not request["type"]:
        raise errors.MediaRejected(message("cannot_carry_credentials"), reason="cannot_carry_credentials")
    told, _body = _run("read_work", request, size_bytes=path.stat().st_size)
    return Report.from_json(told) if told else None


def _own(signers: Sequence[KnownSigner]) -> dict[str, Any]:
    return {
        "serial_numbers": [str(each.serial_number) for each in signers],
        "authorities": "".join(dict.fromkeys(each.authorities_pem for each in signers)),
    }


def _run(work: str, request: Mapping[str, Any], *, size_bytes: int) -> tuple[Mapping[str, Any], bytes]:
    seconds = SECONDS + size_bytes // _BYTES_PER_SECOND
    return isolated.run(
        f"{_WORK}:{work}", json.dumps(request).encode(), memory_bytes=MEMORY_BYTES, seconds=seconds, is_hosted=True
    )


def _reason_of(detail: str) -> Unsigned:
    if "os error 28" in detail or "No space left" in detail or "os error 122" in detail:
        return Unsigned.NO_ROOM
    if detail.startswith("took more than"):
        return Unsigned.TOO_SLOW
    return Unsigned.CERTIFICATE_EXPIRED if "CertificateExpired" in detail else Unsigned.FAILED


def _media_type(path: Path) -> str:
    """By the first bytes; empty for what carries no credentials that can be read here."""
    with path.open("rb") as file:
        head = file.read(sniff.HEAD_BYTES)
    for begins, media_type in ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png")):
        if head.startswith(begins):
            return media_type
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    try:
        container = sniff.container_of(head)
    except errors.MediaRejected:
        return ""
    return {"mp4": "video/mp4", "mov": "video/quicktime"}.get(container, "")


def _said(what: Provenance) -> dict[str, Any]:
    """Actions and assertions in the words of C2PA 2.4, for who signs them."""
    when = what.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    product = {"name": ORGANIZATION}
    done: list[dict[str, Any]] = []
    if what.is_re_encoded:
        done.append({"action": "c2pa.transcoded", "when": when, "softwareAgent": product})
    if what.is_marked:
        mark = {"action": "c2pa.addedText", "when": when, "softwareAgent": product}
        done.append(mark | {"description": "A visible mark that says AI"})
    assertions: list[dict[str, Any]] = [
        {
            "label": credentials_report.GENERATION,
            "data": {
                "generation": what.generation_id,
                "installation": what.installation_id,
                "provider": what.provider,
                "modelId": what.model_id,
                "modelName": what.model_name,
                "madeAt": when,
            },
        }
    ]
    if what.is_ai:
        disclosed = {
            "modelType": "c2pa.types.model",
            "modelName": what.model_name,
            "modelIdentifier": what.model_id,
            "contentProfile": {"humanOversightLevel": "prompt_guided"},
        }
        assertions.append({"label": credentials_report.DISCLOSURE, "data": disclosed})
    return {
        "generator": product | {"installation": what.installation_id},
        "title": f"{what.generation_id}.mp4",
        "from": what.provider,
        "source_type": f"{_SOURCES}{'trainedAlgorithmicMedia' if what.is_ai else 'algorithmicMedia'}",
        "when": when,
        "model": {"name": what.model_name, "version": what.model_id},
        "product": product,
        "done": done,
        "assertions": assertions,
    }


def sign_work(request: bytes) -> tuple[Mapping[str, Any], bytes]:
    """`sign`, as `core.files.isolated` runs it."""
    import c2pa  # large, and no process of ours needs it but this one

    asked = json.loads(request)
    said = asked["provenance"]
    context = c2pa.Context.from_dict(_OFFLINE | _BUILDING)
    comes_with_some = bool(asked["fetched_type"]) and _has_credentials(asked["fetched"], asked["fetched_type"])
    first = {"when": said["when"], "digitalSourceType": said["source_type"]}
    if comes_with_some:
        opened = {"action": "c2pa.opened", "softwareAgent": said["product"], "parameters": {"ingredientIds": [_PARENT]}}
        first |= opened
    else:
        first |= {"action": "c2pa.created", "softwareAgent": said["model"]}
    actions = {"label": "c2pa.actions.v2", "data": {"actions": [first, *said["done"]]}}
    manifest = {
        "claim_generator_info": [said["generator"]],
        "title": said["title"],
        "format": _MP4,
        "assertions": [actions, *said["assertions"]],
    }
    info = c2pa.C2paSignerInfo(asked["algorithm"].encode(), asked["certificates"].encode(), asked["key"].encode(), None)
    with c2pa.Signer.from_info(info) as signer, c2pa.Builder(manifest, context) as builder:
        if comes_with_some:
            parent = {"title": said["from"], "relationship": "parentOf", "label": _PARENT}
            with Path(asked["fetched"]).open("rb") as file:
                builder.add_ingredient(parent, asked["fetched_type"], file)
        with Path(asked["source"]).open("rb") as source, Path(asked["target"]).open("w+b") as target:
            builder.sign(signer, _MP4, source, target)
    found = _report(asked["target"], _MP4, own=asked["own"])
    return (found or credentials_report.DAMAGED).to_json(), b""


_MP4 = "video/mp4"
_PARENT = "vendor"


def read_work(request: bytes) -> tuple[Mapping[str, Any], bytes]:
    """`read`, as `core.files.isolated` runs it; no facts where there are no credentials."""
    asked = json.loads(request)
    found = _report(asked["path"], asked["type"], own=asked["own"])
    return found.to_json() if found else {}, b""


def _has_credentials(path: str, media_type: str) -> bool:
    """Whether a file has credentials of its own that can be kept; damaged ones cannot."""
    import c2pa

    try:
        with Path(path).open("rb") as file, c2pa.Reader(media_type, file, context=c2pa.Context.from_dict(_OFFLINE)):
            return True
    except c2pa.C2paError as failure:
        return _lies_elsewhere(failure)


def _report(path: str, media_type: str, *, own: Mapping[str, Any]) -> Report | None:
    import c2pa

    known = {"trust": {"user_anchors": own["authorities"]}} if own["authorities"] else {}
    try:
        with (
            Path(path).open("rb") as file,
            c2pa.Reader(media_type, file, context=c2pa.Context.from_dict(_OFFLINE | known)) as reader,
        ):
            return credentials_report.of_store(json.loads(reader.json()), own_serial_numbers=own["serial_numbers"])
    except c2pa.C2paError as failure:
        if str(failure).startswith("ManifestNotFound") or _lies_elsewhere(failure):
            return None
        return credentials_report.DAMAGED


def _lies_elsewhere(failure: Exception) -> bool:
    """The file only names a place where its credentials are to be fetched, which is never done."""
    return str(failure).startswith("Remote")
