"""Projections onto pixel space; each name is imported when it is first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "backward": ["backward", "deconvnet", "gradient", "guided_backpropagation"],
    },
)
