"""The diagnosis: what was built in is found, the figures are right, the code runs."""

import contextlib
import io
import pickle
import re
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from scipy.sparse import csr_matrix
from scipy.special import rel_entr
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import make_classification, make_friedman1
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from skorch import NeuralNetClassifier
from torch import nn

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.evaluation import Diagnosis, diagnose
from skdistill.evaluation._diagnosis import _rules as rules
from skdistill.evaluation._diagnosis._advice import advise
from skdistill.evaluation._diagnosis._figures import Figure, Figures, compute_figures
from skdistill.evaluation._diagnosis._measure import Evidence
from skdistill.evaluation._tasks import ClassScoring, NumberScoring
from skdistill.students import MLP, DefaultStudent
from skdistill.transfer import GaussianNoise, Spunge

# ---------------------------------------------------------------------------------------------
# One case of each verdict
# ---------------------------------------------------------------------------------------------


def problem(noise=0.0, n=2400, seed=0):
    X, response = make_friedman1(n, n_features=10, random_state=seed)
    y = (response > np.median(response)).astype(int)
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < noise, rng.integers(0, 2, n), y)
    return X, y


def net(**settings):
    settings = {"module__hidden_units": (32,), "max_epochs": 15, "lr": 0.01, **settings}
    settings.setdefault("batch_size", 64)
    return make_pipeline(StandardScaler(), StudentNet(MLP, **settings))


def trees(seed=0):
    return ExtraTreesClassifier(60, min_samples_leaf=3, random_state=seed)


def case(name):
    """Return a model and its training rows and labels, and test rows and labels."""
    noisy = name in (rules.REGULARISATION, rules.FINE)
    X, y = problem(0.3 if noisy else 0.0)
    X_test, y_test, X_others, y_others = X[:800], y[:800], X[1600:], y[1600:]
    n_rows = {rules.OVERFIT: 150, rules.TOO_SMALL: 40, rules.UNCLEAR: 200}.get(name, 800)
    X_train, y_train = X[800 : 800 + n_rows], y[800 : 800 + n_rows]
    strong = net(module__hidden_units=(64, 64), max_epochs=20)
    strong = DistilledClassifier(student=strong, alpha=0.0, random_state=0).fit(X_others, y_others)
    by_heart = {"module__hidden_units": (128,), "max_epochs": 30, "train_split": None}
    settings = {
        rules.OVERFIT: (strong, net(**by_heart, optimizer__weight_decay=0.0), 0.0),
        rules.UNDERFIT: (strong, net(module__hidden_units=(1,), lr=0.02), 0.5),
        rules.TOO_SMALL: (strong, net(max_epochs=60), 0.8),
        rules.LIMIT: (DecisionTreeClassifier(max_depth=1, random_state=0), net(), 0.9),
        rules.MEMORISED: (RandomForestClassifier(30, random_state=0), net(), 0.5),
        rules.REGULARISATION: (DummyClassifier(strategy="uniform"), net(**by_heart), 0.2),
        rules.FINE: (trees().fit(X_others, y_others), net(**by_heart), 0.8),
        rules.UNCLEAR: (trees(), net(), 0.2),
    }
    teacher, student, alpha = settings[name]
    if name == rules.UNCLEAR:
        X_test, y_test = X_test[:12], y_test[:12]
    model = DistilledClassifier(
        teacher,
        student,
        alpha=alpha,
        cv="in-sample" if name == rules.MEMORISED else None,
        calibrate=name in (rules.FINE, rules.UNCLEAR),
        random_state=0,
    )
    return model, X_train, y_train, X_test, y_test


NAMES = ("model", "X_train", "y_train", "X_test", "y_test")


@cache
def found(name):
    """Return the case, fitted, and its diagnosis; each is made once."""
    model, X_train, y_train, X_test, y_test = case(name)
    given = (model.fit(X_train, y_train), X_train, y_train, X_test, y_test)
    return given, diagnose(*given)


@pytest.mark.parametrize("name", rules.VERDICTS)
@pytest.mark.slow_except("overfit", "underfit", "the teacher memorised its rows")
def test_each_verdict_is_found(name):
    _, diagnosis = found(name)
    assert isinstance(diagnosis, Diagnosis)
    assert diagnosis.verdict == name, diagnosis


def run(code, given):
    """Run lines of advice where they are said to run; return the names that they leave."""
    names = dict(zip(NAMES, given, strict=True))
    exec(code, names)
    return names


