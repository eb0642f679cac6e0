"""Projections onto pixel space; each name is imported when it is first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "atlas": ["fields", "sampled_vectors"],
        "backward": ["backward_pass", "deconvnet", "gradient", "guided_backpropagation"],
        "class_maps": ["grad_cam", "grad_cam_plus_plus"],
        "dream": ["deep_dream"],
        "feature_maps": ["layer_outputs"],
        "gradients": ["gradient_times_input", "integrated_gradients", "smooth_grad"],
        "images": ["Fourier", "Pixels"],
        "inversion": ["caricature", "invert"],
        "maco": ["Phases", "spectrum_of"],
        "maximization": ["maximize"],
        "objectives": [
            "channel",
            "code",
            "direction",
            "diversity",
            "layer",
            "likeness",
            "logit",
            "unit",
        ],
        "occlusion": ["occlusion_map"],
        "randomized": ["cascade", "twin", "untrained"],
        "receptive_fields": ["receptive_field"],
        "regularizers": ["L2", "Blur", "TotalVariation"],
        "top_patches": ["boxes", "crop", "strongest_patches"],
        "transforms": ["GENTLE", "ROBUST", "Jitter", "Pad", "Roll", "Rotate", "Scale"],
        "tsne": ["layout"],
        "weights": ["expected_response", "project_weights"],
    },
)
