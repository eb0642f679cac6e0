"""Record what captum, on PyTorch, computes for two networks, as a reference for `projections`.

Run once, by hand, from the repository's root, as ``python tools/make_golden_attributions.py`` in an
environment of its own that has torch 2.13.0, captum 0.9.0, grad-cam 1.5.5 and numpy 2.4.6;
`tools/README.md` says how to make it.

Writes ``tests/golden/attributions.npz``: for each network its images, its settings and what comes
of them by each method, in float64 but for captum's occlusion, which is in float32; and the weights
of the small one. Images and maps are ``(n, height, width, channels)``, kernels
``(height, width, inputs, outputs)``. Captum has no Grad-CAM++; how much a channel weighs there is
asked of the package grad-cam.

Captum's guided backpropagation and deconvolution know a rectifier by its being a module of class
`nn.ReLU`, called once. For any other they silently give the plain gradient; hence `ReLU6`, one
for each call, and the check that their values do differ.
"""

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from captum import attr
from torch import nn
from torch.nn import functional

# grad-cam asks for torchvision, whose compiled part must fit PyTorch's; what is used here does not
sys.modules.update({name: mock.Mock() for name in ("torchvision", "torchvision.transforms")})
from pytorch_grad_cam import GradCAMPlusPlus  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
DEEP_WEIGHTS = ROOT / "data" / "efficientnet_lite0" / "weights.npz"
BLOCKS = 16
NOISY = 4
UNIT = 1e6
SPREAD = 0.1
STRIDED_BLOCKS = (1, 3, 5, 11)

SETTINGS = {
    "small": {
        "classes": (0, 1, 2),
        "layer": "conv2",
        "unit": 3,
        "position": (1, 2),
        "map": "relu2",
        "baseline": 0.25,
        "steps": 20,
        "window": (3, 4),
        "stride": (2, 3),
        "fill": -0.5,
    },
    "deep": {
        "classes": (151, 954),
        "layer": "b10_out",
        "unit": 17,
        "position": (1, 2),
        "map": "head_relu",
        "baseline": 30.0,
        "steps": 8,
        "window": (15, 20),
        "stride": (10, 16),
        "fill": 127.0,
    },
}
"""Classes, one for each image; the layer, unit and position of a neuron; the map of Grad-CAM; the
baseline and steps of integrated gradients; the window, stride and fill of occlusion, whose windows
the border cuts off."""


