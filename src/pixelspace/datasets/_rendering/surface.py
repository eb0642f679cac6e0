"""A surface being painted: what it is made of, before light falls on it."""

from dataclasses import dataclass, field

import numpy as np

from pixelspace.datasets._rendering.canvas import Canvas, Window


@dataclass
class Surface:
    """Colours ``albedo`` ``(3, height, width)``, ``height`` and ``gloss``, all changed in place.

    ``parts`` decide the class: for each, how deep inside it a pixel is, 0 outside and at most 1.
    They are painted with opacity ``strength``.
    """

    canvas: Canvas
    albedo: np.ndarray
    height: np.ndarray
    gloss: np.ndarray
    strength: float = 1.0
    parts: dict[str, np.ndarray] = field(default_factory=dict)

    def paint(self, window: Window, cover, colour, gloss=0.05, rise=0.0) -> None:
        """Lay ``colour`` over a window of the surface where ``cover`` is 1, raised by ``rise``."""
        albedo = self.albedo[:, *window]
        albedo += cover * (colour - albedo)
        self.gloss[window] += cover * (gloss - self.gloss[window])
        self.height[window] += cover * rise

    def hide(self, window: Window, cover: np.ndarray) -> None:
        """Take away what ``cover`` covers from the parts known so far."""
        for part in self.parts.values():
            part[window][cover >= 0.5] = 0

    def paint_part(self, name, window: Window, cover, depth, colour, gloss=0.05, rise=0.0) -> None:
        """Paint a part, over any others; ``depth`` is 0 at its outline and grows inwards."""
        self.paint(window, self.strength * cover, colour, gloss, rise)
        self.hide(window, cover)
        part = self.parts.setdefault(name, np.zeros(self.height.shape))
        part[window] += (cover >= 0.5) * np.clip(depth, 0.01, 1)

    def swell(self, x, y, width, height, angle, rise, colour, tinge) -> None:
        """Raise a smooth elliptic mound, its middle tinged with a colour."""
        window = self.canvas.window(x, y, max(width, height))
        right, down = self.canvas.frame(x, y, angle, window)
        profile = np.sqrt(np.maximum(1 - (right / width) ** 2 - (down / height) ** 2, 0))
        self.height[window] += rise * profile
        albedo = self.albedo[:, *window]
        albedo += tinge * profile * (colour - albedo)
