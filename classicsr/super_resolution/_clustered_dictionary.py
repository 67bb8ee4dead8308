"""Sparse coding over a coupled dictionary for each class of patches."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr._validation import is_integer
from classicsr.degradation import Degradation
from classicsr.regressors._clustered import CLASSIFIERS, ClusteredCodes, ForestVote
from classicsr.regressors._coupled import CoupledCodes, PursuitCoder
from classicsr.regressors._partitions import NearestAnchor, Partition
from classicsr.super_resolution._base import DEFAULT_TILE_SHAPE, Scale
from classicsr.super_resolution._coupled_dictionary import stored_dictionary
from classicsr.super_resolution._forest import stored_trees
from classicsr.super_resolution._patch import PatchSuperResolver
from classicsr.super_resolution._stored import (
    TRAINING_RECORDS,
    Records,
    restore_patch_model,
    write_patch_model,
)


class ClusteredDictionarySR(PatchSuperResolver):
    """Super-resolution by multi-dictionary learning (MDL): a small dictionary for each class.

    K-means sorts patches into classes of like direction, a patch and its negative into the same
    one, and each class has a coupled dictionary of its own. A patch is coded over that of its
    class: the nearest centre, or what a random forest takes it for.

    Parameters
    ----------
    scale : number or one per axis
        2 to 8; factors that are not integers are reached by resampling the next integer's result.
    n_clusters : int
    n_atoms : int
        Of each class.
    n_nonzero : int
        Atoms per patch.
    classifier : {"nearest", "forest"}
        Classes of the features, by the nearest centre; or of features and targets together,
        guessed from the features by a random forest (slower, and no better on photographs).
    n_iter : int
        Iterations of K-SVD.
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_samples : int or None
        Training patches at most (a seeded random subset); None takes all.
    n_levels, level_ratio : int, float
        Pyramid of the training images: levels, and size of each relative to the one before.
    energy : float
        Share of the features' second moment that their principal components keep.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum. The method is
        equivariant to intensity scale and shift, so at prediction it only matters for rounding.
    channel_mode : {"luma", "independent"}
        Colour images: learned luma and bicubic chroma, or every channel alike.
    plane : (int, int), optional
        Axes of the slices of a volume; default the two of finest spacing.
    tile_shape : (int, int)
        Low-resolution pixels of a tile. Changes memory and speed, never the result.
    random_state : int, RandomState or None
    n_jobs : int, optional
        Threads. Never changes the result.

    Attributes
    ----------
    map_ : ClusteredCodes
        ``map_.partition`` and, per class, ``map_.members``.
    filters_ : (n_features, 81) float32
        Linear features of a 9 x 9 low-resolution window.
    native_scale_ : int

    Notes
    -----
    In the style of the references, whose details are not published in full.

    References
    ----------
    S. Wei et al., "Medical image super-resolution by using multi-dictionary and random forest",
    Sustainable Cities and Society 37, 2018; S. Yang, M. Wang, Y. Chen, Y. Sun, "Single-image
    super-resolution reconstruction via learned geometric dictionaries and clustered sparse
    coding", IEEE Trans. Image Process. 21(9), 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr import ClusteredDictionarySR
    >>> image = np.random.default_rng(0).random((60, 60))
    >>> sr = ClusteredDictionarySR(scale=2, n_clusters=4, n_atoms=16, n_levels=1, random_state=0)
    >>> sr.fit([image]).predict(image[:10, :12]).shape
    (20, 24)
    """

    method = "mdl"

    def __init__(
        self,
        scale: Scale = 2,
        n_clusters: int = 64,
        n_atoms: int = 64,
        n_nonzero: int = 8,
        classifier: str = "nearest",
        n_iter: int = 20,
        degradation: Degradation | None = None,
        n_samples: int | None = 200_000,
        n_levels: int = 12,
        level_ratio: float = 0.98,
        energy: float = 0.999,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = DEFAULT_TILE_SHAPE,
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.n_clusters = n_clusters
        self.n_atoms = n_atoms
        self.n_nonzero = n_nonzero
        self.classifier = classifier
        self.n_iter = n_iter
        self.degradation = degradation
        self.n_samples = n_samples
        self.n_levels = n_levels
        self.level_ratio = level_ratio
        self.energy = energy
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        super()._check_parameters()
        accepted = is_integer(self.n_nonzero, 1)
        self._require(accepted, "n_nonzero", "a positive integer", self.n_nonzero)
        self._require(
            isinstance(self.classifier, str) and self.classifier in CLASSIFIERS,
            "classifier",
            f"one of {', '.join(CLASSIFIERS)}",
            self.classifier,
        )

    def _fit_regressor(self, X: NDArray[np.float32], Y: NDArray[np.float32], rng: Any) -> None:
        from classicsr.regressors import ClusteredDictionaryRegressor

        regressor = ClusteredDictionaryRegressor(
            n_clusters=self.n_clusters,
            n_atoms=self.n_atoms,
            n_nonzero=self.n_nonzero,
            classifier=self.classifier,
            n_iter=self.n_iter,
            random_state=rng,
            n_jobs=self.n_jobs,
        )
        self.map_: ClusteredCodes = regressor.fit(X, Y).map_

    def _rows_regressor(self) -> ClusteredCodes:
        return self.map_

    def _label(self) -> str:
        return "clustered sparse coding"

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Residual atoms are stored in float16, which costs less than 0.01 dB.

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.
        """
        self._check_fitted()
        members = self.map_.members
        low, high = (
            np.concatenate(atoms)
            for atoms in zip(*((member.coder.low, member.high) for member in members), strict=True)
        )
        write_patch_model(
            self,
            path,
            method=self.method,
            records=_RECORDS,
            tensors={
                "low_atoms": low,
                "high_atoms": high.astype(np.float16),
                "class_sizes": np.array([len(member.high) for member in members]),
                **self.map_.partition.to_tensors(),
            },
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> ClusteredDictionarySR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        estimator = restore_patch_model(cls(), model, _RECORDS)
        n_features = len(estimator.filters_)
        low, high = stored_dictionary(model, n_features, estimator.native_scale_)
        sizes = model.tensor("class_sizes", (None,), "i").astype(np.int64)
        if sizes.min() < 1 or sizes.max() > len(low) or sizes.sum() != len(low):
            raise model.error("tensor 'class_sizes'", f"must be positive and sum to {len(low)}")
        partition = _partition(model, estimator.classifier, len(sizes), n_features)
        borders = np.cumsum(sizes)[:-1]
        members = [
            CoupledCodes(PursuitCoder(atoms, min(estimator.n_nonzero, *atoms.shape)), partners)
            for atoms, partners in zip(np.split(low, borders), np.split(high, borders), strict=True)
        ]
        estimator.map_ = ClusteredCodes(partition, members)
        return estimator


_RECORDS: Records = {
    "n_clusters": (int,),
    "n_atoms": (int,),
    "n_nonzero": (int,),
    "classifier": (str,),
    "n_iter": (int,),
    **TRAINING_RECORDS,
}
_TENSORS = ("filters", "low_atoms", "high_atoms", "class_sizes")


def _partition(model: ModelFile, classifier: str, n_classes: int, n_features: int) -> Partition:
    """The classes of a stored model, checked."""
    if classifier == "nearest":
        model.require_tensors([*_TENSORS, "anchors"])
        anchors = model.tensor("anchors", (n_classes, n_features))
        return NearestAnchor(anchors.astype(np.float32))
    model.require_tensors([*_TENSORS, "class_shares", "n_nodes", "tests", "thresholds"])
    trees = stored_trees(model, n_features)
    ends = np.cumsum([tree.n_leaves for tree in trees])
    shares = model.tensor("class_shares", (int(ends[-1]), n_classes)).astype(np.float32)
    return ForestVote(trees, np.split(shares, ends[:-1]), n_features)
