"""What held-out images tell about a method: how large its errors are, and what it knows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr.super_resolution._assessment import plane_scales, planes, score_map
from classicsr.super_resolution._novelty import N_DESCRIPTORS, KnownBlocks
from classicsr.super_resolution._pixels import Intensity
from classicsr.super_resolution._uncertainty import ErrorCurve, contrast

if TYPE_CHECKING:
    from classicsr.super_resolution._base import SuperResolver

Float32 = NDArray[np.float32]
SCORES = ("disagreement", "activity", "posterior")
_PREFIX = "calibration."
_N_PIXELS = 20_000  # of one image, so that each counts alike


@dataclass(frozen=True)
class Calibration:
    """What `SuperResolver.calibrate` learned.

    Attributes
    ----------
    scales : tuple of float
        Per axis, of the results that were compared with the truth.
    score : {"disagreement", "activity", "posterior"}
        What errors were measured against: how much overlapping predictions differ, the activity
        of the result, or that and the spread of the posterior.
    curve : ErrorCurve
    known : KnownBlocks
    """

    scales: tuple[float, ...]
    score: str
    curve: ErrorCurve
    known: KnownBlocks

    def to_tensors(self) -> dict[str, NDArray[Any]]:
        """What a model file holds of it."""
        return {
            f"{_PREFIX}scales": np.array(self.scales),
            f"{_PREFIX}{self.score}": self.curve.knots,
            f"{_PREFIX}blocks": self.known.vectors.astype(np.float16),
            f"{_PREFIX}novelty": np.array([self.known.typical, self.known.limit]),
        }


def split_model(model: ModelFile) -> tuple[ModelFile, Calibration | None]:
    """A stored model without its calibration, and that, checked; None where there is none."""
    parts: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    for name, tensor in model.tensors.items():
        parts[name.startswith(_PREFIX)][name] = tensor
    own, calibration = (replace(model, tensors=part) for part in parts)
    return own, _stored_calibration(calibration) if calibration.tensors else None


def _stored_calibration(model: ModelFile) -> Calibration:
    scores = [score for score in SCORES if f"{_PREFIX}{score}" in model.tensors]
    score = scores[0] if scores else SCORES[0]
    names = {name: f"{_PREFIX}{name}" for name in ("scales", score, "blocks", "novelty")}
    model.require_tensors(names.values())
    scales = model.tensor(names["scales"], (None,)).astype(np.float64)
    if len(scales) not in (2, 3) or not ((scales >= 1) & (scales <= 256)).all():
        raise model.error(f"tensor {names['scales']!r}", "must be two or three factors, 1 to 256")
    knots = model.tensor(names[score], (2, None)).astype(np.float32)
    if (knots < 0).any() or (np.diff(knots[0]) <= 0).any() or (np.diff(knots[1]) < 0).any():
        raise model.error(f"tensor {names[score]!r}", "must be 0 or more, and rise")
    blocks = model.tensor(names["blocks"], (None, N_DESCRIPTORS)).astype(np.float32)
    typical, limit = model.tensor(names["novelty"], (2,)).astype(np.float64).tolist()
    if not 0 < typical <= limit:
        raise model.error(f"tensor {names['novelty']!r}", "must be positive, and rise")
    known = KnownBlocks(blocks, typical, limit)
    return Calibration(tuple(scales.tolist()), score, ErrorCurve(knots), known)


def calibrate(sr: SuperResolver, images: Sequence[Any], random_state: Any) -> Calibration:
    """Compare results with the truth; see `SuperResolver.calibrate`."""
    from sklearn.utils import check_random_state

    rng = check_random_state(random_state)
    if len(images) < 2:
        raise ValueError(f"Calibration needs two images or more. Got {len(images)}.")
    order = rng.permutation(len(images))
    # the curve comes from one half, its scale from the other: so it is of images it has not seen
    fitted, held_out = (
        [_Comparison.of(sr, images[number], rng) for number in half]
        for half in (order[::2], order[1::2])
    )
    curve = ErrorCurve.fit(*_pixels(fitted)).conformal(*_pixels(held_out))
    known = KnownBlocks.fit([one.planes for one in fitted], [one.planes for one in held_out], rng)
    return Calibration(fitted[0].scales, fitted[0].score, curve, known)


@dataclass(frozen=True)
class _Comparison:
    """Some pixels of the results for one image, relative to its contrast; the planes of its input.

    Attributes
    ----------
    scales, score : tuple of float, str
        As in `Calibration`.
    pixels : (2, n) float32
        Scores and absolute errors.
    planes : list of (h, w) float32
    """

    scales: tuple[float, ...]
    score: str
    pixels: Float32
    planes: list[Float32]

    @classmethod
    def of(cls, sr: SuperResolver, image: Any, rng: Any) -> _Comparison:
        array = np.asarray(image)
        scales, is_volume = sr._scales(array.shape, None)
        if any(scale != int(scale) or scale < 1 for scale in scales):
            raise ValueError(f"Calibration needs scales that are integers. Got {scales}.")
        pixels, slices = [], []
        for truth in _learned(sr, array, is_volume):
            low, compared = _compare(sr, truth, scales)
            pixels.append(compared)
            slices += planes(sr, low, scales, None)
        every = np.concatenate(pixels, axis=1)
        kept = rng.permutation(every.shape[1])[:_N_PIXELS]
        score = sr._score_kind(plane_scales(sr, scales, None))
        return cls(scales, score, every[:, np.sort(kept)], slices)


def _learned(sr: SuperResolver, image: NDArray[Any], is_volume: bool) -> list[Float32]:
    """What the method enlarges of an image, on the unit scale."""
    from classicsr.super_resolution._training import unit_planes

    if not is_volume:
        return unit_planes([image], [sr.data_range], sr.channel_mode)
    if not np.isfinite(image).all():
        raise ValueError("Volumes of calibration must not hold NaN or infinite values.")
    # as floats: integers of a wide type would be a small part of the range of that type
    floats = image.astype(np.float32)
    return [Intensity.of(floats, sr.data_range).to_unit(floats)]


def _compare(
    sr: SuperResolver, truth: Float32, scales: tuple[float, ...]
) -> tuple[Float32, Float32]:
    """The reduced image; scores and absolute errors (2, n) of all pixels but those at borders."""
    factors = [int(scale) for scale in scales]
    whole = tuple(slice(n - n % s) for n, s in zip(truth.shape, factors, strict=True))
    high = truth[whole]
    if any(n < 3 * s for n, s in zip(high.shape, factors, strict=True)):
        raise ValueError(f"Images of calibration must not be as small as {truth.shape}.")
    low = sr._measurement(scales, high.ndim).forward(high)
    result = sr.predict(low, scale=scales, data_range=(0.0, 1.0))
    inside = tuple(slice(s, n - s) for n, s in zip(high.shape, factors, strict=True))
    scores = score_map(sr, low, result, scales, None)[inside]
    both: Float32 = np.stack([scores.ravel(), np.abs(high - result)[inside].ravel()])
    both /= np.float32(contrast(low) or 1.0)
    return low, both


def _pixels(comparisons: Sequence[_Comparison]) -> Float32:
    return np.concatenate([one.pixels for one in comparisons], axis=1)
