"""PyTorch where it is installed: the import, the device, the threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from classicsr._threads import n_threads

DEVICES = ("auto", "cpu", "cuda")


class MissingTorchError(ValueError):
    """PyTorch is not installed; one line that says how to install it."""


def import_torch() -> Any:
    """The package.

    Raises
    ------
    MissingTorchError
        It is not installed.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingTorchError("Networks need PyTorch: pip install 'classicsr[torch]'.") from error
    return torch


def find_device(name: str) -> Any:
    """The `torch.device` of "auto" (a GPU where there is one), "cpu" or "cuda"."""
    torch = import_torch()
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ValueError("The 'device' parameter is 'cuda', but PyTorch finds no GPU here.")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


@contextmanager
def torch_threads(n_jobs: int | None) -> Iterator[None]:
    """Let PyTorch use so many threads inside the block."""
    torch = import_torch()
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads(n_jobs))
    try:
        yield
    finally:
        torch.set_num_threads(before)
