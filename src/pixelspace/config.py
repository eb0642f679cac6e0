"""The configuration: every key with its type, bounds, default and meaning.

Where the user chooses between alternatives (a data source, a kind of network, a training recipe),
the choice is one key and every alternative has a section of its own beside it, so that an overlay
changes the choice without touching the rest.
"""

import difflib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from importlib import import_module
from itertools import chain, product
from operator import getitem, lt
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args

import yaml
from pydantic import Field, ValidationError, create_model, model_validator

from pixelspace.errors import UserError
from pixelspace.files import portable
from pixelspace.keys import can_be_typeset, key_lines
from pixelspace.networks.layers import Layer, output_shapes
from pixelspace.settings import (
    UNKNOWN,
    Count,
    Fraction,
    Images,
    Name,
    NotNegative,
    Positive,
    Section,
    Units,
    brought,
)

OWN_FOLDERS = (
    *("benchmarks", "config", "data", "docs", "profiles", "report"),
    *("scripts", "src", "tests", "tools", "workflow"),
)
RESERVED = ("figures", "machine", "logs", "points", "sweeps", "sweep", "explorer", "units")
SUBJECTS = ("samples", "training", "diagram", "projections")
MOST_NETWORKS = 100_000  # of all sweeps: each is checked and planned at every start
SSIM_SIDE = 11  # pixels of the window of measures.ssim


def with_brought(
    choice: type[Section], key: str, sections: Mapping[str, type[Section]]
) -> type[Section]:
    """Return a choice that has more to choose between: sections that modules bring, by name."""
    known = get_args(choice.model_fields[key].annotation)
    fields = {name: (section, section()) for name, section in sections.items()}
    names = Literal[*known, *sections]
    return create_model(choice.__name__, __base__=choice, **{key: (names, ...)}, **fields)


def of_kinds(base: type[Section], package: str) -> list[type[Section]]:
    """Return the sections that modules of a package bring; the `kind` of each is its module."""
    return [
        create_model(section.__name__, __base__=(section, base), kind=(Literal[name], ...))
        for name, section in brought(package).items()
    ]


class Efl(Section):
    """Letters E, F and L on a small grid with noise."""

    rows: int = Field(9, ge=5, le=64, description="height of the grid in pixels")
    columns: int = Field(7, ge=4, le=64, description="width of the grid in pixels")
    images_per_class: Count = Field(2000, description="training images of each letter")
    validation_per_class: Count = Field(500, description="validation images of each letter")
    test_per_class: Count = Field(500, description="test images of each letter")
    noise: NotNegative = Field(0.2, description="standard deviation of the Gaussian noise")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.rows, self.columns, 1

    @property
    def classes(self) -> tuple[str, ...]:
        return "E", "F", "L"

    @property
    def test_images(self) -> float:
        return 3 * self.test_per_class


class Mnist(Section):
    """Handwritten digits, from the four original IDX files."""

    folder: str = Field("data/mnist", description="where the gzipped IDX files lie")
    validation: int = Field(
        5000, ge=10, le=59_000, description="images held out of the 60,000 for validation"
    )
    train: int | None = Field(
        None, ge=10, le=59_990, description="how many of the others to train on; null takes all"
    )

    @model_validator(mode="after")
    def _share_the_images(self):
        if self.validation + (self.train or 0) > 60_000:
            raise ValueError("validation and train together exceed the 60,000 training images")
        return self

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return 28, 28, 1

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple("0123456789")

    @property
    def test_images(self) -> float:
        return 10_000


class Colour(Section):
    """What the three sources of colour images share."""

    size: int = Field(128, ge=32, le=512, description="height and width in pixels")
    validation: Fraction = Field(0.2, gt=0, description="share of the images held out to validate")
    test: Fraction = Field(0.2, gt=0, description="share of the images held out to test")
    large_per_class: Count = Field(4, description="test images kept at a larger size, for dreams")
    large_size: int = Field(320, ge=32, le=1024, description="their height and width in pixels")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        return self.size, self.size, 3

    @property
    def test_images(self) -> float:
        return math.inf  # how many photographs there are is known when they have been read

    @model_validator(mode="after")
    def _leave_some_to_train(self):
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together must leave images to train on")
        return self


class Rendered(Colour):
    """Dogs, muffins and fried chicken, drawn by a seeded generator with masks of their parts."""

    images: int = Field(
        3000, ge=30, lt=10**7, description="images in all, the same number of each class"
    )
    difficulty: float = Field(0.15, ge=0, le=1, description="share of them that are made hard")

    @property
    def classes(self) -> tuple[str, ...]:
        return "dog", "muffin", "chicken"

    @property
    def test_images(self) -> float:
        return 3 * round(self.images // 3 * self.test)

    @model_validator(mode="after")
    def _have_the_large_ones(self):
        if 3 * self.large_per_class > self.test_images:
            raise ValueError(
                f"large_per_class is at most {round(self.test_images // 3)}, the test images of a "
                "class"
            )
        return self


class Folder(Colour):
    """Photographs in a directory with one subfolder for each class."""

    path: str | None = Field(
        None, description="the directory; null takes the top-level key `photos`"
    )
    skip_unreadable: int = Field(0, ge=0, description="how many files may fail to decode")

    @property
    def classes(self) -> tuple[str, ...]:
        folder = import_module("pixelspace.datasets.folder")
        return folder.find(self.path)[0]


class Git(Colour):
    """Photographs in a git repository, at one commit, with their labels in a CSV file."""

    repository: str = Field("", description="https, ssh or file URL, or a local path")
    commit: str = Field("", description="the full hash of the commit, 40 hexadecimal digits")
    images: str = Field("", description="the folder of the images inside the repository")
    labels: str = Field("", description="the CSV file of the labels inside the repository")
    class_names: dict[str | int, str] = Field({}, description="the class that a label stands for")
    cache: str = Field("data/cache", description="where the fetched files are kept")
    skip_unreadable: int = Field(0, ge=0, description="how many files may fail to decode")

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.class_names.values()))


class DatasetChoice(Section):
    """Which images: the source, and a section for each source."""

    source: Literal["efl", "mnist", "rendered", "folder", "git"]
    efl: Efl = Efl()
    mnist: Mnist = Mnist()
    rendered: Rendered = Rendered()
    folder: Folder = Folder()
    git: Git = Git()

    @property
    def chosen(self) -> Section:
        return getattr(self, self.source)


DatasetChoice = with_brought(DatasetChoice, "source", brought("datasets"))


class Perceptron(Section):
    """One hidden layer of ReLU nodes; no biases."""

    hidden: int = Field(2, ge=1, le=64, description="nodes of the hidden layer")


class Cnn(Section):
    """Convolution, ReLU and max-pooling, as often as `filters` says; then a dense layer."""

    filters: list[Count] = Field([16, 32], min_length=1, max_length=6, description="per layer")
    kernel: int = Field(5, ge=1, le=15, description="height and width of a kernel in pixels")
    padding: Literal["same", "valid"] = Field(
        "same", description="zeros around the maps, to keep their size; or valid: none"
    )
    dense: Count = Field(128, description="nodes of the fully connected layer")
    dropout: Fraction = Field(0.4, description="share of these nodes left out while training")
    activation: Literal["sigmoid", "softmax"] = Field("sigmoid", description="of the outputs")


