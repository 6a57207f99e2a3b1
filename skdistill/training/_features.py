"""Feature terms in training: hooks on the student's layers, adapters beside its weights."""

import contextlib

from torch import nn

from skdistill._generators import (
    DrawWeights,
    current_stream,
    generator_put_back,
    make_generator,
)
from skdistill._torch import module_dtype
from skdistill._words import shorten
from skdistill.exceptions import StudentError, TeacherError
from skdistill.losses._features import FeatureLoss
from skdistill.teachers._features import PROBE_ROWS, capturing, find_net, probe_layers
from skdistill.training._packed import FEATURES
from skdistill.training._terms import Term


def check_feature_losses(losses, teacher, soft_targets=None):
    """Refuse feature terms that cannot be, and teachers without layers.

    Parameters
    ----------
    losses : list or None
        As given.
    teacher, soft_targets : object or None
        As given.

    Raises
    ------
    ValueError
        Which says what was expected.
    """
    if losses is None:
        return
    if not isinstance(losses, list):
        put = f" Put it into a list: [{losses!r}]." if isinstance(losses, FeatureLoss) else ""
        raise ValueError(
            f"The 'feature_losses' parameter must be a list of instances of HintLoss, "
            f"SimilarityLoss or another FeatureLoss, or None. Got {shorten(losses)} instead.{put}"
        )
    if not losses:
        return
    for loss in losses:
        if not isinstance(loss, FeatureLoss):
            raise ValueError(
                f"The 'feature_losses' parameter must be a list of instances of HintLoss, "
                f"SimilarityLoss or another FeatureLoss. Got {shorten(loss)} among them."
            )
        loss.check_settings()
    if teacher is None:
        known = getattr(soft_targets, "features", {})
        missing = [loss.teacher_layer for loss in losses if loss.teacher_layer not in known]
        if missing:
            raise ValueError(
                f"feature_losses were given without a teacher, and the soft targets have no layers "
                f"{missing}; expected a fitted network. Pass teacher=..., leave feature_losses "
                f"out, or ask for them: teacher_targets(..., layers={missing})."
            )
        return
    if isinstance(teacher, list | tuple):
        raise TeacherError(
            f"feature_losses were given with a list of {len(teacher)} teachers; expected one "
            f"network, for each has layers of its own. Give one of them, or leave feature_losses "
            f"out."
        )
    find_net(teacher)


def check_layers(losses, teacher, X, net, X_student, device, soft_targets=None):
    """Try on a few rows that all layers can be read and compared.

    Parameters
    ----------
    losses : list of FeatureLoss or None
    teacher : object
    X : {ndarray, CSR matrix, DataFrame} of shape (n_samples, ...)
        Rows as the teacher gets them.
    net : object
        The student's net, with `module_`.
    X_student : {ndarray, CSR matrix} of shape (n_samples, ...)
        Rows as it gets them.
    device : torch.device
        Where a torch teacher runs.
    soft_targets : Targets, default=None
        With the features of a teacher that is not there.

    Raises
    ------
    TeacherError or StudentError
        When a layer does not exist, is not called, or cannot be compared with the other.
    """
    if losses:
        if not isinstance(getattr(net, "module_", None), nn.Module):
            raise StudentError(
                "feature_losses were given with a student that is no network and has no layers; "
                "expected a StudentNet, another skorch net or a torch.nn.Module. Leave "
                "feature_losses out, or give one of these."
            )
        layers = [loss.teacher_layer for loss in losses]
        if teacher is None:
            shapes = {name: soft_targets.features[name][0].shape[1:] for name in layers}
        else:
            shapes = find_net(teacher, device).shapes(layers, X)
        _make_adapters(losses, shapes, net.module_, X_student, make_generator(0))


def _make_adapters(losses, teacher_shapes, module, X, generator):
    """Return an adapter or None for each term; torch's own generator is left alone."""
    layers = [loss.student_layer for loss in losses]
    owner = f"the student's module {type(module).__name__}"
    shapes = probe_layers(module, layers, X[:PROBE_ROWS], owner, StudentError)
    # With the generator put back the order of the rows is the same with feature terms as without.
    with generator_put_back() if generator is None else DrawWeights(generator):
        return [
            loss.adapter(shapes[loss.student_layer], teacher_shapes[loss.teacher_layer])
            for loss in losses
        ]


def feature_terms(losses, targets):
    """Return the term of hidden layers for targets that come with what those of a teacher make.

    Parameters
    ----------
    losses : list of FeatureLoss
    targets : Targets

    Returns
    -------
    list of Term
    """
    return [FeatureTerms(losses, {n: p[0].shape[1:] for n, p in targets.features.items()})]


class FeatureTerms(Term):
    """The weighted sum of the feature terms of the batch that a module has just seen.

    Hooks on the student's layers keep what they return; adapters are trained beside its weights,
    and dropped.

    Parameters
    ----------
    losses : list of FeatureLoss
    shapes : dict of str to tuple of int
        Of the features of a row, by the teacher's layer.
    """

    def __init__(self, losses, shapes):
        self.losses = losses
        self.shapes = shapes

    @contextlib.contextmanager
    def running(self, net, X):
        """Hook the layers, and let the optimiser train the adapters too."""
        module, generator = net.module_, current_stream("weights")
        first = X[0] if isinstance(X, list) else X
        self.adapters = _make_adapters(self.losses, self.shapes, module, first, generator)
        trained = nn.ModuleList(adapter for adapter in self.adapters if adapter is not None)
        trained.to(net.device or "cpu", module_dtype(module))
        # Not a group of their own: LBFGS takes one alone, and a schedule may hold a rate for each.
        parameters = net.optimizer_.param_groups[-1]["params"]
        n_own = len(parameters)
        parameters.extend(trained.parameters())
        with capturing(module, [loss.student_layer for loss in self.losses]) as self.outputs:
            try:
                yield
            finally:
                del parameters[n_own:]

    def loss(self, net, X, outputs, packed):
        """Return the sum."""
        terms = []
        for loss, adapter in zip(self.losses, self.adapters, strict=True):
            features = self.outputs[loss.student_layer]
            features = features if adapter is None else adapter(features)
            wanted = packed[FEATURES + loss.teacher_layer].to(features)
            weight = packed.get("soft_weight")
            weight = None if weight is None else weight.to(features)
            terms.append(loss.weight * loss.mean(features, wanted, weight))
        return sum(terms)
