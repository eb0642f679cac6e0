"""A network with one hidden layer and no biases, small enough to read (Orbanz 2017)."""

from pixelspace.networks.layers import Layer, chain


def layers(
    *, input_shape: tuple[int, int, int], classes: int, hidden: int = 2
) -> tuple[Layer, ...]:
    """Describe a perceptron with ``hidden`` ReLU nodes.

    Without biases, and with the ReLU before them, the logits depend on the hidden nodes alone:
    each node's weights are an image of what the node looks for.
    """
    return chain(
        [
            Layer("input", "input", shape=input_shape),
            Layer("flatten", "flatten"),
            Layer("hidden", "dense", units=hidden, bias=False),
            Layer("hidden_relu", "relu"),
            Layer("logits", "dense", units=classes, bias=False),
            Layer("probabilities", "softmax"),
        ]
    )
