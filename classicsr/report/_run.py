"""Measure what a plan asks for, and remember every record, so that a run can go on."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from classicsr._threads import n_threads
from classicsr.report._case import companion_path
from classicsr.report._children import run_child
from classicsr.report._forward import Forward, Scale
from classicsr.report._journal import Journal, digest, file_digest, software
from classicsr.report._machine import machine
from classicsr.report._models import Model, model_of
from classicsr.report._plan import Image, Plan, label_of, scale_text
from classicsr.report._protocol import protocol_of
from classicsr.report._results import Results, Row, Showcase
from classicsr.report._showcases import choose, showcase
from classicsr.report._summaries import summarise
from classicsr.report._text import one_line

Record = dict[str, Any]
Progress = Callable[[int, int], None]
CACHE = "cache"
QUALITY, TIME = "quality", "time"


@dataclass(frozen=True, eq=False)
class Group:
    """One method at one factor under one degradation."""

    method: str
    scale: Scale
    forward: Forward
    model: Model
    error: str | None = None


def benchmark(plan: Plan, folder: Path, progress: Progress | None = None) -> Results:
    """Compare methods on images, in child processes; a method that fails is a row with its reason.

    Records and fitted models are kept in ``folder / "cache"`` by the content of the images, the
    parameters and the version of the software: the same plan again, also after it was killed,
    measures only what is missing and ends with the same numbers.

    Parameters
    ----------
    plan : Plan
    folder : Path
        Made if it is missing.
    progress : callable, optional
        Called with (images done, images in all).

    Returns
    -------
    Results

    Examples
    --------
    >>> from classicsr.datasets import sample_image
    >>> from classicsr.report import Plan, benchmark
    >>> plan = Plan(["bicubic"], {"sample": [sample_image()]}, [2], n_jobs=1)
    >>> benchmark(plan, folder).rows[0].metrics["psnr"]  # doctest: +SKIP
    31.06
    """
    return _Run(plan, folder, progress or (lambda done, total: None)).results()


class _Run:
    """One run of a plan."""

    def __init__(self, plan: Plan, folder: Path, progress: Progress) -> None:
        self.plan = plan
        self.journal = Journal(folder / CACHE / "records.jsonl")
        self.models = folder / CACHE / "models"
        self.machine = machine()
        self.threads = n_threads(plan.n_jobs)
        self.chosen = choose(plan)
        self.is_stopped = False
        self.failures: dict[str, str] = {}
        self.digests: dict[Path | None, str] = {}
        self.progress, self.n_done, self.lock = progress, 0, Lock()
        n_groups = len(plan.methods) * len(plan.scales) * len(plan.forwards)
        self.n_all = n_groups * len(plan.images) * (2 if plan.repeats else 1)

    def results(self) -> Results:
        """Fit, upscale side by side, then time alone."""
        images = self.plan.images
        groups = list(self._groups())
        parts = [
            (group, images[k :: self.threads], QUALITY, 1)
            for group in groups
            for k in range(self.threads)
        ]
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                list(pool.map(lambda part: self._measure(*part), parts))
            except BaseException:
                self.is_stopped = True  # leaving the block waits for the workers
                raise
        if self.plan.repeats:
            for group in groups:
                self._measure(group, images, TIME, self.threads)
        rows = [self._row(group, image) for group in groups for image in images]
        return Results(
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            protocol=protocol_of(self.plan),
            machine=self.machine,
            metrics=self.plan.metric_names,
            rows=rows,
            summaries=summarise(rows, self.plan.metric_names),
            showcases=list(self._showcases(groups)),
        )

    def _groups(self) -> Iterator[Group]:
        for scale in self.plan.scales:
            for forward in self.plan.forwards:
                for method in self.plan.methods:
                    try:
                        model = model_of(method, scale, forward, self.plan, self.models)
                        yield Group(method, scale, forward, model)
                    except (OSError, ValueError) as error:
                        yield Group(method, scale, forward, Model("none"), one_line(error))

    # ---- measuring ----------------------------------------------------------------------------

    def _measure(self, group: Group, images: Sequence[Image], work: str, threads: int) -> None:
        """Measure the images that the journal does not hold; one that kills its process is left."""
        waiting = [one for one in images if self._record(group, one, work) is None]
        self._advance(len(images) - len(waiting))
        while waiting and group.error is None and not self.is_stopped:
            try:
                for record in run_child(self._task(group, waiting, work, threads)):
                    self._store(group, waiting.pop(0), work, record)
                    if self.is_stopped:
                        return
            except ChildProcessError as error:
                self._store(group, waiting.pop(0), work, {"error": one_line(error)})

    def _store(self, group: Group, image: Image, work: str, record: Record) -> None:
        key = self._key(group, image, work)
        if "error" in record:  # may go well another time: not for the journal
            self.failures[key] = record["error"]
        else:
            self.journal.add(key, record)
        self._advance(1)

    def _advance(self, count: int) -> None:
        with self.lock:
            self.n_done += count
            self.progress(self.n_done, self.n_all)

    def _task(self, group: Group, images: Sequence[Image], work: str, threads: int) -> Record:
        plan, model = self.plan, group.model
        return {
            "work": work,
            "method": group.method,
            "model": None if model.path is None else str(model.path),
            "scale": group.scale,
            "degradation": group.forward.text,
            "lr": plan.lr,
            "metrics": plan.metric_names,
            "masks": None if plan.masks is None else str(plan.masks),
            "labels": None if plan.labels is None else str(plan.labels),
            "threads": threads,
            "repeats": plan.repeats,
            "images": [
                {"path": str(image.path), "pictured": self._is_shown(group, image)}
                for image in images
            ],
        }

    def _is_shown(self, group: Group, image: Image) -> bool:
        return (image, group.scale, group.forward) in self.chosen

    def _key(self, group: Group, image: Image, work: str) -> str:
        """What the figures depend on."""
        plan = self.plan
        parts = [software(), work, group.model.key, scale_text(group.scale), group.forward.text]
        parts += [plan.lr, self._digest(image.path)]
        if work == TIME:
            return digest([*parts, self.threads, plan.repeats, self.machine["cpu"]])
        folders = [folder for folder in (plan.masks, plan.labels) if folder is not None]
        companions = [self._digest(companion_path(image.path, folder)) for folder in folders]
        return digest([*parts, plan.metric_names, companions, self._is_shown(group, image)])

    def _digest(self, path: Path | None) -> str:
        """Of a file's content; of one that cannot be read its name, as it will fail anyway."""
        if path not in self.digests:
            try:
                self.digests[path] = "" if path is None else file_digest(path)
            except OSError:
                self.digests[path] = str(path)
        return self.digests[path]

    def _record(self, group: Group, image: Image, work: str) -> Record | None:
        return self.journal.get(self._key(group, image, work))

    # ---- results ------------------------------------------------------------------------------

    def _row(self, group: Group, image: Image) -> Row:
        quality = self._record(group, image, QUALITY) or {}
        timing = self._record(group, image, TIME) or {}
        failed = (self.failures.get(self._key(group, image, work)) for work in (QUALITY, TIME))
        return Row(
            method=label_of(group.method),
            model=group.model.origin,
            data=image.data,
            image=image.name,
            scale=scale_text(group.scale),
            degradation=group.forward.text,
            metrics=quality.get("metrics", {}),
            notes=quality.get("notes", {}),
            plan=quality.get("plan", ""),
            samples=quality.get("samples"),
            fit_seconds=group.model.fit_seconds,
            upscale_seconds=timing.get("seconds"),
            threads=self.threads,
            peak_bytes=timing.get("peak_bytes"),
            model_bytes=group.model.n_bytes,
            error=group.error or next(filter(None, failed), None),
        )

    def _showcases(self, groups: Sequence[Group]) -> Iterator[Showcase]:
        for image, scale, forward in self.chosen:
            pictures = {
                label_of(group.method): record["picture"]
                for group in groups
                if (group.scale, group.forward) == (scale, forward)
                and (record := self._record(group, image, QUALITY)) is not None
            }
            if pictures:
                yield showcase(image, scale, forward, self.plan.lr, pictures)
