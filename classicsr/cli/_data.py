"""Images named on the command line: files, folders, data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def load_images(names: Sequence[str]) -> list[tuple[str, np.ndarray]]:
    """Return name and pixels of every image or volume; a data set is named like ``natural/Set5``.

    Raises
    ------
    OSError, ValueError
        A file cannot be read, or a name is neither a path nor a data set; the message names it.
    """
    from classicsr.datasets import load_dataset
    from classicsr.io import expand_inputs

    images: list[tuple[str, np.ndarray]] = []
    for name in names:
        if Path(name).exists():
            images += [(path.name, _read(path)) for path in expand_inputs([name])]
        else:
            dataset = load_dataset(name)
            images += zip(dataset.names, dataset, strict=True)
    return images


def _read(path: Path) -> np.ndarray:
    """The pixels of an image, or the stored numbers of the first frame of a volume."""
    from classicsr.io import kind_of, read_image, read_volume

    return read_image(path).array if kind_of(path) == "image" else read_volume(path).frame(0)


def find_sets(names: Sequence[str]) -> dict[str, list[Path]]:
    """Return the files of each folder or data set under its name; single files by their folder.

    Raises
    ------
    OSError, ValueError
        A name is neither a path nor a data set.
    """
    sets: dict[str, list[Path]] = {}
    paths = [Path(name) for name in names]
    folders = Counter(path.resolve().name for path in paths if not path.is_file())
    for name, path in zip(names, paths, strict=True):
        place = path.resolve().parent if path.is_file() else path.resolve()
        several = folders[place.name] > 1
        key = "/".join(place.parts[-2:]) if several else place.name
        sets.setdefault(key, []).extend(find_files(name))
    return sets


def find_files(name: str) -> list[Path]:
    """Return the files that a path or a data set stands for.

    Raises
    ------
    OSError, ValueError
        It is neither.
    """
    from classicsr.datasets import load_dataset
    from classicsr.io import expand_inputs

    return expand_inputs([name]) if Path(name).exists() else list(load_dataset(name).paths)
