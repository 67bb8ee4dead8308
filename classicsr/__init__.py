"""Classical machine-learning super-resolution for images and medical volumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes
from classicsr._version import __version__

if TYPE_CHECKING:
    from classicsr.metrics import psnr, ssim
    from classicsr.reconstruction import (
        BayesianSR,
        HybridSR,
        LowRankTVSR,
        MixedVolumeSR,
        NonLocalSR,
        RegularizedSR,
        SelfVolumeSR,
        TotalVariationSR,
        VolumePatchSR,
    )
    from classicsr.super_resolution import (
        AdaptiveDictionarySR,
        AnchoredRegressionSR,
        BicubicSR,
        CascadeSR,
        ClusteredDictionarySR,
        CoupledDictionarySR,
        DualDictionarySR,
        HashedFilterSR,
        KernelRegressionSR,
        NeighborEmbeddingSR,
        PatchRegressionSR,
        RandomForestSR,
        TreeFilterSR,
        evaluate,
        upscale_labels,
    )
    from classicsr.zoo import load_model

__all__ = [
    "AdaptiveDictionarySR",
    "AnchoredRegressionSR",
    "BayesianSR",
    "BicubicSR",
    "CascadeSR",
    "ClusteredDictionarySR",
    "CoupledDictionarySR",
    "DualDictionarySR",
    "HashedFilterSR",
    "HybridSR",
    "KernelRegressionSR",
    "LowRankTVSR",
    "MixedVolumeSR",
    "NeighborEmbeddingSR",
    "NonLocalSR",
    "PatchRegressionSR",
    "RandomForestSR",
    "RegularizedSR",
    "SelfVolumeSR",
    "TotalVariationSR",
    "TreeFilterSR",
    "VolumePatchSR",
    "__version__",
    "evaluate",
    "load_model",
    "psnr",
    "ssim",
    "upscale_labels",
]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "AdaptiveDictionarySR": "classicsr.super_resolution",
        "AnchoredRegressionSR": "classicsr.super_resolution",
        "BayesianSR": "classicsr.reconstruction",
        "BicubicSR": "classicsr.super_resolution",
        "CascadeSR": "classicsr.super_resolution",
        "ClusteredDictionarySR": "classicsr.super_resolution",
        "CoupledDictionarySR": "classicsr.super_resolution",
        "DualDictionarySR": "classicsr.super_resolution",
        "HashedFilterSR": "classicsr.super_resolution",
        "HybridSR": "classicsr.reconstruction",
        "KernelRegressionSR": "classicsr.super_resolution",
        "LowRankTVSR": "classicsr.reconstruction",
        "MixedVolumeSR": "classicsr.reconstruction",
        "NeighborEmbeddingSR": "classicsr.super_resolution",
        "NonLocalSR": "classicsr.reconstruction",
        "PatchRegressionSR": "classicsr.super_resolution",
        "RandomForestSR": "classicsr.super_resolution",
        "RegularizedSR": "classicsr.reconstruction",
        "SelfVolumeSR": "classicsr.reconstruction",
        "TotalVariationSR": "classicsr.reconstruction",
        "TreeFilterSR": "classicsr.super_resolution",
        "VolumePatchSR": "classicsr.reconstruction",
        "evaluate": "classicsr.super_resolution",
        "load_model": "classicsr.zoo",
        "psnr": "classicsr.metrics",
        "ssim": "classicsr.metrics",
        "upscale_labels": "classicsr.super_resolution",
    },
)
