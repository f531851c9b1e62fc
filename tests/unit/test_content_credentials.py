import json
import resource
import socket
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import av
import c2pa
import pytest
from PIL import Image

from core import errors
from core.files import content_credentials, isolated, video_probe
from core.files.content_credentials import NotSigned, Unsigned
from core.files.credentials_report import Report, Validation
from core.files.signing_certificate import KnownSigner, SigningKey
from tests.fixtures.clips import ClipSpec, make_clip
from tests.fixtures.signing import (
    CLIP,
    altered,
    new_key,
    read_publicly,
    self_signed_pair,
    signed_by_vendor,
)

TRAINED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


@pytest.fixture(scope="module")
def key() -> SigningKey:
    """The installation's."""
    return new_key()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip as a vendor delivers it."""
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture(scope="module")
def signed(clip: Path, key: SigningKey) -> Path:
    """The same, signed."""
    content_credentials.sign(clip, clip.with_name("signed.mp4"), CLIP, key, fetched=clip)
    return clip.with_name("signed.mp4")


def known(key: SigningKey) -> list[KnownSigner]:
    """The key as the installation's own."""
    return [KnownSigner.of(key.certificates_pem)]


def test_sign_says_what_a_public_reader_finds(signed: Path, key: SigningKey) -> None:
    """Made by AI, by which model of whom, when and by which installation; valid, and trusted by who trusts its root."""
    found = read_publicly(signed, authorities=known(key)[0].authorities_pem)
    assert found["state"] == "Trusted"
    said = {each["label"]: each["data"] for each in found["assertions"]}
    assert said["c2pa.actions.v2"]["actions"] == [
        {
            "action": "c2pa.created",
            "when": "2026-11-29T07:00:00Z",
            "digitalSourceType": TRAINED,
            "softwareAgent": {"name": "Google Veo 3", "version": "veo3"},
        }
    ]
    assert said["c2pa.ai-disclosure"]["modelName"] == "Google Veo 3"
    assert said["ai-video-generator.generation"] == {
        "generation": CLIP.generation_id,
        "installation": CLIP.installation_id,
        "provider": "ModelsLab",
        "modelId": "veo3",
        "modelName": "Google Veo 3",
        "madeAt": "2026-11-29T07:00:00Z",
    }
    [generator] = found["claim_generator_info"]
    assert (generator["name"], generator["installation"]) == ("AI Video Generator", CLIP.installation_id)
    assert "ingredients" not in found


def test_sign_leaves_pictures_and_sound_alone(clip: Path, signed: Path) -> None:
    """Every packet is the one that was there, and the file is played as before."""

    def packets(path: Path) -> list[tuple[int, int | None, bytes]]:
        with av.open(str(path)) as source:
            return [(packet.stream.index, packet.pts, bytes(packet)) for packet in source.demux() if packet.size]

    assert packets(signed) == packets(clip)
    facts = video_probe.verify(signed)
    assert facts == replace(video_probe.verify(clip), size_bytes=facts.size_bytes)


