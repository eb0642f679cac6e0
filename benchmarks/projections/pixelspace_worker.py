"""This project's projections, as its rules call them."""

import numpy as np
from common import BATCH, DEEP, DIGITS, DREAM, UNITS, deep_network, explained, network, serve

from pixelspace.projections import objectives
from pixelspace.projections.backward import backward_pass
from pixelspace.projections.dream import deep_dream
from pixelspace.projections.maximization import maximize
from pixelspace.projections.transforms import GENTLE, ROBUST


def maximization(task, folder):
    model = network(task, folder)
    settings, transforms = (DEEP, ROBUST) if task.endswith("deep") else (DIGITS, GENTLE)
    objective = objectives.channel(settings["layer"], UNITS)
    options = {"steps": settings["steps"], "transforms": transforms, "seed": 0}
    return lambda: maximize(model, objective, **options).images


def dream(_task, folder):
    model, image = deep_network(DREAM["size"]), np.load(folder / "picture.npy")
    return lambda: deep_dream(
        model, image, DREAM["layer"], seed=0, octaves=DREAM["octaves"], steps=DREAM["steps"]
    )[-1:]


def backward(task, folder):
    model = network(task, folder)
    images, classes = explained(model)
    policy = task.split("-")[0]
    return lambda: backward_pass(model, images, "logits", classes, policy=policy, batch=BATCH)[0]


serve(
    {
        "maximization-digits": maximization,
        "shifts-digits": maximization,
        "maximization-deep": maximization,
        "dream": dream,
        "deconvnet-digits": backward,
        "guided-digits": backward,
        "guided-deep": backward,
    }
)
