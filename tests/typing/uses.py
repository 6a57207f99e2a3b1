"""Uses of every public name as a typed program has them: mypy reads them, nothing runs them.

A call of a function without types is an error here, and so is a line that is marked as wrong and
passes. `make lint` checks it.
"""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
import torch
from torch import nn

from skdistill import (
    AlphaChoice,
    DistillationSearchCV,
    DistilledClassifier,
    DistilledEnsembleClassifier,
    DistilledMultilabelClassifier,
    DistilledQuantileRegressor,
    DistilledRegressor,
    MutualClassifier,
    MutualRegressor,
    StudentNet,
    StudentNetMultilabel,
    StudentNetRegressor,
)
from skdistill.deployment import (
    CascadeClassifier,
    FileSummary,
    TeacherComparison,
    TunedCascadeClassifier,
    compare_with_teacher,
    export,
    inspect,
    load,
    prune,
    quantize,
    save,
    to_onnx,
)
from skdistill.evaluation import (
    AdversarialAccuracy,
    AgreementDisplay,
    BiasVarianceDecomposition,
    BiasVarianceDisplay,
    CapacityCurve,
    CapacityCurveDisplay,
    Comparison,
    Diagnosis,
    DistillationReport,
    DistillationReports,
    Leaderboard,
    LeaderboardDisplay,
    LearningCurves,
    LearningCurvesDisplay,
    LossCurveDisplay,
    PairedDifferencesDisplay,
    ReliabilityDisplay,
    ReportDisplay,
    RobustnessCurve,
    RobustnessDisplay,
    TemperatureAlphaDisplay,
    TemperatureAlphaMap,
    TreeDisplay,
    TreeExplanation,
    adversarial_accuracy,
    agreement,
    agreement_by_class,
    bias_variance_decomposition,
    capacity_curve,
    compare,
    diagnose,
    distillation_report,
    expected_calibration_error,
    explain_tree,
    kl_to_teacher,
    label_budget_curve,
    leaderboard,
    learning_curves,
    reliability_bins,
    robustness_curve,
    temperature_alpha_map,
)
from skdistill.exceptions import (
    ColumnError,
    DistillationWarning,
    ExportError,
    LabelEncodingError,
    StudentError,
    TeacherError,
    TeacherWarning,
    TrainingWarning,
)
from skdistill.losses import (
    ARD,
    DIST,
    DKD,
    KD,
    MSE,
    RSLAD,
    AdversarialTraining,
    Brier,
    FeatureLoss,
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
from skdistill.students import (
    MLP,
    ConvNet,
    DefaultStudent,
    ImagePreprocessor,
    Linear,
    PiecewiseLinearEmbedding,
    SoftDecisionTree,
    SparseMLP,
    TablePreprocessor,
    TabularMLP,
    factorize,
    freeze,
    grow,
    layer_names,
    shrink,
    split,
    truncate,
    weight_norms,
)
from skdistill.targets import (
    LabelledDataset,
    Targets,
    fit_prior_offsets,
    fit_temperature,
    label_dataset,
    teacher_probabilities,
    teacher_targets,
)
from skdistill.teachers import (
    CallableTeacher,
    ClassGraphTeacher,
    EnsembleTeacher,
    InContextTeacher,
    PaidTeacher,
    RegressorEnsemble,
    SelfTeacher,
    load_teacher,
)
from skdistill.training import (
    DistillationCriterion,
    DistributedStudentNet,
    HoldOut,
    MultilabelCriterion,
    NormBound,
    RegressionCriterion,
)
from skdistill.transfer import (
    VAE,
    Flip,
    GaussianNoise,
    Gibbs,
    Mixup,
    Munge,
    Sampler,
    SchemaSampler,
    Shift,
    Spunge,
    Unlabeled,
    View,
)

X = np.zeros((6, 4))
y = np.array([0, 1, 2, 0, 1, 2])
proba = np.full((6, 3), 1 / 3)
student, teacher = torch.zeros(6, 3), torch.ones(6, 3)
labels = torch.arange(6) % 3


def losses() -> list[Loss]:
    """Call the soft terms of classes."""
    assert_type(kd_divergence(student, teacher, temperature=2.0), torch.Tensor)
    assert_type(dkd_divergence(student, teacher, labels, 2.0, other_weight=8.0), torch.Tensor)
    assert_type(KD(standardize=True).rows(student, teacher, None, 4.0), torch.Tensor)
    assert_type(DIST().mean(student, teacher, labels, None, 1.0), torch.Tensor)
    assert_type(KD(reverse=True).default_temperature("logits", 3), float)
    assert_type(DKD().needs_labels, bool)
    KD(temperature=2.0)  # type: ignore[call-arg]
    DKD(warmup_epochs="20")  # type: ignore[arg-type]
    assert_type(ARD(bounds=(0, 1)).rows(student, teacher, labels, 1.0), torch.Tensor)
    RSLAD(bounds=1.0)  # type: ignore[arg-type]
    kd_divergence(X, proba)  # type: ignore[arg-type]
    DKD().rows(student, teacher, None, 1.0)  # type: ignore[arg-type]
    robust = [ARD(epsilon=0.1), RSLAD(step=0.01, n_steps=4), AdversarialTraining()]
    ours = [KD(), DKD(), DIST(inter_weight=2.0), MSE(), Huber(delta=2.0), Brier(), JensenShannon()]
    return [*robust, *ours]


class Absolute(Loss):
    """A loss of a user's own."""

    def rows(
        self,
        student_logits: torch.Tensor,
        teacher_logits: torch.Tensor,
        labels: torch.Tensor,
        temperature: float,
    ) -> torch.Tensor:
        """Return the loss of each row."""
        return (student_logits - teacher_logits).abs().sum(dim=1)


def feature_losses() -> list[FeatureLoss]:
    """Call what compares hidden layers."""
    assert_type(hint_error(student, teacher), torch.Tensor)
    assert_type(similarity_distance(student, teacher, torch.ones(6)), torch.Tensor)
    assert_type(HintLoss("4", "2").adapter((3,), (5,)), nn.Module | None)
    HintLoss("4")  # type: ignore[call-arg]
    return [HintLoss(teacher_layer="4", student_layer="2"), SimilarityLoss("4", "2", weight=10)]


def regression_losses() -> list[RegressionLoss]:
    """Call the soft terms of numbers."""
    assert_type(HuberLoss(delta=0.5).mean(student, teacher), torch.Tensor)
    assert_type(QuantileLoss(quantile=0.9).level, float | np.ndarray)
    assert_type(SquaredErrorLoss().level, float | np.ndarray | None)
    QuantileLoss(None)  # type: ignore[arg-type]
    return [SquaredErrorLoss(), HuberLoss(), QuantileLoss()]


def students() -> list[nn.Module]:
    """Make modules, and cut them from a teacher."""
    net = MLP(4, n_classes=3, hidden_units=(64, 32), dropout=0.1)
    assert_type(net(torch.zeros(2, 4)), Any)  # what torch says of every module
    assert_type(net.forward(torch.zeros(2, 4)), torch.Tensor)
    assert_type(shrink(net, width=0.5), MLP)
    assert_type(freeze(net, ["0"]), MLP)
    assert_type(grow(shrink(net), net), MLP)
    assert_type(factorize(net, rank=4, kind="depthwise"), MLP)
    assert_type(split(net, [[0, 1], [2, 3]], by="features"), nn.Module)
    assert_type(weight_norms(net), dict[str, float])
    assert_type(NormBound(weight_norms(net), factor=0.5).factor, float)
    assert_type(truncate(net, upto="1", n_classes=3), nn.Sequential)
    assert_type(layer_names(net), dict[str, dict[str, tuple[int, ...]]])
    embedding = PiecewiseLinearEmbedding(4, size=8)
    embedding.adapt(X)
    assert_type(embedding.encode(torch.zeros(2, 4)), torch.Tensor)
    MLP(4, 3, hidden_units=64)  # type: ignore[arg-type]
    shrink(X)  # type: ignore[type-var]
    factorize(net, "half")  # type: ignore[arg-type]
    split(net, by="rows")  # type: ignore[arg-type]
    NormBound(net)  # type: ignore[arg-type]
    truncate(net, 1)  # type: ignore[arg-type]
    return [
        Linear(4, 3),
        SparseMLP(4, 3),
        DefaultStudent(lr=0.01, module__hidden_units=(8,)).set_params(max_epochs=5),
        TabularMLP(4, 3, n_numeric=3, cardinalities=(5,), numeric_embedding=None),
        ConvNet(1, 10, size="tiny"),
        SoftDecisionTree(depth=3),
    ]


def preprocessing() -> None:
    """Prepare rows."""
    table = TablePreprocessor(max_one_hot=5).fit(X)
    assert_type(table, TablePreprocessor)
    assert_type(table.categorical_, np.ndarray)
    assert_type(table.code_names(), dict[str, list[str]])
    assert_type(ImagePreprocessor().fit(X).transform(X), np.ndarray)
    TablePreprocessor(5, 6)  # type: ignore[arg-type]


class Negative(View):
    """A view of a user's own."""

    def draw(self, n_rows: int, generator: torch.Generator | None = None) -> tuple[torch.Tensor]:
        """Draw which rows are changed."""
        return (torch.rand(n_rows, generator=generator) < 0.5,)

    def apply(self, rows: torch.Tensor, *drawn: torch.Tensor) -> torch.Tensor:
        """Return the changed rows."""
        return torch.where(drawn[0][:, None], -rows, rows)


def transfer() -> list[View]:
    """Make more rows, and views of them."""
    for augmenter in (Munge(factor=2, p=0.5), Spunge(noise=0.2), GaussianNoise(scale=0.1)):
        augmenter.check_settings()
    assert_type(Munge().rows(X, random_state=0), Any)  # of the kind of X
    vae = VAE(8, hidden_units=64, max_iter=100, random_state=0).fit(X)
    assert_type(vae.sample(10, random_state=0), Any)
    assert_type(vae.history_, list[float])
    for sampler in (Sampler(vae, 2), Sampler(vae.sample, max_rows=10), Gibbs(sweeps=2)):
        sampler.rows(X)
    assert_type(SchemaSampler({"age": (17, 90), "job": ["nurse"]}).sample(4), Any)
    assert_type(SchemaSampler.from_teacher(vae), SchemaSampler)
    SchemaSampler(5)  # type: ignore[arg-type]
    assert_type(Unlabeled(X).X, Any)
    assert_type(Shift(pixels=2).draw(6), tuple[torch.Tensor, ...])
    Munge(max_rows="all")  # type: ignore[arg-type]
    return [Shift(), Flip(p=0.1), Mixup(alpha=0.2), Negative()]


def distil(rows: Any) -> DistilledRegressor:
    """Fit, predict, and read what a fit has left."""
    net = StudentNet(MLP, max_epochs=5, train_split=HoldOut(0.2), module__hidden_units=(8,))
    assert_type(DistilledClassifier(alpha="auto").alpha_choice_, AlphaChoice)
    assert_type(DistilledRegressor(alpha="auto").alpha_choice_.runner_up, float)
    model = DistilledClassifier(None, net, loss=KD(), temperature=2.0, random_state=0)
    assert_type(model.fit(X, y, X_unlabeled=rows, classes=[0, 1]), DistilledClassifier)
    assert_type(model.fit(X, None, soft_targets=proba), DistilledClassifier)
    assert_type(model.fit_dataset("rows", target="y"), DistilledClassifier)
    pairs = torch.utils.data.TensorDataset(torch.ones(4, 2), torch.ones(4))
    assert_type(model.fit_dataset(pairs), DistilledClassifier)
    assert_type(model.predict(rows), np.ndarray)
    assert_type(model.predict_proba(rows), np.ndarray)
    assert_type(model.classes_, np.ndarray)
    assert_type(model.temperature_, float)
    assert_type(model.fit_seconds_, dict[str, float])
    assert_type(net.fit(X, y).partial_fit(X, y).classes_, np.ndarray)
    search = DistillationSearchCV(model, {"alpha": [0.1, 0.5]}, cv=3, n_jobs=2)
    assert_type(search.fit(X, y, groups=rows), DistillationSearchCV)
    assert_type(search.trained_alone_, list[str | None])
    halving = DistillationSearchCV(model, {}, strategy="halving", factor=2, min_resources=5)
    assert_type(halving.fit(X, y).n_resources_, list[int])
    shared = DistributedStudentNet(MLP, batch_size=512, module__hidden_units=(8,))
    assert_type(DistilledClassifier(None, shared, random_state=0).predict(X), np.ndarray)
    DistributedStudentNet(MLP, 5)  # type: ignore[call-arg]
    assert_type(StudentNetRegressor(max_epochs=2).fit(X, y).predict(X), np.ndarray)
    mutual = MutualClassifier([net, None], peer_weight=0.5).fit(X, y, groups=rows)
    assert_type(mutual, MutualClassifier)
    assert_type(mutual.students_, list[DistilledClassifier])
    assert_type(mutual.predict_proba(rows), np.ndarray)
    assert_type(MutualRegressor([None, None]).fit(X, y).predict(rows), np.ndarray)
    MutualClassifier([net, net], weight=1.0)  # type: ignore[call-arg]
    spread = DistilledEnsembleClassifier([net, net], smoothing=0.1).fit(X, y)
    assert_type(spread, DistilledEnsembleClassifier)
    assert_type(spread.disagreement(rows), np.ndarray)
    quantiles = DistilledQuantileRegressor(None, [0.1, 0.9], alpha=0).fit(X, y)
    assert_type(quantiles, DistilledQuantileRegressor)
    assert_type(quantiles.predict_quantiles(rows), np.ndarray)
    tags = DistilledMultilabelClassifier(None, StudentNetMultilabel(max_epochs=2), temperature=2.0)
    assert_type(tags.fit(X, proba, soft_targets=proba).predict_proba(X), np.ndarray)
    assert_type(tags.classes_, list[np.ndarray])
    assert_type(MultilabelCriterion(alpha=0.5, temperature=2.0).temperature, float)
    DistilledClassifier(alpha="half")  # type: ignore[arg-type]
    DistilledClassifier(tempreature=2.0)  # type: ignore[call-arg]
    model.predict()  # type: ignore[call-arg]
    StudentNet(max_epochs="5")  # type: ignore[arg-type]
    return DistilledRegressor(loss="huber", unlabeled_weight=0.5).fit(X, y, X_val=X, y_val=y)


def ask(teacher_of_rows: Any) -> None:
    """Ask teachers, and keep what they say."""
    targets = teacher_targets(teacher_of_rows, X, y, cv=3, layers=["4"])
    assert_type(targets, Targets)
    assert_type(targets.shape, tuple[int, int])
    assert_type(targets.replace(kind="logits"), Targets)
    assert_type(teacher_probabilities(teacher_of_rows, X, classes=[0, 1, 2]), np.ndarray)
    done = label_dataset(teacher_of_rows, "rows", "answers", columns=["a"], n_jobs=2, verbose=1)
    assert_type(done, LabelledDataset)
    assert_type(done.n_kept, int)
    assert_type(fit_temperature(proba, y), float)
    assert_type(fit_prior_offsets(proba, y), np.ndarray)
    called = CallableTeacher(lambda rows: proba, classes=[0, 1, 2])
    paid = PaidTeacher(lambda rows: proba, "folder", classes=[0, 1, 2], budget=2.0)
    assert_type(paid.dry_run(X).cost, float)
    assert_type(paid.audit(X, y).interval, tuple[float, float])
    assert_type(paid.predict_proba(X), np.ndarray)
    in_context = InContextTeacher(paid, max_context=100).fit(X, y)
    assert_type(in_context.predict_proba(X), np.ndarray)
    ensemble = EnsembleTeacher([called, called], weights=[1, 2]).fit(X, y)
    assert_type(ensemble.predict_proba(X), np.ndarray)
    numbers = RegressorEnsemble([called, called], weights=[1, 2]).fit(X, y)
    assert_type(numbers.predict(X), np.ndarray)
    assert_type(ClassGraphTeacher.from_names(["a.b", "a.c"]), ClassGraphTeacher)
    assert_type(DistilledClassifier([called, SelfTeacher()]), DistilledClassifier)
    assert_type(load_teacher("teacher.onnx"), Any)
    Targets()  # type: ignore[call-arg]
    load_teacher(3)  # type: ignore[arg-type]


def criteria() -> None:
    """Compute the loss of a batch."""
    packed = {"label": labels}
    assert_type(DistillationCriterion(alpha=0.0).forward(student, packed), torch.Tensor)
    assert_type(RegressionCriterion().forward(student, {"target": teacher}), torch.Tensor)


def scores(model: Any) -> None:
    """Score answers, and look at them."""
    assert_type(agreement(proba, proba), float)
    assert_type(kl_to_teacher(proba, proba), float)
    assert_type(expected_calibration_error(y, proba, n_bins=10), float)
    assert_type(reliability_bins(y, proba), list[dict[str, Any]])
    assert_type(agreement_by_class(y, proba, proba), list[dict[str, Any]])
    AgreementDisplay.from_predictions(y, proba, proba).plot()
    ReliabilityDisplay.from_estimator(model, X, y)
    agreement(proba)  # type: ignore[call-arg]


def reports(model: Any) -> None:
    """Compare teacher and students."""
    report = distillation_report(model, X, y, X, y, n_seeds=2)
    assert_type(report, DistillationReport | DistillationReports)
    ReportDisplay(report).plot(metric="accuracy")
    assert_type(ReportDisplay.from_result(report, metric="accuracy"), ReportDisplay)
    assert_type(ReportDisplay.from_estimator(model, X, y, X, y), ReportDisplay)
    found = diagnose(model, X, y, X, y, n_jobs=2, memory="folder")
    assert_type(found, Diagnosis)
    assert_type(found.verdict, str)
    distillation_report(model, X, y)  # type: ignore[call-arg]


def curves(model: Any) -> None:
    """Score a model over sizes, budgets and settings."""
    assert_type(learning_curves(model, X, y), LearningCurves)
    assert_type(label_budget_curve(model, X, y, budgets=(0.5, 1.0)), LearningCurves)
    assert_type(capacity_curve(model, X, y, cv=3), CapacityCurve)
    found = temperature_alpha_map(model, X, y, temperatures=(1.0, 2.0))
    assert_type(found, TemperatureAlphaMap)
    assert_type(found.best_params("log_loss"), dict[str, float])
    assert_type(LearningCurvesDisplay.from_estimator(model, X, y), LearningCurvesDisplay)
    assert_type(CapacityCurveDisplay.from_estimator(model, X, y), CapacityCurveDisplay)
    TemperatureAlphaDisplay(found).plot()
    assert_type(LossCurveDisplay.from_estimator({"a": model}), LossCurveDisplay)
    LossCurveDisplay({"a": model.history_}).frame()
    board = leaderboard(model, X, y, X, y, students={"default": None}, n_seeds=2)
    assert_type(board, Leaderboard)
    assert_type(board.front("n_bytes"), list[dict[str, Any]])
    LeaderboardDisplay(board).plot(cost="n_bytes")
    tree = explain_tree(model, X, n_columns=2, output_names=["cost", "gain"])
    assert_type(tree, TreeExplanation)
    assert_type(TreeDisplay(tree).plot(), TreeDisplay)
    learning_curves(model, X, y, verbose="much")  # type: ignore[arg-type]


def cascades(model: Any) -> None:
    """Let the teacher answer where the student is unsure."""
    tuned = TunedCascadeClassifier(model, model.teacher_, tolerance=0.01).fit(X, y)
    assert_type(tuned, TunedCascadeClassifier)
    assert_type(tuned.accuracy_gap_.upper, float)
    assert_type(tuned.curve_, dict[str, np.ndarray])
    assert_type(compare_with_teacher(model, X, price_per_row=0.1, n_asked=9), TeacherComparison)
    fixed = CascadeClassifier(model, model.teacher_, threshold=0.2)
    assert_type(fixed.fit(X, y), CascadeClassifier)
    assert_type(fixed.defers(X), np.ndarray)
    assert_type(fixed.measure_cost(X), dict[str, float])
    CascadeClassifier(model, model.teacher_)  # type: ignore[call-arg]


def decompositions(model: Any) -> None:
    """Take errors apart, and compare models by them."""
    found = bias_variance_decomposition(model, X, y, X, y, n_rounds=5)
    assert_type(found, BiasVarianceDecomposition | dict[str, BiasVarianceDecomposition])
    compared = compare({"a": model, "b": model}, X, y, X, y)
    assert_type(compared, Comparison)
    PairedDifferencesDisplay(compared).plot()
    PairedDifferencesDisplay.from_estimator({"a": model, "b": model}, X, y, X, y)
    BiasVarianceDisplay.from_estimator(model, X, y, X, y)
    compare([model], X, y, X, y)  # type: ignore[arg-type]


def robustness(model: Any) -> None:
    """Change the rows on purpose."""
    curve = robustness_curve(model, X, y, strengths=[0.1], n_jobs=2, memory="folder")
    assert_type(curve, RobustnessCurve)
    RobustnessDisplay(curve).plot()
    assert_type(adversarial_accuracy(model, X, y, epsilon=0.1), AdversarialAccuracy)
    robustness_curve(model, X, y, corruption=3)  # type: ignore[arg-type]


def ship(model: Any) -> None:
    """Save a student, look at the file, and load it elsewhere."""
    path = save(model, "student.safetensors", metadata={"version": 3})
    assert_type(inspect(path), FileSummary)
    assert_type(inspect(path).classes, list[Any] | None)
    load(path, module=nn.Linear).predict(X)
    save(model, 3)  # type: ignore[arg-type]


def deployment(model: Any) -> None:
    """Write a student in other formats."""
    to_onnx(model, "student.onnx", X=X)
    to_onnx(model, 3)  # type: ignore[arg-type]
    assert_type(export(model, Path("folder"), X=X, y=y), Path)
    export(model, "folder")  # type: ignore[call-arg]


def smaller(model: Any) -> None:
    """Make a fitted student smaller."""
    quantize(model, weights="float16").predict(X)
    prune(model, X, y, amount=0.25, max_epochs=5, soft_targets=None).predict(X)
    prune(model, X)  # type: ignore[call-arg]
    quantize(model, "int4")  # type: ignore[arg-type]


def errors() -> tuple[type[ValueError], ...]:
    """Name what is raised, and what is only warned of."""
    warnings: tuple[type[UserWarning], ...] = (DistillationWarning, TeacherWarning, TrainingWarning)
    assert warnings
    return (TeacherError, LabelEncodingError, StudentError, ColumnError, ExportError)
