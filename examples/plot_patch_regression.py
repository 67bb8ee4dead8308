"""
Super-resolution with a regressor of your own
=============================================

`PatchRegressionSR` turns any scikit-learn regressor into a super-resolution method: the regressor
learns, patch by patch, what the bicubic image lacks. Here two of them learn from the left half of a
photograph and are tried on the right half.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge

from classicsr import BicubicSR, PatchRegressionSR, evaluate
from classicsr.datasets import sample_image
from classicsr.io import read_image

photograph = read_image(sample_image()).array
left, right = np.array_split(photograph, 2, axis=1)

# %%
# The regressors only need to predict several outputs. Pipelines work too.
regressors = {
    "ridge": Ridge(alpha=0.1),
    "random forest": RandomForestRegressor(20, min_samples_leaf=8, random_state=0, n_jobs=-1),
}
methods = {"bicubic": BicubicSR(2)}
for name, regressor in regressors.items():
    sr = PatchRegressionSR(regressor, scale=2, n_samples=6000, n_levels=3, random_state=0)
    methods[name] = sr.fit([left])

# %%
# The protocol of the literature: luma, bicubic low-resolution image, PSNR in dB.
decibels = {
    name: evaluate(sr, [("right half", right)], scale=2)[0]["psnr"] for name, sr in methods.items()
}
for name, figure in decibels.items():
    print(f"{name}: {figure:.2f} dB")

chart, axis = plt.subplots(figsize=(5, 3), layout="constrained")
gains = [decibels[name] - decibels["bicubic"] for name in regressors]
bars = axis.bar(list(regressors), gains)
axis.bar_label(bars, fmt="%+.2f")
axis.set(ylabel="gain over bicubic, dB", ylim=(0, 1.15 * max(gains)))
plt.show()
