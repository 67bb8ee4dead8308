"""Folders of images or volumes, checked against their checksums when opened."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

from numpy.typing import NDArray

from classicsr.datasets._root import CHECKSUMS, CITATIONS, DatasetError, required_root, sources
from classicsr.io._formats import IMAGE_SUFFIXES, VOLUME_SUFFIXES, suffix_of

_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


class Dataset(Sequence[NDArray[Any]]):
    """A sequence of named images, decoded one by one when they are asked for.

    Made by `load_dataset`. Indexing gives the array of one image, ``(H, W)`` or ``(H, W, C)``
    in its stored dtype, or of one volume, ``(X, Y, Z)`` as stored (first frame, intensity
    scaling not applied); slicing gives a smaller data set. The file is compared with its
    checksum each time it is opened.

    Attributes
    ----------
    name : str
    paths : tuple of Path
        In the order of their names.
    names : list of str
        File names without suffix.
    citation : str
        Where the set comes from, empty if not known.
    """

    def __init__(self, name: str, checksums: dict[Path, str]) -> None:
        self.name = name
        self.paths = tuple(checksums)
        self.citation = CITATIONS.get(name, "")
        self._checksums = checksums

    @property
    def names(self) -> list[str]:
        return [path.name.removesuffix(suffix_of(path)) for path in self.paths]

    def __len__(self) -> int:
        return len(self.paths)

    @overload
    def __getitem__(self, index: int) -> NDArray[Any]: ...

    @overload
    def __getitem__(self, index: slice) -> Dataset: ...

    def __getitem__(self, index: int | slice) -> NDArray[Any] | Dataset:
        if isinstance(index, slice):
            return Dataset(self.name, {path: self._checksums[path] for path in self.paths[index]})
        path = self.paths[index]
        _verify(path, self._checksums[path])
        return read_array(path)

    def __repr__(self) -> str:
        return f"<Dataset {self.name}: {len(self)} files>"


def load_dataset(name: str) -> Dataset:
    """The images of a folder below ``CLASSICSR_DATA``.

    Only files that the collection's ``SHA256SUMS`` lists belong to the set, whatever else
    lies in the folder.

    Parameters
    ----------
    name : str
        Collection and folder, for example ``"natural/Set5"`` or ``"medical/mri_t1/test"``.
        See `available_datasets`.

    Returns
    -------
    Dataset

    Raises
    ------
    DatasetError
        The variable is not set, there is no such set, or files are missing. Opening an image
        raises it too if the file differs from its checksum.

    Examples
    --------
    >>> from classicsr.datasets import load_dataset
    >>> set5 = load_dataset("natural/Set5")  # doctest: +SKIP
    >>> set5.names  # doctest: +SKIP
    ['baby', 'bird', 'butterfly', 'head', 'woman']
    """
    root = required_root()
    sets = _find_sets(root)
    if name not in sets:
        known = ", ".join(sorted(sets)) or f"none (no {CHECKSUMS} files)"
        raise DatasetError(f"{root}: has no data set {name!r}; it has: {known}. {sources()}")
    missing = [path for path in sets[name] if not path.is_file()]
    if missing:
        raise DatasetError(
            f"{missing[0]}: missing ({len(missing)} of {len(sets[name])} files of {name}); "
            f"copy the set again. {sources()}"
        )
    return Dataset(name, sets[name])


def available_datasets() -> list[str]:
    """Names that `load_dataset` takes.

    Raises
    ------
    DatasetError
        The variable ``CLASSICSR_DATA`` is not set or names no folder.

    Examples
    --------
    >>> from classicsr.datasets import available_datasets
    >>> "natural/Set5" in available_datasets()  # doctest: +SKIP
    True
    """
    return sorted(_find_sets(required_root()))


def _find_sets(root: Path) -> dict[str, dict[Path, str]]:
    """Name of each set -> its files, sorted, with their checksums."""
    sets: dict[str, dict[Path, str]] = {}
    for listing in sorted(root.glob(f"*/{CHECKSUMS}")):
        collection = listing.parent
        for line in sorted(_lines(listing), key=lambda line: line[1]):
            checksum, relative = line
            path = collection / relative
            folder = path.parent.relative_to(root).as_posix()
            if path.parent != collection and _is_readable(path):
                sets.setdefault(folder, {})[path] = checksum
    return sets


def _lines(listing: Path) -> list[tuple[str, str]]:
    """(checksum, relative path) of each line of a ``SHA256SUMS`` file."""
    matches = [_LINE.fullmatch(line) for line in listing.read_text("utf-8").splitlines() if line]
    if not all(matches):
        raise DatasetError(f"{listing}: has a line that sha256sum would not write; copy it again.")
    return [(match[1], match[2]) for match in matches if match]


def _is_readable(path: Path) -> bool:
    suffix = suffix_of(path)
    return suffix in IMAGE_SUFFIXES or suffix in VOLUME_SUFFIXES


def _verify(path: Path, expected: str) -> None:
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    if found != expected:
        raise DatasetError(
            f"{path}: is not the published file (its sha256 differs from {CHECKSUMS}); "
            "copy it again."
        )


def read_array(path: Path) -> NDArray[Any]:
    """The pixels of an image, or the stored numbers of the first frame of a volume."""
    from classicsr.io import read_image, read_volume

    if suffix_of(path) in VOLUME_SUFFIXES:
        return read_volume(path).frame(0)
    return read_image(path).array
