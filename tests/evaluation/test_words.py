"""No sentence of a verdict or a diagnosis contradicts its figures, whatever these are."""

import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.naive_bayes import GaussianNB
from sklearn.utils import shuffle

from skdistill import DistilledClassifier, StudentNet
from skdistill.evaluation import diagnose
from skdistill.evaluation._bootstrap import BootstrapInterval
from skdistill.evaluation._diagnosis import _rules as rules
from skdistill.evaluation._diagnosis._figures import Figure, Figures
from skdistill.evaluation._diagnosis._rows import figure_rows
from skdistill.evaluation._report._headline import headline
from skdistill.evaluation._tasks import ClassScoring, NumberScoring
from skdistill.evaluation._verdict import number_verdict, verdict_sentences

NUMBER = r"[+-]?\d+(?:\.\d+)?"
SPAN = re.compile(rf"\(({NUMBER}) to ({NUMBER})(?: points)?, 95 %\)")
N_DRAWS = 2_000


def drawn(test):
    """Run a test on many draws."""

    @pytest.mark.parametrize("part", range(4))
    def on_all(part):
        for seed in range(part, N_DRAWS, 4):
            test(np.random.default_rng(seed))

    return on_all


def numbers_in(text):
    return [float(number) for number in re.findall(NUMBER, text)]


# The verdict of a report


def interval(rng, scale):
    """Any interval: far from 0, across it, ending hardly off it, wide or narrow."""
    middle = rng.normal() * scale * 10 ** rng.uniform(-3, 0)
    width = scale * 10 ** rng.uniform(-4, 0)
    return BootstrapInterval(middle, middle - width * rng.random(), middle + width * rng.random())


SAME = BootstrapInterval(0.0, 0.0, 0.0)


def verdict(to_teacher, to_plain, to_scaled, of_temperature, accuracy=SAME):
    return verdict_sentences(
        {"accuracy": to_teacher},
        {"log_loss": to_plain, "accuracy": accuracy},
        {"log_loss": to_scaled},
        of_temperature,
        teacher_helps=True,
        n_seeds=2,
    )


def span_of(sentence):
    low, high = SPAN.findall(sentence)[0]
    return float(low), float(high)


def check_against_teacher(sentence, margin):
    """The words against the figures that stand beside them."""
    low, high = span_of(sentence)
    shown = "not shown" not in sentence
    words = {
        "More accurate than": low > 0 if shown else high > 0,
        "Less accurate than": high < 0 if shown else low < 0,
        "As accurate as": low <= 0 <= high and not shown,
        "Not inferior": low > -margin,
        "Inferior": high < -margin,
    }
    (said,) = (word for word in words if sentence.startswith(word))
    assert words[said], sentence
    if not shown:
        assert low <= -margin, sentence  # else it would be


@drawn
def test_no_sentence_of_a_verdict_contradicts_its_figures(rng):
    to_teacher, to_plain = interval(rng, 0.1), interval(rng, 0.1)
    of_temperature = interval(rng, 0.05)
    shift = to_plain.difference - of_temperature.difference
    width = to_plain.high - to_plain.low + of_temperature.high - of_temperature.low
    to_scaled = BootstrapInterval(shift, shift - width / 2, shift + width / 2)
    first, second, third = verdict(to_teacher, to_plain, to_scaled, of_temperature)
    check_against_teacher(first, 0.5)
    low, high = span_of(second)
    assert ("lower" in second) == (high < 0), second
    assert ("higher" in second) == (low > 0), second
    helped, behind = of_temperature.high < 0, to_scaled.low > 0
    gain = to_plain.high < 0
    assert ("alone does more" in third or "gain in log-loss is mere" in third) == (
        helped and behind
    ), third
    assert ("is not mere calibration" in third) == (gain and to_scaled.high < 0), third
    assert gain or behind or third.startswith("There is no shown gain"), third
    for low, high in SPAN.findall(third):
        assert ("+" in low) or ("-" in high) or "not shown" in third or "no difference" in third


