"""RAISR: filters of low-resolution pixels, chosen by a hash of their gradients."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._threads import thread_budget
from classicsr._validation import is_integer, is_number
from classicsr.degradation import Degradation
from classicsr.regressors._hash import N_OCTANTS, GradientHash
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Images, Scale
from classicsr.super_resolution._fixed_scale import FixedScaleSuperResolver
from classicsr.super_resolution._planes import Progress, TileMethod
from classicsr.super_resolution._stored import Records, restore_fitted, write_fitted


class HashedFilterSR(FixedScaleSuperResolver):
    """Super-resolution by hashed filters (RAISR).

    Each low-resolution pixel gets filters of its own, one for each pixel of its block, found by
    a hash of the gradients around it: their direction, strength and coherence, and the
    curvature along the direction. Filters cover 7 x 7 low-resolution pixels; they are ridge
    regressions over all training pixels of a bucket and their flips and quarter turns. They
    add to the bicubic image what a weighted sum of differences from the low-resolution pixel
    says: flat areas stay as they are.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    n_angles : int
        Bins of the direction, all around the circle; a multiple of 8.
    n_strengths : int
        Bins with equal shares of the training pixels' summed strength.
    n_coherences, n_curvatures : int
        Bins with equally many of the training pixels.
    blending : bool
        Weigh in the bicubic image where a filter changed the order of neighbouring pixels
        (census transform): fewer artefacts at about the same PSNR.
    ridge : float
        Added to the diagonal of the sums of ``x x'``, for intensities in [0, 1].
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_levels, level_ratio : int, float
        Pyramid of the training images: levels, and size of each relative to the one before.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum. The strength
        of a gradient is judged relative to it.
    channel_mode : {"luma", "independent"}
        Colour images: learned luma and bicubic chroma, or every channel alike.
    plane : (int, int), optional
        Axes of the slices of a volume; default the two of finest spacing.
    tile_shape : (int, int)
        Low-resolution pixels of a tile. Changes memory and speed, never the result.
    random_state : int, RandomState or None
        Chooses the pixels that decide the bins of strength, coherence and curvature.
    n_jobs : int, optional
        Threads. Never changes the result.

    Attributes
    ----------
    hash_ : GradientHash
    filters_ : (n_buckets, scale^2, 49) float32
        For pixel (p, q) of a block at ``p * scale + q``: weights of the differences between
        the low-resolution pixels and the central one. An eighth of the buckets, those with
        directions of the first octant; flips and turns give the others.
    native_scale_ : int

    Notes
    -----
    Fitting strategy: exact mergeable statistics, streamed over the images.

    The paper hashes every pixel of the interpolated image by direction (modulo pi), strength
    and coherence over 9 x 9 pixels, and filters 11 x 11 of its pixels. Interpolation and filter
    are both linear and become one filter of low-resolution pixels here; one bucket for a block
    makes that fast. Where on an edge a pixel lies (the sense of the direction, the curvature)
    is worth 0.2 dB.

    References
    ----------
    Y. Romano, J. Isidoro, P. Milanfar, "RAISR: Rapid and accurate image super resolution",
    IEEE Trans. Comput. Imaging 3(1), 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import HashedFilterSR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = HashedFilterSR(scale=2, n_angles=8, random_state=0).fit([image])
    >>> sr.predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "raisr"

    def __init__(
        self,
        scale: Scale = 2,
        n_angles: int = 16,
        n_strengths: int = 3,
        n_coherences: int = 3,
        n_curvatures: int = 3,
        blending: bool = False,
        ridge: float = 0.01,
        degradation: Degradation | None = None,
        n_levels: int = 3,
        level_ratio: float = 0.85,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.n_angles = n_angles
        self.n_strengths = n_strengths
        self.n_coherences = n_coherences
        self.n_curvatures = n_curvatures
        self.blending = blending
        self.ridge = ridge
        self.degradation = degradation
        self.n_levels = n_levels
        self.level_ratio = level_ratio
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        super()._check_parameters()
        bins = f"a multiple of {N_OCTANTS} up to 360"
        accepted = is_integer(self.n_angles, 1, 360) and self.n_angles % N_OCTANTS == 0
        self._require(accepted, "n_angles", bins, self.n_angles)
        for name in _EDGES:
            value = getattr(self, f"n_{name}")
            self._require(is_integer(value, 2, 20), f"n_{name}", "an integer from 2 to 20", value)
        accepted = isinstance(self.blending, bool)
        self._require(accepted, "blending", "True or False", self.blending)
        self._require(is_number(self.ridge, 0), "ridge", "a number of 0 or more", self.ridge)

    def fit(self, X: Images, y: Images | None = None, *, progress: Progress | None = None) -> Self:
        """Learn from high-resolution images, or from pairs.

        Parameters
        ----------
        X : sequence of arrays
            High-resolution images; or low-resolution ones when `y` is given. Colour images
            are learned from by their luma, volumes slice by slice along their last axis.
        y : sequence of arrays, optional
            High-resolution images, each ``scale`` times as large as its low-resolution one.
            Without them low-resolution images are made by `degradation`.
        progress : callable, optional
            Called with (steps done, steps in all).

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a scale outside 2 to 8, images with NaN, or none large enough.
        """
        from sklearn.utils import check_random_state

        from classicsr.super_resolution._hashed_training import (
            hash_of_pairs,
            in_one_octant,
            statistics_of_pairs,
        )

        self._check_parameters()
        tell = progress or (lambda done, total: None)
        scale = self._integer_scale()
        rng = check_random_state(self.random_state)
        with thread_budget(self.n_jobs):
            pairs = self._training_pairs(X, y, scale)
            if not pairs:
                raise ValueError("The training images are smaller than 3 low-resolution pixels.")
            tell(1, 4)
            n_bins = [getattr(self, f"n_{name}") for name in _EDGES]
            partition = hash_of_pairs(pairs, self.n_angles, n_bins, rng)
            tell(2, 4)
            sums = statistics_of_pairs(pairs, scale, partition, self.n_jobs)
            tell(3, 4)
            maps = in_one_octant(sums, scale).maps(self.ridge, self.n_jobs)
            tell(4, 4)
        self.hash_ = partition
        self.filters_: NDArray[np.float32] = np.ascontiguousarray(maps.transpose(0, 2, 1))
        self._tiles_cache = self.calibration_ = None
        self.native_scale_ = scale
        return self

    def _make_tiles(self) -> TileMethod:
        from classicsr.super_resolution._hashed_tiles import HashedTiles

        return HashedTiles(self.native_scale_, self.hash_, self.filters_, self.blending)

    def _label(self) -> str:
        return "RAISR"

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Filters are stored in float16, which costs less than 0.01 dB.

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.
        """
        self._check_fitted()
        write_fitted(
            self,
            path,
            method=self.method,
            records=_RECORDS,
            tensors={"filters": self.filters_.astype(np.float16), **self.hash_.to_tensors()},
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> HashedFilterSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        from classicsr.kernels.filtering import FILTER_SIDE

        n_taps = FILTER_SIDE**2
        estimator = restore_fitted(cls(), model, _RECORDS)
        model.require_tensors(["filters", *_EDGES])
        edges = {
            name: _edges(model, name, getattr(estimator, f"n_{name}"), largest)
            for name, largest in _EDGES.items()
        }
        partition = GradientHash(estimator.n_angles, n_features=n_taps, **edges)
        shape = (partition.n_leaves // N_OCTANTS, estimator.native_scale_**2, n_taps)
        estimator.hash_ = partition
        estimator.filters_ = model.tensor("filters", shape).astype(np.float32)
        return estimator


def _edges(model: ModelFile, name: str, n_bins: int, largest: float) -> NDArray:
    """Bin edges of a stored model, checked."""
    edges = model.tensor(name, (n_bins - 1,))
    if edges[0] < 0 or edges[-1] > largest or (np.diff(edges) < 0).any():
        raise model.error(f"tensor {name!r}", f"must rise, within 0 and {largest:g}")
    return edges


_RECORDS: Records = {
    "n_angles": (int,),
    "n_strengths": (int,),
    "n_coherences": (int,),
    "n_curvatures": (int,),
    "blending": (bool,),
    "ridge": (int, float),
    "n_levels": (int,),
    "level_ratio": (int, float),
}
_EDGES = {"strengths": np.inf, "coherences": 1.0, "curvatures": 1.0}
"""Tensors of bin edges, with the largest value that each may have."""
