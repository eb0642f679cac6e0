"""EfficientNet-Lite0, a network for small devices, in sixteen blocks ``b0`` to ``b15``.

It is EfficientNet-B0 (Tan and Le 2019, arXiv:1905.11946) with ReLU6 for swish, and without
squeeze-excitation.
"""

from typing import NamedTuple

from pixelspace.errors import UserError
from pixelspace.networks.layers import Layer, chain


class Stage(NamedTuple):
    """Blocks of one shape. The first has the stage's stride, and sets its number of channels."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STEM_CHANNELS = 32
STAGES = (
    Stage(blocks=1, kernel=3, stride=1, expansion=1, channels=16),
    Stage(blocks=2, kernel=3, stride=2, expansion=6, channels=24),
    Stage(blocks=2, kernel=5, stride=2, expansion=6, channels=40),
    Stage(blocks=3, kernel=3, stride=2, expansion=6, channels=80),
    Stage(blocks=3, kernel=5, stride=1, expansion=6, channels=112),
    Stage(blocks=4, kernel=5, stride=2, expansion=6, channels=192),
    Stage(blocks=1, kernel=3, stride=1, expansion=6, channels=320),
)
HEAD_CHANNELS = 1280


def layers(
    *, input_shape: tuple[int, int, int], classes: int, dropout: float = 0.2
) -> tuple[Layer, ...]:
    """Describe the network for colour images with values from 0 to 255, of any size.

    Raises:
        UserError: if the images do not have three channels.
    """
    if input_shape[2] != 3:
        raise UserError(
            f"network efficientnet: needs colour images, these have {input_shape[2]} channel(s); "
            "choose another network or data set"
        )
    return chain(
        [
            Layer("input", "input", shape=input_shape),
            # (x - 127) / 128, as in the training of the original
            Layer("rescale", "rescaling", scale=1 / 128, offset=-127 / 128),
            *_convolution("stem", units=STEM_CHANNELS, kernel=3, stride=2),
            *_blocks(),
            *_convolution("head", units=HEAD_CHANNELS),
            Layer("avgpool", "average_pool"),
            Layer("dropout", "dropout", rate=dropout),
            Layer("logits", "dense", units=classes),
            Layer("probabilities", "softmax"),
        ]
    )


def _convolution(name: str, **window: int) -> list[Layer]:
    return [
        Layer(f"{name}_conv", "conv", bias=False, **window),
        Layer(f"{name}_bn", "batchnorm"),
        Layer(f"{name}_relu", "relu6"),
    ]


def _blocks() -> list[Layer]:
    blocks: list[Layer] = []
    before, channels = "stem_relu", STEM_CHANNELS
    shapes = (
        stage if first else stage._replace(stride=1)
        for stage in STAGES
        for first in (True, *[False] * (stage.blocks - 1))
    )
    for number, stage in enumerate(shapes):
        name = f"b{number}"
        blocks += _block(name, stage, before, channels)
        before, channels = f"{name}_out", stage.channels
    return blocks


def _block(name: str, stage: Stage, before: str, channels: int) -> list[Layer]:
    """Widen the channels, filter each by itself, and mix them to fewer; skip where shapes allow.

    The block's output is linear: no ReLU follows it.
    """
    widen = _convolution(f"{name}_expand", units=channels * stage.expansion)
    skip = stage.stride == 1 and stage.channels == channels
    return [
        *(widen if stage.expansion > 1 else []),
        Layer(f"{name}_dw_conv", "depthwise", kernel=stage.kernel, stride=stage.stride, bias=False),
        Layer(f"{name}_dw_bn", "batchnorm"),
        Layer(f"{name}_dw_relu", "relu6"),
        Layer(f"{name}_project_conv", "conv", units=stage.channels, bias=False),
        Layer(f"{name}_project_bn", "batchnorm"),
        Layer(f"{name}_out", "add", inputs=(f"{name}_project_bn", before))
        if skip
        else Layer(f"{name}_out", "identity"),
    ]
