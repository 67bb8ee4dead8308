"""Two small files that come with the package, for examples and first steps."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "samples"


def sample_image() -> Path:
    """A photograph of a cat, 256 x 256 RGB PNG, to be used as a low-resolution input.

    See ``samples/README.md`` for its origin and licence (CC0).

    Examples
    --------
    >>> from classicsr.datasets import sample_image
    >>> sample_image().name
    'chelsea_256.png'
    """
    return _FOLDER / "chelsea_256.png"


def sample_volume() -> Path:
    """A T1-weighted brain MRI in thick slices, 96 x 112 x 30 voxels of 0.9 x 0.86 x 2.58 mm.

    NIfTI, int16. See ``samples/README.md`` for its origin and licence (MIT).

    Examples
    --------
    >>> from classicsr.datasets import sample_volume
    >>> sample_volume().name
    't1_thick_slices.nii.gz'
    """
    return _FOLDER / "t1_thick_slices.nii.gz"
