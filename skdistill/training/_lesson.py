"""What a net learns, once all that is asked and read beforehand is there."""

from typing import Any, NamedTuple


class Lesson(NamedTuple):
    """All that the training of one student needs.

    Attributes
    ----------
    learner : object
        A student that has prepared itself, with `learn`.
    parts : list of {ndarray, CSR matrix} or Stream
        What its `prepare` and `prepare_more` returned, or a stream of it.
    packed : Packed
        What is learnt of these rows.
    settings : dict
        Of the criterion: loss, alpha and, for classes, temperature.
    terms : sequence of Term
        Of the loss, beside that of the labels and the teacher's.
    seed : int
        Seeds the order of the rows, dropout and views.
    """

    learner: Any
    parts: Any
    packed: Any
    settings: dict
    terms: Any
    seed: int

    def learn(self):
        """Train the student alone, and return it."""
        return self.learner.learn(
            self.parts, self.packed, **self.settings, terms=self.terms, seed=self.seed
        )
