"""All terms that a fit may have, tried before it asks its teacher and made after."""

from skdistill._torch import resolve_device
from skdistill.training._adversarial import adversarial_terms, check_adversarial
from skdistill.training._features import check_layers, feature_terms
from skdistill.training._views import live_views


def check_terms(model, net, rows, parts):
    """Refuse, before anything is asked, a student or rows that a term cannot be of.

    Parameters
    ----------
    model : DistilledClassifier or DistilledRegressor
    net : Student
        Prepared.
    rows : Rows
        As the teacher gets them.
    parts : list of {ndarray, CSR matrix}
        As the student does.

    Raises
    ------
    TeacherError, StudentError or ValueError
    """
    device, losses = resolve_device(model.device), model.feature_losses
    check_layers(losses, model.teacher, rows.X, net, parts[0], device, rows.soft_targets)
    check_adversarial(model._find_loss(model.loss), net, parts)


def terms_of(model, net, rows, targets, loss):
    """Return the terms of a training, beside those of the labels and the teacher.

    Parameters
    ----------
    model, net, rows
        See `check_terms`.
    targets : Targets or None
    loss : Loss or RegressionLoss
        Of the training.

    Returns
    -------
    list of Term
        In this order: what a later one reads of a batch, an earlier one has changed.
    """
    terms = live_views(net, model, rows)
    if model.feature_losses:
        terms += feature_terms(model.feature_losses, targets)
    return terms + adversarial_terms(loss)
