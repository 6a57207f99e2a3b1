"""What a student answers: a class, labels or numbers, as a graph says it and as it is compared."""

from typing import NamedTuple

import numpy as np

from skdistill.deployment._onnx._graph import FLOAT32, FLOAT64, TEXT

LABEL, LABELS, PROBABILITIES, PREDICTION = "label", "labels", "probabilities", "prediction"

TIE = 1e-4
"""How near two probabilities must be to each other for their order to be of no meaning."""


class Unit(NamedTuple):
    """What numbers of one output are compared in.

    Attributes
    ----------
    mean, spread : ndarray of shape (n_outputs,)
        Of the student's predictions; of a constant its own size.
    """

    mean: np.ndarray
    spread: np.ndarray


class Answers:
    """What a student answers; a subclass for each task.

    Parameters
    ----------
    link : object
        From the student's outputs to its predictions.

    Attributes
    ----------
    task : {"classes", "labels", "numbers"}
    outputs : tuple of str
        What the graph gives, the last one as `ask` does.
    names : ndarray of shape (n_outputs,) or None
        What the columns of probabilities are called; None of numbers.
    """

    task: str
    outputs: tuple[str, ...]
    names: np.ndarray | None = None

    def __init__(self, link):
        self.link = link

    def ask(self, student, X):
        """Return what a student says of rows, ndarray of shape (n_samples, n_outputs)."""
        return student.predict_proba(X)

    def unit(self, student, X):
        """Return the `Unit` that answers are compared in; None where it is 1."""

    def write(self, graph, x):
        """Add the outputs of a graph.

        Parameters
        ----------
        graph : Graph
        x : str
            What the student's body computes, of shape (n_samples, n_outputs).
        """
        raise NotImplementedError

    def distances(self, wanted, found, unit):
        """Return how far the answers of a graph are off, ndarray of shape (n_samples,).

        Parameters
        ----------
        wanted : ndarray
            What the student says.
        found : dict of str to ndarray
            What the graph gives, by the names of its outputs.
        unit : Unit or None
        """
        raise NotImplementedError


class ClassAnswers(Answers):
    """The probabilities of classes, and the best one."""

    task, outputs = "classes", (LABEL, PROBABILITIES)

    def __init__(self, link):
        super().__init__(link)
        self.names = link.classes

    def write(self, graph, x):
        """Add the label and the probabilities of each row; see `Answers.write`."""
        link, x = self.link, graph.cast(x, FLOAT64)
        if hasattr(link, "temperature"):
            if link.from_probabilities:
                tiny = np.array(np.finfo(np.float64).tiny)
                x = graph.add("Log", graph.add("Max", x, tiny))
            if link.temperature != 1:
                x = graph.add("Div", x, np.array(float(link.temperature)))
            probabilities = graph.add("Softmax", x, axis=1)
        else:
            probabilities = x
        best = graph.add("ArgMax", x, dtype=np.int64, axis=1, keepdims=0)
        labels = onnx_labels(link.classes)
        graph.output(LABEL, graph.add("Gather", labels, best))
        graph.output(PROBABILITIES, graph.cast(probabilities, FLOAT32), (len(labels),))

    def distances(self, wanted, found, unit):
        """Return how far the probabilities are off, infinite where the label is another one."""
        off = np.abs(wanted - found[PROBABILITIES]).max(axis=1)
        labels = onnx_labels(self.names)
        wrong = labels[np.argmax(wanted, axis=1)] != found[LABEL]
        first, second = np.partition(wanted, -2, axis=1)[:, -2:].T[::-1]
        off[wrong & (first - second > TIE)] = np.inf
        return off


class LabelAnswers(Answers):
    """The probability of each of several labels, and those that are more probable than not."""

    task, outputs = "labels", (LABELS, PROBABILITIES)

    def __init__(self, link):
        super().__init__(link)
        self.names = link.names

    def write(self, graph, x):
        """Add the labels and the probabilities of each row; see `Answers.write`."""
        x, threshold = graph.cast(x, FLOAT64), self.link.threshold
        has = graph.add("Greater", x, np.array(float(threshold)), dtype=bool)
        probabilities = graph.add("Sigmoid", x) if threshold == 0 else x
        shape = (len(self.link.names),)
        graph.output(LABELS, graph.cast(has, np.int64), shape)
        graph.output(PROBABILITIES, graph.cast(probabilities, FLOAT32), shape)

    def distances(self, wanted, found, unit):
        """Return how far the probabilities are off, infinite where a label is another one."""
        off = np.abs(wanted - found[PROBABILITIES])
        off[((wanted > 0.5) != found[LABELS]) & (np.abs(wanted - 0.5) > TIE / 2)] = np.inf
        return off.max(axis=1)


class NumberAnswers(Answers):
    """A number or numbers, in the unit of y."""

    task, outputs = "numbers", (PREDICTION,)

    def ask(self, student, X):
        """Return the numbers of each row; see `Answers.ask`."""
        return student.predict(X)

    def unit(self, student, X):
        """Return what numbers of the size of a student's predictions are compared in."""
        values = student.predict(X)
        values = values.reshape(len(values), -1)
        mean, spread = values.mean(axis=0), values.std(axis=0)
        is_constant = spread <= 1e-9 * np.abs(mean)
        return Unit(mean, np.where(is_constant, np.abs(mean) + (mean == 0), spread))

    def write(self, graph, x):
        """Add the number or numbers of each row; see `Answers.write`."""
        x = graph.add("Mul", graph.cast(x, FLOAT64), self.link.scale.astype(FLOAT64))
        x = graph.add("Add", x, self.link.mean.astype(FLOAT64))
        n_outputs = len(self.link.scale)
        if n_outputs == 1:
            x = graph.add("Squeeze", x, np.array([1]))
        graph.output(PREDICTION, x, () if n_outputs == 1 else (n_outputs,))

    def distances(self, wanted, found, unit):
        """Return distances in standard deviations, or where the numbers lie far out in less."""
        got = found[PREDICTION]
        wanted, got = wanted.reshape(len(wanted), -1), got.reshape(len(got), -1)
        sizes = np.maximum(unit.spread, np.abs(wanted - unit.mean))
        return (np.abs(wanted - got) / sizes).max(axis=1)


def answers_of(link):
    """Return what a student with a link answers."""
    if hasattr(link, "threshold"):
        return LabelAnswers(link)
    return ClassAnswers(link) if hasattr(link, "classes") else NumberAnswers(link)


def onnx_labels(classes):
    """Return labels as an array that ONNX can hold: texts, whole numbers, floats or flags."""
    kind = classes.dtype.kind
    if kind in "iu":
        return classes.astype(np.int64)
    if kind in "bf":
        return classes.astype(np.bool_ if kind == "b" else np.float64)
    return np.array([str(label) for label in classes.tolist()], dtype=TEXT)