class ReLU6(nn.ReLU):
    """A rectifier with a ceiling that captum takes for a ReLU."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu6(x)


def small_weights() -> dict[str, np.ndarray]:
    """Return made-up weights, named ``layer/variable``."""
    generator = np.random.default_rng(2)
    shapes = {"conv1": (3, 3, 2, 6), "conv2": (2, 3, 6, 5), "logits": (2 * 2 * 5, 3)}
    weights = {}
    for name, shape in shapes.items():
        weights[f"{name}/kernel"] = generator.normal(size=shape) / np.sqrt(np.prod(shape[:-1]))
        weights[f"{name}/bias"] = generator.normal(size=shape[-1]) / 4
    return weights


class Small(nn.Module):
    """Two convolutions, each with a ReLU and max-pooling, first in windows that overlap."""

    def __init__(self, weights: dict[str, np.ndarray]):
        super().__init__()
        self.conv1 = convolution(weights["conv1/kernel"], weights["conv1/bias"], padding=1)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(3, stride=2)
        self.conv2 = convolution(weights["conv2/kernel"], weights["conv2/bias"])
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.logits = dense(weights)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool1(self.relu1(self.conv1(x)))
        x = self.pool2(self.relu2(self.conv2(x)))
        return self.logits(channels_last(x).flatten(1))


class Deep(nn.Module):
    """EfficientNet-Lite0 from the converted weights, with the layers named as there."""

    def __init__(self, weights: dict[str, np.ndarray]):
        super().__init__()
        self.layers = nn.ModuleDict()
        self._add("stem", weights, stride=2)
        for i in range(BLOCKS):
            if f"b{i}_expand_conv/kernel" in weights:
                self._add(f"b{i}_expand", weights)
            self._add(f"b{i}_dw", weights, stride=2 if i in STRIDED_BLOCKS else 1)
            self._add(f"b{i}_project", weights)
            self.layers[f"b{i}_out"] = nn.Identity()
        self._add("head", weights)
        self.layers["logits"] = dense(weights)

    def _add(self, name: str, weights: dict[str, np.ndarray], stride: int = 1) -> None:
        kernel = weights[f"{name}_conv/kernel"]
        if name.endswith("dw"):
            kernel, groups = kernel.swapaxes(2, 3), kernel.shape[2]
        else:
            groups = 1
        self.layers[f"{name}_conv"] = convolution(kernel, stride=stride, groups=groups)
        self.layers[f"{name}_bn"] = normalization(weights, f"{name}_bn")
        if not name.endswith("project"):
            self.layers[f"{name}_relu"] = ReLU6()

    def _run(self, name: str, x: torch.Tensor) -> torch.Tensor:
        window = self.layers[f"{name}_conv"]
        x = self.layers[f"{name}_bn"](window(padded(x, window.kernel_size[0], window.stride[0])))
        return self.layers[f"{name}_relu"](x) if f"{name}_relu" in self.layers else x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self._run("stem", (x - 127) / 128)
        for i in range(BLOCKS):
            wide = self._run(f"b{i}_expand", x) if f"b{i}_expand_conv" in self.layers else x
            found = self._run(f"b{i}_project", self._run(f"b{i}_dw", wide))
            x = self.layers[f"b{i}_out"](found + x if found.shape == x.shape else found)
        return self.layers["logits"](self._run("head", x).mean((2, 3)))


def padded(x: torch.Tensor, kernel: int, stride: int) -> torch.Tensor:
    """Pad as TensorFlow's ``same`` does: what is odd of it at the end."""
    pads = []
    for length in reversed(x.shape[2:]):
        total = max((-(-length // stride) - 1) * stride + kernel - length, 0)
        pads += [total // 2, total - total // 2]
    return functional.pad(x, pads)


def convolution(kernel: np.ndarray, bias: np.ndarray | None = None, groups: int = 1, **window):
    height, width, inputs, outputs = kernel.shape
    layer = nn.Conv2d(
        inputs * groups, outputs, (height, width), groups=groups, bias=bias is not None, **window
    )
    assign(layer.weight, kernel.transpose(3, 2, 0, 1))
    if bias is not None:
        assign(layer.bias, bias)
    return layer


def dense(weights: dict[str, np.ndarray]) -> nn.Linear:
    layer = nn.Linear(*weights["logits/kernel"].shape)
    assign(layer.weight, weights["logits/kernel"].T)
    assign(layer.bias, weights["logits/bias"])
    return layer


def normalization(weights: dict[str, np.ndarray], name: str) -> nn.BatchNorm2d:
    layer = nn.BatchNorm2d(len(weights[f"{name}/gamma"]), eps=1e-3)
    assign(layer.weight, weights[f"{name}/gamma"])
    assign(layer.bias, weights[f"{name}/beta"])
    assign(layer.running_mean, weights[f"{name}/moving_mean"])
    assign(layer.running_var, weights[f"{name}/moving_variance"])
    return layer


def assign(tensor: torch.Tensor, values: np.ndarray) -> None:
    assert tensor.shape == values.shape
    tensor.data = torch.from_numpy(np.ascontiguousarray(values, np.float64))


def channels_first(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images.transpose(0, 3, 1, 2).copy())


def noisy_gradient(
    network: nn.Module, x: torch.Tensor, classes: torch.Tensor, noise: np.ndarray
) -> torch.Tensor:
    """Return the mean gradient at copies of the images with a share of ``noise`` each."""
    span = x.amax((1, 2, 3), keepdim=True) - x.amin((1, 2, 3), keepdim=True)
    copies = (x + SPREAD * span * own for own in channels_first(noise))
    gradients = [attr.Saliency(network).attribute(copy, classes, abs=False) for copy in copies]
    return torch.stack(gradients).mean(0)


def grad_cam_plus_plus(
    network: nn.Module, layer: nn.Module, x: torch.Tensor, classes: torch.Tensor
) -> torch.Tensor:
    """Return the small maps ``(n, 1, rows, columns)`` by the weights of the package grad-cam."""
    maps = attr.LayerActivation(network, layer).attribute(x)
    product = attr.LayerGradientXActivation(network, layer).attribute(x, classes)
    slopes = []
    handle = layer.register_full_backward_hook(lambda _, __, slope: slopes.append(slope[0]))
    network(x.clone().requires_grad_()).gather(1, classes[:, None]).sum().backward()
    handle.remove()
    assert torch.allclose(slopes[0] * maps, product)
    # The package adds 1e-6 to a denominator. In these units, which change nothing else, it is lost.
    maps_there, slopes_there = (maps / UNIT).detach().numpy(), (slopes[0] * UNIT).numpy()
    weights = GradCAMPlusPlus.get_cam_weights(*[None] * 4, maps_there, slopes_there) / UNIT
    return (torch.from_numpy(weights)[:, :, None, None] * maps).sum(1, keepdim=True).relu()


def channels_last(maps: torch.Tensor) -> torch.Tensor:
    return maps.permute(0, 2, 3, 1)


def attributions(
    network: nn.Module,
    images: np.ndarray,
    layers: dict[str, nn.Module],
    settings: dict,
    noise: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return what each method makes of the images."""
    x = channels_first(images)
    classes = torch.tensor(settings["classes"])
    layer = layers[settings["layer"]]
    neuron = (settings["unit"], *settings["position"])
    channel = (settings["unit"], slice(None), slice(None))
    found = {
        "gradient": attr.Saliency(network).attribute(x, classes, abs=False),
        "gradient_times_input": attr.InputXGradient(network).attribute(x, classes),
        "smooth_grad": noisy_gradient(network, x, classes, noise),
        "deconvnet": attr.Deconvolution(network).attribute(x, classes),
        "guided": attr.GuidedBackprop(network).attribute(x, classes),
        "neuron_gradient": attr.NeuronGradient(network, layer).attribute(x, neuron),
        "neuron_deconvnet": attr.NeuronDeconvolution(network, layer).attribute(x, neuron),
        "neuron_guided": attr.NeuronGuidedBackprop(network, layer).attribute(x, neuron),
        "channel_deconvnet": attr.NeuronDeconvolution(network, layer).attribute(x, channel),
    }
    found["integrated_gradients"], gap = attr.IntegratedGradients(network).attribute(
        x,
        settings["baseline"],
        classes,
        n_steps=settings["steps"],
        method="gausslegendre",
        return_convergence_delta=True,
    )
    # one weight for all channels of a pixel, as all are covered at once
    found["occlusion"] = attr.Occlusion(network).attribute(
        x,
        (x.shape[1], *settings["window"]),
        (x.shape[1], *settings["stride"]),
        settings["fill"],
        classes,
    )[:, :1]
    small_map = attr.LayerGradCam(network, layers[settings["map"]]).attribute(
        x, classes, relu_attributions=True
    )
    found["grad_cam"] = attr.LayerAttribution.interpolate(small_map, x.shape[2:], "bilinear")
    small_map = grad_cam_plus_plus(network, layers[settings["map"]], x, classes)
    found["grad_cam_plus_plus"] = attr.LayerAttribution.interpolate(
        small_map, x.shape[2:], "bilinear"
    )
    maps = {name: channels_last(tensor).detach().numpy() for name, tensor in found.items()}
    one_each = {"logits": network(x), "integrated_gradients_gap": gap}
    return maps | {name: tensor.detach().numpy() for name, tensor in one_each.items()}


def check(name: str, found: dict[str, np.ndarray]) -> None:
    """Check that the values could tell a wrong method from the right one, and print how well."""
    for start in ("", "neuron_"):
        plain = found[f"{start}gradient"]
        for policy in ("deconvnet", "guided"):
            change = np.abs(found[f"{start}{policy}"] - plain).max() / np.abs(plain).max()
            print(f"{name}: {start}{policy} differs from the gradient by {change:.3g} of its scale")
            assert change > 0.1
    for method, values in found.items():
        assert values.reshape(len(values), -1).any(1).all(), f"{name}: {method} is zero"


def shares_cut(network: nn.Module, images: np.ndarray) -> tuple[float, float]:
    """Return the shares of what reaches ReLU6 that are cut, below at 0 and above at 6."""
    seen = []
    rectifiers = [module for module in network.modules() if isinstance(module, ReLU6)]
    hooks = [
        r.register_forward_hook(lambda _, x, __: seen.append(x[0].ravel())) for r in rectifiers
    ]
    network(channels_first(images))
    for hook in hooks:
        hook.remove()
    values = torch.cat(seen)
    return (values < 0).double().mean().item(), (values > 6).double().mean().item()


def main() -> None:
    """Write the file."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    weights = small_weights()
    small = Small(weights).double().eval()
    with np.load(DEEP_WEIGHTS, allow_pickle=False) as arrays:
        deep = Deep(dict(arrays)).double().eval()
    generator = np.random.default_rng(21)
    images = {
        "small": generator.normal(size=(3, 11, 14, 2)),
        "deep": generator.integers(0, 256, (2, 48, 64, 3)).astype(np.float64),
    }
    below, above = shares_cut(deep, images["deep"])
    print(f"deep: {below:.1%} of what reaches ReLU6 is cut at 0, {above:.1%} at 6")
    golden = {f"small/weights/{name}": values for name, values in weights.items()}
    for name, network, layers in (
        ("small", small, dict(small.named_modules())),
        ("deep", deep, deep.layers),
    ):
        noise = generator.standard_normal((NOISY, *images[name].shape[1:]), np.float32)
        found = attributions(network, images[name], layers, SETTINGS[name], noise)
        check(name, found)
        golden |= {f"{name}/images": images[name], f"{name}/noise": noise}
        golden |= {f"{name}/settings/spread": np.array(SPREAD)}
        golden |= {f"{name}/settings/{key}": np.array(v) for key, v in SETTINGS[name].items()}
        golden |= {f"{name}/{key}": values for key, values in found.items()}
    path = ROOT / "tests" / "golden" / "attributions.npz"
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(path, **golden)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