# What the lines are said to change, held against the old model, the new one and their log-losses.
CHANGED = {
    rules.OVERFIT: lambda old, new: new.alpha == 0.5,
    rules.UNDERFIT: lambda old, new: (
        new.student_[-1].module_[0].out_features > old.student_[-1].module_[0].out_features
    ),
    rules.TOO_SMALL: lambda old, new: isinstance(new.augment, Spunge),
    rules.LIMIT: lambda old, new: new.alpha == 0,
    rules.MEMORISED: lambda old, new: new.cv is None and new.calibrate,
    rules.REGULARISATION: lambda old, new: (
        isinstance(new, CalibratedClassifierCV) or isinstance(new.teacher, DummyClassifier)
    ),
}


@pytest.mark.parametrize("name", CHANGED)
@pytest.mark.slow_except("underfit", "transfer set too small")
def test_the_code_runs_and_changes_what_it_says(name):
    given, diagnosis = found(name)
    old, _, _, X_test, y_test = given
    new = run(diagnosis.code, given)["model"]
    assert new is not old
    assert CHANGED[name](old, new)
    before, after = (log_loss(y_test, m.predict_proba(X_test)) for m in (old, new))
    if name not in (rules.REGULARISATION, rules.MEMORISED):  # there the loss may stay as it was
        assert after < before


def test_the_code_of_a_fine_student_gives_the_student():
    given, diagnosis = found(rules.FINE)
    assert run(diagnosis.code, given)["student"] is given[0].student_


def test_the_code_of_an_unclear_case_measures_again():
    given, diagnosis = found(rules.UNCLEAR)
    report = run(diagnosis.code.replace("n_seeds=5", "n_seeds=2"), given)["report"]
    assert report.n_seeds == 2


def test_an_unfitted_model_gets_the_diagnosis_of_a_fitted_one_and_stays_unfitted():
    _, of_fitted = found(rules.UNDERFIT)
    model, *rows = case(rules.UNDERFIT)
    of_unfitted = diagnose(model, *rows)
    assert not hasattr(model, "student_")
    assert of_unfitted.rows == of_fitted.rows
    assert of_unfitted.code == of_fitted.code


def test_code_for_an_unfitted_fine_model_fits_it():
    model, *rows = case(rules.FINE)
    finding = rules.Finding(rules.FINE, [], {})
    advice = advise(model, finding, figures(), X=rows[0], y=rows[1])
    student = run(advice.code, (model, *rows))["student"]
    assert len(student.predict(rows[0])) == len(rows[0])


def test_nothing_is_changed():
    given, _ = found(rules.LIMIT)
    before = pickle.dumps(given)
    diagnose(*given)
    assert pickle.dumps(given) == before


# ---------------------------------------------------------------------------------------------
# Numbers
# ---------------------------------------------------------------------------------------------


def test_figures_are_those_of_the_evidence():
    given, diagnosis = found(rules.LIMIT)
    model, X_train, y_train, X_test, y_test = given
    f = diagnosis.figures
    student, teacher = model.predict_proba(X_test), model.teacher_.predict_proba(X_test)
    plain = clone(model).set_params(alpha=0.0).fit(X_train, y_train).predict_proba(X_test)
    assert f["student_test"] == pytest.approx(log_loss(y_test, student))
    assert f["teacher_test"] == pytest.approx(log_loss(y_test, teacher))
    assert f["plain_test"] == pytest.approx(log_loss(y_test, plain))
    assert f["student_train"] == pytest.approx(log_loss(y_train, model.predict_proba(X_train)))
    assert f["kl_test"] == pytest.approx(rel_entr(teacher, student).sum(axis=1).mean())
    terms = -np.log(plain[range(800), y_test]) + np.log(student[range(800), y_test])
    assert f["gain"] == pytest.approx(terms.mean())
    assert f["gain_se"] == pytest.approx(terms.std(ddof=1) / np.sqrt(800))
    rates = np.bincount(y_train) / len(y_train)
    assert f["class_rates"] == pytest.approx(-np.log(rates[y_test]).mean())
    assert f["excess"] == pytest.approx(f["student_test"] - f["teacher_test"])
    known = f["class_rates"] - f["teacher_test"]
    assert f["kept"] == pytest.approx(1 - f["excess"] / known)
    assert f["gap_se"] == pytest.approx(np.hypot(f["student_test_se"], f["student_train_se"]))
    assert np.isnan(f["beyond_smoothing"])  # it was not needed


