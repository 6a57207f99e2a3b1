"""A student of a file that NumPy computes answers as the one that torch does."""

import io

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
    deployment,
)
from skdistill.__main__ import main
from skdistill.deployment import save
from skdistill.students import MLP, SoftDecisionTree, TablePreprocessor

pd = pytest.importorskip("pandas")
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame({"a": RNG.lognormal(9, 2, 90), "flag": np.resize([True, False], 90)})
TABLE["few"] = RNG.choice(["x", "y", None], 90)
TABLE["many"] = [f"c{i % 23}" for i in range(90)]
TABLE.loc[::7, "a"] = np.nan
LABELS = np.resize(["no", "yes", "perhaps"], 90)
NEW = TABLE.assign(few=["new", *TABLE["few"][1:]], a=[1e12, np.nan, *TABLE["a"][2:]])


def before(net, **settings):
    return make_pipeline(TablePreprocessor(**settings), net)


def short(*module, **settings):
    return StudentNet(*module, max_epochs=2, **settings)


CLASSIFIERS = {
    "the default": before(short()),
    "members": before(short(module__n_members=3)),
    "members whose outputs are meant": before(
        short(module__n_members=2, module__member_mean="outputs")
    ),
    "no embedding": before(short(module__numeric_embedding=None)),
    "codes alone": before(short(), max_one_hot=0),
    "an MLP": before(short(MLP), max_one_hot=30),
    "a soft tree": before(short(SoftDecisionTree(depth=3))),
    "float64": before(short(dtype="float64")),
}


@pytest.fixture
def answer(tmp_path, monkeypatch, capsys):
    """Return what the command line answers, as a table, while torch's student cannot be had."""

    def ask(model, rows, *, needs_torch=False):
        path = save(model, tmp_path / "student.safetensors")
        rows.to_csv(tmp_path / "rows.csv", index=False)
        if not needs_torch:
            monkeypatch.setattr(deployment, "load", lambda path: pytest.fail("torch was asked"))
        assert main(["predict", str(path), str(tmp_path / "rows.csv")]) == 0
        return pd.read_csv(io.StringIO(capsys.readouterr().out))

    return ask


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_classes(kind, answer):
    student = CLASSIFIERS[kind]
    model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(TABLE, LABELS)
    found, expected = answer(model, NEW), model.predict_proba(NEW)
    np.testing.assert_allclose(found.iloc[:, 1:], expected, rtol=0, atol=5e-5)
    is_sure = np.diff(np.sort(expected, axis=1)[:, -2:], axis=1)[:, 0] > 1e-4
    assert found["prediction"][is_sure].tolist() == model.predict(NEW)[is_sure].tolist()


@pytest.mark.parametrize("weights", ["int8", "float16"])
def test_weights_in_fewer_bytes(weights, answer):
    model = DistilledClassifier(student=before(short()), alpha=0, random_state=0)
    model = deployment.quantize(model.fit(TABLE, LABELS), weights=weights)
    expected = model.predict_proba(NEW)
    np.testing.assert_allclose(answer(model, NEW).iloc[:, 1:], expected, rtol=0, atol=5e-5)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_numbers(n_outputs, answer):
    y = 1e3 * RNG.normal(size=(90, n_outputs)).squeeze()
    student = before(StudentNetRegressor(max_epochs=2))
    model = DistilledRegressor(student=student, alpha=0, random_state=0).fit(TABLE, y)
    expected = model.predict(NEW).reshape(90, n_outputs)
    np.testing.assert_allclose(answer(model, NEW), expected, atol=0.05)


OTHERS = {
    "a tree": DecisionTreeClassifier(max_depth=2),
    "a step of scikit-learn": make_pipeline(StandardScaler(), short(MLP)),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_what_numpy_does_not_compute_is_asked_by_torch(kind, answer):
    X, y = pd.DataFrame(RNG.normal(size=(60, 3)), columns=list("abc")), np.resize([0, 1], 60)
    model = DistilledClassifier(student=OTHERS[kind], alpha=0, random_state=0).fit(X, y)
    found = answer(model, X, needs_torch=True)
    np.testing.assert_allclose(found.iloc[:, 1:], model.predict_proba(X), rtol=0, atol=5e-5)
