import numpy as np
import pytest

from studio.sound import SAMPLES_PER_SECOND, Pad


def test_block_is_the_same_when_asked_in_pieces() -> None:
    """Sound is a function of its time: blocks join without a seam, also across a change of chord."""
    pad = Pad("a lake", seconds=6)
    start = 4 * SAMPLES_PER_SECOND - 1000
    whole = pad.block(start, 4000)
    pieces = np.concatenate([pad.block(start + i, 500) for i in range(0, 4000, 500)], axis=1)
    np.testing.assert_allclose(whole, pieces, atol=1e-6)


def test_block_differs_when_the_words_differ() -> None:
    """The words choose the sound, and the same words choose the same sound."""
    assert np.array_equal(Pad("a", seconds=2).block(48_000, 2000), Pad("a", seconds=2).block(48_000, 2000))
    assert not np.array_equal(Pad("a", seconds=2).block(48_000, 2000), Pad("b", seconds=2).block(48_000, 2000))


@pytest.mark.parametrize("seconds", [1.0, 5.0, 16.0])
def test_sound_fades_and_never_clips(seconds: float) -> None:
    """It begins and ends in silence, is heard in between, and stays clear of full scale."""
    samples = Pad("\ud800 any", seconds=seconds).block(0, round(seconds * SAMPLES_PER_SECOND))
    assert samples.shape == (2, round(seconds * SAMPLES_PER_SECOND))
    assert np.abs(samples[:, :50]).max() < 0.001
    assert np.abs(samples[:, -50:]).max() < 0.001
    assert 0.05 < np.abs(samples).max() < 0.8
