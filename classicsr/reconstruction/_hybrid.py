"""Hybrid reconstruction: a learned prior and the forward model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._threads import thread_budget
from classicsr._validation import is_integer, is_number
from classicsr.degradation import BicubicDegradation, Degradation
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._hybrid_model import read_hybrid, write_hybrid
from classicsr.reconstruction._hybrid_tiles import BLOCK_SHAPE, HybridTiles
from classicsr.reconstruction._hybrid_training import (
    PRIORS,
    estimated,
    fitted_initial,
    fitted_refinement,
)
from classicsr.super_resolution import SuperResolver
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Images, Scale
from classicsr.super_resolution._fixed_scale import FixedScaleSuperResolver
from classicsr.super_resolution._pixels import PixelSink, PixelSource
from classicsr.super_resolution._planes import Progress, TileMethod, Work
from classicsr.super_resolution._refinement import Refinement

Float32 = NDArray[np.float32]


class HybridSR(FixedScaleSuperResolver):
    """Hybrid reconstruction: what a learned prior says, made to explain the input.

    Among the images with ``H x = y`` it looks for one that a learned prior, the similarity of
    patches and total variation agree on. Priors act in turn, as denoisers do (plug and play),
    and each is followed by the projection onto the images that agree with the input:

    1. the prior: `initial`, averaged over `n_poses` turned and mirrored copies of the input;
    2. `n_iter` steps of non-local means, which pull similar patches toward each other;
    3. `n_refinements` times anchored regression of what the estimate so far lacks, learned from
       the estimates of the training images, averaged over as many poses;
    4. a step of total variation.

    With noise, the prior sees a copy of the input that is denoised by total variation, and the
    result agrees with that copy within what is left of the noise.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    prior : {"sparse", "ne", "regression"}
        Method of `initial` where that is None: sparse coding over a coupled dictionary,
        neighbour embedding (LLE), or adjusted anchored neighbourhood regression (A+).
    initial : SuperResolver, optional
        The prior. A fitted one is used as it is; another one is cloned and fitted.
    noise : float or None
        Standard deviation of the noise of the input, as a share of its intensity range; None
        estimates it from each input (too high where there is fine texture).
    n_poses : int
        1 to 8; 1 where the forward model is not the same along both axes.
    n_iter : int
        Steps of non-local means at most.
    tolerance : float
        They end when a step changes the image by less than this share of the intensity range
        (root mean square).
    similarity : float
        Root mean square difference up to which patches count as similar, in the same unit.
    tv_weight : float
        Of the step of total variation.
    n_refinements : int
        0 to 8.
    n_anchors : int
        Regressions of each refinement.
    n_samples : int or None
        Training patches of a refinement at most (a seeded random subset); None takes all.
    degradation : Degradation, optional
        Forward model H, also of the training pairs; default MATLAB's bicubic.
    n_levels, level_ratio : int, float
        Pyramid of the training images of refinements.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum.
    channel_mode : {"luma", "independent"}
        Colour images: reconstructed luma and bicubic chroma, or every channel alike.
    plane : (int, int), optional
        Axes of the slices of a volume; default the two of finest spacing.
    tile_shape : (int, int)
        Not used: planes are reconstructed in blocks of a fixed size.
    random_state : int, RandomState or None
    n_jobs : int, optional
        Threads. Never changes the result.

    Attributes
    ----------
    initial_ : SuperResolver
        The fitted prior.
    refinements_ : list of (filters, PiecewiseLinearMap)
        Filters (n_features, (ESTIMATE_SIDE * scale)^2) float32 of an estimate, and regressions.
    native_scale_ : int
    convergence_ : Convergence
        Of the steps of non-local means on the block that was reconstructed last.

    References
    ----------
    S. Venkatakrishnan, C. Bouman, B. Wohlberg, "Plug-and-play priors for model based
    reconstruction", GlobalSIP 2013; R. Timofte, R. Rothe, L. Van Gool, "Seven ways to improve
    example-based single image super resolution", CVPR 2016 (poses, refinement).

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import BicubicSR, HybridSR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = HybridSR(scale=2, initial=BicubicSR(), n_anchors=16, random_state=0)
    >>> sr.fit([image]).predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "hybrid"
    initial_: SuperResolver
    refinements_: list[tuple[Float32, Any]]
    convergence_: Convergence

    def __init__(
        self,
        scale: Scale = 2,
        prior: str = "regression",
        initial: SuperResolver | None = None,
        noise: float | None = 0.0,
        n_poses: int = 8,
        n_iter: int = 2,
        tolerance: float = 1e-4,
        similarity: float = 0.025,
        tv_weight: float = 1e-3,
        n_refinements: int = 1,
        n_anchors: int = 1024,
        n_samples: int | None = 500_000,
        degradation: Degradation | None = None,
        n_levels: int = 1,
        level_ratio: float = 0.98,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.prior = prior
        self.initial = initial
        self.noise = noise
        self.n_poses = n_poses
        self.n_iter = n_iter
        self.tolerance = tolerance
        self.similarity = similarity
        self.tv_weight = tv_weight
        self.n_refinements = n_refinements
        self.n_anchors = n_anchors
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
        known = isinstance(self.prior, str) and self.prior in PRIORS
        self._require(known, "prior", f"one of {', '.join(PRIORS)}", self.prior)
        self._require(
            self.initial is None or isinstance(self.initial, SuperResolver),
            "initial",
            "a SuperResolver or None",
            self.initial,
        )
        for name, accepted, rule in (
            ("noise", self.noise is None or is_number(self.noise, 0), "0 or more, or None"),
            ("n_poses", is_integer(self.n_poses, 1, 8), "1 to 8"),
            ("n_iter", is_integer(self.n_iter, 0, 100), "0 to 100"),
            ("tolerance", is_number(self.tolerance, 0), "0 or more"),
            ("similarity", is_number(self.similarity, 0), "0 or more"),
            ("tv_weight", is_number(self.tv_weight, 0), "0 or more"),
            ("n_refinements", is_integer(self.n_refinements, 0, 8), "0 to 8"),
            ("n_anchors", is_integer(self.n_anchors, 1), "1 or more"),
            ("n_samples", self.n_samples is None or is_integer(self.n_samples, 1), "1 or more"),
        ):
            self._require(accepted, name, rule, getattr(self, name))

    # ---- fitting ----------------------------------------------------------------------------

    def fit(self, X: Images, y: Images | None = None, *, progress: Progress | None = None) -> Self:
        """Learn from high-resolution images, or from pairs.

        Parameters
        ----------
        X, y : sequences of arrays
            High-resolution images; or low-resolution ones, and as `y` high-resolution ones.
        progress : callable, optional
            Called with (stages done, stages in all).

        Raises
        ------
        ValueError
            For a scale outside 2 to 8, an `initial` fitted for another one, images with NaN, or
            images smaller than one patch.
        """
        from sklearn.utils import check_random_state

        self._check_parameters()
        tell = progress or (lambda done, total: None)
        scale, n_stages = self._integer_scale(), self.n_refinements + 1
        rng = check_random_state(self.random_state)
        with thread_budget(self.n_jobs):
            self.initial_ = fitted_initial(self, X, y, scale, rng)
            pairs, self.refinements_ = self._training_pairs(X, y, scale), []
            for stage in range(self.n_refinements):
                tell(stage + 1, n_stages)
                first = self._method(scale, noise=0.0, tv_weight=0.0)
                estimates = [estimated(pair, first) for pair in pairs]
                self.refinements_.append(fitted_refinement(self, estimates, scale, rng))
        self.native_scale_ = scale
        self.calibration_ = None
        tell(n_stages, n_stages)
        return self

    # ---- prediction -------------------------------------------------------------------------

    def _upscale_plane(
        self,
        source: PixelSource,
        sink: PixelSink,
        scales: tuple[float, float],
        learned: range,
        work: Work,
    ) -> None:
        fixed = replace(work, tile_shape=BLOCK_SHAPE)  # blocks are solved: their size matters
        super()._upscale_plane(source, sink, scales, learned, fixed)

    def _make_tiles(self) -> TileMethod:
        return self._method(self.native_scale_, self.noise, self.tv_weight)

    def _tiles(self) -> TileMethod:
        return self._make_tiles()  # quick, and follows the parameters

    def _method(self, scale: int, noise: float | None, tv_weight: float) -> HybridTiles:
        if self.initial is None:  # else it is the caller's
            self.initial_.set_params(n_jobs=self.n_jobs)
        return HybridTiles(
            initial=self.initial_,
            model=(self.degradation or BicubicDegradation(1)).at_scale((scale, scale)),
            scale=scale,
            n_poses=self.n_poses,
            n_iter=self.n_iter,
            tolerance=self.tolerance,
            similarity=self.similarity,
            tv_weight=tv_weight,
            noise=noise,
            refinements=[Refinement(scale, *stage) for stage in self.refinements_],
            n_jobs=self.n_jobs,
            report=partial(setattr, self, "convergence_"),
        )

    def _label(self) -> str:
        return f"hybrid ({self.prior})"

    # ---- model files ------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model, its prior included, to a ``.safetensors`` file.

        Maps are stored in float16.

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records.

        Raises
        ------
        TypeError
            For a prior that cannot be stored.
        """
        write_hybrid(self, path, info)

    @classmethod
    def _from_model(cls, model: ModelFile) -> HybridSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        return read_hybrid(cls(), model)
