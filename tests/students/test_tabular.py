import itertools

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.pipeline import make_pipeline

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import StudentError
from skdistill.students import MLP, PiecewiseLinearEmbedding, TablePreprocessor, TabularMLP

pd = pytest.importorskip("pandas")


def mixed(n_samples=120):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        {
            "a": rng.normal(size=n_samples),
            "b": rng.normal(size=n_samples),
            "c": [f"k{i}" for i in rng.integers(30, size=n_samples)],
            "d": rng.integers(2, size=n_samples).astype(bool),
        }
    )
    return X, (X["a"] + X["d"] > 0.5).to_numpy().astype(int)


def student(**settings):
    net = StudentNet(module__hidden_units=(8,), max_epochs=2, batch_size=32, **settings)
    return make_pipeline(TablePreprocessor(), net)


def adapted(X, **settings):
    with torch.random.fork_rng():
        module = PiecewiseLinearEmbedding(X.shape[1], **settings).double()
    module.adapt(X)
    return module


def test_piecewise_linear_embedding_is_its_formula():
    X = np.random.default_rng(0).normal(size=(60, 3))
    module = adapted(X, size=2, n_bins=5)
    weight = module.weight.detach().numpy()
    rows = np.vstack([X, [[-9.0, 0.0, 9.0]]])
    expected = np.empty((61, 3, 2))
    for j in range(3):
        knots = np.quantile(X[:, j], np.linspace(0, 1, 6))
        come = np.array(
            [
                [min(max((x - a) / (b - a), 0), 1) for a, b in itertools.pairwise(knots)]
                for x in rows[:, j]
            ]
        )
        expected[:, j] = (come - come[:60].mean(axis=0)) @ weight[j].T
    found = module(torch.tensor(rows)).detach().numpy()
    np.testing.assert_allclose(found, expected.reshape(61, 6), atol=1e-5)


def test_knots_are_quantiles_of_distinct_values():
    column = np.array([0.0] * 100 + [1.0, 2.0, 4.0])[:, None]
    module = adapted(column, n_bins=3)
    rows = torch.tensor([[0.0], [1.0], [3.0], [4.0]], dtype=torch.float64)
    come = module.encode(rows) + module.center
    expected = [[0, 0, 0], [1, 0, 0], [1, 1, 0.5], [1, 1, 1]]
    np.testing.assert_allclose(come[0], expected)


def test_a_constant_column_has_no_interval():
    module = adapted(np.ones((5, 1)), n_bins=4)
    assert not module.encode(torch.tensor([[1.0], [2.0]]).double()).any()


def test_of_many_rows_some_are_looked_at():
    column = np.arange(100_000.0)[:, None]
    module = adapted(column, n_bins=4)
    come = module.encode(torch.tensor([[50_000.0]]).double()) + module.center
    np.testing.assert_allclose(come[0, 0], [1, 1, 0, 0], atol=1e-3)
    np.testing.assert_allclose(module.center[0, 0], [7 / 8, 5 / 8, 3 / 8, 1 / 8], atol=1e-3)


def test_the_intervals_of_many_columns_are_fewer():
    with torch.random.fork_rng():
        assert PiecewiseLinearEmbedding(1000).slope.shape == (1000, 1, 4)
        assert PiecewiseLinearEmbedding(9999).slope.shape == (9999, 1, 1)


def test_very_many_columns_are_not_embedded():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = TabularMLP(2050, 2, n_numeric=2049, hidden_units=(4,), dropout=0.0)
        torch.manual_seed(0)
        reference = MLP(2050, 2, hidden_units=(4,))
        assert TabularMLP(2048, 2, n_numeric=2048, hidden_units=(4,)).mlp[0].in_features == 9 * 2048
    module.adapt(np.eye(2, 2050))
    rows = torch.linspace(-1, 1, 4100).reshape(2, 2050)
    torch.testing.assert_close(module(rows), reference(rows), rtol=0, atol=0)


def test_numbers_embeddings_and_codes_reach_the_first_layer():
    with torch.random.fork_rng():
        module = TabularMLP(4, 2, n_numeric=1, cardinalities=(3, 5), embedding_size=2).eval()
    module.adapt(np.array([[-2.0], [0.0], [1.0]]))
    rows = torch.tensor([[0.5, 1.0, 2.0, 4.0], [-1.0, 0.0, 0.0, 0.0]])
    codes = [module.categories[0].weight[[2, 0]], module.categories[1].weight[[4, 0]]]
    joined = torch.cat([rows[:, :2], module.numeric(rows[:, :1]), *codes], dim=1)
    torch.testing.assert_close(module(rows), module.mlp(joined))
    assert not module.categories[0].weight[0].any()  # unknown adds nothing


