"""What a training may have beside the criterion's two terms: its set-up, its batches, its loss."""

import contextlib
from collections.abc import Sequence
from typing import Any


class Term:
    """A member of what is minimised, for as long as one net is trained.

    A subclass overrides what it needs. `training.train_net` enters `running` before the first
    batch, and leaves it after the last one, however the training ends.
    """

    losses: Sequence[Any] = ()
    """What it measures by, where others may have written that."""

    @contextlib.contextmanager
    def running(self, net, X):
        """Set up what the batches need, and take it down again.

        Parameters
        ----------
        net : skorch.NeuralNet
            Initialised.
        X : {ndarray, CSR matrix} of shape (n_samples, ...), or list of these
            The rows, or their parts.
        """
        yield

    def arrays(self):
        """Return what each row carries along for this term, a dict as `Packed.arrays` gives."""
        return {}

    def batches(self, batches, net):
        """Return an iterable of batches (X, packed), which a net learns, in place of the given."""
        return batches

    def loss(self, net, X, outputs, packed):
        """Return what is added to the loss of the batch that the module has just seen.

        Parameters
        ----------
        net : skorch.NeuralNet or None
            The net that learns; None for one of the user's, which calls the criterion alone.
        X : torch.Tensor of shape (n_samples, ...) or None
            The rows of the batch, likewise.
        outputs : torch.Tensor of shape (n_samples, n_outputs)
            What the module made of them: logits, or standardised numbers.
        packed : dict of str to torch.Tensor
            The batch's targets.

        Returns
        -------
        torch.Tensor, a scalar, or None
            None adds nothing.
        """
        return None
