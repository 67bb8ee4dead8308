"""The registry leads from names to classes, and from nothing else."""

from __future__ import annotations

import pytest

from classicsr.zoo import METHODS, find_method, make_method, method_name


def test_names_are_unique_and_described():
    assert {"bicubic", "lanczos", "gr", "anr", "aplus"} <= METHODS.keys()
    for name, method in METHODS.items():
        assert method.name == name
        assert method.summary
        assert method.paper[-4:].isdigit()


@pytest.mark.parametrize("name", METHODS)
def test_every_method_can_be_made(name):
    method = METHODS[name]
    estimator = make_method(name)
    assert type(estimator) is method.load_class()
    params = estimator.get_params()
    assert {key: params[key] for key in method.parameters} == method.parameters


@pytest.mark.parametrize("name", METHODS)
def test_an_estimator_knows_its_name(name):
    assert method_name(make_method(name, scale=4)) == name


def test_parameters_are_passed_on():
    assert make_method("lanczos", scale=5).get_params()["scale"] == 5


def test_unknown_method_names_the_closest():
    with pytest.raises(ValueError, match=r"unknown method 'bicubc' \(did you mean 'bicubic'\?\)"):
        find_method("bicubc")
    with pytest.raises(ValueError, match=r"available: .*aplus"):
        make_method("os:system")
