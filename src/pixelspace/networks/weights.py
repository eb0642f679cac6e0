"""ImageNet weights for EfficientNet-Lite0, from a file that holds plain arrays."""

import os
from pathlib import Path

import keras
import numpy as np

from pixelspace.errors import UserError
from pixelspace.files import file_hash

SHA256 = "6ac653706c16a29ca77c43b210fd29f64f91d5725ecdaeeb0aab08f48166423f"
"""Of the one file of weights that `tools/convert_efficientnet.py` writes."""

CLASSIFIER = "logits"


def load_imagenet(model: keras.Model, path: str | os.PathLike, *, classifier: bool = False) -> None:
    """Give an EfficientNet-Lite0 of any input size its ImageNet weights, in place.

    Args:
        path: an npz file with one array for each variable, named ``layer/variable``.
        classifier: also load the layer that names ImageNet's 1,000 classes, which the model
            must then have; otherwise the model keeps its own.

    Raises:
        UserError: if the file is missing or is not the one that is expected.
    """
    with np.load(_verified(Path(path)), allow_pickle=False) as arrays:
        for layer in model.layers:
            if layer.name != CLASSIFIER or classifier:
                for variable in layer.weights:
                    variable.assign(arrays[f"{layer.name}/{variable.name}"])


def _verified(path: Path) -> Path:
    restore = f"restore it with: git checkout -- {path}"
    if not path.is_file():
        raise UserError(f"{path}: missing; {restore}")
    found = file_hash(path)
    if found != SHA256:
        raise UserError(f"{path}: altered: SHA-256 is {found}, expected {SHA256}; {restore}")
    return path