def evidence(**changed):
    """Answers for six rows and two classes, some of which may be given."""
    y = np.array([0, 1, 0, 1, 0, 1])
    good = np.where(y[:, None] == [0, 1], 0.8, 0.2)
    made = {
        "task": ClassScoring(y),
        "y_train": y,
        "y_test": y,
        **dict.fromkeys(
            ("teacher_train", "teacher_test", "student_train", "student_test", "plain_test"), good
        ),
        "teacher_temperature": 1.0,
        "cross_fitted": True,
        "alpha": 0.5,
        "taught": True,
        "smooth": lambda: good,
    }
    return Evidence(**{**made, **changed})


def test_rows_without_a_target_are_left_out():
    taught = evidence().teacher_train.copy()
    taught[0] = np.nan
    f = compute_figures(evidence(teacher_train=taught))
    assert f.teacher_train.value == pytest.approx(-np.log(0.8))
    assert f.kl_train.value == 0.0


def test_exact_zeros_of_a_teacher_do_not_decide():
    wrong = evidence().teacher_test.copy()
    wrong[0] = [0.0, 1.0]
    f = compute_figures(evidence(teacher_test=wrong))
    assert f.teacher_test.value == pytest.approx((-5 * np.log(0.8) - np.log(1e-3)) / 6)


@pytest.mark.parametrize("n_test", [1, 9])
def test_a_handful_of_test_rows_shows_nothing(n_test):
    given, _ = found(rules.LIMIT)
    assert diagnose(*given[:3], given[3][:n_test], given[4][:n_test]).verdict == rules.UNCLEAR


def test_faces():
    _, diagnosis = found(rules.REGULARISATION)
    text, html = repr(diagnosis), diagnosis._repr_html_()
    assert text.startswith("Diagnosis: regularisation rather than transfer (800 training rows, ")
    assert "label smoothing - student, test" in text
    for face in (text, html.replace("&quot;", '"').replace("&#x27;", "'")):
        assert diagnosis.code.splitlines()[-1].strip() in face
        assert diagnosis.advice.split()[0] in face
    assert list(diagnosis.rows[0]) == ["figure", "value", "value_se", "threshold", "says"]
    heads = re.findall(r'<th scope="col" style="text-align:(\w+)[^>]*>(\w+)<', html)
    words = [("left", "figure"), ("right", "value"), ("right", "threshold"), ("left", "says")]
    assert heads == words
    assert diagnosis.to_frame().shape == (len(diagnosis.rows), 5)


def test_verbose_says_what_is_fitted():
    model, *rows = case(rules.LIMIT)
    model.set_params(verbose=1, student__studentnet__max_epochs=1)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        diagnose(model, *rows)
    assert "[diagnose] distilled: 1 of 3, " in out.getvalue()
    assert "[diagnose] plain: 2 of 3, " in out.getvalue()


# ---------------------------------------------------------------------------------------------
# Numbers in place of classes
# ---------------------------------------------------------------------------------------------


def numbers_net(**settings):
    settings = {"module__hidden_units": (32,), "max_epochs": 40, "lr": 0.01, **settings}
    return make_pipeline(StandardScaler(), StudentNetRegressor(MLP, batch_size=64, **settings))


def numbers_case(name):
    """Return a DistilledRegressor, its training rows and numbers, and test rows and numbers."""
    X, y = make_friedman1(2400, n_features=10, noise=1.0, random_state=0)
    y = 100 + 5 * y
    strong = ExtraTreesRegressor(60, min_samples_leaf=2, random_state=0).fit(X[1600:], y[1600:])
    by_heart = numbers_net(
        module__hidden_units=(128,),
        max_epochs=60,
        train_split=None,
        optimizer__weight_decay=0.0,
    )
    teacher, student, alpha, n_rows = {
        rules.OVERFIT: (strong, by_heart, 0.0, 100),
        rules.UNDERFIT: (strong, numbers_net(module__hidden_units=(1,), max_epochs=5), 0.5, 800),
        rules.LIMIT: (DecisionTreeRegressor(max_depth=1), numbers_net(), 0.9, 800),
        rules.MEMORISED: (ExtraTreesRegressor(20, random_state=0), numbers_net(), 0.5, 400),
        rules.TOO_SMALL: (strong, numbers_net(train_split=None), 0.8, 40),
    }[name]
    cv = "in-sample" if name == rules.MEMORISED else None
    model = DistilledRegressor(teacher, student, alpha=alpha, cv=cv, random_state=0)
    return model, X[800 : 800 + n_rows], y[800 : 800 + n_rows], X[:800], y[:800]