class EfficientNet(Section):
    """EfficientNet-Lite0 with a new head; its size is fixed by the weights that it loads."""


class NetworkChoice(Section):
    """Which network: the kind, and a section for each kind."""

    kind: Literal["perceptron", "cnn", "efficientnet"]
    perceptron: Perceptron = Perceptron()
    cnn: Cnn = Cnn()
    efficientnet: EfficientNet = EfficientNet()

    @property
    def chosen(self) -> Section:
        return getattr(self, self.kind)


NetworkChoice = with_brought(NetworkChoice, "kind", brought("networks"))


class Restarts(Section):
    """Many small networks trained side by side; the best by validation loss is kept."""

    restarts: int = Field(32, ge=1, le=4096, description="networks trained side by side")
    epochs: Count = Field(8, description="passes over the training images")
    batch: Count = Field(64, description="images in one step")
    learning_rate: Positive = Field(0.01, description="of Adam")
    l1: NotNegative = Field(1e-3, description="weight of the L1 penalty on the hidden layer")
    initialization: Literal["absolute_glorot", "glorot", "he"] = Field(
        "absolute_glorot", description="distribution of the first hidden weights"
    )


class Scratch(Section):
    """Training from random weights with Adam and a cosine schedule."""

    epochs: Count = Field(5, description="passes over the training images")
    batch: Count = Field(64, description="images in one step")
    learning_rate: Positive = Field(0.005, description="of Adam, before the schedule lowers it")
    shift: int = Field(1, ge=0, le=16, description="random shift of an image, at most, in pixels")
    flip: bool = Field(False, description="mirror every other image left to right")


class Transfer(Section):
    """A new head on a frozen network trained on ImageNet."""

    weights: str = Field(
        "data/efficientnet_lite0/weights.npz", description="the file of the ImageNet weights"
    )
    epochs: Count = Field(30, description="passes of the head over the features")
    batch: Count = Field(64, description="images in one step")
    learning_rate: Positive = Field(0.005, description="of Adam, for the head")
    l2: NotNegative = Field(1e-4, description="weight of the L2 penalty on the head")
    fine_tune_blocks: int = Field(0, ge=0, le=16, description="last blocks trained further")
    fine_tune_epochs: Count = Field(1, description="passes over the images to train these")


class Untrained(Section):
    """No training: the weights stay random."""


class TrainingChoice(Section):
    """How to train: the recipe, and a section for each recipe."""

    recipe: Literal["restarts", "scratch", "transfer", "untrained"]
    restarts: Restarts = Restarts()
    scratch: Scratch = Scratch()
    transfer: Transfer = Transfer()
    untrained: Untrained = Untrained()

    @property
    def chosen(self) -> Section:
        return getattr(self, self.recipe)


CLASS_MAPS = ("grad_cam", "grad_cam_plus_plus")
CLASS_LAYERS = ("logits", "probabilities")
Method = Literal[
    "gradient",
    "gradient_times_input",
    "smooth_grad",
    "integrated_gradients",
    "deconvnet",
    "guided",
    *CLASS_MAPS,
    "occlusion",
]


class Weights(Section):
    """Weight projection of one layer."""

    kind: Literal["weights"]
    layer: str = Field(description="a layer of the network")
    units: Units = 16


class Faults(Section):
    """Filters of a convolution in the order in which their pictures condemn them."""

    kind: Literal["faults"]
    layer: str = Field(description="a convolutional layer of the network")


class FeatureMaps(Section):
    """What some layers make of one image."""

    kind: Literal["feature_maps"]
    layers: list[str] = Field(min_length=1, description="layers of the network, in order")
    units_per_layer: Units = 8
    image: int = Field(0, ge=0, description="number of the test image, counted from 0")


class TopPatches(Section):
    """The image patches that excite a unit most."""

    kind: Literal["top_patches"]
    layer: str = Field(description="a layer of the network")
    units: Units = 4
    k: Count = Field(9, description="patches for each unit")


class Deconvolutions(TopPatches):
    """The image patches that excite a unit most, and what of them the unit goes back to."""

    kind: Literal["deconvolutions"]
    policy: Literal["deconvnet", "guided", "gradient"] = Field(
        "deconvnet", description="the way back"
    )


class HardImages(Section):
    """The test images that the network is wrong about, and nearly so."""

    kind: Literal["hard_images"]
    images: Count = Field(6, description="images of each, at most")


class Part(Section):
    """An addend of an objective: a unit of a layer, a direction in it, or else all of it."""

    layer: str = Field(description="a layer of the network")
    unit: int | None = Field(None, ge=0, description="number of a unit, counted from 0")
    direction: list[float] | None = Field(None, description="a number for each unit of the layer")
    factor: float = Field(1.0, allow_inf_nan=False, description="negative for what is to shrink")


class Change(Section):
    """One random change of an image before each step."""

    pad: int | None = Field(None, ge=1, description="pixels of grey around the image")
    jitter: int | None = Field(None, ge=1, description="shift, at most, in pixels")
    roll: int | None = Field(None, ge=1, description="shift, at most, around the borders")
    rotate: Positive | None = Field(None, description="turn, at most, in degrees")
    scale: list[Positive] | None = Field(
        None, min_length=2, max_length=2, description="smallest and largest growth"
    )


class Maximization(Section):
    """Images made to excite units of a layer; `logits` are the classes before the softmax."""

    kind: Literal["maximization"]
    layer: str | None = Field(None, description="a layer of the network")
    units: Units = 8
    objectives: list[Annotated[list[Part], Field(min_length=1)]] | None = Field(
        None, min_length=1, description="in the place of layer and units, sums of parts"
    )
    cell: Literal["mean", "middle"] = Field("mean", description="of a unit's map, what is to grow")
    variants: int = Field(1, ge=1, le=16, description="images for each unit")
    diversity: NotNegative = Field(0.0, description="weight of what makes variants differ")
    image: Literal["fourier", "pixels"] = Field("fourier", description="what is optimized")
    size: list[Annotated[int, Field(ge=8, le=1024)]] | None = Field(
        None, min_length=2, max_length=2, description="height and width; null for the network's own"
    )
    grey: bool = Field(False, description="grey images for a network of colours")
    transforms: (
        Literal["robust", "gentle", "none"] | Annotated[list[Change], Field(min_length=1)] | None
    ) = Field(None, description="random changes before each step; null chooses by the image's size")
    total_variation: NotNegative = Field(0.0, description="weight of neighbours' differences")
    l2: NotNegative = Field(0.0, description="weight of the distance from black")
    blur: NotNegative = Field(0.0, description="weight of what a blur would take away")
    steps: Count = Field(256, description="gradient steps")
    rate: Positive = Field(0.05, description="of Adam")


class DepthSeries(Section):
    """Images made to excite units of layer after layer."""

    kind: Literal["depth_series"]
    layers: list[str] = Field(min_length=1, description="layers of the network, in order")
    units_per_layer: Units = 6
    steps: Count = Field(128, description="gradient steps")


