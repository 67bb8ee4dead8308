"""``classicsr combine``: several images or stacks of one scene in, one finer result out."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classicsr.cli._common import (
    Scale,
    UsageError,
    add_jobs_option,
    check_json_target,
    check_target,
    factors,
    one_line,
    write_json,
)
from classicsr.cli._slices import SLICE_AXIS, SliceOptions, Slices, add_slice_options

if TYPE_CHECKING:
    import numpy as np

    from classicsr.io import Volume

EPILOG = """\
examples:
  classicsr combine axial.nii.gz coronal.nii.gz sagittal.nii.gz -o isotropic.nii.gz
  classicsr combine a.nii.gz b.nii.gz -o fine.nii.gz --spacing 1x1x1 --register rigid
  classicsr combine shot1.png shot2.png shot3.png shot4.png -o sharp.png --scale 2
  classicsr combine shot1.png shot2.png -o sharp.png --model nlm

The result lies on the grid of the first input. Volumes lie where their headers say, unless
--register rigid, and become isotropic with their finest spacing; slices are averages over
their thickness, or Gaussian, along the axis of the largest spacing (of DICOM, across the
slices). Images are doubled, and their shifts are found, unless --register none.
"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "combine",
        help="one finer image or volume from several of the same scene",
        description="Make one finer image, or volume, of several of the same scene.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs", nargs="+", type=Path, metavar="INPUT", help="two files or more, the first leads"
    )
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="OUT", help="a file")
    parser.add_argument(
        "--model", choices=("map", "tv", "nlm"), default="map",
        help="nlm needs no places, but images of one size (default: map)",
    )  # fmt: skip
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--scale", type=factors, help="of the first input: a number or one per axis")
    size.add_argument("--spacing", type=factors, help="wanted voxel size in mm, such as 1x1x1")
    parser.add_argument(
        "--register", choices=("rigid", "none"), default=None,
        help="find rotations and shifts (needs the extra 'registration'), or take inputs as they "
        "lie; by default shifts of images are found and volumes lie where their headers say",
    )  # fmt: skip
    add_slice_options(parser)
    add_jobs_option(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    parser.add_argument(
        "--json", metavar="FILE", help="write a record of what was done; - is stdout"
    )
    parser.set_defaults(run=main)


def main(args: argparse.Namespace) -> int:
    """Combine the inputs."""
    from classicsr.io import kind_of

    if len(args.inputs) < 2:
        raise UsageError("give two files or more; for one there is 'classicsr upscale'")
    check_target(args.output, overwrite=args.overwrite)
    check_json_target(args.json, overwrite=args.overwrite)
    kinds = {kind_of(path) for path in args.inputs}
    if len(kinds) > 1:
        raise UsageError("give images or volumes, not both")
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            record = (_combine_volumes if kinds == {"volume"} else _combine_images)(args)
        except ImportError as error:
            raise UsageError(one_line(error)) from error
    record = {"output": str(args.output), "model": args.model, **record}
    record["seconds"] = round(time.perf_counter() - start, 3)
    record["warnings"] = [one_line(str(warning.message)) for warning in caught]
    for text in record["warnings"]:
        _say(f"warning: {text}")
    if args.json is not None:
        write_json(args.json, {"results": [record]})
    return 0


def _say(text: str) -> None:
    print(f"classicsr: {text}", file=sys.stderr)


def _combine_images(args: argparse.Namespace) -> dict[str, Any]:
    from classicsr.io import read_image, write_image

    if args.spacing is not None:
        raise UsageError("--spacing is for volumes, give --scale for images")
    if SliceOptions.of(args).given:
        raise UsageError("--profile, --thickness and --gap are for volumes")
    pictures = [read_image(path) for path in args.inputs]
    arrays, scale = [picture.array for picture in pictures], args.scale or 2
    places: dict[str, Any] = {}
    if args.register == "rigid":
        places = {"registration": "rigid"}
    elif args.register == "none":
        places = {"shifts": [(0.0, 0.0)] * len(arrays)}
    result = _reconstructed(args, arrays, scale, places, None)
    write_image(args.output, result, like=pictures[0], scale=scale, overwrite=args.overwrite)
    inputs = [
        {"input": str(path), "shape_in": list(array.shape)}
        for path, array in zip(args.inputs, arrays, strict=True)
    ]
    return {
        "inputs": inputs,
        "registration": args.register or "phase",
        "scale": scale,
        "dtype": str(result.dtype),
        "shape_out": list(result.shape),
    }


def _combine_volumes(args: argparse.Namespace) -> dict[str, Any]:
    from classicsr.io import read_volume, write_volume

    volumes = [read_volume(path) for path in args.inputs]
    first = volumes[0]
    for volume in volumes:
        _check(volume, first)
    scale = _volume_scale(args.scale, args.spacing, volumes)
    slices = [_slices(args, volume) for volume in volumes]
    models = [one.degradation() for one in slices]
    places = {
        "affines": [volume.affine for volume in volumes],
        "degradations": models,
        "registration": args.register if args.register == "rigid" else "phase",
    }
    if args.model == "nlm" and len(set(models)) > 1:
        raise UsageError("nlm needs stacks of one slice thickness and axis")
    frames = [volume.frame(0) for volume in volumes]
    result = _reconstructed(args, frames, scale, places, models[0])
    write_volume(args.output, [result], like=first, scale=scale, overwrite=args.overwrite)
    return {
        "inputs": [_described(*pair) for pair in zip(volumes, slices, strict=True)],
        "registration": args.register or "none",
        "scale": scale,
        "dtype": str(result.dtype),
        "shape_out": list(result.shape),
        "spacing_out": [have / by for have, by in zip(first.spacing, scale, strict=True)],
    }


def _slices(args: argparse.Namespace, volume: Volume) -> Slices:
    """The slices of one stack; its thick axis is that of its files, or of its largest spacing."""
    axis = SLICE_AXIS
    if volume.thickness is None:
        axis = max(range(3), key=lambda a: volume.spacing[a])
    try:
        slices = SliceOptions.of(args).slices_of(volume, axis)
    except ValueError as error:
        raise UsageError(f"{volume.path}: {error}") from error
    if slices.remark:
        _say(f"{volume.path}: {slices.remark}")
    return slices


def _described(volume: Volume, slices: Slices) -> dict[str, Any]:
    return {
        "input": str(volume.path),
        "shape_in": list(volume.shape),
        "spacing_in": list(volume.spacing),
        "slices": slices.record(),
    }


def _check(volume: Volume, first: Volume) -> None:
    if volume.n_frames != 1:
        raise UsageError(f"{volume.path}: has {volume.n_frames} frames, stacks have one")
    if not volume.header["sform_code"] and not volume.header["qform_code"]:
        raise UsageError(f"{volume.path}: has no affine, so that its place is not known")
    kinds = [(one.dtype, one.slope, one.inter) for one in (volume, first)]
    if kinds[0] != kinds[1]:
        raise UsageError(
            f"{volume.path}: data type and intensity scaling must be those of {first.path}"
        )


def _volume_scale(
    scale: Scale | None, spacing: Scale | None, volumes: list[Volume]
) -> tuple[float, ...]:
    value = scale or spacing or min(size for volume in volumes for size in volume.spacing)
    numbers = value if isinstance(value, tuple) else (value,) * 3
    if len(numbers) != 3:
        raise UsageError("--scale and --spacing of volumes must be one number or three")
    if scale is not None:
        return numbers
    return tuple(
        max(have / want, 1.0) if spacing is None else have / want
        for have, want in zip(volumes[0].spacing, numbers, strict=True)
    )


def _reconstructed(
    args: argparse.Namespace,
    arrays: list[np.ndarray[Any, Any]],
    scale: Scale,
    places: dict[str, Any],
    degradation: Any,
) -> np.ndarray[Any, Any]:
    from classicsr._progress import compilation_notice
    from classicsr.zoo import make_method

    sr = make_method(args.model, degradation=degradation, n_jobs=args.jobs)
    if args.model == "nlm":
        if args.register == "rigid":
            raise UsageError("nlm needs no places: leave out --register")
        places = {}
    with compilation_notice():
        result: np.ndarray[Any, Any] = sr.reconstruct(arrays, scale=scale, **places)  # type: ignore[attr-defined]
    return result
