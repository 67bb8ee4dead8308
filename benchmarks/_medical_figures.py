"""The figures of the medical benchmark: error, similarity, sharpness, agreement, segmentation."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from _medical_cases import AXIS, hippocampi
from labels import figures as label_figures
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter
from sklearn.ensemble import HistGradientBoostingClassifier

from classicsr.degradation import SliceProfileDegradation
from classicsr.metrics import edge_width, psnr, ssim

THRESHOLD = 0.1  # of the range, above the minimum: the mask
REACH = 4  # samples of an edge's profile on either side
EDGES = 40
STEP = 2  # columns from one edge to the next, along both axes: neighbours show the same edge
ONE_WAY = 0.8  # of all ups and downs of a profile must be the difference of its ends

Volume = np.ndarray
Edge = tuple[int, int, slice]


def quality(
    truth: Volume, result: Volume, low: Volume, model: SliceProfileDegradation
) -> dict[str, float]:
    """Error, similarity and agreement of one result."""
    span = float(np.ptp(truth))
    mask = truth - truth.min() > THRESHOLD * span
    return {
        "psnr": psnr(truth, result, data_range=span, mask=mask),
        "ssim": ssim(truth, result, data_range=span, mask=mask),
        "deviation": float(np.abs(model.forward(result) - low).max() / np.ptp(low)),
        "mask": float(mask.mean()),
    }


def sharpness(truth: Volume, result: Volume) -> dict[str, float]:
    """Median width of the truth's strongest edges, in its samples."""
    widths = [edge_width(result[edge]).fwhm for edge in strongest_edges(truth)]
    return {"edge": float(np.median(widths))}


def strongest_edges(truth: Volume) -> list[Edge]:
    """Profiles along the thick axis where it falls or rises most, and mostly one way."""
    columns = truth[::STEP, ::STEP].astype(np.float64)
    reach = slice(REACH, columns.shape[AXIS] - REACH)
    slope = np.abs(np.gradient(columns, axis=AXIS))[..., reach]
    contrast = np.abs(columns[..., 2 * REACH :] - columns[..., : -2 * REACH])
    steps = np.abs(np.diff(columns, axis=AXIS))
    travel = sliding_window_view(steps, 2 * REACH, AXIS).sum(axis=-1)
    strength = np.where(contrast >= ONE_WAY * travel, slope, 0)
    best = np.argsort(-strength.max(axis=AXIS), axis=None, kind="stable")[:EDGES]
    edges = []
    for x, y in zip(*np.unravel_index(best, strength.shape[:AXIS]), strict=True):
        start = int(np.argmax(strength[x, y]))
        if strength[x, y, start] > 0:
            edges.append((STEP * x, STEP * y, slice(start, start + 2 * REACH + 1)))
    return edges


def segmentation(image: Volume, labels: Volume) -> dict[str, float]:
    """Mean Dice and change of volume of the hippocampus' parts, found by the fixed segmenter."""
    labels = labels[..., : image.shape[AXIS]]
    found = _segmenter().predict(_describe(image)).reshape(labels.shape)
    dice, change = label_figures(found, labels, labels, (1, 1, 1))
    return {"dice": dice, "label_volume": change}


@cache
def _segmenter() -> HistGradientBoostingClassifier:
    """Boosted trees on intensity, its local means and place, fitted to the training part."""
    images, labels = hippocampi("mri_hippocampus/train")
    rows = np.concatenate([_describe(image) for image in images])
    classes = np.concatenate([one.ravel() for one in labels])
    return HistGradientBoostingClassifier(random_state=0).fit(rows, classes)


def _describe(image: Volume) -> np.ndarray[Any, Any]:
    """One row per voxel."""
    values = (image - image.mean()) / image.std()
    place = [axis / axis.max() for axis in np.indices(image.shape, dtype=np.float32)]
    means = [gaussian_filter(values, sigma) for sigma in (1, 2, 4)]
    return np.stack([values, *means, *place], axis=-1).reshape(image.size, -1)
