"""Which parts of which images a report shows: few enough for one file of a few megabytes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain, islice, zip_longest

from classicsr.report._case import Case
from classicsr.report._forward import Forward, Scale
from classicsr.report._pictures import Window, encode, repeated
from classicsr.report._plan import Image, Plan, is_volume, scale_text
from classicsr.report._results import Picture, Showcase

MAX_PICTURES = 150
MAX_SHOWCASES = 12
_VOLUME_WEIGHT = 3  # its slices take the room of so many pictures

Chosen = list[tuple[Image, Scale, Forward]]


def choose(plan: Plan) -> Chosen:
    """Images, factors and degradations to show: the first image of every set, then the second."""
    sets: dict[str, list[Image]] = {}
    for image in plan.images:
        sets.setdefault(image.data, []).append(image)
    in_turn = chain.from_iterable(zip_longest(*sets.values()))
    chosen: Chosen = []
    room = MAX_PICTURES
    for image in filter(None, in_turn):
        for scale in plan.scales:
            for forward in plan.forwards:
                room -= (len(plan.methods) + 2) * (_VOLUME_WEIGHT if is_volume(image.path) else 1)
                if room >= 0 or not chosen:
                    chosen.append((image, scale, forward))
    return list(islice(chosen, MAX_SHOWCASES))


def showcase(
    image: Image, scale: Scale, forward: Forward, lr: str, pictures: Mapping[str, str]
) -> Showcase:
    """The pictures of all methods with the reference and the input."""
    case = Case.read(image.path, forward, scale, lr)
    window = Window.of(case)
    own = {
        "reference": window.strip(case.reference),
        "input": window.strip(repeated(case)),
    }
    return Showcase(
        title=f"{image.name} ({image.data}), x{scale_text(scale)}, {forward.text}",
        n_slices=window.n_slices,
        aspect=window.aspect,
        pictures=[
            *(Picture(name, encode(strip)) for name, strip in own.items()),
            *(Picture(name, png) for name, png in pictures.items()),
        ],
    )
