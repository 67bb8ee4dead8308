"""Filters of low-resolution pixels, chosen by trees of pixel tests: the fast path."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import count
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._threads import thread_budget
from classicsr._validation import is_integer, is_number
from classicsr.degradation import Degradation
from classicsr.regressors._posed_tree import MOST_NODES, N_TAPS, PosedTree
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Images, Scale
from classicsr.super_resolution._fixed_scale import FixedScaleSuperResolver
from classicsr.super_resolution._planes import Progress, TileMethod
from classicsr.super_resolution._stored import Records, restore_fitted, write_fitted


class TreeFilterSR(FixedScaleSuperResolver):
    """Super-resolution by filters that trees of pixel tests choose (the fast path).

    Each low-resolution pixel is turned into a canonical pose by the gradients around it. A
    tree compares differences of pixels; its leaf holds filters that turn a disc of 37
    low-resolution pixels into the pixel's block and a rim of one high-resolution pixel, which
    overlaps with the neighbours' blocks: the mean counts. A second tree, whose filters see 21 of
    those pixels, adds what the first one lacks. No image is interpolated on the way: that is part
    of the filters. Flat areas stay as they are.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    n_leaves : int
        At most so many leaves of a tree.
    n_trees : int
        Trees, each fitted to what those before it lack. A fitted model can be cut:
        ``set_params(n_trees=1)`` uses the first one alone, in about two thirds of the time.
    n_passes : int
        How often the filters of a tree are fitted, each time to what is missing after overlaps
        have been averaged. More than two fit the training images better, but not others.
    smoothing : float
        The regression of a leaf takes so many samples of its parent into account, and that one
        of its own parent.
    ridge : float
        Added to the diagonal of the sums of ``x x'``, for intensities in [0, 1].
    n_samples : int
        Low-resolution pixels, chosen at random, that a tree is grown on. Filters learn from
        all.
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
        Chooses the pixels that trees are grown on.
    n_jobs : int, optional
        Threads. Never changes the result.

    Attributes
    ----------
    trees_ : list of PosedTree
    filters_ : list of (n_leaves, (scale + 2)^2, 37) float32
        Of each tree, for each pixel of a patch: weights of the differences between the
        low-resolution pixels of the disc and the central one.
    native_scale_ : int

    Notes
    -----
    Fitting strategy: exact mergeable statistics, streamed over the images; trees from seeded
    random samples.

    A split is the one of 77 tests and 31 thresholds whose two regressions, of the eight
    directions and four patterns that matter most, explain most of the error. The pose replaces
    the eight flips and turns of the training images.

    References
    ----------
    J.-J. Huang, W.-C. Siu, "Learning hierarchical decision trees for single-image
    super-resolution", IEEE Trans. Circuits Syst. Video Technol. 27(5), 2017 (trees of pixel
    tests); Y. Romano, J. Isidoro, P. Milanfar, "RAISR: Rapid and accurate image super
    resolution", IEEE Trans. Comput. Imaging 3(1), 2017 (filters chosen by gradients);
    E. Perez-Pellitero et al., "PSyCo: Manifold span reduction for super resolution", CVPR 2016
    (canonical pose).

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import TreeFilterSR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = TreeFilterSR(scale=2, n_leaves=4, random_state=0).fit([image])
    >>> sr.predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "fast"

    def __init__(
        self,
        scale: Scale = 2,
        n_leaves: int = 512,
        n_trees: int = 2,
        n_passes: int = 2,
        smoothing: float = 10_000.0,
        ridge: float = 0.01,
        n_samples: int = 300_000,
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
        self.n_leaves = n_leaves
        self.n_trees = n_trees
        self.n_passes = n_passes
        self.smoothing = smoothing
        self.ridge = ridge
        self.n_samples = n_samples
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
        limits = {"n_leaves": (MOST_NODES + 1) // 2, "n_trees": _MOST_TREES, "n_passes": 100}
        for name, most in limits.items():
            value = getattr(self, name)
            self._require(is_integer(value, 1, most), name, f"from 1 to {most}", value)
        self._require(is_integer(self.n_samples, 1), "n_samples", "1 or more", self.n_samples)
        self._require(
            is_number(self.smoothing, 0), "smoothing", "a number of 0 or more", self.smoothing
        )
        accepted = is_number(self.ridge, 0) and self.ridge > 0
        self._require(accepted, "ridge", "a number above 0", self.ridge)

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

        from classicsr.super_resolution import _tree_filter_training as training

        self._check_parameters()
        steps = count(1)
        n_steps = 1 + self.n_trees * (1 + self.n_passes)

        def tell() -> None:
            if progress is not None:
                progress(next(steps), n_steps)

        scale = self._integer_scale()
        rng = check_random_state(self.random_state)
        with thread_budget(self.n_jobs):
            pairs = self._training_pairs(X, y, scale)
            if not pairs:
                raise ValueError("The training images are smaller than 3 low-resolution pixels.")
            tell()
            trees, filters = [], []
            for number in range(self.n_trees):
                trees.append(training.grown_tree(pairs, scale, self.n_leaves, self.n_samples, rng))
                tell()
                its_filters, pairs = training.fitted_filters(
                    pairs,
                    scale,
                    trees[-1],
                    training.NEAR if number else np.arange(N_TAPS),
                    n_passes=self.n_passes,
                    smoothing=self.smoothing,
                    ridge=self.ridge,
                    n_jobs=self.n_jobs,
                    tell=tell,
                )
                filters.append(its_filters)
        self.trees_, self.filters_ = trees, filters
        self._tiles_cache = self.calibration_ = None
        self.native_scale_ = scale
        return self

    def _make_tiles(self) -> TileMethod:
        from classicsr.super_resolution._tree_filter_tiles import TreeFilterTiles

        used = slice(self.n_trees)
        return TreeFilterTiles(self.native_scale_, self.trees_[used], self.filters_[used])

    def set_params(self, **params: Any) -> Self:
        """Set parameters; `n_trees` of a fitted model says how many trees it uses."""
        super().set_params(**params)
        self._tiles_cache = None
        return self

    def _label(self) -> str:
        return "tree filters"

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
        tensors: dict[str, NDArray] = {}
        for number, (tree, filters) in enumerate(zip(self.trees_, self.filters_, strict=True)):
            own = {"filters": filters.astype(np.float16), **tree.to_tensors()}
            tensors |= {name + _suffix(number): tensor for name, tensor in own.items()}
        write_fitted(self, path, method=self.method, records=_RECORDS, tensors=tensors, info=info)

    @classmethod
    def _from_model(cls, model: ModelFile) -> TreeFilterSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        estimator = restore_fitted(cls(), model, _RECORDS)
        n_trees = len(model.tensors) // len(_NAMES)
        if not 1 <= n_trees <= _MOST_TREES:
            raise model.error("tensors", f"must be those of 1 to {_MOST_TREES} trees")
        model.require_tensors([name + _suffix(k) for k in range(n_trees) for name in _NAMES])
        stored = [_stored_tree(model, k, estimator.native_scale_) for k in range(n_trees)]
        estimator.trees_, estimator.filters_ = map(list, zip(*stored, strict=True))
        return estimator


def _suffix(number: int) -> str:
    """What the names of a tree's tensors end with."""
    return f"_{number}" if number else ""


def _stored_tree(model: ModelFile, number: int, scale: int) -> tuple[PosedTree, NDArray]:
    """A tree of a stored model and its filters; every tensor is checked."""
    from classicsr.super_resolution._tree_filter_tiles import RIM

    suffix = _suffix(number)
    tests = model.tensor(f"tests{suffix}", (None, 2), "i")
    thresholds = model.tensor(f"thresholds{suffix}", (len(tests),)).astype(np.float32)
    try:
        tree = PosedTree(tests, thresholds)
    except ValueError as error:
        raise model.error(f"tensor 'tests{suffix}'", str(error)) from error
    shape = (tree.n_leaves, (scale + 2 * RIM) ** 2, N_TAPS)
    return tree, model.tensor(f"filters{suffix}", shape).astype(np.float32)


_NAMES = ("filters", "tests", "thresholds")
_MOST_TREES = 64
_RECORDS: Records = {
    "n_leaves": (int,),
    "n_trees": (int,),
    "n_passes": (int,),
    "smoothing": (int, float),
    "ridge": (int, float),
    "n_samples": (int,),
    "n_levels": (int,),
    "level_ratio": (int, float),
}