def test_a_temperature_that_changed_nothing_does_no_more():
    same = BootstrapInterval(0.0, 0.0, 0.0)
    plain = BootstrapInterval(0.011, -0.0001, 0.022)
    scaled = BootstrapInterval(0.0112, 0.0001, 0.0223)
    for of_temperature in (same, BootstrapInterval(-0.0002, -0.0006, 0.0003)):
        sentence = verdict(same, plain, scaled, of_temperature)[2]
        assert "alone does more" not in sentence
        assert "temperature is not shown to help it" in sentence


def test_a_student_three_points_better_is_said_to_be_better_first():
    interval = BootstrapInterval(0.03, -0.01, 0.07)
    first, *_ = verdict(interval, *[BootstrapInterval(0.0, -0.1, 0.1)] * 3)
    assert first == (
        "More accurate than the teacher by 3.0 points on these rows, but non-inferiority within "
        "0.5 points of accuracy is not shown (-1.0 to +7.0 points, 95 %)."
    )


@drawn
def test_no_sentence_on_numbers_contradicts_its_figures(rng):
    to_teacher, to_plain = interval(rng, 0.05), interval(rng, 0.05)
    first, second = number_verdict(to_teacher, to_plain, teacher_helps=True, n_seeds=2)
    check_against_teacher(first.replace("exact", "accurate"), 0.01)
    low, high = span_of(second)
    assert ("lower" in second, "higher" in second) == (high < 0, low > 0)


@drawn
def test_no_part_of_a_headline_contradicts_its_figures(rng):
    to_teacher, to_plain, over_plain = (interval(rng, 0.1) for _ in range(3))
    size, speed = 10 ** rng.normal(0, 1, size=2)
    plain, teacher = (0.9 - x.difference for x in (over_plain, to_teacher))
    scores = {"teacher": teacher, "plain": plain, "distilled": 0.9}
    rows = [
        {"arm": arm, "accuracy": score, "n_bytes": 1.0, "us_per_row": 1.0}
        for arm, score in scores.items()
    ]
    rows[0] |= {"n_bytes": size, "us_per_row": speed}
    entries = [
        {"comparison": "distilled - teacher", "metric": "accuracy", **to_teacher._asdict()},
        {"comparison": "distilled - plain", "metric": "log_loss", **to_plain._asdict()},
        {"comparison": "distilled - plain", "metric": "accuracy", **over_plain._asdict()},
    ]
    text = headline(rows, entries)
    figures, advice = text.split(": ")
    assert ("smaller" in figures, "faster" in figures) == (size >= 1.05, speed >= 1.05)
    assert ("as large" in figures, "as fast" in figures) == (
        1 / 1.05 < size < 1.05,
        1 / 1.05 < speed < 1.05,
    )
    over = float(re.search(rf"({NUMBER}) points over", figures)[1])
    assert over == pytest.approx(100 * (0.9 - scores["plain"]), abs=0.051)
    gap = 100 * to_teacher.difference
    if abs(gap) > 0.051:
        assert ("above the teacher" in figures) == (gap > 0)
        assert ("below the teacher" in figures) == (gap < 0)
    gains, cheaper = to_plain.high < 0, max(size, speed) > 1
    assert (advice == "ship it") == (gains and cheaper and to_teacher.low > -0.005), text
    is_better = over_plain.low > 0  # in accuracy, which may be shown where log-loss shows nothing
    assert ("take the plain" in advice) == (to_plain.low > 0 and not is_better)
    assert ("more accurate than the plain" in advice) == (is_better and not gains), text
    assert ("no gain over" in advice) == (to_plain.low <= 0 <= to_plain.high and not is_better)


@drawn
def test_an_accuracy_that_the_log_loss_does_not_tell_of_is_said(rng):
    loss, hits = interval(rng, 0.1), interval(rng, 0.1)
    sentences = verdict(SAME, loss, SAME, SAME, accuracy=hits)
    said = [text for text in sentences if text.startswith("Accuracy is")]
    up, down = hits.low > 0 and loss.high >= 0, hits.high < 0 and loss.low <= 0
    assert len(said) == (up or down)
    assert all(("higher" in text, "lower" in text) == (up, down) for text in said)


# The diagnosis


