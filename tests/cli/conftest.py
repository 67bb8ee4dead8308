"""Small files and the program run in this process."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from classicsr import BicubicSR
from classicsr._model_file import write_model
from classicsr.cli import main
from classicsr.zoo import Method, _models


@dataclass
class Outcome:
    status: int
    out: str
    err: str


@pytest.fixture
def run(capsys):
    """Run the program; no traceback and no line without meaning may reach the user."""

    def run_program(*argv: object) -> Outcome:
        capsys.readouterr()
        status = main([str(one) for one in argv])
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        # whether kernels are compiled depends on what ran before on this machine
        lines = captured.err.splitlines(keepends=True)
        err = "".join(line for line in lines if not line.startswith("compiling kernels"))
        return Outcome(status, captured.out, err)

    return run_program


@pytest.fixture
def pixels():
    y, x = np.mgrid[:18, :24]
    return (127 + 60 * np.sin(x / 3) + 60 * np.cos(y / 4)).astype(np.uint8)


@pytest.fixture
def image_path(tmp_path, pixels):
    from PIL import Image

    path = tmp_path / "input.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def volume_path(tmp_path):
    import nibabel as nib

    data = np.random.default_rng(0).integers(0, 900, (7, 8, 5)).astype(np.int16)
    path = tmp_path / "thick.nii.gz"
    nib.save(nib.Nifti1Image(data, np.diag([1.0, 1.0, 3.0, 1.0])), path)
    return path


class StandInSR(BicubicSR):
    """A model of a fixed scale with the arithmetic of bicubic interpolation."""

    @classmethod
    def _from_model(cls, model):
        estimator = cls()
        estimator.native_scale_ = model.parameters["native_scale"]
        return estimator


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Bundled models for x2 and x3 that need no training."""
    folder = tmp_path / "bundle"
    folder.mkdir()
    for scale in (2, 3):
        write_model(
            folder / f"best-x{scale}.safetensors",
            method="aplus",
            params={"native_scale": scale},
            tensors={},
            info={"measured": {"Set5": 30 + scale}},
        )
    monkeypatch.setattr(_models, "MODELS_FOLDER", folder)
    classes = {True: StandInSR, False: BicubicSR}
    monkeypatch.setattr(Method, "load_class", lambda method: classes[method.fits])
    return folder
