"""Random seeds, derived by one stated rule."""

import hashlib


def derive(seed: int, experiment: str, purpose: str, replicate: int = 0) -> int:
    """Return the seed of one random stream.

    It is the first four bytes, big endian, of the SHA-256 of
    ``"{seed}/{experiment}/{purpose}/{replicate}"``, so that no stream depends on
    which others are drawn, nor on their order. A variant draws as the experiment that it extends,
    see `pixelspace.config.Config.stem`.
    """
    text = f"{seed}/{experiment}/{purpose}/{replicate}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
