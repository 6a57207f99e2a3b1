"""Losses with settings out of range, and tensors that they cannot compare, are refused."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skdistill import DistilledClassifier, DistilledRegressor, StudentNet, StudentNetRegressor
from skdistill.losses import (
    DIST,
    DKD,
    KD,
    MSE,
    Brier,
    HintLoss,
    Huber,
    HuberLoss,
    JensenShannon,
    Loss,
    QuantileLoss,
    RegressionLoss,
    SimilarityLoss,
    SquaredErrorLoss,
    dkd_divergence,
    hint_error,
    kd_divergence,
    similarity_distance,
)
from skdistill.students import MLP

X, Y = make_classification(40, 6, n_informative=4, n_classes=3, random_state=0)
A, B = torch.rand(4, 3, generator=torch.Generator().manual_seed(0)), torch.zeros(4, 3)
LABELS = torch.tensor([0, 1, 2, -1])
ONES = torch.ones(4)


class Unasked(LogisticRegression):
    """A teacher that nobody may fit: what is refused is refused before."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted before the refusal")


class Unweighted(Loss):
    """A loss whose author has forgotten what its base class sets."""

    def __init__(self, beta=2.0):
        self.beta = beta

    def rows(self, student_logits, teacher_logits, labels, temperature):
        return ((student_logits - teacher_logits) ** 2).sum(-1)


def fit(loss):
    """Return an attempt to fit with a loss."""
    return lambda: DistilledClassifier(Unasked(), StudentNet(MLP), loss=loss).fit(X, Y)


def fit_numbers(loss):
    return lambda: DistilledRegressor(Unasked(), StudentNetRegressor(MLP), loss=loss).fit(X, Y)


def fit_features(loss):
    with torch.random.fork_rng(devices=[]):
        teacher = MLP(6, 3, hidden_units=(4,))
    student = StudentNet(MLP, module__hidden_units=(4,))
    return lambda: DistilledClassifier(teacher, student, feature_losses=[loss]).fit(X, Y)


def setting(name, owner, values, instead):
    """Return the pattern of the one message about settings."""
    return f"The '{name}' parameter of {owner} must be {values}. Got {instead} instead"


QUANTILES = r"a float in the range \(0.0, 1.0\) or an array-like"
POSITIVE, NOT_NEGATIVE = r"a float in the range \(0.0, inf\)", r"a float in the range \[0.0, inf\)"
KINDS = [KD, MSE, Huber, Brier, JensenShannon, DKD, DIST]