def any_figures(rng, *, task=ClassScoring):
    """Figures of any student, teacher and plain student, with errors of any size."""

    def loss():
        return 10 ** rng.uniform(-2.5, 0.3)

    value = {name: loss() for name in ("student_train", "student_test", "teacher_test")}
    value |= {"plain_test": value["student_test"] * 10 ** rng.normal(0, 0.1)}
    value |= {"teacher_train": value["teacher_test"] * rng.uniform(0.2, 1.3)}
    value |= {"kl_train": loss() / 5, "kl_test": loss() / 5}
    value["class_rates"] = rng.choice([0.69, 2.3])
    near = rng.random() < 0.3  # values that three decimals do not tell apart
    if near:
        value["plain_test"] = value["student_test"] + rng.normal(0, 3e-4)
        value["teacher_test"] = value["student_test"] + rng.normal(0, 3e-4)
    differences = {
        "excess": ("student_test", "teacher_test"),
        "excess_train": ("student_train", "teacher_test"),
        "gap": ("student_test", "student_train"),
        "teacher_gap": ("teacher_test", "teacher_train"),
        "lead": ("plain_test", "teacher_test"),
        "gain": ("plain_test", "student_test"),
    }
    value |= {name: value[a] - value[b] for name, (a, b) in differences.items()}
    value["calibrated"] = rng.normal(0, 0.05)
    errors = {name: 10 ** rng.uniform(-5, -1) for name in value}
    return Figures(
        **{name: Figure(of, errors[name]) for name, of in value.items()},
        kept=0.5,
        teacher_ece=0.02 if task is ClassScoring else np.nan,
        task=task,
    )


def untaught(f):
    """Figures where the student is the plain one."""
    same = {"plain_test": f.student_test, "gain": Figure(0.0, 0.0), "lead": f.excess}
    return replace(f, **same)


CLAIMS = {
    # words: what must hold of two numbers of the sentence, by their place, or of the figures
    "above the": lambda f, n: n[0] > n[1],
    "knows its rows by heart": lambda f, n: n[0] < 0.25 * n[1] + 1e-3,
    "student gains": lambda f, n: n[0] > 0 and f.gain.is_positive,
    "has learnt by heart the rows": lambda f, n: n[0] < n[1] / 2 + 1e-3,
    "too few to learn it from": lambda f, n: n[0] < n[1] / 2 + 1e-3,
    "does worse than the teacher does on rows": lambda f, n: f.excess_train.is_positive,
    "lags behind its teacher by": lambda f, n: n[0] > 0 and f.excess.is_positive,
    "does not lag behind": lambda f, n: f.excess.value <= rules.tolerance(f),
    "not shown to lag behind": lambda f, n: not f.excess.is_positive,
    "worse than the student that learns": lambda f, n: f.gain.is_negative,
    "not shown to be better than the student that": lambda f, n: not f.gain.is_positive,
    "does as well.": lambda f, n: f.gain.is_positive,
}


@drawn
def test_no_sentence_of_a_diagnosis_contradicts_its_figures(rng):
    alpha = float(rng.integers(2) / 2)
    f = any_figures(rng, task=NumberScoring if rng.random() < 0.2 else ClassScoring)
    f = f if alpha else untaught(f)
    names = [] if f.task is NumberScoring else ["temperature", "smoothing"]
    controls = {name: Figure(rng.normal(0, 0.1), 10 ** rng.uniform(-4, -1)) for name in names}
    finding = rules.find(
        f,
        alpha=alpha,
        taught=alpha > 0,
        asks_own_rows=rng.random() < 0.3,
        ask_controls=lambda: controls,
    )
    for sentence in finding.reading:
        for words, holds in CLAIMS.items():
            if words in sentence:
                assert holds(f, numbers_in(sentence)), (words, sentence)
    if alpha == 0:  # nobody can be the limit who has no say
        assert finding.verdict in (rules.OVERFIT, rules.UNDERFIT, rules.FINE, rules.UNCLEAR)
        assert "labels alone" not in " ".join(finding.reading)
    by_heart = rules.knows_by_heart(f)
    assert finding.verdict != rules.FINE or not by_heart
    for row in figure_rows(f, finding.controls):
        check_row(row)