def test_without_a_layout_it_is_an_mlp():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = TabularMLP(4, 3, hidden_units=(5,), dropout=0.0)
        torch.manual_seed(0)
        reference = MLP(4, 3, hidden_units=(5,))
    rows = torch.linspace(-1, 1, 8).reshape(2, 4)
    torch.testing.assert_close(module(rows), reference(rows), rtol=0, atol=0)


def test_another_kind_of_embedding_is_refused():
    with pytest.raises(ValueError, match=r"must be .*'piecewise-linear'.* or None\. Got 'fo"):
        TabularMLP(4, 3, numeric_embedding="fourier")


@pytest.mark.parametrize("fit", ["pipeline", "distilled"])
def test_the_default_network_learns_what_its_preprocessing_knows(fit):
    X, y = mixed()
    if fit == "pipeline":
        with torch.random.fork_rng():
            module = student().fit(X, y)[-1].module_
    else:
        model = DistilledClassifier(student=student(), alpha=0, random_state=0).fit(X, y)
        module = model.student_[-1].module_
    assert module.n_numeric == 2
    assert [part.num_embeddings for part in module.categories] == [31]


def test_its_settings_can_be_searched():
    X, y = mixed()
    model = DistilledClassifier(student=student(), alpha=0, random_state=0)
    model.set_params(
        student__studentnet__module__numeric_embedding=None,
        student__studentnet__module__embedding_size=3,
        student__tablepreprocessor__max_one_hot=2,
    )
    module = model.fit(X, y).student_[-1].module_
    assert module.n_numeric == 0
    assert module.categories[0].embedding_dim == 3


def test_unknown_categories_and_gaps_at_predict_are_taken():
    X, y = mixed()
    model = DistilledClassifier(student=student(), alpha=0, random_state=0).fit(X, y)
    new = X.assign(c="never seen", d=None, a=np.nan)
    assert np.isfinite(model.predict_proba(new)).all()


def test_rows_whose_columns_changed_after_preprocessing_have_no_layout():
    X, y = mixed()
    rows = TablePreprocessor().fit_transform(X)[:, :2]
    with torch.random.fork_rng():
        net = StudentNet(module__hidden_units=(8,), max_epochs=1).fit(rows, y)
    assert net.module_.n_numeric == 0


def sparse_rows():
    X, y = make_classification(300, 20, random_state=0)
    X[np.abs(X) < 1] = 0
    return sparse.csr_matrix(X), y


def test_sparse_rows_are_never_made_dense(monkeypatch):
    X, y = sparse_rows()

    def refuse(self, *args, **kwargs):
        raise AssertionError("made dense")

    monkeypatch.setattr(sparse.csr_matrix, "toarray", refuse)
    monkeypatch.setattr(sparse.csr_matrix, "todense", refuse)
    model = DistilledClassifier(student=student(), alpha=0, random_state=0).fit(X, y)
    assert model.predict_proba(X).shape == (300, 2)


def test_sparse_rows_teach_what_dense_ones_do():
    X, y = sparse_rows()
    models = [
        DistilledClassifier(
            student=StudentNet(MLP, dtype="float64", max_epochs=2), alpha=0, random_state=0
        ).fit(rows, y)
        for rows in (X, X.toarray())
    ]
    found, expected = (model.predict_proba(X[:50]) for model in models)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_repeated_entries_of_sparse_rows_are_added():
    X, y = sparse_rows()
    doubled = sparse.csr_matrix(
        (np.repeat(X.data / 2, 2), np.repeat(X.indices, 2), 2 * X.indptr), shape=X.shape
    )
    before = doubled.data.copy()
    models = [
        DistilledClassifier(student=StudentNet(max_epochs=1), alpha=0, random_state=0).fit(rows, y)
        for rows in (X, doubled)
    ]
    found, expected = (model.predict_proba(doubled) for model in models)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    np.testing.assert_array_equal(doubled.data, before)


def test_a_module_of_the_users_own_gets_dense_rows():
    X, y = sparse_rows()
    with torch.random.fork_rng():
        module = torch.nn.Linear(20, 2)
    model = DistilledClassifier(student=StudentNet(module, max_epochs=1), alpha=0).fit(X, y)
    assert model.predict_proba(X[:3]).shape == (3, 2)


def test_images_of_few_pixels_are_not_for_the_default_network():
    with (
        torch.random.fork_rng(),
        pytest.raises(StudentError, match="cannot read rows of shape"),
    ):
        StudentNet().fit(np.zeros((6, 2, 3, 3)), [0, 1] * 3)
