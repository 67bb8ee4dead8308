"""How far apart images lie that explain the input about as well as the most probable one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from classicsr.reconstruction._bayesian import ROUGHER, BayesianSR
from classicsr.reconstruction._conjugate_gradients import conjugate_gradients
from classicsr.reconstruction._convergence import Convergence
from classicsr.reconstruction._data_term import DataTerm
from classicsr.reconstruction._markov import QuadraticField

Float32 = NDArray[np.float32]
_N_SAMPLES = {2: 4, 3: 1}  # by axes: scores are means over squares or cubes, more change little
_LEAST_NOISE = 1e-3  # below it the spread changes little, until without any it would be lost


class PosteriorSpreadSR(BayesianSR):
    """Makes images of the spread of the posterior; its parameters are those of a `BayesianSR`.

    Samples are solutions of the problem with noise for an input, and noise on all that the prior
    wants to be zero (perturb-and-MAP). The prior is taken to be Gaussian around the most probable
    image. For one frame.

    References
    ----------
    G. Papandreou, A. L. Yuille, "Gaussian sampling by local perturbations", NIPS 2010;
    F. Orieux, O. Feron, J.-F. Giovannelli, "Sampling high-dimensional Gaussian distributions for
    general linear inverse problems", IEEE Signal Processing Letters 19(5), 2012.
    """

    def _minimize(self, data: DataTerm, start: Float32) -> tuple[Float32, Convergence]:
        noise = np.float32(max(self._noise(data), _LEAST_NOISE))
        field = self._field(start, float(noise), ROUGHER)
        image, record = self._most_probable(data, field, start)
        prior, rng = QuadraticField(field, image), np.random.default_rng(0)
        nothing, squares = np.zeros_like(image), np.zeros_like(image)
        n_samples = _N_SAMPLES[image.ndim]
        for _ in range(n_samples):
            frames = [noise * rng.standard_normal(f.shape, np.float32) for f in data.frames]
            moved = DataTerm(frames, data.models, data.shape)
            pulled = replace(prior, pull=noise * prior.noise(rng))
            sample, _ = conjugate_gradients(moved, pulled, nothing, self.n_iter, self.tolerance)
            squares += np.square(sample)
        return np.sqrt(squares / n_samples), record
