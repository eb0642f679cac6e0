"""Projections onto pixel space; each name is imported when it is first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "backward": ["backward_pass", "deconvnet", "gradient", "guided_backpropagation"],
        "dream": ["deep_dream"],
        "feature_maps": ["layer_outputs"],
        "images": ["Fourier", "Pixels"],
        "maximization": ["maximize"],
        "objectives": ["channel", "direction", "diversity", "layer", "logit", "unit"],
        "receptive_fields": ["receptive_field"],
        "top_patches": ["strongest_patches"],
        "weights": ["expected_response", "project_weights"],
    },
)
