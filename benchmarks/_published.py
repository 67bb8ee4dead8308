"""PSNR that papers and their code report, for the table of `quality.py`."""

from __future__ import annotations

SEEN = "seen in a public code repository"
UNCHECKED = "quoted, not checked against the paper"
OTHER_CROP = "other crop of BSD100 (bicubic reads 29.32/27.15 there): not comparable"
SOURCES = {"a": SEEN, "b": UNCHECKED, "c": OTHER_CROP}

NOT_PUBLISHED = (None, "")
# mean PSNR of the luma in dB by method and set, for x2, x3, x4; key of SOURCES for each
PUBLISHED: dict[str, dict[str, tuple[tuple[float | None, str], ...]]] = {
    "bicubic": {
        "Set5": ((33.66, "a"), (30.39, "a"), (28.42, "a")),
        "Set14": ((30.24, "a"), (27.55, "a"), (26.00, "a")),
        "BSD100": ((29.56, "a"), (27.21, "a"), (25.96, "a")),
    },
    "gr": {
        "Set5": ((35.13, "b"), (31.41, "b"), (29.34, "b")),
        "Set14": ((31.36, "b"), (28.31, "b"), (26.60, "b")),
        "BSD100": ((30.23, "c"), (27.70, "c"), (26.37, "b")),
    },
    "anr": {
        "Set5": ((35.83, "b"), (31.92, "b"), (29.70, "a")),
        "Set14": ((31.80, "b"), (28.65, "b"), (26.86, "a")),
        "BSD100": ((30.44, "c"), (27.89, "c"), (26.52, "a")),
    },
    "scsr": {
        "Set5": ((35.78, "a"), (31.34, "a"), (29.07, "a")),
        "Set14": ((31.64, "a"), (28.19, "a"), (26.40, "a")),
        "BSD100": ((30.77, "a"), (27.72, "a"), (26.61, "a")),
    },
    "zeyde": {
        "Set5": ((35.78, "b"), (31.90, "b"), (29.69, "b")),
        "Set14": ((31.81, "b"), (28.67, "b"), (26.88, "a")),
        "BSD100": ((30.40, "c"), (27.87, "c"), (26.51, "a")),
    },
    "ddl": {},
    "mdl": {},
    "asdl": {},
    "ne-ls": {
        "Set5": ((35.66, "b"), (31.78, "b"), (29.55, "b")),
        "Set14": ((31.69, "b"), (28.59, "b"), (26.81, "b")),
        "BSD100": ((30.36, "c"), (27.83, "c"), (26.45, "b")),
    },
    "ne-nnls": {
        "Set5": ((35.43, "b"), (31.60, "b"), (29.47, "b")),
        "Set14": ((31.55, "b"), (28.44, "b"), (26.72, "b")),
        "BSD100": ((30.27, "c"), (27.73, "c"), (26.41, "b")),
    },
    "ne-lle": {
        "Set5": ((35.77, "b"), (31.84, "b"), (29.62, "a")),
        "Set14": ((31.76, "b"), (28.60, "b"), (26.82, "a")),
        "BSD100": ((30.41, "c"), (27.85, "c"), (26.49, "a")),
    },
    "ne-laplacian": {},
    "ne-aligned": {},
    "aplus": {
        "Set5": ((36.54, "a"), (32.58, "a"), (30.28, "a")),
        "Set14": ((32.28, "a"), (29.13, "a"), (27.32, "a")),
        "BSD100": ((31.21, "a"), (28.29, "a"), (26.82, "a")),
    },
    "krr": {
        "Set5": ((36.24, "a"), (32.30, "a"), (30.07, "a")),
        "Set14": ((32.14, "a"), (28.96, "a"), (27.18, "a")),
        "BSD100": ((31.11, "a"), (28.17, "a"), (26.71, "a")),
    },
    "raisr": {
        "Set5": ((35.91, "a"), (32.06, "a"), (29.69, "a")),
        "Set14": ((31.98, "a"), (28.76, "a"), (26.91, "a")),
        "BSD100": (NOT_PUBLISHED,) * 3,
    },
    "forest": {
        "Set5": ((36.54, "a"), (32.43, "a"), (30.14, "a")),
        "Set14": ((32.26, "b"), (29.05, "b"), (27.24, "b")),
        "BSD100": ((31.16, "b"), (28.22, "b"), (26.75, "b")),
    },
    "arfl": {
        "Set5": ((36.9, "b"), (32.7, "b"), (30.4, "b")),
        "Set14": (NOT_PUBLISHED,) * 3,
        "BSD100": (NOT_PUBLISHED,) * 3,
    },
    "nbsrf": {
        "Set5": ((36.76, "b"), (32.75, "b"), (30.44, "b")),
        "Set14": ((32.45, "b"), (29.25, "b"), (27.42, "b")),
        "BSD100": (NOT_PUBLISHED,) * 3,
    },
}

SCALES = (2, 3, 4)


def published(method: str, test_set: str, scale: int) -> tuple[float | None, str]:
    """The published figure in dB and the key of its source, or `NOT_PUBLISHED`."""
    row = PUBLISHED.get(method, {}).get(test_set)
    return row[SCALES.index(scale)] if row and scale in SCALES else NOT_PUBLISHED
