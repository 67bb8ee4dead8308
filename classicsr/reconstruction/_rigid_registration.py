"""Rigid registration of images and stacks of slices, by SimpleITK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr.reconstruction._placement import Grid

Float32 = NDArray[np.float32]
_WIDTHS = (4.0, 2.0, 1.0)  # of the Gaussian at each level, in samples of the finest spacing
_MOST_SAMPLES = 100_000  # that a step of the optimiser looks at
_ITERATIONS = 200
_BINS = 64  # of the joint histogram
_SMALLEST_STEP = 1e-4  # of the finest spacing


def register_rigid(frames: Sequence[Float32], grids: Sequence[Grid]) -> list[Grid]:
    """The grids moved so that every frame shows the scene where the first one does.

    Rotations and shifts of largest mutual information, from coarse to fine: squared
    differences mislead where frames are blurred along different axes.

    Raises
    ------
    ImportError
        Without SimpleITK.
    ValueError
        For grids whose axes are not at right angles.

    References
    ----------
    D. Mattes et al., "PET-CT image registration in the chest using free-form deformations",
    IEEE TMI 22(1), 2003; B. Lowekamp, D. Chen, L. Ibanez, D. Blezek, "The design of
    SimpleITK", Frontiers in Neuroinformatics 7, 2013.
    """
    images = [_as_image(*pair) for pair in zip(frames, grids, strict=True)]
    moved = (
        replace(grid, affine=np.linalg.inv(_motion(images[0], image)) @ grid.affine)
        for image, grid in zip(images[1:], grids[1:], strict=True)
    )
    return [grids[0], *moved]


def _itk() -> Any:
    try:
        import SimpleITK
    except ImportError as error:
        raise ImportError(
            "registration='rigid' needs SimpleITK: pip install 'classicsr[registration]'"
        ) from error
    return SimpleITK


def _as_image(frame: Float32, grid: Grid) -> Any:
    spacing = np.linalg.norm(grid.affine[:-1, :-1], axis=0)
    directions = grid.affine[:-1, :-1] / spacing
    if not np.allclose(directions.T @ directions, np.eye(len(spacing)), atol=1e-3):
        raise ValueError("Rigid registration needs affines whose axes are at right angles.")
    image = _itk().GetImageFromArray(np.ascontiguousarray(frame.T))  # the first axis fastest
    image.SetSpacing(spacing.tolist())
    image.SetDirection(directions.ravel().tolist())
    image.SetOrigin(grid.affine[:-1, -1].tolist())
    return image


def _motion(fixed: Any, moving: Any) -> NDArray[np.float64]:
    """Matrix from the world of the fixed image to that of the moving one."""
    itk = _itk()
    n = fixed.GetDimension()
    finest = min(*fixed.GetSpacing(), *moving.GetSpacing())
    share = min(1.0, _MOST_SAMPLES / np.prod(fixed.GetSize()))
    centre = fixed.TransformContinuousIndexToPhysicalPoint([(s - 1) / 2 for s in fixed.GetSize()])
    transform = itk.Euler3DTransform() if n == 3 else itk.Euler2DTransform()
    transform.SetCenter(centre)
    method = itk.ImageRegistrationMethod()
    method.SetNumberOfThreads(1)  # sums of several threads differ in their last bits
    method.SetMetricAsMattesMutualInformation(_BINS)
    method.SetMetricSamplingStrategy(method.REGULAR if share < 1 else method.NONE)
    method.SetMetricSamplingPercentage(float(share), 0)
    method.SetInterpolator(itk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(
        learningRate=finest, minStep=_SMALLEST_STEP * finest, numberOfIterations=_ITERATIONS
    )
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel([1] * len(_WIDTHS))
    method.SetSmoothingSigmasPerLevel([width * finest for width in _WIDTHS])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed, moving)
    matrix = np.eye(n + 1)
    origin = np.array(transform.TransformPoint([0.0] * n))
    for axis, unit in enumerate(np.eye(n)):
        matrix[:n, axis] = np.array(transform.TransformPoint(unit.tolist())) - origin
    matrix[:n, n] = origin
    return matrix
