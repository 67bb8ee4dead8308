"""Networks behind the image-level contract."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from classicsr._model_file import ModelFile
from classicsr.deep._architectures import ARCHITECTURES, Architecture
from classicsr.deep._network_model import read_network, write_network
from classicsr.deep._parameters import check_network
from classicsr.deep._torch import import_torch, torch_threads
from classicsr.degradation import Degradation
from classicsr.super_resolution._base import Images, Scale
from classicsr.super_resolution._fixed_scale import FixedScaleSuperResolver
from classicsr.super_resolution._pixels import PixelSink, PixelSource
from classicsr.super_resolution._planes import Progress, Work


class NetworkSR(FixedScaleSuperResolver):
    """Super-resolution by a convolutional network or transformer (extra ``torch``).

    Each network is that of its paper, layer for layer. Networks of luma (srcnn, fsrcnn, espcn,
    vdsr, srdensenet, equivariant) treat colour images as every other method does. Networks of
    colour (edsr, rcan, swinir, srgan, esrgan) take RGB as it is; grey images, slices and
    independent channels as grey RGB, averaged afterwards.

    Parameters
    ----------
    scale : number or one per axis
        Factors between are reached by resampling the next integer's result.
    network : str
        ``"srcnn"``, ``"fsrcnn"``, ``"espcn"``, ``"vdsr"``, ``"srdensenet"``, ``"edsr"``,
        ``"rcan"``, ``"swinir"``, ``"srgan"`` or ``"esrgan"``, of their papers; or
        ``"equivariant"``, of this project, which predicts without PyTorch.
    variant : str, optional
        Size of the network, such as ``"9-1-5"`` of srcnn, ``"full"`` of edsr, ``"classical"`` of
        swinir; default the first one that the paper is known for.
    residual : bool, optional
        Whether the network gives what bicubic interpolation lacks, rather than the image;
        default True for networks of luma.
    self_ensemble : bool
        Predict the mean over eight flips and turns; eight times the work. Of "equivariant", which
        knows these: over the image and its negative, twice the work.
    loss : str or mapping, optional
        Name of a term, or weights by name, of ``"l1"``, ``"mse"``, ``"charbonnier"``, ``"edge"``
        (Sobel gradients), ``"tv"``, ``"perceptual"``, ``"adversarial"`` (SRGAN) and
        ``"relativistic"`` (ESRGAN). Default the paper's, as all that follows.
    vgg_weights : path, optional
        VGG19 weights for the perceptual loss (names of torchvision); they are not bundled.
    optimizer : {"adam", "sgd"}, optional
    learning_rate : float, optional
    schedule : {"constant", "cosine", "warm", "step"}, optional
        Of the learning rate; "warm" is "cosine" after a rise, "step" takes a tenth after every
        quarter.
    n_steps, batch_size : int, optional
    patch_size : int, optional
        Low-resolution pixels of the side of a training patch.
    clip : float, optional
        Largest norm of the gradient; 0 for none.
    max_seconds : float, optional
        Stops earlier, and the schedule with it. Makes results depend on the machine.
    mixed_precision : bool
        bfloat16 while training: faster on a GPU, and on processors that have it.
    initial_weights : path, optional
        Weights that training begins with (a model file, or a state dict of PyTorch): those of
        the same name and shape, such as all but the last layer of a model of another scale.
    checkpoint : path, optional
        Written once a minute; `fit` goes on from it where it exists.
    device : {"auto", "cpu", "cuda"}
    degradation : Degradation, optional
        Forward model of the training pairs; default MATLAB's bicubic.
    n_levels, level_ratio : int, float
        Pyramid of the training images: levels, and size of each relative to the one before.
    data_range : (low, high), optional
        Intensity range of float images; default their own minimum and maximum.
    channel_mode : {"luma", "independent"}
        Colour images: as above, or every channel alike.
    plane : (int, int), optional
        Axes of the slices of a volume; default the two of finest spacing.
    tile_shape : (int, int)
        Low-resolution pixels of a tile. Changes memory and speed, and the result by no more than
        rounding (1e-5 of the range). Networks that see too far for that (rcan, swinir, esrgan)
        have tiles of their own, 192 x 192.
    random_state : int, RandomState or None
        Initial weights and training patches.
    n_jobs : int, optional
        Threads of PyTorch. Changes the result by no more than rounding.

    Attributes
    ----------
    weights_ : dict of str to float32 arrays
    history_ : list of dict
        Of `fit`: step, seconds, learning rate and the mean of every weighted loss term, for each
        of up to 200 intervals; also logged by the logger ``classicsr.deep``.
    native_scale_ : int

    Notes
    -----
    Fitting strategy: mini-batches. The same seed gives the same weights on the same machine.
    Papers are named at the classes of `classicsr.deep.networks`.

    Examples
    --------
    >>> import numpy as np
    >>> from classicsr.deep import NetworkSR
    >>> sr = NetworkSR(scale=3, network="fsrcnn", n_steps=500, random_state=0)
    >>> sr.get_params()["network"]
    'fsrcnn'
    """

    method = "network"
    weights_: dict[str, NDArray[np.float32]]
    history_: list[dict[str, float]]

    def __init__(
        self,
        scale: Scale = 2,
        network: str = "fsrcnn",
        variant: str | None = None,
        residual: bool | None = None,
        self_ensemble: bool = False,
        loss: str | Mapping[str, float] | None = None,
        vgg_weights: str | os.PathLike[str] | None = None,
        optimizer: str | None = None,
        learning_rate: float | None = None,
        schedule: str | None = None,
        n_steps: int | None = None,
        batch_size: int | None = None,
        patch_size: int | None = None,
        clip: float | None = None,
        max_seconds: float | None = None,
        mixed_precision: bool = False,
        initial_weights: str | os.PathLike[str] | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        device: str = "auto",
        degradation: Degradation | None = None,
        n_levels: int = 1,
        level_ratio: float = 0.85,
        data_range: tuple[float, float] | None = None,
        channel_mode: str = "luma",
        plane: tuple[int, int] | None = None,
        tile_shape: tuple[int, int] = (128, 128),
        random_state: Any = None,
        n_jobs: int | None = None,
    ) -> None:
        self.scale = scale
        self.network = network
        self.variant = variant
        self.residual = residual
        self.self_ensemble = self_ensemble
        self.loss = loss
        self.vgg_weights = vgg_weights
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.patch_size = patch_size
        self.clip = clip
        self.max_seconds = max_seconds
        self.mixed_precision = mixed_precision
        self.initial_weights = initial_weights
        self.checkpoint = checkpoint
        self.device = device
        self.degradation = degradation
        self.n_levels = n_levels
        self.level_ratio = level_ratio
        self.data_range = data_range
        self.channel_mode = channel_mode
        self.plane = plane
        self.tile_shape = tile_shape
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_network(self)

    @property
    def _architecture(self) -> Architecture:
        return ARCHITECTURES[self.network]

    @property
    def _variant(self) -> str:
        return self.variant or next(iter(self._architecture.variants))

    @property
    def _residual(self) -> bool:
        return self._architecture.residual if self.residual is None else self.residual

    def fit(self, X: Images, y: Images | None = None, *, progress: Progress | None = None) -> Self:
        """Train on high-resolution images, or on pairs.

        Parameters
        ----------
        X : sequence of arrays
            High-resolution images; or low-resolution ones when `y` is given.
        y : sequence of arrays, optional
            High-resolution images, each ``scale`` times as large as its low-resolution one.
            Without them low-resolution images are made by `degradation`.
        progress : callable, optional
            Called with (steps done, steps in all).

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a scale that the network does not have, images with NaN, or none large enough; for
            a perceptual loss without weights; for initial weights of which none fits; where
            PyTorch is not installed; for training that diverges.
        """
        from classicsr.deep._fitting import fit_network

        import_torch()
        self._check_parameters()
        scale = self._integer_scale()
        with torch_threads(self.n_jobs):
            self.weights_, self.history_ = fit_network(self, X, y, scale, progress)
        self._tiles_cache = self.calibration_ = None
        self.native_scale_ = scale
        return self

    def _integer_scale(self) -> int:
        scale = super()._integer_scale()
        self._check_scale(scale)
        return scale

    def _check_scale(self, scale: int) -> None:
        scales = self._architecture.scales
        known = ", ".join(map(str, scales))
        self._require(scale in scales, "scale", f"one of {known} for {self.network}", scale)

    def _upscale_plane(
        self,
        source: PixelSource,
        sink: PixelSink,
        scales: tuple[float, float],
        learned: range,
        work: Work,
    ) -> None:
        if self._architecture.compiled:
            super()._upscale_plane(source, sink, scales, learned, work)
            return
        if source.color and self._architecture.channels == 3:
            source = PixelSource(source.image, source.intensity)
            sink = PixelSink(sink.image, sink.intensity)
            learned = range(3)
        # PyTorch's own threads are faster than one thread for each tile
        serial = Work(1, work.tile_shape, work.progress)
        with torch_threads(self.n_jobs):
            super()._upscale_plane(source, sink, scales, learned, serial)

    def _upscale_native(
        self, source: PixelSource, sink: PixelSink, learned: range, work: Work
    ) -> None:
        if self._architecture.compiled:
            super()._upscale_native(source, sink, learned, work)
            return
        together = self.channel_mode == "luma" and len(learned) == self._architecture.channels
        runner: Any = self._tiles()  # takes whole planes, unlike a method of blocks
        runner.upscale(source, sink, [learned] if together else [[c] for c in learned], work)

    def _make_tiles(self) -> Any:
        if self._architecture.compiled:
            from classicsr.deep._equivariant import EquivariantTiles

            return EquivariantTiles(
                self.native_scale_, self.weights_, self_ensemble=self.self_ensemble
            )
        from classicsr.deep._tiles import NetworkTiles
        from classicsr.deep._torch import find_device
        from classicsr.deep._weights import give_weights

        architecture, scale = self._architecture, self.native_scale_
        module = architecture.build(self._variant, scale)
        give_weights(module, self.weights_)
        return NetworkTiles(
            module.to(find_device(self.device)).eval(),
            scale,
            channels=architecture.channels,
            halo=architecture.halo(self._variant, scale),
            interpolated=architecture.interpolated,
            residual=self._residual,
            self_ensemble=self.self_ensemble,
        )

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters."""
        self._tiles_cache = None  # it holds the device and the ensemble
        return super().set_params(**params)

    def _label(self) -> str:
        return self.network

    def save(self, path: str | os.PathLike[str], info: Mapping[str, Any] | None = None) -> None:
        """Write the fitted model to a ``.safetensors`` file (data only, no code).

        Parameters
        ----------
        path : path
        info : mapping, optional
            "provenance" and "measured" records for the model card.
        """
        write_network(self, path, info)

    @classmethod
    def _from_model(cls, model: ModelFile) -> NetworkSR:
        """Rebuild a stored estimator; every parameter and tensor is checked first."""
        return read_network(cls(network=model.method), model)
