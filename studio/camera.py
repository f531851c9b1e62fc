"""The camera that travels through a landscape."""

from dataclasses import dataclass

from studio.picture import Shot


@dataclass(frozen=True)
class Camera(Shot):
    """A shot whose viewer travels steadily sideways, to `direction` 1 or -1, and forward; `horizon` is a row."""

    horizon: int
    direction: float

    @property
    def reach(self) -> float:
        """What sideways travel is measured by: the width, or more in an upright frame."""
        return max(self.width, 0.8 * self.height)

    def shift(self, t_seconds: float, nearness: float) -> float:
        """Sideways shift of a plane in pixels; nearness 0 is infinitely far, 1 the nearest."""
        return self.direction * self.reach * (0.05 + 0.42 * nearness) * (self.share(t_seconds) - 0.5)

    def margin(self, nearness: float) -> float:
        """Share of the frame's width that a plane is painted beyond each side, so that the camera may travel."""
        return (0.03 + 0.215 * nearness) * self.reach / self.width
