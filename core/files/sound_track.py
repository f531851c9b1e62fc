"""The sound of a clip whose pictures are encoded anew: as it is, or as AAC for every browser."""

from abc import ABC, abstractmethod
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer


class SoundTrack(ABC):
    """Takes the packets of a source's sound, in their order, into a file."""

    @abstractmethod
    def take(self, packet: "av.Packet[Any]") -> None:
        """Take the next packet."""

    @abstractmethod
    def end(self) -> None:
        """Write what is still to be written."""


class Silence(SoundTrack):
    """No sound at all."""

    def take(self, packet: "av.Packet[Any]") -> None:
        """Nothing comes."""

    def end(self) -> None:
        """Nothing is left."""


class Copied(SoundTrack):
    """Packet by packet as it is, with what a decoder needs before the beginning; what is cut off behind stays out."""

    def __init__(self, sink: OutputContainer, heard: AudioStream) -> None:
        self._sink = sink
        self._out = sink.add_stream_from_template(heard)

    def take(self, packet: "av.Packet[Any]") -> None:
        """Write the packet."""
        is_cut_off = packet.is_discard and (packet.pts or 0) >= 0
        if packet.dts is not None and not is_cut_off:
            packet.stream = self._out
            self._sink.mux(packet)

    def end(self) -> None:
        """Nothing is left."""


class Encoded(SoundTrack):
    """As AAC in stereo."""

    def __init__(self, sink: OutputContainer) -> None:
        self._sink = sink
        self._out = sink.add_stream("aac", rate=48_000, layout="stereo")
        self._resampler = av.AudioResampler(format="fltp", layout="stereo", rate=48_000, frame_size=1024)

    def take(self, packet: "av.Packet[Any]") -> None:
        """Decode the packet and encode what it gives."""
        for frame in packet.decode():
            if isinstance(frame, av.AudioFrame):
                self._encode(frame)

    def end(self) -> None:
        """Encode the rest."""
        self._encode(None)
        self._sink.mux(self._out.encode(None))

    def _encode(self, frame: av.AudioFrame | None) -> None:
        for part in self._resampler.resample(frame):
            self._sink.mux(self._out.encode(part))