def test_sign_in_fragments_and_with_the_index_behind(tmp_path: Path, key: SigningKey) -> None:
    """However an MP4 is laid out, it is signed and can be played."""
    behind = make_clip(tmp_path / "behind.mp4", ClipSpec(faststart=False))
    fragments = tmp_path / "fragments.mp4"
    with (
        av.open(str(behind)) as source,
        av.open(str(fragments), "w", options={"movflags": "frag_keyframe+empty_moov"}) as sink,
    ):
        out = {stream.index: sink.add_stream_from_template(stream) for stream in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = out[packet.stream.index]
                sink.mux(packet)
    for path in (behind, fragments):
        target = tmp_path / f"signed-{path.name}"
        assert content_credentials.sign(path, target, CLIP, key, fetched=path).is_own
        facts = video_probe.verify(target)
        assert facts == replace(video_probe.verify(path), size_bytes=facts.size_bytes)


def test_read_knows_its_own(signed: Path, key: SigningKey) -> None:
    """A file is this installation's by its key alone, whatever name another one gives itself."""
    found = content_credentials.read(signed, own=known(key))
    assert found is not None
    assert (found.validation, found.is_own, found.is_ai) == (Validation.VALID, True, True)
    assert (found.model, found.model_id, found.provider) == ("Google Veo 3", "veo3", "ModelsLab")
    assert (found.generation_id, found.made_at) == (CLIP.generation_id, "2026-11-29T07:00:00Z")

    impostor = signed.with_name("impostor.mp4")
    content_credentials.sign(signed, impostor, CLIP, new_key(), fetched=signed.with_name("clip.mp4"))
    found = content_credentials.read(impostor, own=known(key))
    assert found is not None
    assert (found.validation, found.is_own) == (Validation.VALID, False)


def test_read_of_an_altered_file(signed: Path, key: SigningKey, tmp_path: Path) -> None:
    """One changed bit is seen, by us as by a public reader, and who signed is still told."""
    changed = altered(signed, tmp_path / "changed.mp4")
    found = content_credentials.read(changed, own=known(key))
    assert found is not None
    assert (found.validation, found.is_own) == (Validation.INVALID, True)
    assert found.problems == ("assertion.bmffHash.mismatch",)
    assert read_publicly(changed)["state"] == "Invalid"


def test_read_of_altered_words(signed: Path, key: SigningKey, tmp_path: Path) -> None:
    """Another model put into the credentials themselves does not pass."""
    changed = tmp_path / "changed.mp4"
    changed.write_bytes(signed.read_bytes().replace(b"Google Veo 3", b"Cinema Lens 1"[:12]))
    found = content_credentials.read(changed, own=known(key))
    assert found is not None
    assert found.validation is Validation.INVALID


def test_read_without_credentials(clip: Path, key: SigningKey) -> None:
    """A clip that was not signed has none, which is no error."""
    assert content_credentials.read(clip, own=known(key)) is None


def test_sign_keeps_the_vendors_own_credentials(clip: Path, key: SigningKey, tmp_path: Path) -> None:
    """What the provider's file says of itself lies inside, as the parent, with what was found about it."""
    fetched = signed_by_vendor(clip, tmp_path / "fetched.mp4")
    target = tmp_path / "signed.mp4"
    report = content_credentials.sign(fetched, target, CLIP, key, fetched=fetched)
    [inside] = report.ingredients
    assert (inside.title, inside.relationship) == ("ModelsLab", "parentOf")
    assert (inside.signer, inside.validation) == ("Installation vendor", Validation.VALID)

    found = read_publicly(target, authorities=known(key)[0].authorities_pem)
    assert found["state"] in ("Trusted", "Valid")  # the vendor is nobody that the reader knows
    [ingredient] = found["ingredients"]
    assert ingredient["active_manifest"] == read_publicly(fetched)["label"]
    [opened] = next(each["data"]["actions"] for each in found["assertions"] if each["label"] == "c2pa.actions.v2")
    assert (opened["action"], opened["digitalSourceType"]) == ("c2pa.opened", TRAINED)
    assert len(opened["parameters"]["ingredients"]) == 1
    assert report.is_ai
    assert report.model == "Google Veo 3"


def test_sign_keeps_what_was_found_wrong_with_the_vendors(clip: Path, key: SigningKey, tmp_path: Path) -> None:
    """A provider's file that was changed on its way is told as that, inside credentials of ours that hold."""
    fetched = altered(signed_by_vendor(clip, tmp_path / "whole.mp4"), tmp_path / "fetched.mp4")
    report = content_credentials.sign(fetched, tmp_path / "signed.mp4", CLIP, key, fetched=fetched)
    [inside] = report.ingredients
    assert (inside.validation, inside.problems) == (Validation.INVALID, ("assertion.bmffHash.mismatch",))
    assert report.validation is Validation.VALID


def test_sign_over_damaged_credentials(clip: Path, key: SigningKey, tmp_path: Path) -> None:
    """Credentials of the provider that nobody can read cannot be kept, and do not keep the clip from being signed."""
    data = bytearray(signed_by_vendor(clip, tmp_path / "whole.mp4").read_bytes())
    begin = data.index(b"c2pa.assertions")
    data[begin - 100 : begin + 1500] = bytes(1600)
    fetched = tmp_path / "fetched.mp4"
    fetched.write_bytes(data)
    assert content_credentials.read(fetched, own=()) is not None
    report = content_credentials.sign(fetched, tmp_path / "signed.mp4", CLIP, key, fetched=fetched)
    assert (report.validation, report.ingredients) == (Validation.VALID, ())


def test_sign_tells_what_was_done_here(clip: Path, key: SigningKey, tmp_path: Path) -> None:
    """A copy that was converted and marked says so; what no model has made is not said to be made by AI."""
    done = replace(CLIP, is_re_encoded=True, is_marked=True, is_ai=False)
    report = content_credentials.sign(clip, tmp_path / "signed.mp4", done, key, fetched=clip)
    assert [each.action for each in report.actions] == ["c2pa.created", "c2pa.transcoded", "c2pa.addedText"]
    assert (report.is_ai, report.actions[0].source_type) == (False, "algorithmicMedia")


def test_sign_reaches_nobody(clip: Path, key: SigningKey, tmp_path: Path) -> None:
    """Neither for a time stamp nor for credentials that a file says lie elsewhere is the network asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def note() -> None:
            while True:
                try:
                    connection, _address = listening.accept()
                except OSError:
                    return
                asked.append(connection.recv(1000))
                connection.close()

        threading.Thread(target=note, daemon=True).start()
        fetched = tmp_path / "fetched.mp4"
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/clip.c2pa"
        _with_remote_credentials(clip, fetched, address)
        # A reader that may go there does: the file is what it is meant to be.
        with fetched.open("rb") as file, pytest.raises(c2pa.C2paError):
            c2pa.Reader("video/mp4", file)
        assert len(asked) == 1
        assert content_credentials.read(fetched, own=()) is None
        report = content_credentials.sign(fetched, tmp_path / "signed.mp4", CLIP, key, fetched=fetched)
    assert len(asked) == 1
    [inside] = report.ingredients
    assert inside.problems == ("manifest.inaccessible",)


def _with_remote_credentials(clip: Path, target: Path, address: str) -> None:
    vendor = new_key("vendor")
    info = c2pa.C2paSignerInfo(b"es256", vendor.certificates_pem.encode(), vendor.key_pem.encode(), None)
    manifest = {"claim_generator_info": [{"name": "Vendor"}], "format": "video/mp4", "assertions": []}
    settings = {"verify": {"verify_after_sign": False}, "builder": {"intent": {"create": "trainedAlgorithmicMedia"}}}
    with (
        c2pa.Signer.from_info(info) as signer,
        c2pa.Builder(manifest, c2pa.Context.from_dict(settings)) as builder,
        clip.open("rb") as source,
        target.open("w+b") as sink,
    ):
        builder.set_remote_url(address)
        builder.set_no_embed()
        builder.sign(signer, "video/mp4", source, sink)


def test_sign_with_a_certificate_that_c2pa_does_not_take(clip: Path, tmp_path: Path) -> None:
    """What the library refuses is told, whatever it is, and the file stays as it was."""
    certificates, key_pem = self_signed_pair()
    key = SigningKey(certificates.decode(), key_pem.decode(), "es256", "0" * 64, CLIP.made_at)
    before = clip.read_bytes()
    with pytest.raises(NotSigned) as refused:
        content_credentials.sign(clip, tmp_path / "signed.mp4", CLIP, key, fetched=clip)
    assert refused.value.reason is Unsigned.FAILED
    assert "PRIVATE" not in refused.value.detail
    assert clip.read_bytes() == before


def test_sign_on_a_full_disk(clip: Path, key: SigningKey, tmp_path: Path) -> None:
    """A disk that takes no more of the copy ends in a reason and not in half a file that counts."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    isolated.end_hosts()
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(NotSigned):
            content_credentials.sign(clip, tmp_path / "signed.mp4", CLIP, key, fetched=clip)
    finally:
        isolated.end_hosts()
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_read_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    """Anything but the few kinds of files that are examined is refused by its first bytes."""
    for data in (b"", b"<html>", b"%PDF-1.7", b"GIF89a" + bytes(100), b"PK\x03\x04" + bytes(100)):
        path = tmp_path / "dropped"
        path.write_bytes(data)
        with pytest.raises(errors.MediaRejected) as refused:
            content_credentials.read(path, own=())
        assert refused.value.message.code == "cannot_carry_credentials"


def test_read_of_a_picture(tmp_path: Path) -> None:
    """Pictures are examined as well."""
    for kind in ("JPEG", "PNG", "WEBP"):
        path = tmp_path / f"picture.{kind.lower()}"
        Image.new("RGB", (64, 64)).save(path, kind)
        assert content_credentials.read(path, own=()) is None


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.9, 0.99])
def test_read_of_a_file_that_was_cut_off(signed: Path, key: SigningKey, tmp_path: Path, share: float) -> None:
    """What is left of a signed file is refused or found to be changed; never is it called whole."""
    data = signed.read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: int(len(data) * share)])
    try:
        found = content_credentials.read(path, own=known(key))
    except errors.MediaRejected:
        return
    assert found is None or found.validation is Validation.INVALID


