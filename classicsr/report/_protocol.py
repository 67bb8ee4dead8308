"""How the figures were made, in words."""

from __future__ import annotations

from classicsr.report._metrics import METRICS
from classicsr.report._plan import Plan, is_volume
from classicsr.report._statistics import CONFIDENCE


def protocol_of(plan: Plan) -> dict[str, str]:
    """Topic -> how it was done; what a reader needs to make the same figures."""
    ranked = METRICS[plan.metric_names[0]].label
    kinds = {"Volumes" if is_volume(image.path) else "Images" for image in plan.images}
    protocol = {
        "Images": (
            "Luma (BT.601, rounded to integers; grey images as they are, 16 bits brought to 255), "
            "cropped to a multiple of the factor. Peak 255. Results are clipped and rounded to 8 "
            f"bits, except for consistency. Low-resolution images: {plan.lr}."
        ),
        "Volumes": (
            "First frame of a NIfTI file, in real units, not rounded. Peak: max - min of the "
            "reference. SSIM has a 3-D window."
        ),
        "Border": "As many samples as the factor (rounded up) are left out along enlarged axes.",
        "Degradations": ", ".join(plan.degradations)
        + ". bicubic: MATLAB's imresize. gaussian: full width at half maximum in low-resolution "
        "spacings. slice: profile and thickness in slice spacings; of a volume, one number is the "
        "factor of the last axis alone. k-space: its centre. noise: Gaussian, in percent of the "
        "peak, the same in every run. Methods that take a forward model are told the right one.",
        "Models": (
            f"{len(plan.train)} training images for methods without a bundled model, seed "
            f"{plan.seed}."
            if plan.train
            else "Bundled models, or the files that were given."
        ),
        "Statistics": (
            f"Means over the images of a set. {CONFIDENCE:.0%} bootstrap interval of the mean "
            f"{ranked}; paired Wilcoxon signed-rank test against the best method, Holm's "
            "correction; methods that failed on an image are not ranked. With 5 images no such "
            "test can give less than p = 0.0625."
        ),
    }
    if plan.repeats:
        protocol["Time and memory"] = (
            f"Median of {plan.repeats} runs (one, where a run takes more than 2 s), one image at a "
            "time with nothing beside it, libraries loaded and kernels compiled. Memory: largest "
            "resident size of the process while it upscales, Python and libraries included. Time "
            "to fit: as the model file tells it."
        )
    absent = {"Images", "Volumes"} - kinds
    return {topic: text for topic, text in protocol.items() if topic not in absent}
