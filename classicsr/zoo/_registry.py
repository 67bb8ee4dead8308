"""Every method by its registry name: the only way from a name in a file to a class."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from classicsr.super_resolution import SuperResolver


@dataclass(frozen=True)
class Method:
    """One line of the registry.

    Attributes
    ----------
    name : str
        Registry name, used by the command line, by reports and in model files.
    summary : str
        What the method does, in one line.
    paper : str
        Where it was published.
    estimator : str
        ``"module:class"`` of the image-level estimator.
    parameters : mapping
        Constructor parameters that make the class this method.
    fits : bool
        Whether it must be fitted before it can predict.
    """

    name: str
    summary: str
    paper: str
    estimator: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fits: bool = True

    def load_class(self) -> type[SuperResolver]:
        """Import the estimator's class."""
        module, _, name = self.estimator.partition(":")
        loaded: type[SuperResolver] = getattr(importlib.import_module(module), name)
        return loaded


_INTERPOLATION = "classicsr.super_resolution:BicubicSR"
_DICTIONARY = "classicsr.super_resolution:CoupledDictionarySR"
_ANCHORED = "classicsr.super_resolution:AnchoredRegressionSR"
_FOREST = "classicsr.super_resolution:RandomForestSR"
_EMBEDDING = "classicsr.super_resolution:NeighborEmbeddingSR"
_REGULARIZED = "classicsr.reconstruction:RegularizedSR"
_VOLUME = "classicsr.reconstruction:VolumePatchSR"
_HYBRID = "classicsr.reconstruction:HybridSR"
_NETWORK = "classicsr.deep:NetworkSR"

METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            "bicubic", "cubic interpolation (Keys, a = -0.5)",
            "Keys, IEEE TASSP 1981",
            _INTERPOLATION, {"kernel": "cubic"}, fits=False,
        ),
        Method(
            "lanczos", "windowed-sinc interpolation with three lobes",
            "Duchon, J. Appl. Meteorol. 1979",
            _INTERPOLATION, {"kernel": "lanczos3"}, fits=False,
        ),
        Method(
            "scsr", "sparse coding with an L1 penalty over a joint dictionary, back-projection",
            "Yang, Wright, Huang, Ma, IEEE TIP 2010",
            _DICTIONARY, {"variant": "yang"},
        ),
        Method(
            "zeyde", "sparse coding by matching pursuit over a coupled dictionary",
            "Zeyde, Elad, Protter, Curves and Surfaces 2010",
            _DICTIONARY, {"variant": "zeyde"},
        ),
        Method(
            "ddl", "sparse coding in two stages, each over a coupled dictionary of its own",
            "Zhang, Zhao, Xiong, Ma, Zhao, ISCAS 2012",
            "classicsr.super_resolution:DualDictionarySR",
        ),
        Method(
            "mdl", "sparse coding over a coupled dictionary for each class of patches",
            "Wei et al., Sustainable Cities and Society 2018",
            "classicsr.super_resolution:ClusteredDictionarySR",
        ),
        Method(
            "asdl", "one ridge regression per cluster, from training and from the input itself",
            "Glasner, Bagon, Irani, ICCV 2009; Dong, Zhang, Shi, Wu, IEEE TIP 2011",
            "classicsr.super_resolution:AdaptiveDictionarySR",
        ),
        Method(
            "ne-ls", "neighbour embedding over dictionary atoms, least-squares weights",
            "Timofte, De Smet, Van Gool, ICCV 2013",
            _EMBEDDING, {"solver": "ls", "space": "features"},
        ),
        Method(
            "ne-nnls", "neighbour embedding over dictionary atoms, non-negative weights",
            "Bevilacqua, Roumy, Guillemot, Alberi-Morel, BMVC 2012",
            _EMBEDDING, {"solver": "nnls", "space": "features"},
        ),
        Method(
            "ne-lle", "neighbour embedding over dictionary atoms, locally linear weights",
            "Chang, Yeung, Xiong, CVPR 2004",
            _EMBEDDING, {"solver": "lle", "space": "features"},
        ),
        Method(
            "ne-laplacian", "the same, near each other in Laplacian eigenmaps of the atoms",
            "Belkin, Niyogi, Neural Computation 2003",
            _EMBEDDING, {"space": "laplacian"},
        ),
        Method(
            "ne-aligned", "the same, near each other in a common space of features and residuals",
            "Ham, Lee, Saul, AISTATS 2005",
            _EMBEDDING, {"space": "aligned"},
        ),
        Method(
            "gr", "one ridge regression for every patch",
            "Timofte, De Smet, Van Gool, ICCV 2013",
            _ANCHORED, {"variant": "gr"},
        ),
        Method(
            "anr", "one ridge regression per dictionary atom, from its neighbouring atoms",
            "Timofte, De Smet, Van Gool, ICCV 2013",
            _ANCHORED, {"variant": "anr"},
        ),
        Method(
            "aplus", "one ridge regression per dictionary atom, from its neighbouring patches",
            "Timofte, De Smet, Van Gool, ACCV 2014",
            _ANCHORED, {"variant": "aplus"},
        ),
        Method(
            "krr", "kernel ridge regression with a sparse basis",
            "Kim, Kwon, IEEE TPAMI 2010",
            "classicsr.super_resolution:KernelRegressionSR",
        ),
        Method(
            "raisr", "filters chosen by a hash of the gradients around a pixel",
            "Romano, Isidoro, Milanfar, IEEE TCI 2017",
            "classicsr.super_resolution:HashedFilterSR",
        ),
        Method(
            "fast", "filters chosen by a tree of pixel tests in a canonical pose",
            "Huang, Siu, IEEE TCSVT 2017; Romano, Isidoro, Milanfar, IEEE TCI 2017",
            "classicsr.super_resolution:TreeFilterSR",
        ),
        Method(
            "cascade", "stages of linear regressions per cell of patches in canonical pose",
            "Timofte, Rothe, Van Gool, CVPR 2016; Perez-Pellitero et al., CVPR 2016",
            "classicsr.super_resolution:CascadeSR",
        ),
        Method(
            "forest", "trees with one ridge regression per leaf, averaged",
            "Schulter, Leistner, Bischof, CVPR 2015",
            _FOREST, {"variant": "regression"},
        ),
        Method(
            "arfl", "trees with one ridge regression per leaf, grown together, summed",
            "Schulter, Leistner, Bischof, CVPR 2015",
            _FOREST, {"variant": "alternating"},
        ),
        Method(
            "nbsrf", "trees of centres; one ridge regression of the leaf nearest to the patch",
            "Salvador, Perez-Pellitero, ICCV 2015",
            _FOREST, {"variant": "naive_bayes"},
        ),
        Method(
            "ibp", "cubic interpolation, corrected until it explains the input",
            "Irani, Peleg, CVGIP 1991",
            "classicsr.reconstruction:BackProjectionSR", fits=False,
        ),
        Method(
            "pocs", "projections onto the images that explain the input, and onto its range",
            "Stark, Oskoui, J. Opt. Soc. Am. A 1989",
            "classicsr.reconstruction:ProjectionSR", fits=False,
        ),
        Method(
            "tv", "least total variation among what explains the input",
            "Marquina, Osher, J. Sci. Comput. 2008",
            "classicsr.reconstruction:TotalVariationSR", fits=False,
        ),
        Method(
            "map", "most probable image under a Huber Markov field; noise estimated from the input",
            "Schultz, Stevenson, IEEE TIP 1994",
            "classicsr.reconstruction:BayesianSR", fits=False,
        ),
        Method(
            "nlm", "non-local means and agreement with the input in turn",
            "Manjon et al., Medical Image Analysis 2010",
            "classicsr.reconstruction:NonLocalSR", fits=False,
        ),
        Method(
            "lrtv", "image of low rank and small total variation that explains the input",
            "Shi, Cheng, Wang, Yap, Shen, IEEE TMI 2015",
            "classicsr.reconstruction:LowRankTVSR", fits=False,
        ),
        Method(
            "tikhonov", "smallest squared gradients among what explains the input",
            "Tikhonov, Soviet Math. Dokl. 1963",
            _REGULARIZED, {"prior": "tikhonov"}, fits=False,
        ),
        Method(
            "wavelet", "sparse wavelet coefficients, at several positions of their grid",
            "Figueiredo, Nowak, IEEE TIP 2003",
            _REGULARIZED, {"prior": "wavelet"}, fits=False,
        ),
        Method(
            "pnp", "plug and play: non-local means in the place of a prior",
            "Venkatakrishnan, Bouman, Wohlberg, GlobalSIP 2013",
            _REGULARIZED, {"prior": "nlm"}, fits=False,
        ),
        Method(
            "hybrid-sparse", "zeyde, non-local means, TV and agreement with the input; refined",
            "Timofte, Rothe, Van Gool, CVPR 2016; Venkatakrishnan et al., GlobalSIP 2013",
            _HYBRID, {"prior": "sparse"},
        ),
        Method(
            "hybrid-ne", "the same from ne-lle",
            "Timofte, Rothe, Van Gool, CVPR 2016; Venkatakrishnan et al., GlobalSIP 2013",
            _HYBRID, {"prior": "ne"},
        ),
        Method(
            "hybrid-regression", "the same from aplus",
            "Timofte, Rothe, Van Gool, CVPR 2016; Venkatakrishnan et al., GlobalSIP 2013",
            _HYBRID, {"prior": "regression"},
        ),
        Method(
            "self", "thin slices from thick ones, learned from the volume itself; non-local means",
            "Zhao et al., IEEE TMI 2021 (SMORE); Manjon et al., Medical Image Analysis 2010",
            "classicsr.reconstruction:SelfVolumeSR", fits=False,
        ),
        Method(
            "mixed", "self, corrected by a forest of 3-D patches that other volumes teach",
            "Zhao et al., IEEE TMI 2021 (SMORE); Timofte, Rothe, Van Gool, CVPR 2016",
            "classicsr.reconstruction:MixedVolumeSR",
        ),
        Method(
            "volume-forest", "thin slices from thick ones: forest of 3-D patches",
            "Schulter, Leistner, Bischof, CVPR 2015",
            _VOLUME, {"regressor": "forest"},
        ),
        Method(
            "volume-aplus", "the same by anchored regression",
            "Timofte, De Smet, Van Gool, ACCV 2014",
            _VOLUME, {"regressor": "aplus"},
        ),
        Method(
            "volume-zeyde", "the same by sparse coding over a coupled dictionary",
            "Rueda, Malpica, Romero, Medical Image Analysis 2013",
            _VOLUME, {"regressor": "zeyde"},
        ),
        Method(
            "volume-ne", "the same by neighbour embedding, locally linear weights",
            "Chang, Yeung, Xiong, CVPR 2004",
            _VOLUME, {"regressor": "ne"},
        ),
        Method(
            "srcnn", "network: three convolutions of the interpolated image",
            "Dong, Loy, He, Tang, IEEE TPAMI 2016",
            _NETWORK, {"network": "srcnn"},
        ),
        Method(
            "fsrcnn", "network: an hourglass of convolutions at low resolution",
            "Dong, Loy, Tang, ECCV 2016",
            _NETWORK, {"network": "fsrcnn"},
        ),
        Method(
            "espcn", "network: three convolutions, the last one for every pixel of a block",
            "Shi et al., CVPR 2016",
            _NETWORK, {"network": "espcn"},
        ),
        Method(
            "vdsr", "network: twenty convolutions of the interpolated image",
            "Kim, Lee, Lee, CVPR 2016",
            _NETWORK, {"network": "vdsr"},
        ),
        Method(
            "equivariant", "network: convolutions in all eight poses; predicts without PyTorch",
            "Cohen, Welling, ICML 2016; Shi et al., CVPR 2016",
            _NETWORK, {"network": "equivariant"},
        ),
        Method(
            "srdensenet", "network: densely connected blocks",
            "Tong, Li, Liu, Gao, ICCV 2017",
            _NETWORK, {"network": "srdensenet"},
        ),
        Method(
            "edsr", "network: residual blocks without normalisation",
            "Lim, Son, Kim, Nah, Lee, CVPR Workshops 2017",
            _NETWORK, {"network": "edsr"},
        ),
        Method(
            "rcan", "network: residual groups with channel attention",
            "Zhang et al., ECCV 2018",
            _NETWORK, {"network": "rcan"},
        ),
        Method(
            "swinir", "network: attention within shifted windows",
            "Liang et al., ICCV Workshops 2021",
            _NETWORK, {"network": "swinir"},
        ),
        Method(
            "srgan", "network: residual blocks, trained against a discriminator",
            "Ledig et al., CVPR 2017",
            _NETWORK, {"network": "srgan"},
        ),
        Method(
            "esrgan", "network: residual dense blocks, trained against a discriminator",
            "Wang et al., ECCV Workshops 2018",
            _NETWORK, {"network": "esrgan"},
        ),
    )
}  # fmt: skip


