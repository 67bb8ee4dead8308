"""The part of an image-level estimator that scikit-learn knows: parameters and their checks."""

from __future__ import annotations

import inspect
from abc import ABC
from collections.abc import Sequence
from typing import Any, Self

from classicsr._validation import (
    LARGEST_SCALE,
    is_integer,
    is_range,
    is_scale,
    is_sequence_of,
    require,
)

Scale = float | Sequence[float]
SCALE_RULE = f"a number from 1/{LARGEST_SCALE:g} to {LARGEST_SCALE:g}, or one per axis"
RANGE_RULE = "two finite numbers, the first one smaller, or None"


class Parameters(ABC):
    """Constructor parameters by name, as scikit-learn handles them, without importing it."""

    scale: Scale
    data_range: tuple[float, float] | None
    channel_mode: str
    plane: tuple[int, int] | None
    tile_shape: tuple[int, int]
    n_jobs: int | None

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return [name for name in inspect.signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Constructor parameters by name; with `deep` also those of nested estimators."""
        params = {name: getattr(self, name) for name in self._parameter_names()}
        for name, value in list(params.items()) if deep else []:
            if hasattr(value, "get_params") and not isinstance(value, type):
                params |= {f"{name}__{key}": v for key, v in value.get_params().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters (``name__inner`` for nested estimators)."""
        for name, value in params.items():
            own, _, inner = name.partition("__")
            if own not in self._parameter_names():
                raise ValueError(
                    f"The {own!r} parameter of {type(self).__name__} does not exist. "
                    f"Valid parameters: {', '.join(self._parameter_names())}."
                )
            if inner:
                getattr(self, own).set_params(**{inner: value})
            else:
                setattr(self, own, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        shown = [
            f"{name}={value!r}"
            for name, value in self.get_params(deep=False).items()
            if repr(value) != repr(defaults[name].default)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(two_d_array=False, three_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "native_scale_")

    def _require(self, condition: bool, name: str, rule: str, value: Any) -> None:
        require(condition, name, type(self).__name__, rule, value)

    def _check_parameters(self) -> None:
        """Raise a ValueError for a constructor parameter that is out of range."""
        modes = ("luma", "independent")
        tile, plane = self.tile_shape, self.plane
        self._require(is_scale(self.scale), "scale", SCALE_RULE, self.scale)
        self._require(
            self.data_range is None or is_range(self.data_range),
            "data_range",
            RANGE_RULE,
            self.data_range,
        )
        self._require(
            isinstance(self.channel_mode, str) and self.channel_mode in modes,
            "channel_mode",
            f"one of {', '.join(modes)}",
            self.channel_mode,
        )
        self._require(
            plane is None
            or (is_sequence_of(plane, 2, lambda a: is_integer(a, 0, 2)) and plane[0] != plane[1]),
            "plane",
            "two different axes of 0, 1, 2, or None",
            plane,
        )
        self._require(
            is_sequence_of(tile, 2, lambda n: is_integer(n, 1)),
            "tile_shape",
            "two positive integers",
            tile,
        )

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            from sklearn.exceptions import NotFittedError

            raise NotFittedError(
                f"This {type(self).__name__} is not fitted yet. Call fit first, or load_model."
            )