class Parametrizations(Section):
    """Images made to excite units and classes, under one regularizer after another."""

    kind: Literal["parametrizations"]
    layer: str = Field(description="a layer of the network")
    units: Units = 8
    starts: int = Field(3, ge=2, le=16, description="images of each class, from different noise")
    diversity: Positive = Field(30.0, description="weight of what makes those differ, at the end")
    steps: Count = Field(128, description="gradient steps")


class Maco(Section):
    """Images made to excite units of a layer, with the spectrum of the training images."""

    kind: Literal["maco"]
    layer: str = Field(description="a layer of the network")
    units: Units = 8
    steps: Count = Field(256, description="gradient steps")


class Attribution(Section):
    """What in some test images speaks for a class, or excites a unit, by several methods."""

    kind: Literal["attribution"]
    methods: list[Method] | None = Field(
        None, min_length=1, description="methods, in order; null for all that there can be"
    )
    images: Images = 4
    layer: str = Field(
        "logits", description="logits or probabilities for classes, or any other layer"
    )
    target: str | int = Field(
        "predicted", description="predicted, label, a class's name, or the number of a unit"
    )
    cell: list[Annotated[int, Field(ge=0)]] | None = Field(
        None, min_length=2, max_length=2, description="row and column in the layer; null for all"
    )
    map_layer: str | None = Field(None, description="the layer of class maps; null for the last")
    steps: Count = Field(50, description="points on the path of integrated gradients")
    baseline: float = Field(0.0, ge=0, le=1, description="where it begins: 0 black, 1 white")
    samples: Count = Field(50, description="noisy copies for SmoothGrad")
    spread: Positive = Field(0.15, description="their noise, as a share of the image's range")
    window: Count | None = Field(
        None, description="side in pixels of what occlusion covers; null for an eighth of the image"
    )


class Randomized(Section):
    """One test image explained by a network, and by the same with weights drawn anew."""

    kind: Literal["randomized"]
    methods: list[Method] = Field(
        ["gradient", "deconvnet", "guided"], min_length=1, description="methods, in order"
    )
    image: int = Field(0, ge=0, description="number of the test image, counted from 0")


class Inversion(Section):
    """Test images made again from what some layers make of them."""

    kind: Literal["inversion"]
    layers: list[str] = Field(min_length=1, description="layers of the network, in order")
    images: Images = 4
    method: Literal["inversion", "caricature"] = Field(
        "inversion", description="the same code, or as much more of it as there can be"
    )
    total_variation: NotNegative = Field(
        0.02, description="weight of neighbours' differences in an inversion"
    )
    steps: Count = Field(256, description="gradient steps")


class Atlas(Section):
    """All that a layer sees in the training images, on one map."""

    kind: Literal["atlas"]
    layer: str = Field(description="a layer of the network")
    grid: int = Field(10, ge=2, le=40, description="fields along each side")
    samples: int = Field(1500, ge=16, le=20_000, description="images that vectors are taken from")
    least: Count = Field(3, description="vectors that a field must have to be shown")
    size: int = Field(96, ge=8, le=512, description="height and width of a field in pixels")
    steps: Count = Field(128, description="gradient steps")


class Dream(Section):
    """An image changed until a layer of the network is strongly excited."""

    kind: Literal["dream"]
    layer: str = Field(description="a layer of the network")
    label: str = Field(description="class of the image to start from")
    index: int = Field(0, ge=0, description="which of the large images of that class")
    channel: int | None = Field(None, ge=0, description="the unit that grows; null for all")
    guide_label: str | None = Field(None, description="class of an image to grow towards")
    guide_index: int = Field(0, ge=0, description="which of the large images of that class")
    octaves: int = Field(4, ge=1, le=12, description="image sizes passed through")
    steps: Count = Field(20, description="gradient steps at each size")
    scale: float = Field(1.4, gt=1, le=4, description="ratio of one size to the one before")
    jitter: int = Field(24, ge=0, le=256, description="random shift at each step, in pixels")
    step: Positive = Field(0.01, description="length of a step, as a share of the value range")
    tile: int | None = Field(
        None, ge=32, description="longest side computed at once, in pixels; null for all"
    )


AnyProjection = Annotated[
    Union[
        Weights,
        Faults,
        FeatureMaps,
        HardImages,
        TopPatches,
        Deconvolutions,
        Maximization,
        DepthSeries,
        Parametrizations,
        Maco,
        Attribution,
        Randomized,
        Inversion,
        Atlas,
        Dream,
        *of_kinds(Section, "projections"),
    ],
    Field(discriminator="kind"),
]


KINDS = tuple(
    get_args(section.model_fields["kind"].annotation)[0]
    for section in get_args(get_args(AnyProjection)[0])
)
"""The kinds of projection, in the order in which a contact sheet shows them."""


class Measure(Section):
    """Numbers about a network: of the one that is shown, or of each that is trained."""

    every_replicate: bool = Field(
        False, description="measure every network, for means and extremes, not the shown one alone"
    )


class LetterParts(Measure):
    """How each hidden node of the perceptron sees the parts of the letters."""

    kind: Literal["letter_parts"]


class CodeFrequency(Measure):
    """How often gradient descent finds the code that the letters suggest, by several recipes."""

    kind: Literal["code_frequency"]
    networks: int = Field(320, ge=1, le=4096, description="networks trained by each recipe")
    restarts: int = Field(
        32, ge=1, le=4096, description="how many of them make a group, of which the best is kept"
    )
    epochs: int = Field(
        8, ge=0, description="passes over the training images; 0 leaves the first weights"
    )
    batch: Count = Field(64, description="images in one step")
    learning_rate: Positive = Field(0.01, description="of Adam")
    l1: Positive = Field(1e-3, description="weight of the L1 penalty in the recipes that have one")

    @model_validator(mode="after")
    def _fill_a_group(self):
        if self.restarts > self.networks:
            raise ValueError("there must be as many networks as restarts, to fill a group")
        return self


class Pruning(Measure):
    """What a small network loses with its filters, by the criterion that chooses them."""

    kind: Literal["pruning"]
    shares: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        [0.25, 0.5, 0.75], min_length=1, description="of each convolution's filters, removed"
    )
    draws: Count = Field(3, description="how often filters are chosen at random")
    epoch_share: float = Field(0.25, gt=0, le=1, description="of an epoch, to train further")
    batch: Count = Field(64, description="images in one step of this training")
    learning_rate: Positive = Field(0.001, description="of Adam, before a cosine lowers it to 0")
    shift: int = Field(1, ge=0, le=16, description="random shift of an image, at most, in pixels")


class Templates(Measure):
    """How well pictures of units, used as templates, predict what the units answer."""

    kind: Literal["templates"]
    layers: list[str] = Field(min_length=1, description="layers of the network, with maps")
    k: Count = Field(9, description="patches that excite a unit most, to make pictures from")
    patches: int = Field(
        4000, ge=20, description="random patches to fit to, and as many to predict answers to"
    )


class Sanity(Measure):
    """Whether maps depend on what the network has learned, on the class, and on the image alone."""

    kind: Literal["sanity"]
    methods: list[Method] = Field(min_length=1, description="methods of attribution")
    images: Images = 100
    draws: Count = Field(3, description="how often random weights are drawn")
    steps: Count = Field(10, description="points on the path of integrated gradients")
    samples: Count = Field(10, description="noisy copies for SmoothGrad")


