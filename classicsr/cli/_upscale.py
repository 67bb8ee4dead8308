"""``classicsr upscale``: files in, larger files out."""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from classicsr.cli._blur import blur
from classicsr.cli._common import (
    UsageError,
    add_jobs_option,
    check_json_target,
    factors,
    one_line,
    write_json,
)
from classicsr.cli._job import ModelChoice, UpscaleJob
from classicsr.cli._reference import ReferenceVolume
from classicsr.cli._slices import SliceOptions, add_slice_options

EPILOG = """\
examples:
  classicsr upscale photo.png -o photo-x3.png --scale 3
  classicsr upscale scans/ -o upscaled/ --model aplus-x2 --json record.json
  classicsr upscale thick.nii.gz -o isotropic.nii.gz --spacing 1x1x1
  classicsr upscale scan.png -o scan-x2.png --consistent --json record.json
  classicsr upscale blurred.png -o sharp.png --model tv --blur estimate --json -
  classicsr upscale scan.png -o scan-x2.png --std error.tif --detail added.png
  classicsr upscale dicom-series/ -o isotropic.nii.gz --spacing 1x1x1
  classicsr upscale t2.nii.gz -o iso.nii.gz --spacing 1x1x1 --reference t1.nii.gz
  classicsr upscale t1.nii.gz -o iso.nii.gz --labels organs.nii.gz --labels-out iso-organs.nii.gz

Without --scale and --spacing, a model that is named works at its own scale; otherwise images
are doubled, and volumes get isotropic voxels of their finest spacing.
"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "upscale",
        help="upscale images and volumes",
        description="Upscale images (PNG, JPEG, TIFF, WebP, BMP) and volumes (NIfTI, DICOM).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "inputs", nargs="+", metavar="INPUT", help="files, DICOM folders, or folders of these"
    )
    parser.add_argument(
        "-o", "--output", required=True, type=Path, metavar="OUT",
        help="a file for one input (DICOM: or a new folder), a folder for several",
    )  # fmt: skip
    parser.add_argument(
        "--model", default="auto", metavar="NAME|FILE",
        help="a bundled model (see 'classicsr models'), a model file, a method that needs no "
        "fitting (bicubic, tv, self ...), or auto (default): the best bundled model for the scale "
        "of images; for volumes self, which learns from the volume",
    )  # fmt: skip
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--scale", type=factors, help="a number (3, 2.5) or one per axis (1x1x3)")
    size.add_argument(
        "--spacing", type=factors, help="wanted voxel size of volumes in mm, such as 1x1x1"
    )
    parser.add_argument(
        "--consistent", action="store_true",
        help="make the result agree with the input: reduced again, it is the input",
    )  # fmt: skip
    parser.add_argument(
        "--noise", type=float, default=0.0, metavar="SIGMA",
        help="standard deviation of the input's noise, which --consistent need not reproduce",
    )  # fmt: skip
    parser.add_argument(
        "--blur", type=blur, metavar="estimate|FWHM",
        help="how blurred the input is: full width at half maximum in its own pixels, or "
        "'estimate' to find it; what reconstruction (tv, map ...) and --consistent invert",
    )  # fmt: skip
    parser.add_argument(
        "--std", type=Path, metavar="FILE",
        help="write the standard deviation of the errors: result +- 1.645 std holds 90 %% of them",
    )  # fmt: skip
    parser.add_argument(
        "--detail", type=Path, metavar="FILE",
        help="write what was added to what the input shows; middle grey is 0 (TIFF, NIfTI: floats)",
    )  # fmt: skip
    parser.add_argument(
        "--labels", type=Path, metavar="FILE",
        help="a label map on the grid of the input, upscaled without mixing classes",
    )  # fmt: skip
    parser.add_argument("--labels-out", type=Path, metavar="FILE", help="where it is written")
    parser.add_argument(
        "--reference", type=Path, metavar="FILE",
        help="a sharper volume of the same head, knee ... in another contrast, anywhere in the "
        "same scanner space, that guides 'self' and 'nlm'",
    )  # fmt: skip
    parser.add_argument(
        "--register",
        action="store_true",
        help="let rotations and shifts place the reference (SimpleITK, extra 'registration')",
    )
    parser.add_argument(
        "--axis", type=int, choices=(0, 1, 2),
        help="thick axis of volumes for 'self' (default: the one that is enlarged most)",
    )  # fmt: skip
    add_slice_options(parser)
    add_jobs_option(parser)
    parser.add_argument("--overwrite", action="store_true", help="replace existing files")
    parser.add_argument(
        "--json", metavar="FILE", help="write a record of what was done; - is stdout"
    )
    parser.set_defaults(run=main)


OWN_PROCESS = False
"""Whether the process is ours, so that Numba may be started the fast way."""


def main(args: argparse.Namespace) -> int:
    """Upscale every input; one that fails is named on stderr and the others go on."""
    from classicsr._progress import compilation_notice, start_numba_without_blas

    check_json_target(args.json, overwrite=args.overwrite)
    if OWN_PROCESS:
        start_numba_without_blas()
    if args.register and args.reference is None:
        raise UsageError("--register goes with --reference")
    reference = ReferenceVolume(args.reference, args.register) if args.reference else None
    models = ModelChoice(args.model, args.scale, args.jobs)
    files = _pair_files(args)
    with compilation_notice():
        records = [
            _run(
                UpscaleJob(
                    source,
                    target,
                    models,
                    args.scale,
                    args.spacing,
                    args.overwrite,
                    args.consistent,
                    args.noise,
                    maps,
                    labels=(args.labels, maps.pop("labels")) if args.labels else None,
                    blur=args.blur,
                    slices=SliceOptions.of(args),
                    reference=reference,
                )
            )
            for source, target, maps in files
        ]
    if args.json is not None:
        write_json(args.json, {"results": records})
    return 1 if any("error" in record for record in records) else 0


def _pair_files(args: argparse.Namespace) -> list[tuple[Path, Path, dict[str, Path]]]:
    """Each input file with its output and those of its maps; makes the folders for several."""
    from classicsr.io import expand_inputs, holds_dicom

    sources = expand_inputs(args.inputs)
    # a folder with DICOM files is one input, any other stands for what is in it
    several = len(sources) > 1 or any(
        Path(one).is_dir() and not holds_dicom(Path(one)) for one in args.inputs
    )
    if (args.labels is None) != (args.labels_out is None):
        raise UsageError("--labels and --labels-out go together")
    if several and args.labels is not None:
        raise UsageError("--labels goes with one input")
    places = {"output": args.output, "std": args.std, "detail": args.detail}
    places["labels"] = args.labels_out
    targets = {
        name: _targets(sources, place, several)
        for name, place in places.items()
        if place is not None
    }
    target, count = Counter(path for paths in targets.values() for path in paths).most_common(1)[0]
    if count > 1:
        raise UsageError(f"{count} results would all be written to {target}: rename some")
    if several:
        for name in targets:
            places[name].mkdir(parents=True, exist_ok=True)
    outputs = targets.pop("output")
    maps = [{name: paths[i] for name, paths in targets.items()} for i in range(len(sources))]
    return list(zip(sources, outputs, maps, strict=True))


def _targets(sources: Sequence[Path], place: Path, several: bool) -> list[Path]:
    from classicsr.io import FileError, output_path_for

    try:
        return [output_path_for(one, place, 2 if several else 1) for one in sources]
    except FileError as error:
        raise UsageError(one_line(error)) from error


def _run(job: UpscaleJob) -> dict[str, Any]:
    """Run one job; return its record, with ``error`` where it failed."""
    from classicsr._progress import progress_bar

    record = job.record
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        try:
            with progress_bar(job.source.name) as progress:
                job.run(progress)
        except (OSError, ValueError, TypeError, MemoryError, UsageError) as error:
            record["error"] = one_line(error)
    record["seconds"] = round(time.perf_counter() - start, 3)
    record["warnings"] = [one_line(str(warning.message)) for warning in caught]
    for text in record["warnings"]:
        _say(job.source, text, "warning: ")
    if "error" in record:
        _say(job.source, record["error"])
    return record


def _say(source: Path, text: str, kind: str = "") -> None:
    """Print one line on stderr that names the input once."""
    print(f"classicsr: {source}: {kind}{text.removeprefix(f'{source}: ')}", file=sys.stderr)