@cache
def found_numbers(name):
    """Return the case, fitted, and its diagnosis; each is made once."""
    model, X_train, y_train, X_test, y_test = numbers_case(name)
    given = (model.fit(X_train, y_train), X_train, y_train, X_test, y_test)
    return given, diagnose(*given)


NUMBERS_CHANGED = {
    rules.OVERFIT: lambda new: new.alpha == 0.5,
    rules.UNDERFIT: lambda new: new.student_[-1].module_[0].out_features == 64,
    rules.LIMIT: lambda new: new.alpha == 0,
    rules.MEMORISED: lambda new: new.cv is None,
    rules.TOO_SMALL: lambda new: isinstance(new.augment, Spunge),
}


@pytest.mark.parametrize("name", NUMBERS_CHANGED)
@pytest.mark.slow_except("overfit", "underfit")
def test_verdicts_on_numbers_and_their_cures(name):
    given, diagnosis = found_numbers(name)
    model, _, _, X_test, y_test = given
    assert diagnosis.verdict == name, diagnosis
    assert "squared error" in diagnosis.reading[0] and "log-loss" not in repr(diagnosis)
    new = run(diagnosis.code, given)["model"]
    assert NUMBERS_CHANGED[name](new)
    if name != rules.MEMORISED:
        assert new.score(X_test, y_test) > model.score(X_test, y_test)


def test_figures_of_numbers_are_errors_in_units_of_the_variance():
    (model, X_train, y_train, X_test, y_test), diagnosis = found_numbers(rules.LIMIT)
    f = diagnosis.figures
    unit = np.var(y_train)
    student, teacher = model.predict(X_test), model.teacher_.predict(X_test)
    plain = clone(model).set_params(alpha=0.0).fit(X_train, y_train).predict(X_test)
    assert f["student_test"] == pytest.approx(np.mean((y_test - student) ** 2) / unit)
    assert f["teacher_test"] == pytest.approx(np.mean((y_test - teacher) ** 2) / unit)
    assert f["plain_test"] == pytest.approx(np.mean((y_test - plain) ** 2) / unit)
    on_train = np.mean((y_train - model.predict(X_train)) ** 2) / unit
    assert f["student_train"] == pytest.approx(on_train)
    assert f["kl_test"] == pytest.approx(np.mean((teacher - student) ** 2) / unit)
    assert f["class_rates"] == pytest.approx(np.mean((y_test - y_train.mean()) ** 2) / unit)
    terms = ((y_test - plain) ** 2 - (y_test - student) ** 2) / unit
    assert f["gain"] == pytest.approx(terms.mean())
    assert f["gain_se"] == pytest.approx(terms.std(ddof=1) / np.sqrt(800))
    unknown = ("beyond_smoothing", "beyond_temperature", "teacher_ece", "teacher_temperature")
    assert all(np.isnan(f[name]) for name in unknown)


def test_a_verdict_on_numbers_has_no_unit():
    model, X_train, y_train, X_test, y_test = numbers_case(rules.MEMORISED)
    model.set_params(student__studentnetregressor__max_epochs=2)
    one = diagnose(model, X_train, y_train, X_test, y_test)
    other = diagnose(model, X_train, 2.0**20 * y_train, X_test, 2.0**20 * y_test)
    assert one.verdict == other.verdict
    assert one.figures["teacher_test"] == pytest.approx(other.figures["teacher_test"])


def test_a_gain_on_numbers_needs_no_control():
    assert rules.find(
        figures(task=NumberScoring), alpha=0.5, taught=True, asks_own_rows=False, ask_controls=dict
    ).reading == [
        "The student gains 0.100 over the plain one, to 0.320; the teacher's squared "
        "error is 0.310."
    ]


X_FEW, Y_FEW = make_friedman1(60, random_state=0)
PARTS = {"X_train": X_FEW[:40], "y_train": Y_FEW[:40], "X_test": X_FEW[40:], "y_test": Y_FEW[40:]}
REGRESSOR = DistilledRegressor(DecisionTreeRegressor(), StudentNetRegressor(MLP, max_epochs=1))
TWO_OUTPUTS = DistilledRegressor(
    DecisionTreeRegressor(), DecisionTreeRegressor(random_state=0), random_state=0
).fit(X_FEW[:40], np.c_[Y_FEW, -Y_FEW][:40])


