"""Every check that scikit-learn has for estimators, with no exceptions."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from classicsr.regressors import (
    AdjustedAnchoredRegressor,
    AnchoredNeighborhoodRegressor,
    CoupledDictionaryRegressor,
    GlobalRegressor,
    HashedFilterRegressor,
    NeighborEmbeddingRegressor,
    PatchForestRegressor,
)


@parametrize_with_checks(
    [
        GlobalRegressor(),
        AnchoredNeighborhoodRegressor(),
        AdjustedAnchoredRegressor(),
        CoupledDictionaryRegressor(),
        CoupledDictionaryRegressor(solver="l1"),
        HashedFilterRegressor(),
        NeighborEmbeddingRegressor(),
        NeighborEmbeddingRegressor(solver="nnls", columns="patches"),
        NeighborEmbeddingRegressor(solver="ls", columns="patches", index="hnsw"),
        PatchForestRegressor(),
        PatchForestRegressor(min_samples_leaf=2, min_samples_split=4),
    ]
)
def test_scikit_learn(estimator, check):
    check(estimator)
