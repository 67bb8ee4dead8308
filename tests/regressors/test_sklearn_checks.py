"""Every check that scikit-learn has for estimators, with no exceptions."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from classicsr.regressors import (
    AdjustedAnchoredRegressor,
    AnchoredNeighborhoodRegressor,
    GlobalRegressor,
)


@parametrize_with_checks(
    [GlobalRegressor(), AnchoredNeighborhoodRegressor(), AdjustedAnchoredRegressor()]
)
def test_scikit_learn(estimator, check):
    check(estimator)