def find_method(name: str) -> Method:
    """Return the method of this registry name.

    Raises
    ------
    ValueError
        No method has this name; the message lists those that exist.

    Examples
    --------
    >>> from classicsr.zoo import find_method
    >>> find_method("bicubic").fits
    False
    """
    if name not in METHODS:
        raise ValueError(unknown_name("method", name, METHODS))
    return METHODS[name]


def make_method(name: str, **params: Any) -> SuperResolver:
    """Return an unfitted estimator of the method `name`.

    Parameters
    ----------
    name : str
        Registry name, such as ``"aplus"``.
    **params
        Constructor parameters on top of those that define the method.

    Raises
    ------
    ValueError
        No method has this name.
    """
    method = find_method(name)
    return method.load_class()(**{**method.parameters, **params})


def method_name(estimator: SuperResolver) -> str:
    """Return the registry name of an estimator: its class with the parameters of that method.

    Examples
    --------
    >>> from classicsr import BicubicSR
    >>> from classicsr.zoo import method_name
    >>> method_name(BicubicSR(kernel="lanczos3"))
    'lanczos'
    """
    params = estimator.get_params(deep=False)
    for method in METHODS.values():
        same_class = method.estimator.endswith(f":{type(estimator).__name__}")
        if same_class and method.parameters.items() <= params.items():
            return method.name
    return estimator.method


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Return the message for a name that does not exist: the closest one and all of them."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    hint = f" (did you mean {close[0]!r}?)" if close else ""
    return f"unknown {kind} {name!r}{hint}; available: {', '.join(names) or 'none'}"