SETTINGS = {
    **{
        f"{kind.__name__}(weight={weight})": (
            ValueError,
            fit(kind(weight=weight)),
            setting("weight", kind.__name__, POSITIVE, weight),
        )
        for kind in KINDS
        for weight in (-1, 0)
    },
    "weight NaN": (
        ValueError,
        fit(KD(weight=np.nan)),
        setting("weight", "KD", POSITIVE, "nan"),
    ),
    "weight infinite": (
        ValueError,
        fit(KD(weight=np.inf)),
        setting("weight", "KD", POSITIVE, "inf"),
    ),
    "weight in words": (
        ValueError,
        fit(KD(weight="heavy")),
        setting("weight", "KD", POSITIVE, "'heavy'"),
    ),
    "standardize in words": (
        ValueError,
        fit(KD(standardize="yes")),
        "'standardize' parameter of KD must be an instance of 'bool'.*Got 'yes' instead",
    ),
    "reverse as a number": (
        ValueError,
        fit(KD(reverse=2)),
        "'reverse' parameter of KD must be an instance of 'bool'.*Got 2 instead",
    ),
    "delta 0": (ValueError, fit(Huber(delta=0)), setting("delta", "Huber", POSITIVE, 0)),
    "delta NaN": (
        ValueError,
        fit(Huber(delta=np.nan)),
        setting("delta", "Huber", POSITIVE, "nan"),
    ),
    "inter_weight below 0": (
        ValueError,
        fit(DIST(inter_weight=-1)),
        setting("inter_weight", "DIST", NOT_NEGATIVE, -1),
    ),
    "intra_weight NaN": (
        ValueError,
        fit(DIST(intra_weight=np.nan)),
        setting("intra_weight", "DIST", NOT_NEGATIVE, "nan"),
    ),
    "both weights of DIST 0": (
        ValueError,
        fit(DIST(inter_weight=0, intra_weight=0.0)),
        "'inter_weight' and 'intra_weight' parameters of DIST are both 0.*expected one of them",
    ),
    "warmup_epochs below 0": (
        ValueError,
        fit(DKD(warmup_epochs=-1)),
        setting("warmup_epochs", "DKD", r"an int in the range \[0, inf\)", -1),
    ),
    "warmup_epochs as a share": (
        ValueError,
        fit(DKD(warmup_epochs=0.5)),
        setting("warmup_epochs", "DKD", r"an int in the range \[0, inf\)", 0.5),
    ),
    "target_weight below 0": (
        ValueError,
        fit(DKD(target_weight=-0.5)),
        setting("target_weight", "DKD", NOT_NEGATIVE, -0.5),
    ),
    "other_weight infinite": (
        ValueError,
        fit(DKD(other_weight=np.inf)),
        setting("other_weight", "DKD", NOT_NEGATIVE, "inf"),
    ),
    "both weights of DKD 0": (
        ValueError,
        fit(DKD(target_weight=0, other_weight=0)),
        "'target_weight' and 'other_weight' parameters of DKD are both 0.*expected one of them",
    ),
    "delta of numbers 0": (
        ValueError,
        fit_numbers(HuberLoss(delta=0)),
        setting("delta", "HuberLoss", POSITIVE, 0),
    ),
    "delta of numbers infinite": (
        ValueError,
        fit_numbers(HuberLoss(delta=np.inf)),
        setting("delta", "HuberLoss", POSITIVE, "inf"),
    ),
    "quantile 1": (
        ValueError,
        fit_numbers(QuantileLoss(quantile=1)),
        setting("quantile", "QuantileLoss", QUANTILES, 1),
    ),
    "quantile in per cent": (
        ValueError,
        fit_numbers(QuantileLoss(quantile=90)),
        setting("quantile", "QuantileLoss", QUANTILES, 90),
    ),
    "weight of features below 0": (
        ValueError,
        fit_features(HintLoss("1", "1", weight=-1)),
        setting("weight", "HintLoss", NOT_NEGATIVE, -1),
    ),
    "weight of features NaN": (
        ValueError,
        fit_features(SimilarityLoss("1", "1", weight=np.nan)),
        setting("weight", "SimilarityLoss", NOT_NEGATIVE, "nan"),
    ),
    "a layer by its number": (
        ValueError,
        fit_features(HintLoss(1, "1")),
        "'teacher_layer' parameter of HintLoss must be an instance of 'str'. Got 1 instead",
    ),
    "no layer of the student": (
        ValueError,
        fit_features(SimilarityLoss("1", None)),
        "'student_layer' parameter of SimilarityLoss must be an instance of 'str'. Got None",
    ),
    "a function of two arguments": (
        ValueError,
        fit(lambda student, teacher: 0.0),
        r"takes no four arguments.*expected .*\(student_logits, teacher_logits, labels, weight\)",
    ),
    "a module of torch that takes two": (
        ValueError,
        fit(torch.nn.KLDivLoss()),
        r"KLDivLoss takes no four arguments",
    ),
    "a loss whose __init__ is its own alone": (
        ValueError,
        fit(Unweighted()),
        r"Unweighted has no weight; expected .* calls that of Loss\. Write super\(\)\.__init__",
    ),
    "a function that returns a loss for each row": (
        ValueError,
        fit(lambda student, teacher, labels, weight: (student - teacher).square().mean(dim=1)),
        r"returned a tensor of shape \(2,\).*expected a scalar.*mean\(\)",
    ),
    "a function that returns a number": (
        ValueError,
        fit(lambda student, teacher, labels, weight: 0.5),
        "returned a float.*expected a scalar tensor.*gradient",
    ),
    "a function that returns nothing": (
        ValueError,
        fit(lambda student, teacher, labels, weight: None),
        "returned a NoneType.*expected a scalar tensor",
    ),
}

