"""Sparse rows: the scaler, the network whose first layer reads them, and Linear."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import Linear, SparseMLP, TablePreprocessor


def made(cls, *args, **kwargs):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return cls(*args, **kwargs).double()


def rows(n=300, d=40):
    X, y = make_classification(n, d, n_informative=10, random_state=0)
    X[np.abs(X) < 0.8] = 0
    return sparse.csr_matrix(X), y


def as_coo(X):
    return torch.from_numpy(X.toarray()).to_sparse().coalesce()


# The first layer


def test_the_first_layer_is_a_product_forwards_and_backwards():
    X = rows(20)[0]
    full = np.ones((20, 1))
    full[[3, 19]] = 0  # empty rows, one the last
    X = sparse.csr_matrix(X.multiply(full))
    X.eliminate_zeros()
    layer = made(SparseMLP, 40, 5, hidden_units=()).first
    found = layer(as_coo(X))
    np.testing.assert_allclose(
        found.detach(), X @ layer.weight.detach().numpy() + layer.bias.detach().numpy()
    )
    pull = torch.arange(100.0, dtype=torch.float64).reshape(20, 5)
    found.backward(pull)
    np.testing.assert_allclose(layer.weight.grad, X.T @ pull.numpy(), atol=1e-12)
    np.testing.assert_allclose(layer.bias.grad, pull.sum(dim=0))


def test_dense_rows_give_what_sparse_ones_do():
    X = rows(20)[0]
    module = made(SparseMLP, 40, 3, hidden_units=(8, 4)).eval()
    module.adapt(X)
    np.testing.assert_allclose(
        module(as_coo(X)).detach(), module(torch.from_numpy(X.toarray())).detach(), atol=1e-12
    )


def test_it_starts_as_wide_as_a_linear_layer():
    weight = made(SparseMLP, 10_000, 16, hidden_units=()).first.weight
    expected = made(nn.Linear, 10_000, 16).weight
    assert weight.abs().max() <= 0.01
    assert weight.std().item() == pytest.approx(expected.std().item(), rel=0.02)


# SparseMLP


def test_no_unit_matters():
    X, y = rows()
    answers = [
        DistilledClassifier(student=StudentNet(SparseMLP, max_epochs=3), alpha=0, random_state=0)
        .fit(unit * X, y)
        .predict_proba(unit * X)
        for unit in (1.0, 1024.0)
    ]
    np.testing.assert_allclose(*answers, rtol=1e-5)


def test_the_scale_is_the_size_of_the_filled_cells():
    X = rows()[0]
    module = made(SparseMLP, 40, 2)
    for same in (X, X.toarray()):
        module.adapt(same)
        assert module.scale.item() == pytest.approx(np.sqrt(np.mean(X.data**2)))
    module.adapt(sparse.csr_matrix((3, 40)))
    assert module.scale.item() == 1


@pytest.mark.parametrize("hidden_units", [(), (6,), (6, 5)])
def test_its_layers(hidden_units):
    module = made(SparseMLP, 40, 3, hidden_units=hidden_units)
    shapes = [tuple(p.shape) for name, p in module.named_parameters() if name.endswith("weight")]
    widths = [40, *hidden_units, 3]
    assert shapes[0] == (40, widths[1])
    assert shapes[1:] == [(b, a) for a, b in pairwise(widths[1:])]
    assert sum(isinstance(part, nn.Dropout) for part in module.modules()) == len(hidden_units)


def test_without_hidden_layers_it_becomes_logistic_regression():
    X, y = rows()
    net = StudentNet(
        SparseMLP,
        module__hidden_units=(),
        dtype="float64",
        lr=0.3,
        max_epochs=300,
        batch_size=-1,
        train_split=None,
        optimizer__weight_decay=0.0,
    )
    model = DistilledClassifier(student=net, alpha=0, random_state=0).fit(X, y)
    expected = LogisticRegression(C=1e12, max_iter=5000, tol=1e-8).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), expected.predict_proba(X), atol=0.01)


def test_it_is_the_network_for_sparse_rows_and_learns():
    X, y = rows()
    model = DistilledClassifier(LogisticRegression(), random_state=0).fit(X, y)
    assert isinstance(model.student_[-1].module_, SparseMLP)
    assert model.score(X, y) > model.teacher_.score(X, y) + 0.05
    np.testing.assert_allclose(model.predict_proba(X[:1]), model.predict_proba(X)[:1], rtol=1e-5)
    np.testing.assert_allclose(model.predict_proba(X.toarray()), model.predict_proba(X), rtol=1e-4)


def test_one_seed_gives_one_result():
    X, y = rows()
    student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=2, batch_size=64))
    model = DistilledClassifier(LogisticRegression(), student, random_state=0)
    first = model.fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), first)


def test_a_net_keeps_its_network_when_it_is_fitted_on_other_rows():
    X, y = rows(60)
    net = StudentNet(max_epochs=1)
    with torch.random.fork_rng():
        names = [type(net.fit(part, y).module_).__name__ for part in (X, X.toarray(), X)]
    assert names == ["SparseMLP", "TabularMLP", "SparseMLP"]


# Linear


def test_linear_is_one_layer_for_dense_and_sparse_rows():
    X, y = rows()
    models = [
        DistilledClassifier(
            student=StudentNet(Linear, max_epochs=2, dtype="float64"), alpha=0, random_state=0
        ).fit(part, y)
        for part in (X, X.toarray())
    ]
    layer = models[0].student_.module_[0]
    logits = X @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()
    found, other = (model.predict_log_proba(X) for model in models)
    np.testing.assert_allclose(found[:, 1] - found[:, 0], logits[:, 1] - logits[:, 0], atol=1e-8)
    np.testing.assert_allclose(found, other, atol=1e-8)


# The scale of sparse rows


def scaled(X, new=None):
    X = sparse.csr_matrix(X)
    preprocessor = TablePreprocessor().fit(X)
    scaler = preprocessor.scaler_
    return scaler, preprocessor.transform(X if new is None else sparse.csr_matrix(new)).toarray()


def test_units_that_are_near_one_another_stay():
    X = np.array([[1.0, 0, 2, 9], [0.5, 3, 2, 0], [1, 1, 0, 2]])
    found = scaled(X)[1]
    np.testing.assert_allclose(found, X / 2.5)  # the median of 1, 3, 2, 9


def test_units_that_are_far_are_brought_near():
    X = np.array([[1.0, 0, 2, 9e4, -1e-4], [0.5, 3, 2, 3e4, 5e-5], [1, 1, 0, 2e4, 0]])
    found = scaled(X)[1]
    np.testing.assert_allclose(found[:, :3], X[:, :3] / 2)
    np.testing.assert_allclose(found[:, 3], X[:, 3] / 9e4)
    np.testing.assert_allclose(found[:, 4], X[:, 4] / 1e-4)


def test_columns_of_a_single_row_are_left_out():
    X = np.array([[1.0, 0, 0, 1], [0, 1, 0, 1], [1, 0, 0, 0]])
    scaler, found = scaled(X, new=[[5.0, 7, 8, 3]])
    np.testing.assert_array_equal(scaler.kept_, [0, 3])
    np.testing.assert_array_equal(found, [[5, 3]])


@pytest.mark.parametrize("X", [np.eye(4), np.zeros((3, 4))], ids=["single", "empty"])
def test_all_columns_stay_where_none_is_shared(X):
    scaler, found = scaled(X)
    assert len(scaler.kept_) == 4
    np.testing.assert_array_equal(found, X)


def test_the_scaled_rows_are_those_of_numpy():
    X = sparse.random(60, 500, density=0.02, format="csr", random_state=0)
    X.data += 0.5
    before = X.copy()
    scaler, found = scaled(X)
    counts = (X.toarray() != 0).sum(axis=0)
    np.testing.assert_array_equal(scaler.kept_, np.flatnonzero(counts >= 2))
    kept = X.toarray()[:, counts >= 2]
    np.testing.assert_allclose(found, kept / np.median(kept.max(axis=0)))
    assert abs(X - before).nnz == 0


def test_a_cell_in_two_entries_counts_once():
    doubled = sparse.csr_matrix(([1.0, 1, 2], [0, 0, 1], [0, 2, 3]), shape=(2, 3))
    scaler = TablePreprocessor().fit(doubled).scaler_
    np.testing.assert_array_equal(scaler.kept_, [0, 1])  # each in one row: no column is shared
    np.testing.assert_allclose(scaler.scale_, 2)
    assert doubled.nnz == 3


def test_wide_rows_cost_what_their_cells_do():
    columns = np.random.default_rng(0).integers(0, 2**22, (200, 20))
    columns[:, 0] = 7  # the one that is shared
    X = sparse.csr_matrix((np.ones(4000), columns.ravel(), np.arange(0, 4001, 20)), (200, 2**22))
    y = np.arange(200) % 2
    student = make_pipeline(TablePreprocessor(), StudentNet(max_epochs=1))
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)
    assert model.n_features_in_ == 2**22
    assert model.student_[-1].module_.first.weight.shape[0] < 50
