"""Models as graphs: names, batch normalization folded while running, units chosen."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from projection_examples import sequential, set_weights

from pixelspace.errors import UserError
from pixelspace.networks import efficientnet
from pixelspace.networks.build import build
from pixelspace.networks.layers import layer_names
from pixelspace.networks.weights import load_imagenet
from pixelspace.projections import backward, class_maps, feature_maps, graph, occlusion
from pixelspace.projections.selection import choose_units

WEIGHTS = Path(__file__).parents[1] / "data" / "efficientnet_lite0" / "weights.npz"


def test_importing_the_package_imports_no_tensorflow():
    code = "import sys, pixelspace.projections as px; dir(px); print('tensorflow' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout == "False\n"


def test_every_name_of_the_package_exists():
    import pixelspace.projections as px

    for name in px.__all__:
        assert getattr(px, name) is not None


def test_layers_inside_a_model_are_named_by_path():
    inner = sequential((4, 4, 1), keras.layers.ReLU(name="relu"))
    inner.name = "inner"
    model = sequential((4, 4, 1), inner, keras.layers.Flatten(name="flat"))
    assert graph.shape(model, "inner/relu") == (4, 4, 1)
    assert graph.shape(model, "flat") == (16,)
    (found,) = graph.outputs(model, -np.ones((1, 4, 4, 1)), ["inner/relu"])
    np.testing.assert_array_equal(found, np.zeros((1, 4, 4, 1)))


def test_a_model_inside_may_have_two_outputs():
    kinds = keras.layers
    image = keras.Input((4, 4, 1))
    relu = kinds.ReLU(name="relu")
    inner = keras.Model(image, [relu(image), relu(kinds.Rescaling(-1.0)(image))], name="inner")
    ends = inner(outer := keras.Input((4, 4, 1)))
    logits = kinds.Flatten(name="flat")(kinds.Subtract(name="both")(ends))
    model = keras.Model(outer, logits)
    pixels = np.random.default_rng(0).normal(size=(1, 4, 4, 1)).astype(np.float32)
    (found,) = graph.outputs(model, pixels, ["both"])
    np.testing.assert_array_equal(found, pixels)
    assert graph.shape(model, "inner") == (4, 4, 1)
    assert graph.before(model, "both") >= {"inner/relu"}
    np.testing.assert_allclose(backward.gradient(model, pixels, "flat", 5).sum(), 1)


def test_a_layer_of_two_outputs_is_refused():
    image = keras.Input((4, 4, 2))
    model = keras.Model(image, keras.layers.Add()(keras.ops.split(image, 2, axis=-1)))
    with pytest.raises(UserError, match="^layer split: it has 2 outputs; one is expected$"):
        graph.shape(model, "add")


def test_outputs_of_many_images_are_found_batch_by_batch(monkeypatch):
    monkeypatch.setattr(feature_maps, "BATCH", 2)
    model = sequential((2, 2, 1), keras.layers.Rescaling(2.0, name="twice"))
    run, seen = feature_maps._compiled(model, ("twice",), (2, 2, 1)), []
    monkeypatch.setattr(
        feature_maps, "_compiled", lambda *_: lambda part: seen.append(len(part)) or run(part)
    )
    pixels = np.arange(20.0).reshape(5, 2, 2, 1)
    found = feature_maps.layer_outputs(model, pixels, ["twice"])
    np.testing.assert_array_equal(found["twice"], 2 * pixels)
    assert seen == [2, 2, 1]


def test_what_feeds_what():
    image = keras.Input((4, 4, 1))
    one, two = keras.layers.ReLU(name="one")(image), keras.layers.ReLU(name="two")(image)
    model = keras.Model(image, keras.layers.Add(name="sum")([one, two]))
    assert graph.consumers(model, "one") == ["sum"]
    assert graph.before(model, "sum") == {"one", "two"}
    assert graph.before(model, "one") == set()


def test_a_model_without_a_graph_is_refused():
    with pytest.raises(UserError, match="use a Functional model, or a Sequential one"):
        graph.shape(keras.Sequential([keras.layers.ReLU()], name="unbuilt"), "relu")


def normalized(depthwise: bool) -> keras.Model:
    kinds = keras.layers
    convolution = (
        kinds.DepthwiseConv2D(1, name="conv") if depthwise else kinds.Conv2D(2, 1, name="conv")
    )
    model = sequential(
        (1, 1, 2), convolution, kinds.BatchNormalization(epsilon=1e-3, name="norm"), kinds.ReLU()
    )
    kernel = np.array([[[[5.0], [7.0]]]]) if depthwise else np.array([[[[5.0, 1.0], [2.0, 7.0]]]])
    # the square roots of variance + epsilon are 2 and 4
    statistics = [[6.0, 4.0], [10.0, 20.0], [3.0, 8.0], [4 - 1e-3, 16 - 1e-3]]
    return set_weights(model, conv=[kernel, [1.0, 0.0]], norm=statistics)


@pytest.mark.parametrize(
    ("depthwise", "expected"),
    # 6 (5 * 1 + 2 * 3 + 1 - 3) / 2 + 10 and 4 (1 * 1 + 7 * 3 - 8) / 4 + 20
    [(False, [37, 34]), (True, [6 * (5 + 1 - 3) / 2 + 10, 4 * (21 - 8) / 4 + 20])],
)
@pytest.mark.parametrize("single_image", [False, True])
def test_batch_normalization_folded_by_hand(depthwise, expected, single_image):
    model = normalized(depthwise)
    image = np.array([1.0, 3.0], np.float32).reshape(1, 1, 1, 2)
    substitute = graph.folded(model, single_image=single_image)
    normalization = model.get_layer("norm")
    assert substitute(normalization)(image) is image
    (found,) = graph.outputs(model, image, ["norm"], substitute)
    np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-6)


def test_inside_a_model_what_feeds_what_is_named_by_path_and_folded():
    inner = normalized(depthwise=False)
    image = keras.Input((1, 1, 2))
    model = keras.Model(image, keras.layers.Flatten(name="flat")(inner(image)))
    names = [f"{inner.name}/{name}" for name in ("conv", "norm")]
    assert graph.consumers(model, names[0]) == [names[1]]
    assert graph.before(model, names[1]) == {names[0]}
    assert graph.before(model, "flat") >= set(names)
    assert graph.consumers(model, inner.name) == ["flat"]
    pixels = np.array([1.0, 3.0], np.float32).reshape(1, 1, 1, 2)
    substitute = graph.folded(model)
    assert substitute(inner.get_layer("norm"))(pixels) is pixels
    (found,) = graph.outputs(model, pixels, [names[1]], substitute)
    np.testing.assert_allclose(np.ravel(found), [37, 34], rtol=1e-6)
    assert graph.folded(model, [names[0]])(inner.get_layer("conv")) is None


def test_a_normalization_of_two_convolutions_is_not_folded():
    kinds = keras.layers
    image = keras.Input((3, 3, 2))
    norm, first, second = kinds.BatchNormalization(), kinds.Conv2D(2, 1), kinds.Conv2D(2, 1)
    model = keras.Model(image, kinds.Add(name="sum")([norm(first(image)), norm(second(image))]))
    norm.set_weights(list(np.arange(1.0, 9.0).reshape(4, 2)))
    pixels = np.random.default_rng(0).uniform(size=(1, 3, 3, 2)).astype(np.float32)
    (found,) = graph.outputs(model, pixels, ["sum"], graph.folded(model))
    np.testing.assert_allclose(found, model(pixels), rtol=1e-5)


@pytest.mark.parametrize("axis", [1, 3])
def test_a_normalization_of_rows_is_not_folded(axis):
    kinds = keras.layers
    norm = kinds.BatchNormalization(axis=axis, name="norm")
    model = sequential((2, 3, 1), kinds.Conv2D(2, 1, name="conv"), norm)
    norm.set_weights(list(np.arange(1.0, 9.0).reshape(4, 2)))
    pixels = np.random.default_rng(0).uniform(size=(1, 2, 3, 1)).astype(np.float32)
    substitute = graph.folded(model)
    assert (substitute(norm) is None) == (axis == 1)
    (found,) = graph.outputs(model, pixels, ["norm"], substitute)
    np.testing.assert_allclose(found, model(pixels), rtol=1e-5)


def test_a_maximum_or_a_clip_is_known_as_a_rectifier():
    image = keras.Input((1, 1, 2))
    over, clipped = keras.ops.maximum(image, 0), keras.ops.clip(image, 0, 6)
    other = keras.ops.maximum(image, 1)
    model = keras.Model(image, keras.layers.Concatenate(name="all")([over, clipped, other]))
    ceilings = [
        graph.rectifier_ceiling(operation) for operation in graph.operations(model).values()
    ]
    assert sorted(c for c in ceilings if c is not None) == [6, np.inf]
    pixels = np.array([-1.0, 7.0], np.float32).reshape(1, 1, 1, 2)
    # of 7 the plain maximum and the one with 1 pass all on, the clip nothing; of -1 none does
    guided = sum(backward.guided_backpropagation(model, pixels, "all", unit) for unit in range(6))
    np.testing.assert_array_equal(guided.ravel(), [0, 2])


def test_images_of_a_size_that_a_layer_cannot_see_are_refused():
    kinds = keras.layers
    model = sequential(
        (6, 6, 1), kinds.Conv2D(2, 3, name="conv"), kinds.Flatten(), kinds.Dense(2, name="logits")
    )
    wide = np.zeros((1, 6, 8, 1), np.float32)
    assert backward.gradient(model, wide, "conv", 0).shape == wide.shape
    for call in (
        lambda: backward.gradient(model, wide, "logits", 0),
        lambda: class_maps.grad_cam(model, wide, 0),
        lambda: occlusion.occlusion_map(model, wide, "logits", 0, window=(2, 2), stride=(1, 1)),
    ):
        with pytest.raises(UserError, match="^layer logits: it takes images of one size alone"):
            call()
    with pytest.raises(UserError, match="^layer conv: at 2 x 2 pixels nothing is left of it"):
        backward.gradient(model, wide[:, :2, :2], "conv", 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("logits", 0.5), "units are whole numbers, 0 to 1"),
        (("logits", [0, 1]), "units of shape .* one, or one for each of 1 images"),
        (("conv", 0, 3), "positions of shape"),
        (("conv", 0, (0.5, 1)), "^layer conv: a position is a row and a column, two whole"),
        ((2, 0), "^layer 2: the network has none of that name"),
    ],
)
def test_what_is_not_a_unit_or_a_position_is_refused(arguments, message):
    kinds = keras.layers
    model = sequential(
        (6, 6, 1), kinds.Conv2D(2, 3, name="conv"), kinds.Flatten(), kinds.Dense(2, name="logits")
    )
    with pytest.raises(UserError, match=message):
        backward.gradient(model, np.zeros((1, 6, 6, 1)), *arguments)
    with pytest.raises(UserError, match="^'deconv': it should be gradient or deconvnet or guided"):
        backward.backward_pass(model, np.zeros((1, 6, 6, 1)), "logits", 0, policy="deconv")
    with pytest.raises(UserError, match="images of shape"):
        backward.gradient(model, np.zeros((0, 6, 6, 1)), "logits", 0)


@pytest.mark.parametrize("shape", [(28, 28), (784,)])
def test_images_without_channels_are_refused(shape):
    model = sequential(shape, keras.layers.Flatten(), keras.layers.Dense(2, name="logits"))
    with pytest.raises(UserError, match="is expected; put a Reshape layer before it"):
        graph.as_batch(model, np.zeros((1, *shape)))


def test_an_open_size_is_named_where_one_is_needed():
    model = sequential((None, None, 3), keras.layers.Conv2D(2, 3, name="conv"))
    assert graph.shape_at(model, "conv", (3, 3)) is not None
    assert graph.shape_at(model, "conv", (3, 2)) is None
    with pytest.raises(UserError, match="its input has no size of its own"):
        graph.sized_image_shape(model)
    image = keras.Input((8, 9, 3))
    assert graph.sized_image_shape(keras.Model(image, model(image))) == (8, 9, 3)


def test_a_convolution_that_is_asked_for_is_not_folded():
    model = normalized(depthwise=False)
    image = np.array([1.0, 3.0], np.float32).reshape(1, 1, 1, 2)
    (found,) = graph.outputs(model, image, ["conv"], graph.folded(model, ["conv"]))
    np.testing.assert_allclose(np.ravel(found), [12, 22])


@pytest.mark.parametrize(
    ("rectifier", "ceiling"),
    [
        (tf.nn.relu, np.inf),
        (tf.nn.relu6, 6),
        (keras.ops.relu, np.inf),
        (keras.ops.relu6, 6),
        ("relu", np.inf),
        ("relu6", 6),
        ("leaky_relu", None),
        (None, None),
    ],
)
def test_a_rectifier_is_known_by_any_of_its_names(rectifier, ceiling):
    dense = keras.layers.Dense(1, activation=rectifier)
    assert graph.rectifier_ceiling(dense) == ceiling
    assert graph.rectifier_ceiling(keras.layers.Activation(rectifier)) == ceiling


def test_a_model_runs_as_for_inference():
    kinds = keras.layers
    random = [kinds.RandomFlip(), kinds.RandomTranslation(0.3, 0.3), kinds.Dropout(0.5)]
    model = sequential((8, 8, 1), *random, kinds.Identity(name="last"))
    image = np.random.default_rng(0).uniform(size=(1, 8, 8, 1)).astype(np.float32)
    (found,) = graph.outputs(model, image, ["last"])
    np.testing.assert_array_equal(found, image)


def test_the_logits_of_a_network_without_a_dense_layer_are_gathered_from_its_last_map():
    model = sequential(
        (2, 2, 1),
        keras.layers.Conv2D(2, 1, use_bias=False, name="conv"),
        keras.layers.GlobalAveragePooling2D(name="pool"),
        keras.layers.Softmax(),
    )
    set_weights(model, conv=np.array([[[[1.0, -2.0]]]]))
    image = np.array([[1.0, 2.0], [3.0, 6.0]], np.float32).reshape(1, 2, 2, 1)
    assert graph.shape(model, "logits") == (2,)
    (logits,) = graph.outputs(model, image, ["logits"])
    np.testing.assert_allclose(logits, [[3, -6]])
    # both channels depend on the class alone that they belong to: 1 / 4 times their own map
    np.testing.assert_allclose(class_maps.grad_cam(model, image, 0)[0], image[0, ..., 0] / 4)


def test_units_are_chosen_by_seed_or_taken_as_given():
    model = sequential((4,), keras.layers.Dense(20, name="dense"))
    chosen = choose_units(model, "dense", 5, seed=1)
    assert len(set(chosen)) == 5
    assert list(chosen) == sorted(chosen) == list(choose_units(model, "dense", 5, seed=1))
    assert list(chosen) != list(choose_units(model, "dense", 5, seed=2))
    assert list(choose_units(model, "dense", 30, seed=1)) == list(range(20))
    assert list(choose_units(model, "dense", [7, 3], seed=1)) == [7, 3]


@pytest.mark.parametrize(
    ("rectify", "ceiling"),
    [
        (keras.activations.relu, np.inf),
        (lambda x: keras.activations.relu(x, max_value=6.0), 6.0),
        (lambda x: keras.activations.relu(x, negative_slope=0.1), None),
        (keras.ops.relu, np.inf),
    ],
)
def test_a_rectifier_that_is_called_as_a_function_is_known(rectify, ceiling):
    image = keras.Input((2, 2, 1))
    model = keras.Model(image, rectify(keras.layers.Conv2D(1, 1)(image)))
    assert graph.rectifier_ceiling(list(graph.operations(model).values())[-1]) == ceiling


def test_a_layer_may_be_the_activation_of_another():
    dense = keras.layers.Dense(1, activation=keras.layers.ReLU(6.0))
    assert graph.rectifier_ceiling(dense) == 6
    assert graph.rectifier_ceiling(keras.layers.Activation(keras.layers.ReLU())) == np.inf


def test_a_layer_named_logits_that_has_a_softmax_is_explained_before_it():
    model = sequential(
        (1, 2, 1), keras.layers.Flatten(), keras.layers.Dense(2, "softmax", name="logits")
    )
    set_weights(model, logits=[np.array([[1.0, 0.0], [0.0, 2.0]]), np.zeros(2)])
    image = np.array([3.0, 5.0], np.float32).reshape(1, 1, 2, 1)
    (logits,) = graph.outputs(model, image, ["logits"])
    np.testing.assert_allclose(logits, [[3, 10]])


def test_the_deep_network_folded_agrees_in_every_layer_but_the_convolutions():
    description = efficientnet.layers(input_shape=(97, 150, 3), classes=1000)
    model = build(description)
    load_imagenet(model, WEIGHTS, classifier=True)
    names = [n for n in layer_names(description) if n != "input" and not n.endswith("_conv")]
    images = np.random.default_rng(0).uniform(0, 255, (1, 97, 150, 3)).astype(np.float32)
    plain = graph.outputs(model, images, names)
    folded = graph.outputs(model, images, names, graph.folded(model))
    for name, before, after in zip(names, plain, folded, strict=True):
        before, after = np.asarray(before), np.asarray(after)
        assert np.abs(before - after).max() <= 1e-4 * max(1, np.abs(before).max()), name


def test_logits_are_what_the_last_activation_is_fed_with():
    image = keras.Input((4,))
    one, other = keras.layers.Dense(2)(image), keras.layers.Dense(2)(image)
    summed = keras.layers.Softmax()(keras.layers.Add(name="summed")([one, other]))
    assert graph.logits_layer(keras.Model(image, summed)) == "summed"
    scaled = keras.layers.Rescaling(2.0, name="scaled")(one)
    dropped = keras.layers.Activation("softmax")(keras.layers.Dropout(0.5)(scaled))
    assert graph.logits_layer(keras.Model(image, dropped)) == "scaled"


@pytest.mark.parametrize(
    ("function", "ceiling"),
    [
        (lambda x: keras.ops.relu(x), np.inf),
        (lambda x: tf.clip_by_value(x, 0, 3), 3.0),
        (lambda x: tf.minimum(tf.nn.relu(x), 6), 6.0),
        (keras.activations.leaky_relu, None),
        (keras.activations.silu, None),
        (lambda x: 2 * tf.nn.relu(x), None),
        (lambda x: x["no tensor"], None),
    ],
)
def test_a_users_rectifier_is_told_by_what_it_does(function, ceiling):
    assert graph.rectifier_ceiling(keras.layers.Activation(function)) == ceiling
    assert graph.rectifier_ceiling(keras.layers.Lambda(function)) == ceiling
