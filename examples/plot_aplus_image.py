"""
Enlarge a photograph with A+
============================

A photograph is reduced three times, then brought back by bicubic interpolation and by the bundled
A+ model. The luma PSNR says how close each result comes to the original.
"""

import matplotlib.pyplot as plt
import numpy as np

from classicsr import BicubicSR, load_model, psnr
from classicsr.datasets import sample_image
from classicsr.degradation import resize
from classicsr.io import read_image
from classicsr.metrics import luma, modcrop

SCALE = 3
original = modcrop(read_image(sample_image()).array, SCALE)
low = np.clip(np.rint(resize(original, 1 / SCALE, axes=(0, 1))), 0, 255).astype(np.uint8)

# %%
# Every method has the same interface. Models that come with the package are loaded by name.
results = {"bicubic": BicubicSR(SCALE).predict(low), "A+": load_model("aplus-x3").predict(low)}

# %%
# Look at one eye, pixel by pixel.
figure, axes = plt.subplots(1, 3, figsize=(9, 3.4), layout="constrained")
for axis, (name, image) in zip(axes, [*results.items(), ("original", original)], strict=True):
    axis.imshow(image[48:144, 30:126], interpolation="nearest")
    axis.set_axis_off()
    axis.set_title(name)
    if name in results:
        decibels = psnr(luma(original), luma(image), data_range=255, crop=SCALE)
        axis.set_title(f"{name}, {decibels:.2f} dB")
        print(f"{name}: {decibels:.2f} dB")
plt.show()
