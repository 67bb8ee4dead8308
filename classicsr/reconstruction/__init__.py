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
    from classicsr.reconstruction._hybrid import HybridSR as HybridSR
    from classicsr.reconstruction._low_rank import LowRankTVSR as LowRankTVSR
    from classicsr.reconstruction._nonlocal import NonLocalSR as NonLocalSR
    from classicsr.reconstruction._nonlocal_means import nonlocal_means as nonlocal_means
    from classicsr.reconstruction._nuclear_norm import NuclearNorm as NuclearNorm
    from classicsr.reconstruction._projection_onto_sets import ProjectionSR as ProjectionSR
    from classicsr.reconstruction._solve_tv import solve_tv as solve_tv
    from classicsr.reconstruction._solve_tv import tv_denoise as tv_denoise
    from classicsr.reconstruction._total_variation import TotalVariationSR as TotalVariationSR

__all__ = [
    "BackProjectionSR",
    "BayesianSR",
    "Convergence",
    "DataTerm",
    "HybridSR",
    "LowRankTVSR",
    "NonLocalSR",
    "NuclearNorm",
    "ProjectionSR",
    "ReconstructionSR",
    "TotalVariationSR",
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
        "HybridSR": "classicsr.reconstruction._hybrid",
        "LowRankTVSR": "classicsr.reconstruction._low_rank",
        "NonLocalSR": "classicsr.reconstruction._nonlocal",
        "NuclearNorm": "classicsr.reconstruction._nuclear_norm",
        "ProjectionSR": "classicsr.reconstruction._projection_onto_sets",
        "ReconstructionSR": "classicsr.reconstruction._base",
        "TotalVariationSR": "classicsr.reconstruction._total_variation",
        "noise_level": "classicsr.reconstruction._data_term",
        "nonlocal_means": "classicsr.reconstruction._nonlocal_means",
        "solve_tv": "classicsr.reconstruction._solve_tv",
        "tv_denoise": "classicsr.reconstruction._solve_tv",
    },
)
