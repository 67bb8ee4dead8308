"""What is to be compared: checked before any work is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from classicsr._validation import is_integer, is_scale, require
from classicsr.report._forward import Forward, Scale
from classicsr.report._metrics import METRICS
from classicsr.zoo import METHODS, bundled_models, find_model
from classicsr.zoo._registry import unknown_name


@dataclass(frozen=True)
class Image:
    """One file to compare on, its name in the report and the set that it belongs to."""

    name: str
    data: str
    path: Path


@dataclass(frozen=True, eq=False)
class Plan:
    """What `benchmark` does.

    Parameters
    ----------
    methods : sequence of str
        Registry names, names of bundled models, or paths of model files.
    data : mapping of str to sequence of Path
        Name of a set -> its files: images (compared on their luma, in 8 bits) and NIfTI volumes.
    scales : sequence of numbers, or tuples with one number per axis
    degradations : sequence of str
        See `Forward`.
    train : sequence of Path
        What methods without a bundled model learn from.
    masks, labels : Path, optional
        Folders with one file per image, of the image's name.
    metrics : sequence of str, optional
        Names in `METRICS`; by default all that can be measured.
    lr : {"float", "uint8"}
        Whether low-resolution images are rounded to 8 bits. Volumes never are.
    repeats : int
        Timed runs of each image; 0 for no timing.
    seed : int
        Of fitting.
    n_jobs : int or None
        Images that are upscaled side by side, one thread each, and threads of the timed runs.

    Raises
    ------
    ValueError
        For an unknown method, metric or degradation, or a parameter out of range.
    """

    methods: Sequence[str]
    data: Mapping[str, Sequence[Path]]
    scales: Sequence[Scale]
    degradations: Sequence[str] = ("bicubic",)
    train: Sequence[Path] = ()
    masks: Path | None = None
    labels: Path | None = None
    metrics: Sequence[str] | None = None
    lr: str = "float"
    repeats: int = 5
    seed: int = 0
    n_jobs: int | None = -1

    def __post_init__(self) -> None:
        require(len(self.methods) > 0, "methods", "Plan", "at least one name", self.methods)
        for name in self.methods:
            _check_known(name)
        labels = Counter(map(label_of, self.methods))
        twice = [label for label, count in labels.items() if count > 1]
        require(not twice, "methods", "Plan", "different names", ", ".join(twice))
        require(any(self.data.values()), "data", "Plan", "at least one file", dict(self.data))
        require(len(self.scales) > 0, "scales", "Plan", "at least one factor", self.scales)
        for scale in self.scales:
            require(is_scale(scale) and _enlarges(scale), "scales", "Plan", "1 or more", scale)
        require(len(self.degradations) > 0, "degradations", "Plan", "at least one text", [])
        require(self.metrics != [], "metrics", "Plan", "at least one name, or None", self.metrics)
        known = ", ".join(METRICS)
        for name in self.metrics or ():
            require(name in METRICS, "metrics", "Plan", f"of {known}", name)
        require(self.lr in ("float", "uint8"), "lr", "Plan", "'float' or 'uint8'", self.lr)
        require(is_integer(self.repeats, 0), "repeats", "Plan", "0 or more", self.repeats)
        assert self.forwards  # parses them

    @cached_property
    def forwards(self) -> list[Forward]:
        """The degradations."""
        return [Forward.parse(text) for text in self.degradations]

    @cached_property
    def metric_names(self) -> list[str]:
        """The metrics to measure: without a choice, all for which there is a folder."""
        if self.metrics is not None:
            return list(self.metrics)
        folders = {"": True, "mask": self.masks is not None, "labels": self.labels is not None}
        return [name for name, one in METRICS.items() if one.is_default and folders[one.needs]]

    @cached_property
    def images(self) -> list[Image]:
        """Every file; names that occur twice in a set keep their suffix.

        Volumes that lie among images are a set of their own: their units are others.
        """
        images = []
        for data, paths in self.data.items():
            stems = Counter(_stem(path) for path in paths)
            is_mixed = len({is_volume(path) for path in paths}) > 1
            for path in paths:
                name = _stem(path) if stems[_stem(path)] == 1 else path.name
                own = f"{data} (volumes)" if is_mixed and is_volume(path) else data
                images.append(Image(name, own, path))
        return images


def _check_known(name: str) -> None:
    try:
        if name not in METHODS:
            find_model(name)
    except ValueError:
        known = [*METHODS, *bundled_models()]
        raise ValueError(f"{unknown_name('method', name, known)}, or a model file") from None


def label_of(method: str) -> str:
    """How a method is called in the report: a model file by its name without folders."""
    return method if method in METHODS else Path(method).stem


def scale_text(scale: Scale) -> str:
    """``3`` or ``1x1x3``."""
    factors = scale if isinstance(scale, tuple) else (scale,)
    return "x".join(f"{factor:g}" for factor in factors)


def _enlarges(scale: Scale) -> bool:
    factors = scale if isinstance(scale, tuple) else (scale,)
    return min(factors) >= 1 and max(factors) > 1


def is_volume(path: Path) -> bool:
    """By the suffix, so that files that cannot be read have a kind, too."""
    from classicsr.io._formats import VOLUME_SUFFIXES, suffix_of

    return suffix_of(path) in VOLUME_SUFFIXES


def _stem(path: Path) -> str:
    return path.name.partition(".")[0]
