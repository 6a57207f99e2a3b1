"""What dropout leaves out in a stack: drawn beforehand, from the generator of each student."""

import torch


class MaskPlan:
    """Draws the masks of a step: for each student those that it would draw alone.

    Students with one seed, whose batches have the same sizes, draw the same, and share them.

    Parameters
    ----------
    stack : ModuleStack
    """

    def __init__(self, stack):
        self._stack = stack
        self._wanted = {}

    def draw(self, X, trainings):
        """Draw the masks of a step.

        Parameters
        ----------
        X : torch.Tensor of shape (n_batch, ...)
            The batch of one of the students.
        trainings : list of Training

        Returns
        -------
        list of torch.Tensor of shape (n_trainings, ...), or (1, ...) for all
        """
        wanted = self.wanted(X)
        if not wanted:
            return []
        keys = [(training.seed, tuple(training.sizes)) for training in trainings]
        drawn, sources = {}, {}
        for key, training in zip(keys, trainings, strict=True):
            generator = training.streams.dropout
            if key not in drawn:
                sources[key] = [generator]
                drawn[key] = [kept_of(X, shape, p, generator) for shape, p in wanted]
            elif generator not in sources[key]:  # that of another section
                generator.set_state(sources[key][0].get_state())
                sources[key].append(generator)
        masks = [torch.stack(each) for each in zip(*drawn.values(), strict=True)]
        if len(drawn) == 1:
            return masks
        places = torch.tensor([list(drawn).index(key) for key in keys], device=X.device)
        return [mask.index_select(0, places) for mask in masks]

    def wanted(self, X):
        """Return the shape of each mask for a batch of one student, and the share left out."""
        if len(X) not in self._wanted:
            looker = _Looker()
            trained, others = self._stack.parts(0, 1)
            with torch.no_grad():
                self._stack.outputs(
                    {name: tensor[0] for name, tensor in trained.items()},
                    {name: tensor[0].clone() for name, tensor in others.items()},
                    X,
                    looker,
                )
            self._wanted[len(X)] = looker.found
        return self._wanted[len(X)]


def share_generators(trainings):
    """Give trainings of one seed one generator of dropout, at the state of the first's.

    Whichever of them it draws for, it is where it should be for those that stay.

    Parameters
    ----------
    trainings : list of Training
        Of one section; changed in place.
    """
    shared: dict = {}
    for training in trainings:
        if training.seed not in shared:
            shared[training.seed] = training.streams.dropout.clone_state()
        training.streams = training.streams._replace(dropout=shared[training.seed])


class _Looker:
    """Leaves out nothing, and remembers what it was asked for."""

    def __init__(self):
        self.found = []

    def kept(self, X, p):
        self.found.append((X.shape, p))
        return torch.ones_like(X)


def kept_of(X, shape, p, generator):
    """Draw one mask, as `draw_kept` does."""
    return X.new_empty(shape).bernoulli_(1 - p, generator=generator).div_(1 - p)
