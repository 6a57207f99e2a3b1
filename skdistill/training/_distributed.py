"""One student that several processes train together, each on its share of every batch."""

from functools import partial
from typing import Any

import joblib
import numpy as np
import torch
from skorch.callbacks import BatchScoring, EpochScoring

from skdistill._interrupts import whole_trainings
from skdistill._words import shorten
from skdistill.exceptions import StudentError
from skdistill.training._batches import TensorBatches, resolve_batch_size
from skdistill.training._net import StudentNet
from skdistill.training._ranks import PATIENCE, current_ranks, is_alone, meeting

PLAIN = (bool, int, float, str, type(None), np.generic)
"""Settings whose values are compared between processes; of the others it is their kinds."""

OF_THE_PROCESS = ("device", "verbose")


class ShardedBatches(TensorBatches):
    """Batches of which each process of a training gets its share of the rows.

    A last batch with fewer than two rows for each of them is joined to the one before.
    """

    def positions(self):
        """Begin a pass; see `TensorBatches.positions`."""
        batches, ranks = super().positions(), current_ranks()
        return batches if ranks is None else [ranks.share_of(index) for index in batches]

    def _split(self, positions):
        batches, ranks = super()._split(positions), current_ranks()
        if ranks is None:
            return batches
        fewest = 2 * ranks.size
        if len(batches) > 1 and len(batches[-1]) < fewest:
            batches[-2:] = [torch.cat(batches[-2:])]
        if len(batches[-1]) < fewest:
            raise StudentError(_too_few(f"There are {len(positions)} rows to learn from", ranks))
        return batches