TENSORS = {
    "other numbers of classes": (
        ValueError,
        lambda: kd_divergence(A, B[:, :2]),
        r"student_logits .*\(4, 3\) and teacher_logits \(4, 2\); expected the same \(n_samples, n_",
    ),
    "a row to be repeated": (
        ValueError,
        lambda: kd_divergence(A, B[:1]),
        r"student_logits .*\(4, 3\) and teacher_logits \(1, 3\); expected the same \(n_samples, n_",
    ),
    "one dimension": (
        ValueError,
        lambda: kd_divergence(A[0], B[0]),
        r"student_logits .*\(3,\) and teacher_logits \(3,\); expected the same \(n_samples, n_cl",
    ),
    "whole numbers": (
        TypeError,
        lambda: kd_divergence(torch.zeros(4, 3, dtype=torch.int64), B),
        r"student_logits is of torch.int64; expected floats. Write student_logits.float\(\)",
    ),
    "whole numbers of a teacher": (
        TypeError,
        lambda: dkd_divergence(A, B.int(), LABELS),
        r"teacher_logits is of torch.int32; expected floats. Write teacher_logits.float\(\)",
    ),
    "an array": (
        TypeError,
        lambda: kd_divergence(A.numpy(), B),
        r"student_logits is of type ndarray; expected a torch.Tensor.*torch.as_tensor",
    ),
    "temperature 0": (
        ValueError,
        lambda: kd_divergence(A, B, temperature=0),
        r"'temperature' parameter of kd_divergence must be a float in the range \[0.001, 10000.0\]",
    ),
    "temperature 1e300": (
        ValueError,
        lambda: dkd_divergence(A, B, LABELS, temperature=1e300),
        r"'temperature' parameter of dkd_divergence must be .*\[0.001, 10000.0\]. Got 1e\+300",
    ),
    "temperature NaN": (
        ValueError,
        lambda: KD().mean(A, B, LABELS, None, np.nan),
        r"'temperature' parameter of KD must be .*\[0.001, 10000.0\]. Got nan instead",
    ),
    "temperature of probabilities": (
        ValueError,
        lambda: Brier().rows(A, B, LABELS, -1.0),
        r"'temperature' parameter of Brier must be .*\[0.001, 10000.0\]. Got -1.0 instead",
    ),
    "temperature in words": (
        ValueError,
        lambda: DIST().mean(A, B, LABELS, None, "auto"),
        r"'temperature' parameter of DIST must be .*\[0.001, 10000.0\]. Got 'auto' instead",
    ),
    "labels beyond the classes": (
        ValueError,
        lambda: dkd_divergence(A, B, torch.tensor([0, 1, 2, 3])),
        r"labels lie between 0 and 3; expected -1 to 2, the columns of 3 classes, -1 for none",
    ),
    "labels below -1": (
        ValueError,
        lambda: dkd_divergence(A, B, torch.tensor([0, 1, 2, -100])),
        r"labels lie between -100 and 2; expected -1 to 2",
    ),
    "labels of another length": (
        ValueError,
        lambda: dkd_divergence(A, B, LABELS[:3]),
        r"labels has the shape \(3,\) and type torch.int64; expected \(4,\) and torch.int64",
    ),
    "labels as floats": (
        ValueError,
        lambda: dkd_divergence(A, B, LABELS.float()),
        r"labels has the shape \(4,\) and type torch.float32; expected \(4,\) and torch.int64",
    ),
    "no labels": (
        TypeError,
        lambda: DKD().rows(A, B, None, 1.0),
        r"labels is None; expected a torch.Tensor of shape \(4,\)",
    ),
    "a weight for each cell": (
        ValueError,
        lambda: MSE().mean(A, B, LABELS, torch.ones(4, 1), 1.0),
        r"row_weight has the shape \(4, 1\); expected \(4,\): one weight for each row",
    ),
    "weights of other rows": (
        ValueError,
        lambda: DIST().mean(A, B, LABELS, ONES[:2], 1.0),
        r"row_weight has the shape \(2,\); expected \(4,\): one weight for each row",
    ),
    "target_weight of another length": (
        ValueError,
        lambda: dkd_divergence(A, B, LABELS, target_weight=ONES[:2]),
        r"target_weight has the shape \(2,\); expected a float or a tensor of shape \(4,\)",
    ),
    "logits of no classes": (
        ValueError,
        lambda: JensenShannon().rows(A[:, :0], B[:, :0], LABELS, 1.0),
        r"student_logits .*\(4, 0\).*expected the same \(n_samples, n_classes\)",
    ),
    "numbers against a column": (
        ValueError,
        lambda: SquaredErrorLoss().mean(A[:, :1], B[:, 0]),
        r"values .*\(4, 1\) and targets \(4,\); expected the same \(n_samples, n_outputs\)",
    ),
    "numbers as whole numbers": (
        TypeError,
        lambda: QuantileLoss().errors(A, LABELS[:, None].expand(4, 3)),
        r"targets is of torch.int64; expected floats. Write targets.float\(\)",
    ),
    "weights of numbers": (
        ValueError,
        lambda: HuberLoss().mean(A, B, torch.ones(4, 3)),
        r"row_weight has the shape \(4, 3\); expected \(4,\): one weight for each row",
    ),
    "hints of other widths": (
        ValueError,
        lambda: hint_error(A, B[:, :2]),
        r"student_features .*\(4, 3\) and teacher_features \(4, 2\); expected the same .*adapter",
    ),
    "hints of one dimension": (
        ValueError,
        lambda: hint_error(A[0], B[0]),
        r"student_features .*\(3,\) and teacher_features \(3,\); expected the same \(n_samples, \.",
    ),
    "hints as whole numbers": (
        TypeError,
        lambda: hint_error(A, B.long()),
        r"teacher_features is of torch.int64; expected floats",
    ),
    "similarities of other rows": (
        ValueError,
        lambda: similarity_distance(A, B[:3]),
        r"student_features .*\(4, 3\) and teacher_features \(3, 3\); expected as many rows",
    ),
    "similarities of an array": (
        TypeError,
        lambda: similarity_distance(A, B.numpy()),
        r"teacher_features is of type ndarray; expected a torch.Tensor",
    ),
    "weights of similarities": (
        ValueError,
        lambda: similarity_distance(A, B, ONES[:3]),
        r"row_weight has the shape \(3,\); expected \(4,\): one weight for each row",
    ),
}

