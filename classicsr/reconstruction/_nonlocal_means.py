"""Non-local means of images and volumes: the prior of non-local upsampling."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from classicsr._threads import run_parallel
from classicsr.kernels.nonlocal_means import average_similar

Float32 = NDArray[np.float32]
_STRIP = 8  # rows that are worked on together: they stay in cache


def nonlocal_means(
    image: Float32,
    widths: Float32,
    search_radius: int = 3,
    n_jobs: int | None = None,
    *,
    stacked: bool = False,
    reference: tuple[Float32, Float32] | None = None,
) -> Float32:
    """Every sample as a weighted mean of those around it whose neighbourhoods look alike.

    Parameters
    ----------
    image : array of 1 to 3 axes, float32
        Mirrored beyond its border.
    widths : array of the same shape, float32
        Root mean square difference of two patches (3 samples per axis) up to which they count
        as alike, at every sample; where it is 0 the sample stays.
    search_radius : int
        Samples on each side, per axis, that are looked at.
    n_jobs : int, optional
    stacked : bool
        The first axis, one more, counts frames of one scene: similar places are looked for in
        all of them, around the same position.
    reference : (image, widths), optional
        Another image of the same places, whose patches are compared as well. Its widths are 0
        where it does not count.

    Returns
    -------
    array of the same shape, float32

    References
    ----------
    A. Buades, B. Coll, J.-M. Morel, "A non-local algorithm for image denoising", CVPR 2005.
    P. Coupe et al., "An optimized blockwise nonlocal means denoising filter for 3-D magnetic
    resonance images", IEEE TMI 27(4), 2008.
    M. Protter, M. Elad, H. Takeda, P. Milanfar, "Generalizing the nonlocal-means to
    super-resolution reconstruction", IEEE TIP 18(1), 2009 (frames).
    P. Coupe et al., "Collaborative patch-based super-resolution for diffusion-weighted images",
    NeuroImage 83, 2013 (reference).

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.reconstruction import nonlocal_means
    >>> noisy = np.random.default_rng(0).normal(size=(40, 40)).astype(np.float32)
    >>> bool(nonlocal_means(noisy, np.ones_like(noisy)).std() < 0.2)
    True
    """
    n_frames = image.shape[0] if stacked else 1
    lengths = [n for n in image.shape[stacked:] if n > 1]  # axes of one sample change nothing
    shape = (*[1] * (3 - len(lengths)), *lengths)
    rims = [search_radius + 1 if n > 1 or axis == 2 else 0 for axis, n in enumerate(shape)]
    borders = [(0, 0), *((rim, rim) for rim in rims)]
    pairs = [(image, widths)] if reference is None else [(image, widths), reference]
    volumes, their_widths = (
        [one.reshape(n_frames, *shape) for one in several] for several in zip(*pairs, strict=True)
    )
    padded = np.stack([np.pad(one, borders, mode="symmetric") for one in volumes])
    padded_widths = np.stack([np.pad(one, borders) for one in their_widths])
    lined, lined_widths = (every.reshape(len(pairs), -1) for every in (padded, padded_widths))
    extents = padded.shape[1:]
    plane, row = (int(np.prod(extents[axis + 2 :])) if shape[axis] > 1 else 0 for axis in (0, 1))
    reaches = [range(-search_radius, search_radius + 1) if n > 1 else range(1) for n in shape]
    steps = np.array([i * plane + j * row + k for i, j, k in product(*reaches)])
    frame_starts = np.arange(n_frames)[:, None] * padded[0, 0].size
    result = np.empty((n_frames, *shape), np.float32)

    def run(strip: tuple[int, int, int]) -> None:
        f, i, j = strip
        offsets = (steps + frame_starts - frame_starts[f]).ravel()
        height = min(_STRIP, shape[1] - j)
        buffer = padded[0, f, i + rims[0], j + rims[1] : j + rims[1] + height].copy()
        first = int(np.ravel_multi_index((f, i + rims[0], j + rims[1], 0), extents))
        active = np.flatnonzero(lined_widths[0, first : first + buffer.size])
        if len(active):
            average_similar(
                lined, lined_widths, offsets[offsets != 0], plane, row,
                first + active[0], buffer.reshape(-1)[active[0] : active[-1] + 1],
            )  # fmt: skip
        result[f, i, j : j + height] = buffer[:, rims[2] : rims[2] + shape[2]]

    strips = product(range(n_frames), range(shape[0]), range(0, shape[1], _STRIP))
    for _ in run_parallel(run, strips, n_jobs):
        pass
    return result.reshape(image.shape)


def local_deviation(image: Float32) -> Float32:
    """Standard deviation within 3 samples per axis, averaged over as many; float64 inside."""
    from scipy.ndimage import uniform_filter

    mean, variance = image.astype(np.float64), np.square(image, dtype=np.float64)
    for values in (mean, variance):
        uniform_filter(values, 3, output=values, mode="reflect")
    variance -= np.square(mean, out=mean)
    deviation = np.sqrt(np.maximum(variance, 0, out=variance), out=variance)
    uniform_filter(deviation, 3, output=deviation, mode="reflect")
    return deviation.astype(np.float32)
