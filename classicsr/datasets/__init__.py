"""Data sets on this machine, checked against their checksums; nothing is downloaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.datasets._dataset import Dataset, available_datasets, load_dataset
    from classicsr.datasets._root import DatasetError, data_root
    from classicsr.datasets._samples import sample_image, sample_volume

__all__ = [
    "Dataset",
    "DatasetError",
    "available_datasets",
    "data_root",
    "load_dataset",
    "sample_image",
    "sample_volume",
]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "Dataset": "classicsr.datasets._dataset",
        "DatasetError": "classicsr.datasets._root",
        "available_datasets": "classicsr.datasets._dataset",
        "data_root": "classicsr.datasets._root",
        "load_dataset": "classicsr.datasets._dataset",
        "sample_image": "classicsr.datasets._samples",
        "sample_volume": "classicsr.datasets._samples",
    },
)
