"""One input of ``classicsr upscale``: which model at which scale, read, predict, write."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classicsr.cli._blur import set_blur
from classicsr.cli._common import Scale, UsageError, one_line, open_model
from classicsr.cli._labels import LabelImage, LabelVolume
from classicsr.cli._reference import ReferenceVolume
from classicsr.cli._slices import SliceOptions

if TYPE_CHECKING:
    import numpy as np

    from classicsr._progress import Progress
    from classicsr.io import Volume
    from classicsr.super_resolution import SuperResolver

DEFAULT_IMAGE_SCALE = 2


class ModelChoice:
    """The model that the user named, or the bundled one for each scale (``auto``); loaded once.

    Raises
    ------
    UsageError
        The named model cannot be loaded, or no bundled model reaches `scale`.
    """

    def __init__(self, name: str, scale: Scale | None, n_jobs: int) -> None:
        self.automatic = name == "auto"
        self._name = name
        self._n_jobs = n_jobs
        self._loaded: dict[str, SuperResolver] = {}
        # what is known to be impossible is said before any input is read
        if not self.automatic:
            self._load(name)
        elif scale is not None and not _is_volume_scale(scale):
            try:
                self._name_for(scale)
            except ValueError as error:
                raise UsageError(one_line(error)) from error

    @property
    def own_scale(self) -> Scale | None:
        """Scale of the model that the user named: learned, or kept in its file."""
        from classicsr.zoo import METHODS

        if self.automatic:
            return None
        model = self._load(self._name)
        kept: Any = None if self._name in METHODS else model.scale
        return model.native_scale_ or kept

    def find(self, scale: Scale) -> tuple[str, SuperResolver]:
        """Return the name and the estimator that serve `scale`."""
        name = self._name_for(scale)
        return name, self._load(name)

    def _name_for(self, scale: Scale) -> str:
        from classicsr.zoo import default_model

        return default_model(scale) if self.automatic else self._name

    def _load(self, name: str) -> SuperResolver:
        if name not in self._loaded:
            self._loaded[name] = open_model(name, self._n_jobs)
        return self._loaded[name]


@dataclass
class UpscaleJob:
    """The work on one file; `record` says what was done, as JSON values.

    Attributes
    ----------
    source, target : Path
        Input and output file.
    models : ModelChoice
        Where the estimator comes from.
    scale, spacing : number, tuple or None
        What the user asked for: factors, or voxel sizes in mm.
    overwrite : bool
        Whether `target` may exist.
    consistent, noise : bool, float
        As in `SuperResolver.predict`.
    maps : dict of str to Path
        Files of further maps: "std", "detail".
    labels : (Path, Path) or None
        A label map of the input, and where its result goes.
    blur : float, "estimate" or None
        Width of the blur of the input, in its samples; None leaves it to the estimator.
    slices : SliceOptions
        What was said of the slices of a volume.
    reference : ReferenceVolume or None
        Another contrast of the volume.
    """

    source: Path
    target: Path
    models: ModelChoice
    scale: Scale | None
    spacing: Scale | None
    overwrite: bool
    consistent: bool = False
    noise: float = 0.0
    maps: dict[str, Path] = field(default_factory=dict)
    labels: tuple[Path, Path] | None = None
    blur: float | str | None = None
    slices: SliceOptions = field(default_factory=SliceOptions)
    reference: ReferenceVolume | None = None
    record: dict[str, Any] = field(default_factory=dict)

    def run(self, progress: Progress) -> None:
        """Write the upscaled file; raises OSError, ValueError or TypeError where it cannot."""
        from classicsr.io import kind_of

        self.record |= {"input": str(self.source), "output": str(self.target)}
        kind = kind_of(self.source)
        further = self.maps | ({"labels": self.labels[1]} if self.labels else {})
        for name, target in further.items():
            self.record[f"{name}_output"] = str(target)
        for target in (self.target, *further.values()):
            if target.exists() and not self.overwrite:
                raise ValueError(f"{target} exists already; give --overwrite to replace it")
            if not target.parent.is_dir():
                raise ValueError(f"the output folder {target.parent} does not exist")
        if kind == "image":
            self._run_image(progress)
        else:
            self._run_volume(progress)

    def _run_image(self, progress: Progress) -> None:
        from classicsr.io import read_image, write_image, write_image_map

        if self.spacing is not None:
            raise ValueError("--spacing is for volumes, give --scale for images")
        if self.reference is not None:
            raise ValueError("--reference is for volumes")
        if self.slices.given:
            raise ValueError("--axis, --profile, --thickness and --gap are for volumes")
        scale = self.scale or self.models.own_scale or DEFAULT_IMAGE_SCALE
        if isinstance(scale, tuple) and len(scale) != 2:
            raise ValueError("the --scale of an image must be one number or two")
        picture = read_image(self.source)
        labels = LabelImage(self.labels, picture) if self.labels else None
        estimator = self._choose(picture.array, scale)
        result, maps = self._predict(estimator, picture.array, scale=scale, progress=progress)
        write_image(self.target, result, like=picture, scale=scale, overwrite=self.overwrite)
        for name, values in maps.items():
            write_image_map(
                self.maps[name],
                values,
                picture,
                scale,
                signed=name == "detail",
                overwrite=self.overwrite,
            )
        if labels:
            labels.write(scale, self.overwrite)
        self.record["shape_out"] = list(result.shape)

    def _run_volume(self, progress: Progress) -> None:
        from classicsr.io import map_volume, read_volume, write_volume

        volume = read_volume(self.source)
        labels = LabelVolume(self.labels, volume) if self.labels else None
        likes = {name: map_volume(volume, signed=name == "detail") for name in self.maps}
        maps: list[dict[str, np.ndarray]] = []
        scale = self._volume_scale(volume)
        estimator = self._choose(volume, scale)
        guide = {}
        if self.reference is not None:
            guide = self.reference.request(estimator, volume)
            self.record["reference"] = str(self.reference.path)
        self.record["spacing_in"] = list(volume.spacing)
        if self.models.automatic:
            self._say(self.record["plan"])

        def frames() -> Iterator[np.ndarray]:
            for index in range(volume.n_frames):

                def report(done: int, total: int, before: int = index) -> None:
                    progress(before * total + done, volume.n_frames * total)

                frame, spacing = volume.frame(index), volume.spacing
                result, more = self._predict(
                    estimator, frame, scale=scale, spacing=spacing, progress=report, **guide
                )
                maps.append(more)
                yield result

        write = partial(write_volume, scale=scale, overwrite=self.overwrite)
        done = f"{self.record['method']} {'x'.join(f'{factor:.4g}' for factor in scale)}"
        write(self.target, frames(), like=volume, description=done)
        for name, like in likes.items():
            values = (one.pop(name) for one in maps)
            write(self.maps[name], values, like=like, description=f"{done} {name}")
        if labels:
            labels.write(scale, self.overwrite)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it would say was said of the input
            written = read_volume(self.target)
        self.record["shape_out"] = list(written.shape)
        self.record["spacing_out"] = list(written.spacing)

    def _say(self, text: str) -> None:
        print(f"{self.source}: {text}", file=sys.stderr)

    def _predict(
        self, estimator: SuperResolver, data: np.ndarray, **request: Any
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The result, and the maps that go with it by name."""
        wanted = [name for name in ("std", "detail") if name in self.maps]  # as they are returned
        request |= {f"return_{name}": True for name in wanted}
        if self.blur is not None:
            set_blur(estimator, self.blur, data, request["scale"], self.record)
        made = estimator.predict(
            data, consistent=self.consistent, noise=self.noise, record=self.record, **request
        )
        if not wanted:
            return made, {}
        return made[0], dict(zip(wanted, made[1:], strict=True))

    def _volume_scale(self, volume: Volume) -> tuple[float, float, float]:
        if self.scale is not None:
            return _per_axis(self.scale, "--scale")
        if self.spacing is None and self.models.own_scale is not None:
            return _per_axis(self.models.own_scale, "--scale")
        if self.spacing is None and max(volume.spacing) < 1.001 * min(volume.spacing):
            raise ValueError("voxels are isotropic already, give --scale or --spacing")
        wanted = _per_axis(self.spacing or min(volume.spacing), "--spacing")
        x, y, z = (have / want for have, want in zip(volume.spacing, wanted, strict=True))
        return x, y, z

    def _choose(self, data: np.ndarray | Volume, scale: Scale) -> SuperResolver:
        from classicsr.io import Volume
        from classicsr.zoo import method_name

        name, estimator = self.models.find(scale)
        spacing = None
        if isinstance(data, Volume) and isinstance(scale, tuple):
            spacing = data.spacing
            estimator = self._with_slices(estimator, data, scale)
        self.record |= {
            "model": name,
            "method": method_name(estimator),
            "scale": scale,
            "plan": estimator.plan(data.shape, scale, spacing),
            "shape_in": list(data.shape),
            "dtype": str(data.dtype),
        }
        return estimator

    def _with_slices(
        self, estimator: SuperResolver, volume: Volume, scale: tuple[float, ...]
    ) -> SuperResolver:
        estimator, slices = self.slices.apply(estimator, volume, scale)
        if slices is not None:
            self.record["slices"] = slices.record()
            if slices.remark:
                self._say(slices.remark)
        return estimator


def _is_volume_scale(scale: Scale) -> bool:
    return isinstance(scale, tuple) and len(scale) == 3


def _per_axis(value: Scale, option: str) -> tuple[float, float, float]:
    numbers = value if isinstance(value, tuple) else (value,) * 3
    if len(numbers) != 3:
        raise ValueError(f"the {option} of a volume must be one number or three")
    x, y, z = numbers
    return x, y, z
