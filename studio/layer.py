"""A painted plane at some depth and the camera that travels before it."""

from dataclasses import dataclass

from PIL import Image

from studio.picture import Shot, stamp


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

    def zoom(self, t_seconds: float, nearness: float) -> float:
        """How much larger a plane is than at the start."""
        return 1.0 + 0.34 * nearness * self.share(t_seconds)

    def margin(self, nearness: float) -> float:
        """Share of the frame's width that a plane is painted beyond each side, so that the camera may travel."""
        return (0.03 + 0.215 * nearness) * self.reach / self.width


@dataclass(frozen=True)
class Layer:
    """Sprite as wide as the frame and both margins, whose first row lies at frame row `top`."""

    picture: Image.Image
    top: float
    nearness: float

    def paint(self, frame: Image.Image, camera: Camera, t_seconds: float) -> None:
        """Draw onto a frame, down to the horizon, at sub-pixel position."""
        zoom = camera.zoom(t_seconds, self.nearness)
        centre = camera.width / 2.0
        left = self.picture.width / 2.0 - (centre + camera.shift(t_seconds, self.nearness)) / zoom
        first = max(0, int(camera.horizon + (self.top - camera.horizon) * zoom) + 1)
        rows = camera.horizon - first
        if rows < 1:
            return
        upper = camera.horizon - rows / zoom - self.top
        right, lower = min(float(self.picture.width), left + camera.width / zoom), upper + rows / zoom
        box = max(0.0, left), max(0.0, upper), right, min(lower, float(self.picture.height))
        part = self.picture.resize((camera.width, rows), Image.Resampling.BILINEAR, box=box)
        stamp(frame, part, (0, first))
