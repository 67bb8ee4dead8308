"""Published weights, from files that the user supplies, as fitted estimators."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classicsr._tensor_file import ModelFileError
from classicsr.deep._network import NetworkSR
from classicsr.deep._weights import expected_shapes, problem_of, read_weights

Rename = tuple[str, str | Callable[[re.Match[str]], str]]

_DERIVED = re.compile(
    r"(sub_mean|add_mean)\..*|.*\.(relative_position_index|attn_mask|num_batches_tracked)"
)
"""What published files hold beside the weights."""


def _plus(template: str, shift: int) -> Callable[[re.Match[str]], str]:
    """A replacement that counts its group from another start."""
    return lambda match: template.format(int(match[1]) + shift)


def _minus_one(template: str) -> Callable[[re.Match[str]], str]:
    """A replacement whose first group stays and whose others count from zero."""
    return lambda match: template.format(match[1], *(int(n) - 1 for n in match.groups()[1:]))


_HEAD: list[Rename] = [(r"(?:head\.0|conv_first)", "first")]
_TAIL: list[Rename] = [
    (r"(?:tail\.0|upsample)\.(\d+)", r"upsample.\1"),
    (r"(?:tail\.1|conv_last)", "last"),
]
_RRDB = r"(?:body|RRDB_trunk)\.(\d+)\.(?:rdb|RDB)(\d)\.conv(\d)"
_SWIN = r"layers\.(\d+)\.residual_group\.blocks\.(\d+)"
_LAYER = r"groups.\1.layers.\2"

RENAMES: Mapping[str, list[Rename]] = {
    # github.com/yjn870
    "srcnn": [(r"conv([123])", lambda match: str(2 * int(match[1]) - 2))],
    "fsrcnn": [
        (r"first_part\.(\d+)", r"\1"), (r"mid_part\.(\d+)", _plus("{}", 2)), ("last_part", "14"),
    ],
    "espcn": [(r"first_part\.(\d+)", r"\1"), (r"last_part\.0", "4")],
    # github.com/twtygqyy/pytorch-vdsr
    "vdsr": [
        ("input", "0"),
        (r"residual_layer\.(\d+)\.conv", lambda match: str(2 * int(match[1]) + 2)),
        ("output", "38"),
    ],
    # the authors' code, and BasicSR
    "edsr": [
        *_HEAD,
        (r"body\.(\d+)\.conv1", r"body.\1.body.0"), (r"body\.(\d+)\.conv2", r"body.\1.body.2"),
        ("conv_after_body", "body.16"),
        *_TAIL,
    ],
    "rcan": [
        *_HEAD,
        (r"body\.(\d+)\.body\.(\d+)\.body\.3\.conv_du\.(\d)",
         lambda m: f"body.{m[1]}.body.{m[2]}.attention.{int(m[3]) + 1}"),
        (r"body\.(\d+)\.residual_group\.(\d+)\.rcab\.3\.attention\.(\d)",
         r"body.\1.body.\2.attention.\3"),
        (r"body\.(\d+)\.residual_group\.(\d+)\.rcab\.(\d)", r"body.\1.body.\2.body.\3"),
        (r"body\.(\d+)\.conv", r"body.\1.body.20"),
        ("conv_after_body", "body.10"),
        *_TAIL,
    ],
    "swinir": [
        *_HEAD,
        (r"patch_embed\.norm", "norm_in"), ("norm", "norm_out"), ("conv_after_body", "after_body"),
        (_SWIN + r"\.attn\.(qkv|proj)", _LAYER + r".attention.\3"),
        (_SWIN + r"\.attn", _LAYER + r".attention"),
        (_SWIN + r"\.(norm\d)", _LAYER + r".\3"),
        (_SWIN + r"\.mlp\.fc1", _LAYER + ".mlp.0"), (_SWIN + r"\.mlp\.fc2", _LAYER + ".mlp.2"),
        (r"layers\.(\d+)\.conv", r"groups.\1.conv"),
    ],
    "swinir-classical": [
        (r"conv_before_upsample\.0", "upsample.0"), (r"upsample\.(\d+)", r"upsample.2.\1"),
        ("conv_last", "upsample.3"),
    ],
    "esrgan": [
        (_RRDB, _minus_one("body.{}.blocks.{}.layers.{}")),
        ("conv_first", "first"), ("conv_body|trunk_conv", "body.23"),
        (r"(?:conv_up|upconv)(\d)", _plus("upsample.{}", -1)),
        ("conv_hr|HRconv", "full"), ("conv_last", "last"),
    ],
}  # fmt: skip
"""Published names of layers, and what they are called here, by method."""


def convert_weights(
    path: str | os.PathLike[str], network: str, scale: int, variant: str | None = None
) -> NetworkSR:
    """A fitted estimator from published weights.

    Parameters
    ----------
    path : path
        ``.safetensors``, or a state dict of PyTorch (read without running code). Names are
        those of the networks here, or of the codes that `RENAMES` lists.
    network : str
    scale : int
    variant : str, optional

    Returns
    -------
    NetworkSR
        Ready to predict and to `save`.

    Raises
    ------
    ModelFileError
        The file is damaged, or not of this network; the message names the first difference.
    """
    path = Path(path)
    weights = read_weights(path)
    names = [*RENAMES.get(f"{network}-{variant}", []), *RENAMES.get(network, [])]
    renamed = {_renamed(name, names): array for name, array in weights.items()
               if not _DERIVED.fullmatch(name)}  # fmt: skip
    return network_of(path, renamed, network=network, scale=scale, variant=variant)


def network_of(path: Path, weights: Mapping[str, NDArray], **params: Any) -> NetworkSR:
    """A fitted estimator from weights by name; `path` is for error messages.

    Raises
    ------
    ModelFileError
        They are not those of the network.
    """
    # published networks of luma give the image itself, but for vdsr
    sr = NetworkSR(**params, residual=False if params["network"] in _DIRECT else None)
    sr._check_parameters()
    scale = sr._integer_scale()
    shapes = expected_shapes(sr._architecture, sr._variant, scale)
    sr.weights_ = {name: _weight(path, name, shape, weights) for name, shape in shapes.items()}
    if unknown := sorted(weights.keys() - shapes.keys()):
        raise ModelFileError(path, f"tensor {unknown[0]!r}", f"is not part of {sr.network}")
    sr.history_ = []
    sr.native_scale_ = scale
    return sr


_DIRECT = ("srcnn", "fsrcnn", "espcn")


def _weight(
    path: Path, name: str, shape: tuple[int, ...], weights: Mapping[str, NDArray]
) -> NDArray[np.float32]:
    array = weights.get(name)
    if array is None and name.endswith(".bias"):  # layers without one, as those of vdsr
        array = np.zeros(shape, np.float32)
    problem = "is missing" if array is None else problem_of(name, array, shape)
    if array is None or problem:
        raise ModelFileError(path, f"tensor {name!r}", str(problem))
    return array.astype(np.float32)


def _renamed(name: str, names: list[Rename]) -> str:
    """The name here of a published tensor; the first pattern that fits its layer counts."""
    layer, _, kind = name.rpartition(".")
    kind = {"relative_position_bias_table": "bias"}.get(kind, kind)
    for pattern, replacement in names:
        if match := re.fullmatch(pattern, layer):
            new = match.expand(replacement) if isinstance(replacement, str) else replacement(match)
            return f"{new}.{kind}"
    return f"{layer}.{kind}" if layer else kind
