"""Methods that learn nothing beforehand: what they are, and their model files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

from classicsr._model_file import ModelFile, write_model
from classicsr._validation import is_integer
from classicsr.degradation import degradation_from_dict
from classicsr.super_resolution._base import Images, SuperResolver

_ELSEWHERE = ("degradation", "tile_shape", "n_jobs")  # has a field of its own; change no result
_LARGEST_SEED = 2**32 - 1


class TrainingFreeSuperResolver(SuperResolver):
    """Base of the methods that are made of their parameters alone.

    A model file holds them, the forward model, and the calibration if there is one.
    """

    native_scale_ = None

    def fit(self, X: Images | None = None, y: Any = None) -> Self:
        """Do nothing: there is nothing to learn."""
        return self

    def _registry_name(self) -> str:
        """Name of the method that these parameters make of the class.

        Raises
        ------
        TypeError
            For parameters that no method of the registry has.
        """
        return self.method

    @classmethod
    def _stored_names(cls) -> list[str]:
        return [name for name in cls._parameter_names() if name not in _ELSEWHERE]

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write parameters, forward model and calibration to a ``.safetensors`` file.

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records.

        Raises
        ------
        TypeError
            For parameters that are no numbers or names, such as a prior of one's own.
        """
        self._check_parameters()
        model = getattr(self, "degradation", None) if self._takes_degradation() else None
        write_model(
            path,
            method=self._registry_name(),
            params={name: getattr(self, name) for name in self._stored_names()},
            degradation=None if model is None else model.to_dict(),
            tensors={} if self.calibration_ is None else self.calibration_.to_tensors(),
            info=info,
        )

    @classmethod
    def _from_model(cls, model: ModelFile) -> Self:
        """An estimator of the stored parameters, which are checked as those of any other."""
        model.require_tensors([])
        names = cls._stored_names()
        for name in model.parameters:
            if name not in names:
                raise model.error(name[:40], "is not a parameter of this method")
        params = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in model.parameters.items()
        }
        seed = params.get("random_state")
        if seed is not None and not is_integer(seed, 0, _LARGEST_SEED):
            raise model.error("random_state", f"must be an integer from 0 to {_LARGEST_SEED}")
        try:
            if cls._takes_degradation():
                stored = model.degradation
                params["degradation"] = None if stored is None else degradation_from_dict(stored)
            elif model.degradation is not None:
                raise ValueError("This method has no degradation.")
            estimator = cls(**params)
            estimator._check_parameters()
            name = estimator._registry_name()
        except (ValueError, TypeError, OverflowError) as error:
            raise model.error("parameters", str(error)) from error
        if name != model.method:
            raise model.error("parameters", f"are those of the method {name!r}")
        return estimator

    @classmethod
    def _takes_degradation(cls) -> bool:
        return "degradation" in cls._parameter_names()
