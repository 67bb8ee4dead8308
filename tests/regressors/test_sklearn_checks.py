"""Every check that scikit-learn has for estimators, with no exceptions."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from classicsr.regressors import (
    AdaptableRegressor,
    AdjustedAnchoredRegressor,
    AlternatingForestRegressor,
    AnchoredNeighborhoodRegressor,
    ClusteredDictionaryRegressor,
    CoupledDictionaryRegressor,
    GlobalRegressor,
    HashedFilterRegressor,
    NaiveBayesForestRegressor,
    NeighborEmbeddingRegressor,
    PatchForestRegressor,
    SparseKernelRegressor,
)


@parametrize_with_checks(
    [
        GlobalRegressor(),
        AnchoredNeighborhoodRegressor(),
        AdaptableRegressor(),
        AdjustedAnchoredRegressor(),
        ClusteredDictionaryRegressor(8, n_iter=3),
        ClusteredDictionaryRegressor(8, classifier="forest", min_samples_leaf=2, n_iter=3),
        CoupledDictionaryRegressor(),
        CoupledDictionaryRegressor(solver="l1"),
        CoupledDictionaryRegressor(solver="l1", learner="joint"),
        CoupledDictionaryRegressor(solver="fista", learner="online"),
        HashedFilterRegressor(),
        NeighborEmbeddingRegressor(),
        NeighborEmbeddingRegressor(solver="nnls", columns="patches"),
        NeighborEmbeddingRegressor(solver="ls", columns="patches", index="hnsw"),
        NeighborEmbeddingRegressor(columns="patches", index="ivf"),
        NeighborEmbeddingRegressor(space="laplacian"),
        NeighborEmbeddingRegressor(space="aligned"),
        NeighborEmbeddingRegressor(space="cca"),
        PatchForestRegressor(),
        PatchForestRegressor(min_samples_leaf=2, min_samples_split=4),
        AlternatingForestRegressor(),
        AlternatingForestRegressor(n_trees=2, min_samples_leaf=4, min_samples_split=8),
        NaiveBayesForestRegressor(n_trees=2, max_depth=3),
        SparseKernelRegressor(),
    ]
)
def test_scikit_learn(estimator, check):
    check(estimator)