class Explanations(Measure):
    """Where methods of attribution point, and what the pixels that they rank first are worth."""

    kind: Literal["explanations"]
    methods: list[Method] = Field(min_length=1, description="methods of attribution")
    images: Count = Field(
        60, description="test images, at most, the same number of each class, classified correctly"
    )
    curve_steps: Count = Field(10, description="steps of deletion and insertion")
    steps: Count = Field(32, description="points on the path of integrated gradients")
    samples: Count = Field(16, description="noisy copies for SmoothGrad")


class Judges(Section):
    """Small convolutional networks trained from random weights on the data set, made smaller."""

    count: int = Field(2, ge=1, le=16, description="networks, each from a seed of its own")
    size: int = Field(48, ge=8, le=512, description="height and width of their images in pixels")
    cnn: Cnn = Cnn(activation="softmax")
    scratch: Scratch = Scratch()


class Regularizers(Measure):
    """What each regularizer buys, in numbers."""

    kind: Literal["regularizers"]
    projection: Name = Field(description="the projection of kind parametrizations that is measured")
    draws: Count = Field(16, description="random changes of each image")
    judges: Judges = Field(Judges(), description="networks that the images are shown to")


AnyMeasure = Annotated[
    Union[
        LetterParts,
        CodeFrequency,
        Templates,
        Sanity,
        Pruning,
        Explanations,
        Regularizers,
        *of_kinds(Measure, "measures"),
    ],
    Field(discriminator="kind"),
]


class Experiment(Section):
    """A data set, a network, how it is trained, and what is looked at."""

    extends: Name | None = Field(
        None, description="the experiment that has what is not said here; null for none"
    )
    dataset: DatasetChoice
    network: NetworkChoice
    training: TrainingChoice
    replicates: int = Field(
        1,
        ge=1,
        le=1000,
        description="networks trained from other seeds; projections look at the median one",
    )
    projections: dict[Name, AnyProjection] = Field({}, description="by name; also figure names")
    measures: dict[Name, AnyMeasure] = Field({}, description="by name")

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The network, described without TensorFlow."""
        kind = import_module(f"pixelspace.networks.{self.network.kind}")
        data = self.dataset.chosen
        return kind.layers(
            input_shape=data.image_shape,
            classes=len(data.classes),
            **self.network.chosen.model_dump(),
        )


VARIED = ("dataset", "network", "training", "measures")
OF_TRAINING = (
    *("test_accuracy", "validation_accuracy", "test_errors", "test_ties", "most_confused"),
    *("epochs", "seed", "parameters", "trainable_parameters"),
)
OF_RESTARTS = ("restarts", "restarts_median_loss", "restarts_best_loss", "restarts_near_best")
"""The numbers that training gives, see `pixelspace.scores.of_report`; and an accuracy of
each class."""


class Sweep(Section):
    """An experiment again and again, with other settings: every combination of some, or a list."""

    experiment: Name = Field(description="the experiment that is varied")
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        {}, description="values by key, such as training.scratch.epochs; all are combined"
    )
    points: list[Annotated[dict[str, Any], Field(min_length=1)]] = Field(
        [], description="in the place of a grid, some combinations: a value by key in each"
    )
    replicates: int = Field(1, ge=1, le=1000, description="networks trained at each point")
    measures: list[Name] = Field(
        [], description="measures of the experiment, taken of every network"
    )
    shows: str = Field(
        "test_accuracy",
        pattern=r"^\w+(\.\w+)?$",
        description="the number that the figure and the table show: of the training, or "
        "measure.number",
    )

    @model_validator(mode="after")
    def _be_a_grid_or_a_list(self):
        if bool(self.grid) == bool(self.points):
            raise ValueError("give either a grid or a list of points")
        return self

    @property
    def networks(self) -> int:
        """How many networks are trained."""
        count = len(self.points) or math.prod(map(len, self.grid.values()))
        return count * self.replicates

    @property
    def combinations(self) -> list[dict[str, Any]]:
        """What each point sets, by key, in order: the last key of a grid varies fastest."""
        if self.points:
            return self.points
        return [
            dict(zip(self.grid, values, strict=True)) for values in product(*self.grid.values())
        ]


class Figures(Section):
    """How figures are drawn."""

    screen_dpi: int = Field(200, ge=50, le=1200, description="resolution of the PNG copies")


class Config(Section):
    """The whole configuration."""

    results: str = Field(
        "results",
        pattern=r"^\w[\w.-]*(/\w[\w.-]*)*$",
        max_length=80,
        description="output folder",
    )
    seed: int = Field(2017, ge=0, lt=2**32, description="all other seeds are derived from it")
    photos: str | None = Field(None, description="directory of photographs, for source `folder`")
    figures: Figures = Figures()
    experiments: dict[Name, Experiment] = Field(min_length=1, description="by name")
    sweeps: dict[Name, Sweep] = Field({}, description="by name; also figure names")
    points_per_job: int = Field(
        8, ge=1, le=1000, description="networks of a sweep trained by one process, at most"
    )

    def varied(self, sweep: str, combination: Mapping[str, Any]) -> Experiment:
        """Return the experiment of a sweep as one of its combinations has it.

        It has the measures that the sweep takes, and no projections.

        Raises:
            ValidationError: if there is no such key, or it cannot have this value.
        """
        return Experiment.model_validate(self.plain(sweep, combination))

    def plain(self, sweep: str, combination: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `varied` makes an experiment of."""
        chosen = self.sweeps[sweep]
        plain = self.experiments[chosen.experiment].model_dump(exclude={"projections"})
        plain["dataset"]["folder"]["path"] = plain["dataset"]["folder"]["path"] or self.photos
        plain["measures"] = {name: plain["measures"][name] for name in chosen.measures}
        for path, value in combination.items():
            *above, key = path.split(".")
            reduce(getitem, above, plain)[key] = value
        return plain

    def stem(self, name: str) -> str:
        """Return the experiment that one comes from, over all that it extends; or its own name.

        Variants share its random numbers, so that what differs between them is not chance.
        """
        while self.experiments[name].extends is not None:
            name = self.experiments[name].extends
        return name


Origins = list[tuple[str, dict[tuple[str, ...], int | None]]]
"""Where keys come from: a file and the line of each of its keys; none on the command line."""


def load(
    merged: Mapping, files: Sequence[str | Path] = (), overrides: Mapping | None = None
) -> Config:
    """Check a configuration and return it typed.

    Args:
        merged: the configuration as Snakemake merged it from its files and the command line.
        files: the files that it was merged from, in that order; errors name the last one that
            has the key.
        overrides: what the command line gave with ``--config``. Snakemake reads the values inside
            a mapping as text, so they are read once more as YAML.

    Raises:
        UserError: at the first key that is unknown, of a wrong type, or impossible.
    """
    origins = located(files)
    if overrides:
        typed = _typed(overrides)
        merged = _updated(merged, typed)
        origins.append(("--config", dict.fromkeys(_paths(typed))))
    merged = _extended(_without_dropped_sweeps(merged, origins), origins)
    try:
        config = Config.model_validate(_with_photos(dict(merged)))
    except ValidationError as error:
        raise _explain(_most_telling(error.errors(), merged), merged, origins) from None
    for keys, message in chain(_impossible(config), _impossible_sweeps(config)):
        raise UserError(f"{_where(keys, origins)}: {message}")
    return config


