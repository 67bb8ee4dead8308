"""Methods that an image of another contrast may guide."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classicsr.degradation import Degradation
from classicsr.reconstruction._base import ReconstructionSR
from classicsr.reconstruction._contrasts import is_in_place
from classicsr.reconstruction._reference import GivenReference, Reference
from classicsr.super_resolution._base import Images
from classicsr.super_resolution._planes import Work
from classicsr.super_resolution._prediction import Request

Float32 = NDArray[np.float32]


class GuidedSR(ReconstructionSR):
    """Base of the methods that take a reference: the same scene, sharp, in another contrast."""

    _given: GivenReference | None = None
    _reference: Reference | None = None

    def predict(
        self,
        images: Images,
        *,
        reference: ArrayLike | None = None,
        affine: ArrayLike | None = None,
        reference_affine: ArrayLike | None = None,
        registration: str = "none",
        **request: Any,
    ) -> Any:
        """Upscale one image or volume, or each of a sequence.

        Parameters
        ----------
        images : array, or sequence of arrays
        reference : array, optional
            The same scene in another contrast, sharper than the input: a T1-weighted volume
            for a T2-weighted one in thick slices. It is interpolated at the places of the
            result; where it ends, or is NaN, the result is made without it. The record, if
            one is asked for, tells under "reference_used" whether it fitted.
        affine, reference_affine : (4, 4) arrays, optional
            Indices of the input and of the reference to world coordinates; (3, 3) of images.
            Without them the reference shows what the input does, from edge to edge.
        registration : {"none", "rigid"}
            "rigid" rotates and shifts the reference to where it fits best, by mutual
            information (needs SimpleITK, extra ``registration``).
        **request
            See `SuperResolver.predict`.

        Returns
        -------
        See `SuperResolver.predict`.

        Raises
        ------
        ValueError, TypeError
            For a reference that has nothing in common with the input: of other axes, another
            place, NaN only, or a label map. For the rest see `SuperResolver.predict`.
        ImportError
            For rigid registration without SimpleITK.

        Warns
        -----
        UserWarning
            Where the reference covers only part of the result, or does not fit the input where
            it lies: then it is not used.

        References
        ----------
        P. Coupe et al., "Collaborative patch-based super-resolution for diffusion-weighted
        images", NeuroImage 83, 2013.

        Examples
        --------
        >>> import numpy as np
        >>> from classicsr import NonLocalSR
        >>> t1 = np.random.default_rng(0).random((10, 10, 12))
        >>> t2 = 1 - t1.reshape(10, 10, 4, 3).mean(axis=3)
        >>> NonLocalSR(scale=(1, 1, 3)).predict(t2, reference=t1).shape
        (10, 10, 12)
        """
        self._check_parameters()
        if reference is not None:
            owner = type(self).__name__
            self._given = GivenReference.of(
                reference, affine, reference_affine, registration, owner
            )
        try:
            return super().predict(images, **request)
        finally:
            self._given = self._reference = None

    @abstractmethod
    def _reconstruct_guided(
        self, low: Float32, model: Degradation, reference: Reference
    ) -> Float32:
        """As `_reconstruct`, with a reference on the grid of the result."""

    def _predict_one(self, image: NDArray[Any], request: Request) -> NDArray[Any]:
        result = super()._predict_one(image, request)
        if request.record is not None and self._given is not None:
            request.record["reference_used"] = self._reference is not None
        return result

    def _fitting(
        self, low: Float32, scales: tuple[float, ...], shape: tuple[int, ...]
    ) -> Reference | None:
        """The reference on the grid of the result; None where it would mislead."""
        if self._given is None:
            return None
        reference = self._given.placed(low, scales, shape, type(self).__name__)
        if is_in_place(low, reference, self._measurement(scales, low.ndim)):
            return reference
        warnings.warn(
            "The reference is not used: where it lies it shows nothing of the input. If it is of "
            "the same scene, check the affines, or let registration='rigid' place it.",
            stacklevel=2,
        )
        return None

    def _prepare(self, low: Float32, scales: tuple[float, ...]) -> None:
        """What is done once, before the blocks; `_reference` is in place."""

    def _in_blocks(
        self, low: Float32, scales: tuple[float, ...], shape: tuple[int, ...], work: Work
    ) -> Float32:
        self._reference = self._fitting(low, scales, shape)
        self._prepare(low, scales)
        return super()._in_blocks(low, scales, shape, work)

    def _reconstruct_block(
        self, low: Float32, model: Degradation, place: tuple[slice, ...]
    ) -> Float32:
        if self._reference is None:
            return super()._reconstruct_block(low, model, place)
        return self._reconstruct_guided(low, model, self._reference.part(place))