def test_read_of_hostile_files(signed: Path, tmp_path: Path) -> None:
    """Files with rubbish where lengths and words of credentials stand end in an answer, and harm nobody."""
    data = signed.read_bytes()
    begin = data.index(b"jumb")
    path = tmp_path / "hostile.mp4"
    for place in range(begin - 4, begin + 400, 40):
        for rubbish in (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\x7f\xff\xff\xff"):
            path.write_bytes(data[:place] + rubbish + data[place + 4 :])
            try:
                found = content_credentials.read(path, own=())
            except errors.MediaRejected:
                continue
            assert found is None or isinstance(found, Report)


def test_the_key_is_told_to_no_process_list(clip: Path, key: SigningKey, tmp_path: Path) -> None:
    """The key goes to the signing process by its input: neither its arguments nor its environment hold it."""
    watch = (
        "import pathlib, subprocess, sys, json, threading, time\n"
        "from datetime import UTC, datetime\n"
        "from core.files import content_credentials as c\n"
        "from core.files.signing_certificate import SigningKey\n"
        "given = json.loads(sys.stdin.read())\n"
        "key = SigningKey(given['c'], given['k'], 'es256', '', datetime.now(UTC))\n"
        "seen = set()\n"
        "def look():\n"
        "    me = pathlib.Path('/proc/self/task')\n"
        "    while not done.is_set():\n"
        "        for child in pathlib.Path('/proc').glob('[0-9]*'):\n"
        "            try:\n"
        "                if b'isolated' in (child / 'cmdline').read_bytes():\n"
        "                    seen.add((child / 'cmdline').read_bytes() + (child / 'environ').read_bytes())\n"
        "            except OSError: pass\n"
        "done = threading.Event(); looking = threading.Thread(target=look); looking.start()\n"
        "clip, target = map(pathlib.Path, sys.argv[1:])\n"
        "what = c.Provenance('g', 'i', 'p', 'm', 'n', datetime.now(UTC))\n"
        "c.sign(clip, target, what, key, fetched=clip); done.set(); looking.join()\n"
        "print(len(seen), any(line.encode() in each for each in seen for line in given['k'].splitlines()[1:2]))\n"
    )
    root = Path(content_credentials.__file__).parents[2]
    told = subprocess.run(
        [sys.executable, "-c", watch, str(clip), str(tmp_path / "signed.mp4")],
        input=json.dumps({"c": key.certificates_pem, "k": key.key_pem}),
        capture_output=True,
        text=True,
        cwd=root,
        check=True,
    ).stdout.split()
    assert int(told[0]) > 0
    assert told[1] == "False"