def located(files: Sequence[str | Path]) -> Origins:
    """Return where the keys of some files stand, once these are seen to be data and nothing more.

    Snakemake takes some keys at the top for itself, and with ``__use_yte__`` it runs the Python
    that a file holds; so this is to be called before Snakemake reads them.

    Raises:
        UserError: at the first file that `key_lines` refuses or that has an unknown key at the top.
    """
    origins: Origins = [(str(file), key_lines(Path(file))) for file in files]
    for file, lines in origins:
        for path, line in lines.items():
            if len(path) == 1 and path[0] not in (*Config.model_fields, "<<"):
                hint = _nearest(path[0], Config.model_fields)
                raise UserError(f"{file}:{line}: {path[0]}: unknown key{hint}")
    return origins


def recorded(config: Config) -> dict:
    """Return what of a configuration decides its numbers, as JSON types, for a record beside them.

    Where results and photographs lie, and how figures are drawn, does not. Paths and addresses are
    `portable`: a record tells of no machine and no user.
    """
    unneeded = {
        "results": True,
        "photos": True,
        "figures": True,
        "points_per_job": True,
        "experiments": {"__all__": {"dataset": {"folder": {"path"}, "git": {"cache"}}}},
    }

    def without_machine(value):
        if isinstance(value, dict):
            return {key: without_machine(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [without_machine(inner) for inner in value]
        return portable(value) if isinstance(value, str) else value

    return without_machine(config.model_dump(mode="json", exclude=unneeded))


def _typed(overrides: Mapping) -> dict:
    """Read the text inside mappings as YAML; what stands at the top Snakemake has read."""

    def read(value, path):
        if isinstance(value, Mapping):
            return {key: read(inner, (*path, str(key))) for key, inner in value.items()}
        if isinstance(value, list):
            return [read(inner, (*path, str(place))) for place, inner in enumerate(value)]
        try:
            return yaml.safe_load(value) if isinstance(value, str) else value
        except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
            raise UserError(f"--config: {'.'.join(path)}: not readable as YAML") from None

    return {
        key: read(value, (str(key),)) if isinstance(value, Mapping) else value
        for key, value in overrides.items()
    }


def _updated(base: Mapping, changes: Mapping) -> dict:
    """Merge mappings as Snakemake does: sections merge, everything else is replaced."""
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = _updated(merged[key], value) if both else value
    return merged


def _extended(merged: Mapping, origins: Origins) -> dict:
    """Give every experiment what it does not say itself of the one that it extends.

    Sections merge as in overlays; a projection or a measure that is null is left out.
    """
    experiments = merged.get("experiments")
    if not isinstance(experiments, Mapping):
        return dict(merged)

    def whole(name: str, below: tuple[str, ...]) -> Any:
        own = experiments[name]
        base = own.get("extends") if isinstance(own, Mapping) else None
        if not isinstance(base, str):
            for group, left_out in _nulls(own):
                where = _where(("experiments", str(name), group, left_out), origins)
                raise UserError(
                    f"{where}: null leaves out what an extended experiment has, and '{name}' "
                    "extends none; give settings, or delete the key"
                )
            return own
        at = f"{_where(('experiments', str(name), 'extends'), origins)}: "
        if base in (*below, name):
            raise UserError(f"{at}'{name}' would extend itself; name another experiment")
        if base not in experiments:
            raise UserError(f"{at}there is no experiment '{base}'{_nearest(base, experiments)}")
        inherited = whole(base, (*below, name))
        if not isinstance(inherited, Mapping):
            return own
        variant = _updated(inherited, own)
        for group in ("projections", "measures"):
            known = inherited.get(group, {})
            if isinstance(variant.get(group), Mapping) and isinstance(known, Mapping):
                for left_out in (key for key, value in variant[group].items() if value is None):
                    if left_out not in known:
                        where = _where(("experiments", str(name), group, str(left_out)), origins)
                        hint = _nearest(left_out, known)
                        raise UserError(f"{where}: '{base}' has nothing of this name{hint}")
                variant[group] = _without_nulls(variant[group])
        return variant

    return {**merged, "experiments": {name: whole(name, ()) for name in experiments}}


def _nulls(experiment: object) -> Iterator[tuple[str, str]]:
    """Yield the projections and the measures of an experiment that are null."""
    for group in ("projections", "measures"):
        section = experiment.get(group) if isinstance(experiment, Mapping) else None
        if isinstance(section, Mapping):
            yield from ((group, str(key)) for key, value in section.items() if value is None)


def _without_dropped_sweeps(merged: Mapping, origins: Origins) -> dict:
    """Leave out the sweeps, their keys, and the keys of a grid, that an overlay makes null."""

    def kept(section: Mapping, at: tuple[str, ...]) -> dict:
        for key in (key for key, value in section.items() if value is None):
            path = (*at, str(key))
            if sum(path in lines for _, lines in origins) == 1:
                known = [str(other) for other in section if other != key]
                raise UserError(
                    f"{_where(path, origins)}: null leaves out what another file has, and none "
                    f"has this{_nearest(key, known) if known else ''}"
                )
        return _without_nulls(section)

    sweeps = {} if merged.get("sweeps") is None else merged["sweeps"]
    if not isinstance(sweeps, Mapping):
        return dict(merged)
    sweeps = kept(sweeps, ("sweeps",))
    for name, sweep in sweeps.items():
        if isinstance(sweep, Mapping):
            at = ("sweeps", str(name))
            sweeps[name] = kept(sweep, at)
            if isinstance(sweep.get("grid"), Mapping):
                sweeps[name]["grid"] = kept(sweep["grid"], (*at, "grid"))
    return {**merged, "sweeps": sweeps}


def _without_nulls(section: Mapping) -> dict:
    return {key: value for key, value in section.items() if value is not None}


def _paths(section: Mapping, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every value that is not a section, and of what lists hold."""
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from _paths(value, (*above, str(key)))
        else:
            yield (*above, str(key))
            for place in range(len(value) if isinstance(value, list) else 0):
                yield (*above, str(key), str(place))


def _with_photos(merged: dict) -> dict:
    """Let data sets of source `folder` that name no path use the top-level key `photos`."""
    photos = merged.get("photos")
    experiments = merged.get("experiments")
    if not isinstance(photos, str) or not isinstance(experiments, Mapping):
        return merged
    filled = {}
    for name, experiment in experiments.items():
        dataset = experiment.get("dataset") if isinstance(experiment, Mapping) else None
        if isinstance(dataset, Mapping) and dataset.get("source") == "folder":
            folder = dataset.get("folder")
            folder = dict(folder) if isinstance(folder, Mapping) else {}
            folder["path"] = folder.get("path") or photos
            experiment = {**experiment, "dataset": {**dataset, "folder": folder}}
        filled[name] = experiment
    return {**merged, "experiments": filled}


def _impossible(config: Config) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the key path and the message of every value that contradicts another."""
    if Path(config.results).parts[0] in OWN_FOLDERS:
        yield ("results",), f"'{config.results}' is a folder of the project's own; choose another"
    projections = {name for each in config.experiments.values() for name in each.projections}
    for name, experiment in config.experiments.items():
        at = ("experiments", name)
        if name in RESERVED:
            yield at, f"'{name}' is a reserved name; choose another"
        for group in ("projections", "measures"):
            for looked_at in getattr(experiment, group):
                here = (*at, group, looked_at)
                if group == "measures" and looked_at in projections:
                    yield here, f"'{looked_at}' is the name of a projection; choose another"
                if looked_at in SUBJECTS:
                    yield here, f"'{looked_at}' is the name of another figure; choose another"
        yield from _impossible_experiment(at, experiment)


def _impossible_experiment(
    at: tuple[str, ...], experiment: Experiment
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what `_impossible` does of one experiment."""
    data = experiment.dataset
    if data.source == "folder" and not data.folder.path:
        yield (
            ("photos",),
            "no directory of photographs is given; add --config photos=DIRECTORY",
        )
        return
    kind, recipe = experiment.network.kind, experiment.training.recipe
    for own_kind, own_recipe in (("perceptron", "restarts"), ("efficientnet", "transfer")):
        if recipe != "untrained" and (kind == own_kind) != (recipe == own_recipe):
            yield (
                (*at, "training", "recipe"),
                f"recipe '{own_recipe}' is for networks of kind '{own_kind}', and they for it "
                "alone",
            )
    yield from _missing(at, experiment)
    try:
        classes = data.chosen.classes
    except UserError as error:
        yield (*at, "dataset", data.source), str(error)
        return
    for label in classes:
        if not can_be_typeset(label):
            yield (
                (*at, "dataset", data.source),
                f"class {label!r} cannot be typeset, only Latin letters can; rename it",
            )
    try:
        shapes = output_shapes(experiment.layers)
    except UserError as error:
        yield (*at, "network"), str(error)
        return
    for group in ("projections", "measures"):
        for looked_at, settings in getattr(experiment, group).items():
            here = (*at, group, looked_at)
            yield from _impossible_layers(here, settings, shapes)
            if settings.kind in ("letter_parts", "code_frequency"):
                nodes = experiment.network.perceptron.hidden
                if (data.source, experiment.network.kind, nodes) != ("efl", "perceptron", 2):
                    yield (
                        here,
                        f"{settings.kind} needs data source 'efl' and 2 perceptron nodes",
                    )
            if settings.kind == "templates":
                yield from _impossible_templates(here, settings, shapes)
            if settings.kind == "faults":
                yield from _impossible_faults(here, settings, experiment.layers)
            if settings.kind == "pruning":
                yield from _impossible_pruning(here, settings, experiment.network)
            if settings.kind == "regularizers":
                yield from _impossible_judging(here, settings, experiment, classes)
            yield from _impossible_images(here, settings, data.chosen)
            yield from _impossible_methods(here, settings, experiment.layers)
            if settings.kind == "sanity":
                yield from _impossible_sanity(here, data.chosen)
            if settings.kind == "attribution":
                yield from _impossible_attribution(here, settings, shapes, classes)
            if settings.kind == "maximization":
                yield from _impossible_maximization(here, settings, experiment.layers, shapes)
            if settings.kind == "atlas":
                yield from _impossible_atlas(here, settings, experiment.layers, shapes)
            if settings.kind == "dream":
                yield from _impossible_dream(here, settings, data.chosen, experiment.layers, shapes)


def _impossible_sweeps(config: Config) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with sweeps: whom they vary, in what, and each of their points."""
    count = sum(sweep.networks for sweep in config.sweeps.values())
    if count > MOST_NETWORKS:
        yield ("sweeps",), f"they have {count:,} networks; at most {MOST_NETWORKS:,} are planned"
    for name, sweep in config.sweeps.items():
        at = ("sweeps", name)
        if sweep.experiment not in config.experiments:
            yield (
                (*at, "experiment"),
                f"there is no experiment '{sweep.experiment}'"
                f"{_nearest(sweep.experiment, config.experiments)}",
            )
            continue
        measures = config.experiments[sweep.experiment].measures
        for measure in sweep.measures:
            if measure not in measures:
                yield (
                    (*at, "measures"),
                    f"experiment '{sweep.experiment}' has no measure '{measure}'"
                    f"{_nearest(measure, measures)}",
                )
                return
            if measures[measure].kind == "regularizers":
                yield (*at, "measures"), f"'{measure}' is of a projection, which sweeps do not make"
        measure = sweep.shows.rpartition(".")[0]
        if measure and measure not in sweep.measures:
            yield (
                (*at, "shows"),
                f"measure '{measure}' is not taken; add it to the sweep's measures",
            )
        known = _of_training(config.experiments[sweep.experiment])
        if not measure and sweep.shows not in known:
            yield (
                (*at, "shows"),
                f"training gives no number '{sweep.shows}'{_nearest(sweep.shows, known)}; that of "
                "a measure is measure.number",
            )
        keys = list(_known_keys(config.experiments[sweep.experiment], sweep.measures))
        planned: dict[str, str] = {}
        for number, combination in enumerate(sweep.combinations):
            yield from _impossible_point(config, name, number, combination, keys)
            used = json.dumps(_used(config.varied(name, combination)), sort_keys=True)
            said = _said(combination)
            if used in planned:
                same = f"the points {planned[used]} and {said} are the same network"
                yield (
                    (*at, "points" if sweep.points else "grid"),
                    f"the point {said} stands here twice"
                    if planned[used] == said
                    else f"{same}; it uses nothing of what differs",
                )
            planned[used] = said


def _of_training(experiment: Experiment) -> list[str]:
    """Return the names of the numbers that training gives."""
    classes = [f"accuracy_of_{name}" for name in experiment.dataset.chosen.classes]
    restarts = OF_RESTARTS if experiment.training.recipe == "restarts" else ()
    return [*OF_TRAINING, *classes, *restarts]


def _used(experiment: Experiment) -> dict[str, Any]:
    """Return those settings of an experiment that a network of it depends on."""
    chosen = {
        "dataset": (experiment.dataset.source, experiment.dataset.chosen),
        "network": (experiment.network.kind, experiment.network.chosen),
        "training": (experiment.training.recipe, experiment.training.chosen),
    }
    measures = {
        name: measure.model_dump(mode="json", exclude={"every_replicate"})
        for name, measure in experiment.measures.items()
    }
    used = {key: (kind, own.model_dump(mode="json")) for key, (kind, own) in chosen.items()}
    return {**used, "measures": measures}


def _said(combination: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in combination.items())


def _known_keys(experiment: Experiment, measures: Sequence[str]) -> Iterator[str]:
    """Yield the paths of the keys that a sweep can vary."""
    plain = experiment.model_dump(include=set(VARIED))
    plain["measures"] = {name: plain["measures"][name] for name in measures}
    for path in _paths(plain):
        if not any(part.isdigit() for part in path):  # the items of a list
            yield ".".join(path)


def _impossible_point(
    config: Config, name: str, number: int, combination: Mapping[str, Any], keys: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    sweep = config.sweeps[name]
    at = ("sweeps", name, "points", str(number)) if sweep.points else ("sweeps", name, "grid")
    for key in combination:
        if key not in keys:
            close = difflib.get_close_matches(key, keys, n=1, cutoff=0.6)
            hint = f"; did you mean '{close[0]}'?" if close else ""
            yield (
                (*at, key),
                f"experiment '{sweep.experiment}' has no key of its data set, network, training or "
                f"of a measure that the sweep takes of this name{hint}",
            )
            return

    def place(path: str) -> tuple[str, ...]:
        """Return where the key stands that a path leads to, or else the points."""
        return (*at, *(key for key in combination if f"{path}.".startswith(f"{key}.")))

    plain = config.plain(name, combination)
    try:
        varied = Experiment.model_validate(plain)
    except ValidationError as error:
        first = _most_telling(error.errors(), plain)
        path = ".".join(_key_path(first, plain))
        yield place(path), f"at the point {_said(combination)}: {path}: {_reason(first)}"
        return
    for keys_of_point, message in _impossible_experiment((), varied):
        path = ".".join(keys_of_point)
        yield place(path), f"at the point {_said(combination)}: {path}: {message}"
        return


def _missing(at, experiment: Experiment) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what an experiment names that is not there, or does not name though it must."""
    data, training = experiment.dataset, experiment.training
    if data.source == "git":
        for key in ("repository", "commit", "images", "labels", "class_names"):
            if not getattr(data.git, key):
                yield (
                    (*at, "dataset", "git", key),
                    "source 'git' needs this; see config/photos.yaml",
                )
    if data.source == "mnist" and not os.path.isdir(data.mnist.folder):
        yield (*at, "dataset", "mnist", "folder"), f"there is no folder '{data.mnist.folder}'"
    if training.recipe == "transfer" and not os.path.isfile(training.transfer.weights):
        yield (
            (*at, "training", "transfer", "weights"),
            f"there is no file '{training.transfer.weights}'",
        )


def _impossible_layers(at, settings: Section, shapes) -> Iterator[tuple[tuple[str, ...], str]]:
    single = ((key, getattr(settings, key, None)) for key in ("layer", "map_layer"))
    asked = [((*at, key), layer) for key, layer in single if layer is not None]
    asked += [((*at, "layers"), layer) for layer in getattr(settings, "layers", ())]
    for keys, layer in asked:
        if layer not in shapes:
            yield keys, f"the network has no layer '{layer}'{_nearest(layer, shapes)}"
            return
    units = []
    if "units" in settings.model_fields_set and settings.layer is not None:
        units = [("units", settings.layer, settings.units)]
    if isinstance(getattr(settings, "units_per_layer", None), list):
        units = [("units_per_layer", layer, settings.units_per_layer) for layer in settings.layers]
    if settings.kind == "dream" and settings.channel is not None:
        units = [("channel", settings.layer, [settings.channel])]
    for key, layer, numbers in units:
        total = shapes[layer][-1]
        if _needed(numbers) > total:
            yield (*at, key), f"layer '{layer}' has {total} units, numbered 0 to {total - 1}"


def _needed(numbers: int | list[int]) -> int:
    """Return how many units or images there must be for these numbers, or for so many."""
    return max(numbers) + 1 if isinstance(numbers, list) else numbers


def _impossible_images(
    at, settings: Section, data: Section
) -> Iterator[tuple[tuple[str, ...], str]]:
    single = [settings.image] if settings.kind in ("feature_maps", "randomized") else 0
    asked = {"image": single, "images": getattr(settings, "images", 0)}
    for key, numbers in (asked | {"k": getattr(settings, "k", 0)}).items():
        if _needed(numbers) > data.test_images:
            yield (*at, key), f"there are {data.test_images} test images"


def _impossible_methods(
    at, settings: Section, layers: Sequence[Layer]
) -> Iterator[tuple[tuple[str, ...], str]]:
    methods = getattr(settings, "methods", None) or ()
    class_maps = [method for method in methods if method in CLASS_MAPS]
    if class_maps and not any(layer.kind == "conv" for layer in layers):
        yield (
            (*at, "methods"),
            f"method '{class_maps[0]}' needs a network with a convolution; leave it out",
        )


def _impossible_sanity(at, data: Section) -> Iterator[tuple[tuple[str, ...], str]]:
    height, width, _ = data.image_shape
    if min(height, width) < SSIM_SIDE:
        yield (
            at,
            f"images of {height} x {width} pixels are smaller than the window of structural "
            f"similarity, {SSIM_SIDE} x {SSIM_SIDE}",
        )


def _impossible_attribution(
    at, settings: Attribution, shapes, classes: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    shape = shapes[settings.layer]
    if settings.map_layer is not None and len(shapes[settings.map_layer]) != 3:
        yield (*at, "map_layer"), f"layer '{settings.map_layer}' has no map; class maps need one"
    if isinstance(settings.target, int):
        if not 0 <= settings.target < shape[-1]:
            yield (
                (*at, "target"),
                f"layer '{settings.layer}' has {shape[-1]} units, numbered 0 to {shape[-1] - 1}",
            )
    elif settings.layer not in CLASS_LAYERS:
        yield (
            (*at, "target"),
            f"layer '{settings.layer}' is not of classes; give the number of a unit",
        )
    elif settings.target not in (targets := ("predicted", "label", *classes)):
        yield (
            (*at, "target"),
            f"there is no target '{settings.target}'{_nearest(settings.target, targets)}",
        )
    if settings.cell is not None and len(shape) != 3:
        yield (*at, "cell"), f"layer '{settings.layer}' has no map and no cells; leave this out"
    elif settings.cell is not None and not all(map(lt, settings.cell, shape)):
        yield (
            (*at, "cell"),
            f"layer '{settings.layer}' has {shape[0]} x {shape[1]} cells",
        )


def _impossible_maximization(
    at, settings: Maximization, layers: Sequence[Layer], shapes
) -> Iterator[tuple[tuple[str, ...], str]]:
    if (settings.layer is None) == (settings.objectives is None):
        yield (*at, "layer"), "give either a layer, with its units, or objectives"
        return
    used = [] if settings.layer is None else [settings.layer]
    for number, parts in enumerate(settings.objectives or ()):
        for place, part in enumerate(parts):
            here = (*at, "objectives", str(number), str(place))
            if part.layer not in shapes:
                yield (
                    (*here, "layer"),
                    f"the network has no layer '{part.layer}'{_nearest(part.layer, shapes)}",
                )
                return
            used.append(part.layer)
            total = shapes[part.layer][-1]
            if part.unit is not None and part.direction is not None:
                yield (*here, "unit"), "give a unit or a direction, not both"
            if part.unit is not None and part.unit >= total:
                yield (
                    (*here, "unit"),
                    f"layer '{part.layer}' has {total} units, numbered 0 to {total - 1}",
                )
            if part.direction is not None and len(part.direction) != total:
                yield (
                    (*here, "direction"),
                    f"layer '{part.layer}' has {total} units; give as many numbers",
                )
    changes = settings.transforms if isinstance(settings.transforms, list) else []
    for number, change in enumerate(changes):
        if len(change.model_fields_set) != 1:
            yield (
                (*at, "transforms", str(number)),
                f"give one of {', '.join(Change.model_fields)} in each item of the list",
            )
    pads = sum(change.pad or 0 for change in changes)
    for layer in used:
        yield from _impossible_size(at, settings.size, layers, layer, shapes)
        if pads and _takes_one_size(layers, layer, shapes):
            yield (
                (*at, "transforms"),
                f"layer '{layer}' takes images of one size alone; leave pad out",
            )


def _impossible_size(
    at, size: Sequence[int] | None, layers: Sequence[Layer], layer: str, shapes
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield an error where a layer behind a flattening is to see images of another size."""
    own = list(layers[0].shape[:2])
    if _takes_one_size(layers, layer, shapes) and size is not None and list(size) != own:
        yield (
            (*at, "size"),
            f"layer '{layer}' takes images of one size alone, {own[0]} x {own[1]} pixels",
        )


def _takes_one_size(layers: Sequence[Layer], layer: str, shapes) -> bool:
    return any(other.kind == "flatten" for other in layers) and len(shapes[layer]) == 1


def _impossible_templates(at, settings: Templates, shapes) -> Iterator[tuple[tuple[str, ...], str]]:
    for layer in settings.layers:
        if len(shapes[layer]) != 3:
            yield (*at, "layers"), f"layer '{layer}' has no map; templates needs patches"
        elif shapes[layer][-1] < 2:
            yield (
                (*at, "layers"),
                f"layer '{layer}' has one unit; templates compares it with others",
            )


def _impossible_faults(
    at, settings: Faults, layers: Sequence[Layer]
) -> Iterator[tuple[tuple[str, ...], str]]:
    (layer,) = (layer for layer in layers if layer.name == settings.layer)
    if layer.kind != "conv" or layer.units < 2:
        yield (*at, "layer"), f"layer '{layer.name}' is no convolution of two filters or more"


def _impossible_pruning(
    at, settings: Pruning, network: NetworkChoice
) -> Iterator[tuple[tuple[str, ...], str]]:
    if network.kind != "cnn" or min(network.cnn.filters) < 2:
        yield at, "pruning needs a network of kind 'cnn' with two filters or more in each layer"
    percents = [f"{100 * share:.0f}" for share in settings.shares]
    if len(set(percents)) < len(percents):
        yield (*at, "shares"), "two shares are the same whole number of percent"


def _impossible_atlas(
    at, settings: Atlas, layers: Sequence[Layer], shapes
) -> Iterator[tuple[tuple[str, ...], str]]:
    if "size" in settings.model_fields_set:
        size = (settings.size, settings.size)
        yield from _impossible_size(at, size, layers, settings.layer, shapes)


def _impossible_dream(
    at, settings: Dream, data: Section, layers: Sequence[Layer], shapes
) -> Iterator[tuple[tuple[str, ...], str]]:
    if _takes_one_size(layers, settings.layer, shapes) and settings.octaves > 1:
        yield (
            (*at, "octaves"),
            f"layer '{settings.layer}' takes images of one size alone; give octaves: 1",
        )
    for label, index in (("label", "index"), ("guide_label", "guide_index")):
        name = getattr(settings, label)
        if name is not None and name not in data.classes:
            names = ", ".join(data.classes)
            yield (*at, label), f"there is no class '{name}'; the classes are {names}"
        elif isinstance(data, Colour) and getattr(settings, index) >= data.large_per_class:
            yield (*at, index), f"only {data.large_per_class} large images of a class are kept"
    if settings.channel is not None and settings.guide_label is not None:
        yield (*at, "channel"), "a dream grows a channel or towards a guide; leave one out"


def _impossible_judging(
    at, settings: Regularizers, experiment: Experiment, classes: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], str]]:
    known = [name for name, own in experiment.projections.items() if own.kind == "parametrizations"]
    if settings.projection not in known:
        yield (
            (*at, "projection"),
            f"there is no projection '{settings.projection}' of kind 'parametrizations'",
        )
    judges = settings.judges
    cnn = import_module("pixelspace.networks.cnn")
    shape = (judges.size, judges.size, experiment.dataset.chosen.image_shape[-1])
    try:
        output_shapes(
            cnn.layers(input_shape=shape, classes=len(classes), **judges.cnn.model_dump())
        )
    except UserError as error:
        yield (*at, "judges"), str(error)


def _nearest(word: str, known) -> str:
    close = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else f"; it has {', '.join(map(str, known))}"


def _most_telling(errors: Sequence[Mapping], merged: Mapping) -> Mapping:
    """Return the first error or, of what each member of a union says there, the deepest one."""
    at = _key_path(errors[0], merged)
    alike = [error for error in errors if _key_path(error, merged)[: len(at)] == at]
    return max(alike, key=lambda error: len(_key_path(error, merged)))


def _explain(error: Mapping, merged: Mapping, origins) -> UserError:
    keys = _key_path(error, merged)
    context = error.get("ctx", {})
    if error["type"] == UNKNOWN:
        keys = (*keys, str(context["key"]))
        return UserError(
            f"{_where(keys, origins)}: unknown key{_nearest(context['key'], context['known'])}"
        )
    if error["type"] == "missing":
        return UserError(f"{_where(keys, origins)}: this key is missing")
    if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
        allowed = context.get("expected_tags", "one of the known kinds")
        return UserError(f"{_where((*keys, 'kind'), origins)}: the kind should be {allowed}")
    return UserError(f"{_where(keys, origins)}: {_reason(error)}")


def _reason(error: Mapping) -> str:
    """Return what pydantic says is wrong, and with what."""
    message = error["msg"].removeprefix("Value error, ").replace("Input should", "should")
    if error["type"] in ("model_type", "dict_type"):
        message = "should be a section of keys"
    if error["type"] == "float_type" and re.fullmatch(r"[+-]?\d+e[+-]?\d+", str(error["input"])):
        message += ", which in YAML has a point, as 1.0e-3"
    got = "" if error["type"] == "value_error" else f", but is {str(error['input'])[:60]!r}"
    return f"{message}{got}"


def _key_path(error: Mapping, merged: Mapping) -> tuple[str, ...]:
    """Leave out of pydantic's location what is not a key: the tags and members of unions."""
    keys: list[str] = []
    here: Any = merged
    for part in error["loc"]:
        inside = isinstance(here, Mapping) and part in here
        inside = inside or (isinstance(here, list) and isinstance(part, int) and part < len(here))
        if inside:
            keys.append(str(part))
            here = here[part]
    if error["type"] == "missing":
        keys.append(str(error["loc"][-1]))
    return tuple(keys)


def _where(keys: Sequence[str], origins: Origins) -> str:
    """Name the file and line of a key, or of the nearest section around it, and its path."""
    path = ".".join(keys)
    for length in range(len(keys), 0, -1):
        for source, lines in reversed(origins):
            if tuple(keys[:length]) in lines:
                line = lines[tuple(keys[:length])]
                return f"{source}: {path}" if line is None else f"{source}:{line}: {path}"
    return path
