"""``--blur``: the forward model of the input, given or found."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from classicsr import TotalVariationSR
from classicsr.degradation import GaussianDegradation, estimate_blur
from classicsr.io import read_image


@pytest.fixture(scope="module")
def blurred(tmp_path_factory, make_texture):
    scene = 255 * np.kron(make_texture((16, 18), 5) > 0.5, np.ones((8, 8)))
    low = np.rint(GaussianDegradation(2, fwhm=4).forward(scene)).clip(0, 255).astype(np.uint8)
    path = tmp_path_factory.mktemp("blurred") / "blurred.png"
    Image.fromarray(low).save(path)
    return path, low


@pytest.mark.parametrize("blur", ["estimate", "1.5"])
def test_sets_the_forward_model(blur, run, blurred, tmp_path):
    source, low = blurred
    options = ("--model", "tv", "--scale", 2, "--blur", blur, "--json", tmp_path / "r.json")
    assert run("upscale", source, "-o", tmp_path / "out.png", *options).status == 0
    (record,) = json.loads((tmp_path / "r.json").read_text())["results"]
    fwhm = (3.0, 3.0) if blur == "1.5" else estimate_blur(low, 2)
    estimate = [width / 2 for width in estimate_blur(low, 2)]
    assert record["blur"]["estimated_fwhm"] == pytest.approx(estimate)
    assert record["blur"]["fwhm"] == pytest.approx([width / 2 for width in fwhm])
    model = GaussianDegradation((2.0, 2.0), fwhm=fwhm)
    expected = TotalVariationSR(2, degradation=model).predict(low)
    np.testing.assert_array_equal(read_image(tmp_path / "out.png").array, expected)


def test_warns_of_a_width_that_the_input_denies(run, blurred, tmp_path):
    source, _ = blurred
    for width, doubtful in ((1.5, False), (4, True)):
        options = ("--model", "ibp", "--blur", width, "--overwrite")
        outcome = run("upscale", source, "-o", tmp_path / "out.png", *options)
        assert ("looks sharper" in outcome.err) == doubtful


def test_results_are_consistent_with_it(run, blurred, tmp_path):
    source, _ = blurred
    options = ("--model", "aplus-x3", "--scale", 2, "--blur", 2, "--consistent")
    options += ("--json", tmp_path / "r.json")
    assert run("upscale", source, "-o", tmp_path / "out.png", *options).status == 0
    (record,) = json.loads((tmp_path / "r.json").read_text())["results"]
    assert record["consistency"]["forward_model"]["name"] == "gaussian"
    assert record["consistency"]["forward_model"]["fwhm"] == pytest.approx([4, 4])


def test_colours_and_volumes(run, volume_path, tmp_path):
    colour = np.random.default_rng(0).integers(0, 255, (9, 8, 3)).astype(np.uint8)
    Image.fromarray(colour).save(tmp_path / "colour.png")
    for source, out, scale in (("colour.png", "c.png", "2"), (volume_path, "v.nii.gz", "1x1x2")):
        options = ("--model", "ibp", "--scale", scale, "--blur", "estimate")
        assert run("upscale", tmp_path / source, "-o", tmp_path / out, *options).status == 0


@pytest.mark.parametrize("text", ["0", "-1", "17", "nan", "wide"])
def test_width_out_of_range(text, run, image_path, tmp_path):
    outcome = run("upscale", image_path, "-o", tmp_path / "out.png", "--blur", text)
    assert outcome.status == 2
    assert "'estimate' or a width" in outcome.err


@pytest.mark.parametrize(
    ("options", "message"),
    [(("--model", "bicubic"), "methods with a forward model"), (("--scale", 0.5), "are enlarged")],
)
def test_where_it_has_no_meaning(options, message, run, image_path, tmp_path):
    outcome = run("upscale", image_path, "-o", tmp_path / "out.png", "--blur", 2, *options)
    assert outcome.status == 1
    assert message in outcome.err
