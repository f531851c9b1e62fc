"""Pictures of HDR and wide-gamut video as sRGB, the way an ordinary screen shows them; arithmetic on pixels alone."""

from typing import Any, TypeAlias

import numpy as np

_Levels: TypeAlias = "np.ndarray[Any, np.dtype[np.float32]]"

_PQ, _HLG = 16, 18
_WHITE_NITS = 203.0
"""Brightness of white paper in HDR (ITU-R BT.2408); brighter light is pressed into what is left up to white."""
_PEAK_NITS = 1000.0

_TO_BT709 = {
    9: ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187)),
    11: ((1.1574, -0.1549, -0.0025), (-0.0415, 1.0456, -0.0041), (-0.0181, -0.0786, 1.0967)),
    12: ((1.2249, -0.2247, 0.0), (-0.0420, 1.0419, 0.0), (-0.0197, -0.0786, 1.0979)),
}
"""Primaries (ITU-T H.273: 9 BT.2020, 11 and 12 P3) -> matrix to those of BT.709 on linear light (ITU-R BT.2407)."""


def is_wide(transfer: int, primaries: int) -> bool:
    """Whether sRGB cannot simply be read from such pictures."""
    return transfer in (_PQ, _HLG) or primaries in _TO_BT709


def to_srgb(
    pixels: "np.ndarray[Any, np.dtype[Any]]", transfer: int, primaries: int
) -> "np.ndarray[Any, np.dtype[Any]]":
    """RGB with 16 bits a channel (rows, columns, 3), as it is coded, to 8-bit sRGB."""
    light: _Levels = _linear(np.linspace(0, 1, 65536, dtype=np.float32), transfer)[pixels]
    if transfer == _HLG:  # what a screen of this peak makes of the scene (BT.2100, system gamma 1.2)
        brightness = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
        light *= (np.maximum(brightness, 1e-6) ** 0.2)[..., None] * np.float32(_PEAK_NITS / _WHITE_NITS)
    if primaries in _TO_BT709:
        light = light @ np.array(_TO_BT709[primaries], np.float32).T
    np.maximum(light, 0, out=light)
    if transfer in (_PQ, _HLG):
        peak = _PEAK_NITS / _WHITE_NITS
        brightest = light.max(axis=-1, keepdims=True)
        light *= (1 + brightest / peak**2) / (1 + brightest)  # extended Reinhard: the peak becomes white
    level = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return (np.clip(level, 0, 1) * 255 + 0.5).astype(np.uint8)


def _linear(code: _Levels, transfer: int) -> _Levels:
    """Light by code value, both from 0 to 1; of PQ in units of white, so above 1, too (ITU-R BT.2100)."""
    if transfer == _PQ:
        root = code ** (1 / 78.84375)
        light = (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
        return np.asarray(light * np.float32(10_000 / _WHITE_NITS), np.float32)
    if transfer == _HLG:
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - 0.55991073) / 0.17883277) + 0.28466892) / 12)
        return light.astype(np.float32)
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)  # as browsers read BT.709
    return light.astype(np.float32)
