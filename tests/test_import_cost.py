"""What `import classicsr` and the upscale path must not pay for."""

import subprocess
import sys

HEAVY = {"numba", "sklearn", "scipy", "faiss", "PIL", "skimage", "nibabel", "tifffile", "rich"}
# Numba itself imports scipy and scipy.linalg
HEAVY_SCIPY = {f"scipy.{name}" for name in ("ndimage", "optimize", "sparse", "special", "stats")}


def modules_after(code):
    """Modules that a fresh interpreter holds after running `code`."""
    finished = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{code}\nimport sys\nprint(*sys.modules)",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.split())


def test_import_is_light():
    assert not modules_after("import classicsr; dir(classicsr)") & HEAVY


def test_the_command_line_is_light():
    code = (
        "import contextlib, io\nfrom classicsr.cli import main\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])"
    )
    assert not modules_after(code) & HEAVY


def test_a_stored_model_is_applied_without_scikit_learn_and_scipy(sr2, tmp_path):
    path = tmp_path / "model.safetensors"
    sr2.save(path)
    code = f"""
import numpy as np
from classicsr import load_model
image = np.arange(600, dtype=np.uint8).reshape(20, 30)
assert load_model({str(path)!r}).predict(image).shape == (40, 60)
assert load_model("bicubic").predict(image, scale=2.5).shape == (50, 75)
"""
    loaded = modules_after(code)
    assert "numba" in loaded
    assert not loaded & (HEAVY - {"numba", "scipy"} | HEAVY_SCIPY)
