"""Sample grids: where each voxel lies before and after upscaling."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def axis_scales(scale: npt.ArrayLike, n_axes: int) -> npt.NDArray[np.float64]:
    """One positive factor per axis from a number or a sequence of `n_axes` numbers."""
    factors = np.asarray(scale, dtype=np.float64)
    if factors.shape not in ((), (n_axes,)) or not (np.isfinite(factors) & (factors > 0)).all():
        raise ValueError(
            f"The 'scale' parameter must be a positive number or {n_axes} of them (one per axis). "
            f"Got {scale!r} instead."
        )
    return np.broadcast_to(factors, n_axes)


def upscaled_affine(affine: npt.ArrayLike, scale: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Affine of the upscaled volume: the same anatomy at the same world coordinates.

    Input voxel ``i`` is the centre of a block of output voxels, so it sits at output coordinate
    ``i * scale + (scale - 1) / 2``; the origin moves by ``(1 / scale - 1) / 2`` input voxels.

    Parameters
    ----------
    affine : array-like of shape (4, 4), or (3, 3) for an image
        Voxel indices to world coordinates (mm) of the input.
    scale : float or one per axis
        Output voxels per input voxel along each voxel axis; need not be whole.

    Returns
    -------
    ndarray of the shape of `affine`, float64

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.io import upscaled_affine
    >>> upscaled_affine(np.diag([1.0, 1.0, 3.0, 1.0]), (1, 1, 3))[2]
    array([ 0.,  0.,  1., -1.])
    """
    matrix = np.asarray(affine, dtype=np.float64)
    factors = axis_scales(scale, len(matrix) - 1)
    output_to_input = np.diag([*(1 / factors), 1.0])
    output_to_input[:-1, -1] = (1 / factors - 1) / 2
    return matrix @ output_to_input
