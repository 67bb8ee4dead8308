"""Images named on the command line: files, folders, data sets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def load_images(names: Sequence[str]) -> list[tuple[str, np.ndarray]]:
    """Return the name and the pixels of every image; a data set is named like ``natural/Set5``.

    Raises
    ------
    OSError, ValueError
        A file cannot be read, or a name is neither a path nor a data set; the message names it.
    """
    from classicsr.datasets import load_dataset
    from classicsr.io import expand_inputs, read_image

    images: list[tuple[str, np.ndarray]] = []
    for name in names:
        if Path(name).exists():
            images += [(path.name, read_image(path).array) for path in expand_inputs([name])]
        else:
            dataset = load_dataset(name)
            images += zip(dataset.names, dataset, strict=True)
    return images
