"""Where the data sets lie on this machine, and what is known of them."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "CLASSICSR_DATA"
CHECKSUMS = "SHA256SUMS"

# Folder -> where the images come from. Sets that are not listed here load just as well.
CITATIONS = {
    "natural/Set5": (
        "M. Bevilacqua, A. Roumy, C. Guillemot, M.-L. Alberi Morel, Low-complexity single-image "
        "super-resolution based on nonnegative neighbor embedding, BMVC 2012"
    ),
    "natural/Set14": (
        "R. Zeyde, M. Elad, M. Protter, On single image scale-up using sparse-representations, "
        "Curves and Surfaces 2010"
    ),
    "natural/BSD100": (
        "the 100 test images of BSDS300: D. Martin, C. Fowlkes, D. Tal, J. Malik, A database of "
        "human segmented natural images, ICCV 2001"
    ),
    "natural/BSDS200": (
        "the 200 training images of BSDS300: D. Martin, C. Fowlkes, D. Tal, J. Malik, A database "
        "of human segmented natural images, ICCV 2001"
    ),
    "natural/T91": (
        "J. Yang, J. Wright, T. Huang, Y. Ma, Image super-resolution via sparse representation, "
        "IEEE TIP 19(11), 2010"
    ),
    "medical/mri_t1/test": (
        "FNNDSC, Boston Children's Hospital, SAG-anon: anonymous sagittal DICOM images, 2018"
    ),
}


class DatasetError(ValueError):
    """A data set is missing, incomplete or changed; the message says what to do."""


def data_root() -> Path | None:
    """The folder that the environment variable ``CLASSICSR_DATA`` names, or None.

    It holds collections (``natural/``, ``medical/``), each with a ``SHA256SUMS`` file in the
    format of ``sha256sum``. Nothing is ever downloaded.

    Examples
    --------
    >>> from classicsr.datasets import data_root
    >>> root = data_root()  # None unless the variable is set
    """
    value = os.environ.get(VARIABLE)
    return Path(value) if value else None


def required_root() -> Path:
    """`data_root`, or a DatasetError that tells how to get one."""
    root = data_root()
    if root is None:
        raise DatasetError(
            f"Data sets need the environment variable {VARIABLE}: set it to the folder that holds "
            f"natural/ and medical/, each with its {CHECKSUMS} file. {sources()}"
        )
    if not root.is_dir():
        raise DatasetError(f"{root}: no such folder; {VARIABLE} must name the data. {sources()}")
    return root


def sources() -> str:
    """Where the sets come from, in one line."""
    cited = "; ".join(f"{name} ({citation})" for name, citation in CITATIONS.items())
    return f"Nothing is downloaded. The sets come from: {cited}."
