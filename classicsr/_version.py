"""The one place that states the version of the package, and the record of the software used."""

from __future__ import annotations

import sys

__version__ = "0.1.0"


def software_versions() -> dict[str, str]:
    """Return the versions that decide the numbers: for model files and for records of runs."""
    import numpy as np

    return {
        "classicsr": __version__,
        "numpy": np.__version__,
        "python": "{}.{}.{}".format(*sys.version_info),
    }