REFUSED = {**SETTINGS, **TENSORS}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


def test_settings_are_judged_when_they_are_used(loss_of_classes):
    loss = KD(weight=-1)  # as scikit-learn's estimators, which a search sets one by one
    assert loss_of_classes(loss.set_params(weight=2.0)) is loss


@pytest.mark.parametrize("temperature", [1e-3, 1e4])
def test_temperatures_at_their_limits_stay_finite(temperature):
    logits = 50 * A.clone().requires_grad_()
    for loss in (KD(), KD(reverse=True), DKD(), Brier(), JensenShannon(), DIST()):
        mean = loss.mean(logits, 50 * B, LABELS, ONES, temperature)
        (gradient,) = torch.autograd.grad(mean, logits, retain_graph=True)
        assert torch.isfinite(mean) and torch.isfinite(gradient).all()


def test_a_gap_stays_in_its_row():
    gappy = A.detach().clone()
    gappy[1, 2] = torch.nan
    expected = [False, True, False, False]
    for rows in (
        kd_divergence(gappy, B),
        kd_divergence(B, gappy, temperature=2.0),
        dkd_divergence(gappy, B, LABELS),
        hint_error(gappy, B),
        MSE().rows(gappy, B, LABELS, 1.0),
        Brier().rows(B, gappy, LABELS, 1.0),
    ):
        assert torch.isnan(rows).tolist() == expected
    assert torch.isnan(similarity_distance(gappy, B))


class Counting:
    n_calls = 0

    def __call__(self, student_logits, teacher_logits, labels, weight):
        self.n_calls += 1
        return (student_logits - teacher_logits).square().mean()


def test_a_function_is_tried_without_a_trace(loss_of_classes):
    drawn = []

    def noisy(student_logits, teacher_logits, labels, weight):
        drawn.append((torch.rand(1), sorted(labels.tolist())))
        return (weight * (student_logits - teacher_logits).square().mean(dim=1)).mean()

    state = torch.get_rng_state()
    loss_of_classes(noisy)
    assert [labels for _, labels in drawn] == [[0, 1], [0, 0, 1, 1, 2, 2]]
    assert torch.equal(state, torch.get_rng_state())
    counted = Counting()
    assert loss_of_classes(counted).function.n_calls == 1  # an object is copied for the trial

    # What fails may fail for these rows alone, such as one that reads a tensor of a GPU.
    def of_six(student_logits, teacher_logits, labels, weight):
        return (student_logits - teacher_logits + torch.zeros(6, 1)).square().mean()

    loss_of_classes(of_six)


class RowsOfClasses(Loss):
    """Returns a column for each class, and no row."""

    def rows(self, student_logits, teacher_logits, labels, temperature):
        return (student_logits - teacher_logits).square()


class TooFewArguments(Loss):
    def rows(self, student_logits, teacher_logits):
        return (student_logits - teacher_logits).square().mean(1)


class ScalarErrors(RegressionLoss):
    def errors(self, values, targets):
        return (values - targets).square().mean()


class NoErrors(RegressionLoss):
    """Has no method at all."""


def _nobody(X):
    raise AssertionError("the teacher was asked")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            DistilledClassifier(_nobody, loss=RowsOfClasses()),
            r"made a tensor of shape \(\d,\).*rows\(",
        ),
        (DistilledClassifier(_nobody, loss=TooFewArguments()), "failed on a batch.*expected.*rows"),
        (DistilledRegressor(_nobody, loss=ScalarErrors()), "failed on a batch.*expected.*errors"),
        (DistilledRegressor(_nobody, loss=NoErrors()), "failed on a batch.*expected.*errors"),
    ],
)
def test_a_loss_of_the_users_is_tried_before_the_teacher_is_asked(model, message):
    X = np.random.default_rng(0).normal(size=(60, 3))
    with pytest.raises(ValueError, match=message):
        model.fit(X, np.arange(60) % 3)