class DistributedStudentNet(StudentNet):
    """A `StudentNet` that several processes train together: `torchrun`, a node of GPUs, a cluster.

    Each process makes the same fit: the same rows, the same settings, the same int as the
    `random_state` of the `DistilledClassifier`. The first of them asks the teacher, and tells the
    others. Every batch is shared out: a process computes the gradient of its rows, and the mean
    over all rows of the batch is what each of them steps by. All hold the same weights, history and
    best epoch, and the same student in the end, which is that of one process at the same
    `batch_size` but for rounding, dropout and batch norm (means over the rows of a process).

    Processes are a group of `torch.distributed`. Without one, it is a StudentNet.

    Parameters
    ----------
    module : type or instance of torch.nn.Module, default=None
        As for `StudentNet`.
    iterator_train : type, default=ShardedBatches
        What makes batches of a data set.
    **kwargs
        Further settings of `StudentNet`, with the same defaults. `batch_size` is that of all
        processes together, and at least two rows for each.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels in the order of the columns of `predict_proba`.
    calibration_temperature_ : float
        See `StudentNet`.
    module_ : torch.nn.Module
        The trained module.
    history_ : skorch.history.History
        What each epoch gave, with the losses of all rows.
    n_features_in_ : int
        Size of the rows' first axis.

    Raises
    ------
    StudentError
        In all processes, before anything is trained, where they differ in their rows or settings;
        in those that wait, where another has failed.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdistill import DistilledClassifier
    >>> from skdistill.training import DistributedStudentNet
    >>> X, y = load_iris(return_X_y=True)
    >>> student = DistributedStudentNet(max_epochs=20, lr=0.01)
    >>> model = DistilledClassifier(student=student, alpha=0, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    def __init__(
        self, module: Any = None, *, iterator_train: Any = ShardedBatches, **kwargs: Any
    ) -> None:
        super().__init__(module, iterator_train=iterator_train, **kwargs)

    def prepare(self, X, task, seed=None):
        """See `StudentNet.prepare`; it fails in all processes where it fails in one."""
        make = partial(super().prepare, X, task, seed)
        if is_alone():
            return make()
        with meeting("prepare a student") as ranks:

            def prepare():
                X = make()
                self._check_shares(len(task.hard), ranks)
                return X

            X = ranks.together(prepare)
            ranks.check_same(
                {
                    "random_state": seed,
                    "X": joblib.hash(X),
                    "y": joblib.hash(task.hard),
                    **{
                        name: _comparable(value)
                        for name, value in self.get_params(deep=False).items()
                        if name not in OF_THE_PROCESS
                    },
                }
            )
        return X

    def _check_shares(self, n_rows, ranks):
        """Refuse settings by which shares are too small, or differ in more than their rows."""
        own = self.iterator_train
        if not (isinstance(own, type) and issubclass(own, ShardedBatches)):
            raise StudentError(
                f"The DistributedStudentNet has iterator_train={shorten(own)}, of which each "
                "process would learn all rows; expected ShardedBatches. Leave iterator_train out."
            )
        if "sampler" in self.get_params_for("iterator_train"):
            raise StudentError(
                "The DistributedStudentNet has iterator_train__sampler, which may draw another "
                "order in each process; expected none. Leave it out, or take a StudentNet."
            )
        size = n_rows if self.batch_size == -1 else resolve_batch_size(self.batch_size, n_rows)
        if size < 2 * ranks.size:
            came = f"Batches have {size} rows (batch_size={shorten(self.batch_size)})"
            raise StudentError(_too_few(came, ranks))
        for name, callback in self.callbacks_:
            if isinstance(callback, BatchScoring | EpochScoring) and callback.on_train:
                raise StudentError(
                    f"The callback {name!r} scores the rows that are learnt, of which each process "
                    f"has others; expected one that scores held-back rows. Set on_train=False."
                )

    def check_among_others(self):
        """Refuse to be one of several students that begin on the same rows."""
        if not is_alone():
            raise StudentError(
                "Several processes train one DistributedStudentNet, and here are several students "
                "(alpha='auto', a DistillationSearchCV, a MutualClassifier or MutualRegressor); "
                "expected one. Choose settings in one process with a StudentNet, and fit the best "
                "with all of them."
            )

    def hear(self, ask):
        """Let the first process ask the teacher, and tell the others what it said.

        Parameters
        ----------
        ask : callable
            Returns targets and the fitted teacher.

        Returns
        -------
        targets : Targets
        teacher : object or None
            The fitted teacher; None in the others.
        """
        if is_alone():
            return super().hear(ask)
        found = [None]

        def tell():
            targets, found[0] = ask()
            return targets

        with meeting("hear a teacher", timeout=PATIENCE) as ranks:
            targets = ranks.told_by_first(tell)
        return targets, found[0]

    def _train(self, X, packed, settings, seed):
        if is_alone():
            super()._train(X, packed, settings, seed)
            return
        if seed is None:
            raise StudentError(
                "The DistributedStudentNet learns by itself, and draws from torch's global "
                "generator, which differs from process to process; expected a seed. Fit "
                "DistilledClassifier(student=..., alpha=0, random_state=0)."
            )
        state, device = self.module_.state_dict, self.device or "cpu"
        begins = meeting("begin a training", device)
        # Who keeps what it has learnt when Ctrl-C ends it would hold weights that nobody else has.
        with whole_trainings(), begins as ranks, ranks.training():
            ranks.check_same(
                {
                    "random_state": seed,
                    **{name: _comparable(value) for name, value in settings.items()},
                    "shapes of weights, or which are trained": self._shapes(),
                    "rows without labels or those of X_val": joblib.hash(X[1:]),
                    "sample_weight, groups or rows held back": joblib.hash(packed),
                }
            )
            ranks.copy_first(state().values())
            super()._train(X, packed, settings, seed)
            ranks.copy_first(state().values())

    def _shapes(self):
        """Return the shapes of the module's state by name, and the sizes of what is trained."""
        state = {name: tuple(tensor.shape) for name, tensor in self.module_.state_dict().items()}
        groups = self.optimizer_.param_groups
        return state, [p.numel() for group in groups for p in group["params"] if p.requires_grad]

    def fit_loop(self, X, y=None, epochs=None, **fit_params):
        """Run the epochs; whoever ends them before the others lets none of them wait."""
        loop = partial(super().fit_loop, X, y, epochs, **fit_params)
        if current_ranks() is None:
            return loop()
        with meeting("run the epochs", self.device or "cpu") as ranks, ranks.training():
            return loop()

    def share_step(self, loss, n_rows):
        """Step by the gradient of all rows of a batch; see `FastEpochNet.share_step`."""
        ranks = current_ranks()
        if ranks is None:
            return loss
        groups = self.optimizer_.param_groups
        trained = [p for group in groups for p in group["params"] if p.requires_grad]
        return ranks.share_step(trained, loss, n_rows)

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Run one pass, and record the loss of all rows; see `FastEpochNet`."""
        super().run_single_epoch(iterator, training, prefix, step_fn, **fit_params)
        ranks = current_ranks()
        if ranks is None or iterator is None:
            return
        if training:  # batch norm has seen other rows in each process
            buffers = self.module_.buffers()
            ranks.average([buffer for buffer in buffers if buffer.is_floating_point()])
        name, size = f"{prefix}_loss", f"{prefix}_batch_size"
        rows = [row for row in self.history[-1]["batches"] if name in row]
        sizes = np.array([row[size] for row in rows], dtype=np.float64)
        losses, n_rows = ranks.sum([sizes * [row[name] for row in rows], sizes])
        for row, loss, n in zip(rows, losses / n_rows, n_rows, strict=True):
            row[name] = float(loss)
            row[size] = int(n) if training else row[size]  # all look at all held-back rows

    def held_answers(self, dataset):
        """Return what the first process makes of held-back rows; see `StudentNet.held_answers`."""
        logits, *others = super().held_answers(dataset)
        ranks = current_ranks()
        return (logits if ranks is None else ranks.first(logits), *others)


def _comparable(value):
    """Return a setting where it is plain, and otherwise what kind of object it is."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, dict):
        return {str(key): _comparable(own) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_comparable(own) for own in value]
    kind = value if hasattr(value, "__qualname__") else type(value)
    return f"{kind.__module__}.{kind.__qualname__}"


def _too_few(came, ranks):
    return (
        f"{came} for {ranks.size} processes; expected at least two for each, {2 * ranks.size} in "
        f"all. Set batch_size to that or more, or start fewer processes."
    )