def attempt(model=REGRESSOR, **changes):
    return lambda: diagnose(model, **{**PARTS, **changes})


REFUSED = {
    "no teacher": (
        ValueError,
        attempt(DistilledRegressor()),
        r"needs a teacher.*Pass DistilledRegressor\(teacher",
    ),
    "one number": (ValueError, attempt(y_train=np.ones(40)), "the number 1 alone; expected some"),
    "other columns": (ValueError, attempt(X_test=X_FEW[40:, :5]), "the same features"),
    "two columns": (
        ValueError,
        attempt(y_train=np.c_[Y_FEW, Y_FEW][:40], y_test=np.c_[Y_FEW, Y_FEW][40:]),
        "one output, and the model or y_train has several. Fit and diagnose a student of each",
    ),
    "two outputs": (ValueError, attempt(TWO_OUTPUTS), "one output, and the model or y_train"),
    "a gap in the test rows": (
        ValueError,
        attempt(
            DistilledRegressor(LinearRegression(), StudentNetRegressor(MLP)),
            X_test=np.full_like(X_FEW[40:], np.nan),
        ),
        "X_test contains NaN, as no row of X_train does",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


# ---------------------------------------------------------------------------------------------
# Rules, on figures made by hand
# ---------------------------------------------------------------------------------------------


def figures(**values):
    """Figures of a student that is as good as its teacher and better than the plain one."""
    base = {
        "student_train": 0.30,
        "student_test": 0.32,
        "teacher_train": 0.30,
        "teacher_test": 0.31,
        "plain_test": 0.42,
        "class_rates": 0.69,
        "kl_train": 0.05,
        "kl_test": 0.06,
        "kept": 0.97,
        "teacher_ece": 0.02,
        "calibrated": 0.0,
        **values,
    }
    base.setdefault("excess", base["student_test"] - base["teacher_test"])
    base.setdefault("excess_train", base["student_train"] - base["teacher_test"])
    base.setdefault("gap", base["student_test"] - base["student_train"])
    base.setdefault("teacher_gap", base["teacher_test"] - base["teacher_train"])
    base.setdefault("lead", base["plain_test"] - base["teacher_test"])
    base.setdefault("gain", base["plain_test"] - base["student_test"])
    plain_numbers = {"kept", "teacher_ece", "task"}
    return Figures(**{k: v if k in plain_numbers else Figure(v, 0.005) for k, v in base.items()})


def find(f, *, alpha=0.5, asks_own_rows=False, temperature=0.05, smoothing=0.05):
    controls = {
        "temperature": Figure(temperature, 0.005),
        "smoothing": Figure(smoothing, 0.005),
    }
    return rules.find(
        f, alpha=alpha, taught=alpha > 0, asks_own_rows=asks_own_rows, ask_controls=lambda: controls
    ).verdict


MEMORISED = {"teacher_train": 0.1}
LOST = {"student_train": 0.45, "student_test": 0.47, "plain_test": 0.48}
RULES = [
    ({}, {}, rules.FINE),
    # the teacher
    (MEMORISED, {"asks_own_rows": True}, rules.MEMORISED),
    (MEMORISED, {"asks_own_rows": False}, rules.FINE),
    (MEMORISED, {"asks_own_rows": True, "alpha": 0.0}, rules.FINE),
    ({"teacher_train": 0.16}, {"asks_own_rows": True}, rules.FINE),
    ({"teacher_test": 0.5}, {}, rules.REGULARISATION),
    ({"teacher_test": 0.5, "student_test": 0.45}, {}, rules.LIMIT),
    ({"teacher_test": 0.5, "student_test": 0.415}, {}, rules.LIMIT),  # the gain is not shown
    ({"teacher_test": 0.42, "student_test": 0.44}, {}, rules.LIMIT),
    # the student
    (LOST, {}, rules.UNDERFIT),
    ({**LOST, "kl_train": 0.02}, {}, rules.TOO_SMALL),
    ({**LOST, "kl_train": 0.02}, {"alpha": 0.0}, rules.UNDERFIT),
    ({**LOST, "student_train": 0.2}, {}, rules.OVERFIT),
    ({**LOST, "student_train": 0.2, "kl_train": 0.02}, {}, rules.TOO_SMALL),
    ({**LOST, "student_train": 0.2, "kl_train": 0.02}, {"alpha": 0.0}, rules.OVERFIT),
    ({**LOST, "student_train": 0.315}, {}, rules.UNCLEAR),
    ({"student_train": 0.05}, {}, rules.OVERFIT),  # by heart, though no worse than the teacher
    ({"student_train": 0.09}, {}, rules.FINE),
    # the gain
    ({}, {"smoothing": 0.0}, rules.REGULARISATION),
    ({}, {"temperature": -0.1}, rules.REGULARISATION),
    ({"plain_test": 0.36}, {"smoothing": 0.009}, rules.UNCLEAR),
    ({"plain_test": 0.32}, {}, rules.UNCLEAR),
]


@pytest.mark.parametrize("values, settings, verdict", RULES)
def test_rules(values, settings, verdict):
    assert find(figures(**values), **settings) == verdict


def test_no_rule_speaks_where_nothing_is_shown():
    for values, settings, _ in RULES:
        f = figures(**values)
        noisy = {
            field.name: Figure(value.value, 1.0) if isinstance(value, Figure) else value
            for field in fields(f)
            if (value := getattr(f, field.name)) is not None
        }
        assert find(replace(f, **noisy), **settings) == rules.UNCLEAR


def test_tolerance():
    known = 0.69 - 0.31
    assert rules.tolerance(figures()) == pytest.approx(known / 5)
    assert rules.tolerance(figures(teacher_test=0.05, student_test=0.06)) == pytest.approx(0.025)
    assert rules.tolerance(figures(class_rates=0.51)) == pytest.approx(0.04)
    assert rules.tolerance(figures(plain_test=0.325)) == pytest.approx(known / 10)
    assert rules.tolerance(figures(class_rates=0.2)) == 0.0  # the teacher knows nothing


# ---------------------------------------------------------------------------------------------
# Code for every kind of student and teacher
# ---------------------------------------------------------------------------------------------


class Narrow(nn.Module):
    """A network with a width that is no tuple."""

    def __init__(self, n_features, n_classes, width=4):
        super().__init__()
        self.first, self.last = nn.Linear(n_features, width), nn.Linear(width, n_classes)

    def forward(self, X):
        return self.last(torch.relu(self.first(X)))


def narrow():
    """An instance, made without touching the global generator."""
    with torch.random.fork_rng():
        return Narrow(5, 2)


def little(n=60, noise=0.0):
    return make_classification(n, 5, flip_y=noise, random_state=0)


STUDENTS = {
    "None": None,
    "StudentNet": StudentNet(MLP, module__hidden_units=(4,), max_epochs=2),
    "default module": StudentNet(module__hidden_units=[4], max_epochs=2),
    "linear": StudentNet(MLP, module__hidden_units=(), max_epochs=2),
    "class": Narrow,
    "instance": narrow(),
    "Pipeline": make_pipeline(StandardScaler(), StudentNet(Narrow, max_epochs=2)),
    "Pipeline with a class": make_pipeline(StandardScaler(), Narrow),
    "odd names": Pipeline([("to 1", StandardScaler()), ("my-net", StudentNet(max_epochs=2))]),
    "skorch": NeuralNetClassifier(Narrow, module__width=4, max_epochs=2),
}


def net_of(model):
    """The last step of a student as given, made a net where it is none."""
    student = model.student
    last = student[-1] if isinstance(student, Pipeline) else student
    if last is None or isinstance(last, DefaultStudent):
        return StudentNet(**({} if last is None else last.get_params()))
    return last if hasattr(last, "max_epochs") else StudentNet(last)


@pytest.mark.parametrize("name", STUDENTS)
@pytest.mark.parametrize("verdict", [rules.UNDERFIT, rules.OVERFIT])
def test_code_is_right_for_every_kind_of_student(name, verdict):
    X, y = little()
    model = DistilledClassifier(GaussianNB(), STUDENTS[name], alpha=1.0, cv=3, random_state=0)
    advice = advise(model, rules.Finding(verdict, [], {}), figures(**LOST), X=X, y=y)
    before = net_of(model)
    # The lines run on a net that is trained for one epoch.
    code = advice.code.replace(".fit(X_train, y_train)", "")
    new = run(code, (model, X, y, X, y))["model"]
    changed = net_of(new)
    if verdict == rules.UNDERFIT:
        assert changed.max_epochs == 4 * before.max_epochs
        widths = before.get_params(deep=False).get("module__hidden_units")
        if widths:
            assert changed.module__hidden_units == type(widths)([64])
    elif name == "skorch":
        assert changed.max_epochs == 1
    else:
        assert changed.train_split.min_samples <= len(y)
    last = new.student[-1] if isinstance(new.student, Pipeline) else new.student
    last.set_params(max_epochs=1)
    assert new.fit(X, y).student_ is not None


@pytest.mark.parametrize("X", [np.zeros((40, 8, 8)), np.array(["a word", "another"] * 20)])
def test_code_for_the_default_student_keeps_what_it_is_made_of(X):
    y = np.arange(40) % 2
    model = DistilledClassifier(DummyClassifier(), random_state=0)
    finding = rules.Finding(rules.UNDERFIT, [], {})
    advice = advise(model, finding, figures(**LOST), X=X, y=y)
    assert advice.code.endswith("set_params(student__max_epochs=160).fit(X_train, y_train)")
    code = advice.code.replace("max_epochs=", "max_epochs=1 or ")
    new = run(code, (model, X, y, X, y))["model"]
    default = model.fit(X, y).student_
    assert list(map(repr, new.student_[:-1])) == list(map(repr, default[:-1]))


OVER = rules.Finding(rules.OVERFIT, [], {})


def test_overfitting_gets_more_of_a_teacher_that_is_shown_to_be_better():
    X, y = little(200)
    model = DistilledClassifier(GaussianNB(), StudentNet(MLP), alpha=0.9)
    assert "set_params(alpha=0.95)" in advise(model, OVER, figures(**LOST), X=X, y=y).code
    no_better = figures(student_train=0.05, student_test=0.32, teacher_test=0.4)
    assert "alpha" not in advise(model, OVER, no_better, X=X, y=y).code


def test_overfitting_under_the_teacher_alone_gets_rows_held_back_and_then_weight_decay():
    X, y = little(200)
    model = DistilledClassifier(GaussianNB(), StudentNet(MLP, train_split=None), alpha=1.0)
    code = advise(model, OVER, figures(**LOST), X=X, y=y).code
    assert "student__train_split=HoldOut(size=0.2, min_samples=10)" in code
    model = run(code.replace(".fit(X_train, y_train)", ""), (model, X, y, X, y))["model"]
    code = advise(model, OVER, figures(**LOST), X=X, y=y).code
    assert "student__optimizer__weight_decay=0.3" in code


X_NUMBERS, Y_NUMBERS = little()
FITTED = RandomForestClassifier(5, random_state=0).fit(X_NUMBERS, Y_NUMBERS)


@pytest.mark.parametrize(
    "teacher, cv, expected",
    [
        (FITTED, None, "teacher=clone(model.teacher), calibrate=True"),
        (FrozenEstimator(FITTED), None, "teacher=clone(model.teacher.estimator), calibrate=True"),
        (RandomForestClassifier(5), "in-sample", "cv=None, calibrate=True"),
        (FITTED.predict_proba, None, "alpha=0.25"),
        (narrow(), None, "alpha=0.25"),
    ],
)
def test_code_against_a_teacher_that_memorised_its_rows(teacher, cv, expected):
    model = DistilledClassifier(
        teacher,
        StudentNet(MLP, module__hidden_units=(4,), max_epochs=1),
        cv=cv,
        random_state=0,
    )
    finding = rules.Finding(rules.MEMORISED, [], {})
    advice = advise(model, finding, figures(), X=X_NUMBERS, y=Y_NUMBERS)
    assert expected in advice.code
    if not isinstance(teacher, nn.Module):  # untrained, it would only be warned of
        given = (model, X_NUMBERS, Y_NUMBERS, X_NUMBERS, Y_NUMBERS)
        assert run(advice.code, given)["model"].student_ is not None


@pytest.mark.parametrize(
    "X, augment, expected",
    [
        (X_NUMBERS, None, Spunge(factor=10)),
        (pd.DataFrame(X_NUMBERS).add_prefix("x"), Spunge(factor=5), Spunge(factor=20)),
        (csr_matrix(X_NUMBERS), None, GaussianNoise(factor=10)),
    ],
)
def test_code_for_more_rows(X, augment, expected):
    model = DistilledClassifier(
        GaussianNB() if not isinstance(X, csr_matrix) else LogisticRegression(),
        StudentNet(MLP, module__hidden_units=(4,), max_epochs=1),
        augment=augment,
        random_state=0,
    )
    advice = advise(model, rules.Finding(rules.TOO_SMALL, [], {}), figures(), X=X, y=Y_NUMBERS)
    new = run(advice.code, (model, X, Y_NUMBERS, X, Y_NUMBERS))["model"]
    assert repr(new.augment) == repr(expected)


@pytest.mark.parametrize(
    "control, n_of_a_class, expected",
    [
        ("temperature", 5, CalibratedClassifierCV),
        ("temperature", 4, DistilledClassifier),  # too few for its folds
        ("smoothing", 5, DistilledClassifier),
    ],
)
def test_code_without_a_teacher(control, n_of_a_class, expected):
    y = (np.arange(60) < n_of_a_class).astype(int)
    model = DistilledClassifier(
        GaussianNB(),
        StudentNet(MLP, module__hidden_units=(4,), max_epochs=1),
        cv=3,
        augment="spunge",
        random_state=0,
    )
    controls = {name: Figure(float(name != control), 0.1) for name in ("temperature", "smoothing")}
    finding = rules.Finding(rules.REGULARISATION, [], controls)
    advice = advise(model, finding, figures(), X=X_NUMBERS, y=y)
    new = run(advice.code, (model, X_NUMBERS, y, X_NUMBERS, y))["model"]
    assert isinstance(new, expected)
    assert new.predict_proba(X_NUMBERS).shape == (60, 2)
    if expected is CalibratedClassifierCV:  # 1.8 is the first scikit-learn that fits a temperature
        old = sklearn.__version__.startswith("1.7.")
        assert new.method == ("sigmoid" if old else "temperature")
        assert ("by a sigmoid (one temperature" in advice.sentence) == old


@pytest.mark.parametrize(
    "alpha, calibrated, expected",
    [
        (0.5, 0.3, "calibrate=True"),
        (0.5, 0.0, "alpha=0.0"),
        (0.5, 0.05, "alpha=0.0"),  # calibrated, it is still worse than the plain student
        (0.0, 0.3, "teacher=None, cv=None"),
    ],
)
def test_code_against_a_weak_teacher(alpha, calibrated, expected):
    model = DistilledClassifier(GaussianNB(), alpha=alpha, cv=3)
    f = figures(teacher_test=0.5, calibrated=calibrated)
    advice = advise(model, rules.Finding(rules.LIMIT, [], {}), f, X=X_NUMBERS, y=Y_NUMBERS)
    assert f"set_params({expected}).fit(X_train, y_train)" in advice.code


def test_a_model_with_generated_rows_is_diagnosed():
    X, y = little(200, noise=0.3)
    teacher = RandomForestClassifier(20, random_state=0).fit(X[:100], y[:100])
    student = StudentNet(MLP, module__hidden_units=(8,), max_epochs=5)
    model = DistilledClassifier(teacher, student, augment="spunge", random_state=0)
    diagnosis = diagnose(model, X[:100], y[:100], X[100:], y[100:])
    # Its own answers on these rows are not learnt from.
    assert [row["says"] for row in diagnosis.rows[1:4]] == ["far below", "", "above"]
    assert diagnosis.verdict != rules.MEMORISED


@pytest.mark.parametrize(
    ("leaves", "alpha", "verdict", "changed"),
    [(2, 0.5, "underfit", {"student": None}), (None, 0.1, "overfit", {"alpha": 0.55})],
)
def test_a_tree_is_given_freedom_or_taken_some(leaves, alpha, verdict, changed):
    X, response = make_friedman1(1400, n_features=10, noise=1.0, random_state=0)
    y = (response > np.median(response)).astype(int)
    parts = X[:600], y[:600], X[600:], y[600:]
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0)
    teacher = RandomForestClassifier(30, random_state=0)
    model = DistilledClassifier(teacher, tree, alpha=alpha, random_state=0)
    diagnosis = diagnose(model, *parts)
    assert diagnosis.verdict == verdict
    names = {"model": model, "X_train": parts[0], "y_train": parts[1]}
    exec(diagnosis.code.replace(".fit(X_train, y_train)", ""), names)
    assert {name: getattr(names["model"], name) for name in changed} == changed
