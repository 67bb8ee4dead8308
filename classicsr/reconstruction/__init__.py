"""Reconstruction: images and volumes that explain their measurement under a forward model."""

from typing import TYPE_CHECKING

from classicsr._lazy import lazy_attributes

if TYPE_CHECKING:
    from classicsr.reconstruction._back_projection import BackProjectionSR as BackProjectionSR
    from classicsr.reconstruction._base import ReconstructionSR as ReconstructionSR
    from classicsr.reconstruction._bayesian import BayesianSR as BayesianSR
    from classicsr.reconstruction._convergence import Convergence as Convergence
    from classicsr.reconstruction._data_term import DataTerm as DataTerm
    from classicsr.reconstruction._data_term import noise_level as noise_level
    from classicsr.reconstruction._denoiser import Denoiser as Denoiser
    from classicsr.reconstruction._denoiser import (
        RegularizationByDenoising as RegularizationByDenoising,
    )
    from classicsr.reconstruction._dictionary_sparsity import (
        DictionarySparsity as DictionarySparsity,
    )
    from classicsr.reconstruction._hybrid import HybridSR as HybridSR
    from classicsr.reconstruction._low_rank import LowRankTVSR as LowRankTVSR
    from classicsr.reconstruction._markov import HuberField as HuberField
    from classicsr.reconstruction._minimize import minimize as minimize
    from classicsr.reconstruction._mixed_volume import MixedVolumeSR as MixedVolumeSR
    from classicsr.reconstruction._nonlocal import NonLocalSR as NonLocalSR
    from classicsr.reconstruction._nonlocal_means import nonlocal_means as nonlocal_means
    from classicsr.reconstruction._nuclear_norm import NuclearNorm as NuclearNorm
    from classicsr.reconstruction._projection_onto_sets import ProjectionSR as ProjectionSR
    from classicsr.reconstruction._regularized import RegularizedSR as RegularizedSR
    from classicsr.reconstruction._self_volume import SelfVolumeSR as SelfVolumeSR
    from classicsr.reconstruction._solve_tv import solve_tv as solve_tv
    from classicsr.reconstruction._solve_tv import tv_denoise as tv_denoise
    from classicsr.reconstruction._tikhonov import Tikhonov as Tikhonov
    from classicsr.reconstruction._total_variation import TotalVariationSR as TotalVariationSR
    from classicsr.reconstruction._total_variation_solver import TotalVariation as TotalVariation
    from classicsr.reconstruction._volume_patch import VolumePatchSR as VolumePatchSR
    from classicsr.reconstruction._wavelet_sparsity import WaveletSparsity as WaveletSparsity

__all__ = [
    "BackProjectionSR",
    "BayesianSR",
    "Convergence",
    "DataTerm",
    "Denoiser",
    "DictionarySparsity",
    "HuberField",
    "HybridSR",
    "LowRankTVSR",
    "MixedVolumeSR",
    "NonLocalSR",
    "NuclearNorm",
    "ProjectionSR",
    "ReconstructionSR",
    "RegularizationByDenoising",
    "RegularizedSR",
    "SelfVolumeSR",
    "Tikhonov",
    "TotalVariation",
    "TotalVariationSR",
    "VolumePatchSR",
    "WaveletSparsity",
    "minimize",
    "noise_level",
    "nonlocal_means",
    "solve_tv",
    "tv_denoise",
]

__getattr__, __dir__ = lazy_attributes(
    __name__,
    {
        "BackProjectionSR": "classicsr.reconstruction._back_projection",
        "BayesianSR": "classicsr.reconstruction._bayesian",
        "Convergence": "classicsr.reconstruction._convergence",
        "DataTerm": "classicsr.reconstruction._data_term",
        "Denoiser": "classicsr.reconstruction._denoiser",
        "DictionarySparsity": "classicsr.reconstruction._dictionary_sparsity",
        "HuberField": "classicsr.reconstruction._markov",
        "HybridSR": "classicsr.reconstruction._hybrid",
        "LowRankTVSR": "classicsr.reconstruction._low_rank",
        "MixedVolumeSR": "classicsr.reconstruction._mixed_volume",
        "NonLocalSR": "classicsr.reconstruction._nonlocal",
        "NuclearNorm": "classicsr.reconstruction._nuclear_norm",
        "ProjectionSR": "classicsr.reconstruction._projection_onto_sets",
        "ReconstructionSR": "classicsr.reconstruction._base",
        "RegularizationByDenoising": "classicsr.reconstruction._denoiser",
        "RegularizedSR": "classicsr.reconstruction._regularized",
        "SelfVolumeSR": "classicsr.reconstruction._self_volume",
        "Tikhonov": "classicsr.reconstruction._tikhonov",
        "TotalVariation": "classicsr.reconstruction._total_variation_solver",
        "TotalVariationSR": "classicsr.reconstruction._total_variation",
        "VolumePatchSR": "classicsr.reconstruction._volume_patch",
        "WaveletSparsity": "classicsr.reconstruction._wavelet_sparsity",
        "minimize": "classicsr.reconstruction._minimize",
        "noise_level": "classicsr.reconstruction._data_term",
        "nonlocal_means": "classicsr.reconstruction._nonlocal_means",
        "solve_tv": "classicsr.reconstruction._solve_tv",
        "tv_denoise": "classicsr.reconstruction._solve_tv",
    },
)
