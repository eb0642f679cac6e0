"""What every method expects of the numbers that it is given."""

import numpy as np

from pixelspace.errors import UserError


def check_whole(least: int, /, **numbers: object) -> None:
    """Check that numbers, given by their names, are whole and no less than ``least``.

    Raises:
        UserError: if one is not.
    """
    for name, number in numbers.items():
        is_whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not is_whole or number < least:
            raise UserError(f"{name} {number}: a whole number of at least {least} is expected")


def check_number(least: float, /, **numbers: object) -> None:
    """Check that numbers, given by their names, are finite and no less than ``least``.

    Raises:
        UserError: if one is not.
    """
    for name, number in numbers.items():
        is_number = isinstance(number, int | float | np.number) and not isinstance(number, bool)
        if not is_number or not np.isfinite(number) or number < least:
            raise UserError(f"{name} {number}: a number of at least {least} is expected")


def check_value_range(value_range: object) -> tuple[float, float]:
    """Return the values that are black and white.

    Raises:
        UserError: if they are not two finite numbers, the second the larger one.
    """
    values = np.ravel(np.asarray(value_range, np.float64))
    if values.shape != (2,) or not np.isfinite(values).all() or values[0] >= values[1]:
        raise UserError(f"value_range {value_range}: two rising numbers are expected")
    return float(values[0]), float(values[1])


def check_pair(least: int, /, **pairs: object) -> None:
    """Check that each of these is a pair of whole numbers, of rows and of columns.

    Raises:
        UserError: if one is not.
    """
    for name, pair in pairs.items():
        if np.shape(pair) != (2,):
            raise UserError(f"{name} {pair}: two numbers, of rows and of columns, are expected")
        check_whole(least, **{name: pair[0]})
        check_whole(least, **{name: pair[1]})


def check_image_shape(shape: object) -> None:
    """Check that a shape is that of an image: its height, width and channels.

    Raises:
        UserError: if it is not.
    """
    if not isinstance(shape, tuple) or len(shape) != 3:
        raise UserError(f"shape {shape}: (height, width, channels) is expected")
    check_whole(1, height=shape[0], width=shape[1], channels=shape[2])


def broadcast(name: str, values: object, shape: tuple[int, ...], kind: np.dtype) -> np.ndarray:
    """Return values as an array of a type and, repeated where they are too few, of a shape.

    Raises:
        UserError: if they cannot be.
    """
    values = np.asarray(values)
    try:
        return np.broadcast_to(values.astype(kind), shape)
    except (TypeError, ValueError):
        raise UserError(f"{name} of shape {values.shape}: it does not fit {shape}") from None