def check_row(row):
    """Each condition in the column "threshold" is met by the figure as "says" has it."""
    value, error, says = row["value"], row["value_se"], row["says"]
    if row["threshold"] == "0 ± 2 se":
        assert (says == "within the noise") == (abs(value) <= 2 * error), row
        return
    conditions = row["threshold"].split(" and ") if row["threshold"] else []
    met = []
    for condition in conditions:
        side, threshold = condition[0], condition[2:]
        limit = 2 * error if threshold == "2 se" else float(threshold)
        tie = 0.0 if threshold == "2 se" else 5.1e-5
        if abs(value - limit) <= tie:
            return
        met.append(value < limit if side == "<" else value > limit)
    if conditions:
        assert all(met) == ("not" not in says), row


def test_both_conditions_of_knowing_by_heart_stand_in_the_table():
    f = any_figures(np.random.default_rng(0))
    f = replace(
        f,
        student_train=Figure(0.0061, 0.001),
        student_test=Figure(0.1428, 0.02),
        gap=Figure(0.1367, 0.02),
        class_rates=Figure(2.3, 0.01),
    )
    rows = {row["figure"]: row for row in figure_rows(f, {})}
    assert rows["student, training"]["threshold"] == "< 0.0357"
    assert rows["student, training"]["says"] == "far below"
    assert rows["student, test - training"]["threshold"] == "> 0.1000 and > 2 se"
    assert rows["student, test - training"]["says"] == "far apart"
    assert rules.knows_by_heart(f)


@pytest.mark.parametrize("class_rates", [np.log(2), np.log(10)])
def test_ten_classes_are_judged_like_two(class_rates):
    f = any_figures(np.random.default_rng(0))
    f = replace(
        f,
        student_train=Figure(0.006, 0.001),
        student_test=Figure(0.143, 0.02),
        gap=Figure(0.137, 0.02),
        class_rates=Figure(class_rates, 0.0),
    )
    assert rules.knows_by_heart(f)


def test_a_wide_net_on_few_digits_without_a_teacher_overfits():
    X, y = shuffle(*load_digits(return_X_y=True), random_state=0)
    X = X / 16
    net = StudentNet(
        module__hidden_units=(128,),
        max_epochs=30,
        lr=0.01,
        train_split=None,
        callbacks__calibrate=None,
    )
    model = DistilledClassifier(GaussianNB(), net, alpha=0, cv=3, random_state=0)
    diagnosis = diagnose(model, X[:400], y[:400], X[400:], y[400:])
    figures = diagnosis.figures
    assert figures["student_train"] < 0.03 and 0.1 < figures["student_test"] < 0.25
    assert figures["lead"] < 0  # the teacher is worse, and has no say
    assert diagnosis.verdict == "overfit"
    assert "teacher" not in diagnosis.advice and "alpha" not in diagnosis.code


def test_reasons_and_the_next_step_come_before_the_figures():
    X, y = load_digits(return_X_y=True)
    model = DistilledClassifier(
        GaussianNB(), StudentNet(max_epochs=2), alpha=0.5, cv=2, random_state=0
    )
    diagnosis = diagnose(model, X[:200], y[:200], X[200:400], y[200:400])
    text, html = repr(diagnosis), diagnosis._repr_html_()
    for face, table in ((text, "class rates, test"), (html, "<table")):
        assert face.index("Next step: ") < face.index(table)


@drawn
def test_the_advice_on_numbers_reads_the_intervals_of_r2(rng):
    to_teacher, to_plain = interval(rng, 0.1), interval(rng, 0.1)
    arms = {"teacher": to_teacher, "plain": to_plain}
    rows = [{"arm": "distilled", "r2": 0.9, "n_bytes": 1.0, "us_per_row": 1.0}]
    rows += [
        {"arm": arm, "r2": 0.9 - one.difference, "n_bytes": 2.0, "us_per_row": 1.0}
        for arm, one in arms.items()
    ]
    entries = [
        {"comparison": f"distilled - {arm}", "metric": "r2", **one._asdict()}
        for arm, one in arms.items()
    ]
    advice = headline(rows, entries).split(": ")[1]
    assert (advice == "ship it") == (to_plain.low > 0 and to_teacher.low >= 0)
    assert ("take the plain" in advice) == (to_plain.high < 0)
    assert ("no gain over" in advice) == (to_plain.low <= 0 <= to_plain.high)
