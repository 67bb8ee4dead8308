import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def medical() -> Path:
    root = os.environ.get("CLASSICSR_DATA")
    if root is None or not Path(root, "medical").is_dir():
        pytest.skip("CLASSICSR_DATA is not set to a folder with medical/")
    return Path(root, "medical")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def without_permissions(tmp_path: Path) -> Iterator[Path]:
    """A folder that may be entered but neither read nor written, even if tests run as root."""
    folder = tmp_path / "locked"
    folder.mkdir()
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    if os.name != "posix":
        pytest.skip("POSIX permissions")
    yield folder
    if is_root:
        os.seteuid(0)
    folder.chmod(0o700)


@pytest.fixture
def lock(without_permissions: Path):
    def lock_now() -> None:
        for file in without_permissions.iterdir():
            file.chmod(0)
        without_permissions.chmod(0o111)
        for parent in without_permissions.parents[:3]:
            parent.chmod(0o755)
        if os.geteuid() == 0:
            os.seteuid(65534)

    return lock_now
