"""One net among several: what it does at the ends of epochs, and whether it goes on."""

import copy
import warnings

import torch
from torch.utils.data import Subset

from skdistill._generators import drawing_from, make_streams
from skdistill.training._trainer import raised_by_callback, tidy


class Training:
    """A net that is trained in a stack; all but the batches is as when it is trained alone.

    Parameters
    ----------
    net : BaseStudentNet
        Prepared, with its criterion.
    parts, packed, seed
        See `Lesson`.

    Attributes
    ----------
    goes_on : bool
        Whether it takes part in the next epoch.
    error : Exception or None
        What has ended it.
    moments : dict of str to dict
        What an optimiser remembers of each parameter, for the next stack that goes on with it.
    """

    def __init__(self, net, parts, packed, seed):
        self.net = net
        self.seed = seed
        self.goes_on = True
        self.error = None
        self.moments = {}
        self._given = {"X": parts, "y": packed}
        self.streams = make_streams(seed, torch.device(net.device or "cpu"))
        self.train, self.valid = net.get_split_datasets(parts, packed)
        self.batches = net.get_iterator(self.train, training=True)
        self.sizes = self.batches.sizes()
        self.held = None
        if self.valid is not None:
            self.held = net.get_iterator(self.valid, training=False)

    def positions(self, iterator):
        """Begin a pass: return where the rows of each batch are."""
        with drawing_from(self.streams):
            return iterator.positions()

    def reads_as(self, other):
        """Whether its module reads the same rows in the same order as another's.

        The modules are alike but for their parameters: so are their buffers then.
        """
        own, its = self.batches, other.batches
        return (
            self.seed == other.seed
            and own.rows.reads_as(its.rows)
            and _positions(self.train) == _positions(other.train)
            and _positions(self.valid) == _positions(other.valid)
            and all(
                torch.equal(buffer, that)
                for buffer, that in zip(
                    self.net.module_.buffers(), other.net.module_.buffers(), strict=True
                )
            )
        )

    def begin(self):
        """Tell the callbacks that the training begins."""
        self._notify("on_train_begin", **self._given)

    def begin_epoch(self):
        """Tell them that an epoch does."""
        self._notify("on_epoch_begin", dataset_train=self.train, dataset_valid=self.valid)

    def end_epoch(self):
        """Tell them that it has ended, and hear whether it was the last."""
        self._notify("on_epoch_end", dataset_train=self.train, dataset_valid=self.valid)
        if self._epochs_left() == 0:
            self.goes_on = False

    def end(self):
        """Leave the net as one that has learnt."""
        if self.error is None:
            self._notify("on_train_end", **self._given)
            tidy(self.net)

    def leave(self):
        """End on the way: nobody asks for this student any more."""
        self.goes_on, self.moments = False, {}
        tidy(self.net)

    def student(self):
        """Return the net as one whose training ends now; this one can go on."""
        student = object.__new__(type(self.net))
        vars(student).update(vars(self.net))
        if self.goes_on:
            # A buffer is a row of a stacked tensor, all of which a deep copy would copy.
            own = {id(buffer): buffer.clone() for buffer in self.net.module_.buffers()}
            student.module_ = copy.deepcopy(self.net.module_, own)
            student.callbacks_ = [(name, copy.copy(each)) for name, each in self.net.callbacks_]
            student.notify("on_train_end", **self._given)
            student.module_.eval()
        student.has_learnt()
        return student

    def _epochs_left(self):
        return self.net.max_epochs - len(self.net.history)

    def _notify(self, name, **given):
        with warnings.catch_warnings():
            # A schedule looks for steps of the net's own optimiser, and the stack takes them.
            warnings.filterwarnings("ignore", message="Detected call of `lr_scheduler.step")
            try:
                self.net.notify(name, **given)
            except KeyboardInterrupt as interrupt:
                if not raised_by_callback(interrupt):
                    raise
                self.goes_on = False
            except Exception as error:
                self.goes_on, self.error = False, error


def _positions(part):
    return list(part.indices) if isinstance(part, Subset) else part is None
