"""The last step of a student, which predicts, as data and back."""

import numpy as np
import torch
from scipy import sparse
from skorch import NeuralNet
from torch import nn

from skdistill._compat import initialize_for_prediction, keep_columns
from skdistill._input._inputs import as_inputs, form_of
from skdistill._input._layout import EncodedTable
from skdistill._words import shorten
from skdistill.deployment._compact import find_compact, read_weights
from skdistill.deployment._estimators import dump, restore
from skdistill.deployment._file import is_storable
from skdistill.deployment._header import NEEDS_MODULE, SCALE, STATE
from skdistill.deployment._modules import STUDENTS, build_module, describe_module, find_misfits
from skdistill.deployment._values import (
    decode,
    decode_columns,
    decode_labels,
    encode,
    encode_columns,
    encode_labels,
    encode_settings,
)
from skdistill.exceptions import StudentError
from skdistill.students import SoftDecisionTree
from skdistill.targets._tasks import ClassTask
from skdistill.training import (
    DistributedStudentNet,
    StudentNet,
    StudentNetMultilabel,
    StudentNetRegressor,
)
from skdistill.training._boosted_student import BoostedStudent
from skdistill.training._estimator_multilabel import EstimatorMultilabelStudent
from skdistill.training._estimator_regressor import EstimatorRegressorStudent
from skdistill.training._estimator_student import EstimatorStudent
from skdistill.training._label_links import LabelLink, LabelShareLink
from skdistill.training._links import ClassLink, NumberLink, ProbabilityLink
from skdistill.training._multilabel_net import SkorchMultilabelStudent
from skdistill.training._skorch_student import SkorchRegressorStudent, SkorchStudent


def _named(*kinds):
    return {kind.__name__: kind for kind in kinds}


NETS = _named(StudentNet, DistributedStudentNet, StudentNetRegressor, StudentNetMultilabel)
SKORCH = _named(SkorchStudent, SkorchRegressorStudent, SkorchMultilabelStudent)
ESTIMATORS = _named(
    *(EstimatorStudent, BoostedStudent, EstimatorRegressorStudent, EstimatorMultilabelStudent)
)
LABEL_LINKS = _named(LabelLink, LabelShareLink)

NAMES: dict[type | None, str | None] = {kind: name for name, kind in STUDENTS.items()}

INSTANCE = "instance"
"""What stands for a module that is made otherwise than by a class of ours: a fit begins with it."""

NATIVE = {
    "catboost": "student_.estimator_.save_model(path)",
    "lightgbm": "student_.estimator_.booster_.save_model(path)",
    "xgboost": "student_.estimator_.save_model(path)",
}
"""Packages whose models no file holds, and how each writes them."""

MOST_CELLS = 2**26
"""Of the two rows by which a module of the user's is tried."""

OF_THE_MACHINE = ("device", "module", "verbose")
"""Settings of a net that are not those of the file: where it is, and what it prints."""


def is_learner(estimator):
    """Whether it is a student's last step that a file can hold."""
    return type(estimator) in (*NETS.values(), *SKORCH.values(), *ESTIMATORS.values())


def describe_learner(learner, arrays):
    """Return what a student's last step has learnt; see `describe_step`."""
    found = {
        "class": type(learner).__name__,
        "columns_seen": encode_columns(learner),
        "link": _describe_link(learner.link_, arrays),
    }
    if found["class"] in ESTIMATORS:
        what = f"The student {type(learner.estimator_).__name__}"
        _refuse_native(learner.estimator_, what)
        both = dump([learner.estimator, learner.estimator_], what)
        found |= {"of": type(learner.estimator).__name__}
        found |= {"content": arrays.add("student.skops", both)}
        logits = getattr(learner, "_predicts_logits", False)
        return found | {"predicts_logits": logits, NEEDS_MODULE: False}
    module = learner.module_
    found |= {"of": type(module).__name__, "rows": _describe_rows(learner)}
    found |= {"n_parameters": sum(weights.numel() for weights in module.parameters())}
    if compact := _keep_state(module, arrays):
        found["compact"] = compact
    if found["class"] in SKORCH:
        return found | {"of": type(learner.net_).__name__, NEEDS_MODULE: True}
    settings, left_out = encode_settings(
        {n: v for n, v in learner.get_params(False).items() if n not in OF_THE_MACHINE},
        type(learner)().get_params(False),
    )
    given, described = learner.module, describe_module(module)
    found |= {
        "settings": settings,
        "left_out": left_out,
        "module": described,
        NEEDS_MODULE: described is None,
        "given": _describe_given(given),
    }
    if hasattr(learner, "calibration_temperature_"):
        found["calibration_temperature"] = encode(learner.calibration_temperature_)
    return found


def _refuse_native(estimator, what):
    package = type(estimator).__module__.partition(".")[0]
    if package in NATIVE:
        raise StudentError(
            f"{what} cannot be saved: {package} reads its models by code that was not made for "
            f"files of strangers, and does not look where their trees lead; expected a network or "
            f"an estimator of scikit-learn. Save it by its own means, for yourself: "
            f"{NATIVE[package]}."
        )


def build_learner(content, arrays, module=None):
    """Return the fitted last step that `describe_learner` was given.

    Parameters
    ----------
    content, arrays
        See there.
    module : torch.nn.Module, skorch.NeuralNet, type or callable, default=None
        What the weights of a class of the user's belong to.
    """
    kind = content["class"]
    link = _build_link(content["link"], arrays)
    if "rows" in content and len(_outputs_of(link)) != content["rows"]["n_outputs"]:
        raise ValueError("it has other outputs than classes or numbers")
    if kind in ESTIMATORS:
        what = f"The student {content['of']}"
        estimator, fitted = restore(arrays.get_array(content["content"]), what)
        learner = ESTIMATORS[kind](estimator)
        learner.estimator_, learner.history_ = fitted, []
        if kind == "EstimatorStudent":
            learner._predicts_logits = content["predicts_logits"]
    elif kind in SKORCH:
        learner = _load_into(SKORCH[kind](_as_net(module, content)), content, arrays)
    else:
        learner = _build_net(content, arrays, module)
    decode_columns(learner, content["columns_seen"])
    learner.link_ = link
    return learner


def _build_net(content, arrays, module):
    settings = {n: decode(value) for n, value in content["settings"].items()}
    is_made = content["given"] == INSTANCE and not content[NEEDS_MODULE]
    if is_made or isinstance(module, nn.Module):  # which is as it is
        settings = {n: value for n, value in settings.items() if not n.startswith("module__")}
    kind = NETS[content["class"]]
    if content[NEEDS_MODULE]:
        net = _load_into(kind(module, **settings), content, arrays)
    else:
        made, state = build_module(content["module"]), _state_of(content, arrays)
        if misfits := find_misfits(made, state):
            raise ValueError(f"its weights do not fit its module: {misfits[0]}")
        made.load_state_dict(state, assign=True)
        net = kind(_build_given(content["given"], made), **settings)
        initialize_for_prediction(net, made)
        rows = content["rows"]
        net.row_shape_, net.learns_sparse_ = _shape_of(rows), rows["is_sparse"]
        keep_columns(net, None, form_of(as_inputs(_rows_of(rows))))
        net.layout_ = {n: decode(value) for n, value in rows["layout"].items()}
        net.n_outputs_ = rows["n_outputs"]
    if "calibration_temperature" in content:
        net.calibration_temperature_ = decode(content["calibration_temperature"])
    return net


def _describe_given(module):
    """Return what a net was given to make its module of."""
    if module is None or (isinstance(module, type) and module in NAMES):
        return NAMES.get(module)
    if type(module) is SoftDecisionTree and module.n_features is None:
        return encode(module.settings)
    return INSTANCE


def _build_given(content, made):
    if content == INSTANCE:
        return made
    return SoftDecisionTree(**decode(content)) if isinstance(content, dict) else STUDENTS[content]


def _load_into(learner, content, arrays):
    """Make a net ready around a module of the user's, and give this the weights of a file."""
    rows, outputs = _rows_of(content["rows"]), content["rows"]["n_outputs"]
    kind = learner._task
    y = np.arange(outputs) if kind is ClassTask else np.zeros((2, outputs))
    learner.prepare(rows, kind.from_y(y), seed=0)
    module, state = learner.module_, _state_of(content, arrays)
    if misfits := find_misfits(module, state):
        shown = "; ".join(
            f"{one.name!r} is {_shown(one.of_file)} in the file and {_shown(one.of_module)} in the "
            f"module"
            for one in misfits[:3]
        )
        raise StudentError(
            f"its weights are those of {content['of']} and do not fit the module "
            f"{type(module).__name__}: {shown}; expected the same names and shapes. Pass "
            f"module=... with the settings that it had when it was trained"
        )
    module.load_state_dict(state)
    module.eval()
    return learner


def _shown(shape):
    return "not there" if shape is None else shape


def _as_net(module, content):
    if not isinstance(module, NeuralNet):
        raise StudentError(
            f"The file is of a student around a skorch net ({content['of']}), and "
            f"module={shorten(module)} was given; expected the net as it was given to be trained, "
            f"such as module=NeuralNetClassifier(MyModule)"
        )
    return module


def _keep_state(module, arrays):
    """Keep the weights of a module; return the precision of those that are kept in fewer bytes."""
    dtypes = {}
    for key, values in module.state_dict().items():
        if isinstance(values, torch.Tensor) and values.dtype is not torch.bfloat16:
            found = values.detach().cpu().resolve_conj().resolve_neg().numpy()
            if is_storable(found.dtype):
                compact = find_compact(found)
                if compact is not None:
                    dtypes[key] = found.dtype.name
                    if compact.scale is not None:
                        arrays.add(SCALE + key, compact.scale)
                arrays.add(STATE + key, found if compact is None else compact.values)
                continue
        raise StudentError(
            f"The module {type(module).__name__} cannot be saved: {key!r} of its state dict is "
            f"{getattr(values, 'dtype', type(values).__name__)}; expected tensors of numbers of a "
            f"usual precision. Convert it: module.float()."
        )
    return dtypes


def _state_of(content, arrays):
    weights = read_weights(content, arrays)
    return {key: torch.from_numpy(values).clone() for key, values in weights.items()}


def _describe_rows(learner):
    """Return what shape and kind the rows of a net have."""
    shape = getattr(learner, "row_shape_", (getattr(learner, "n_features_in_", 1),))
    shape = {n: list(s) for n, s in shape.items()} if isinstance(shape, dict) else list(shape)
    layout = getattr(learner, "layout_", {})
    return {
        "shape": encode(shape),
        "is_sparse": getattr(learner, "learns_sparse_", False),
        "layout": {name: encode(value) for name, value in layout.items()},
        "n_outputs": int(getattr(learner, "n_outputs_", len(_outputs_of(learner.link_)))),
    }


def _outputs_of(link):
    return link.scale if isinstance(link, NumberLink) else link.classes


def _shape_of(content):
    """Return the shape of a row; see `shape_of_row`."""
    shape = decode(content["shape"])
    if isinstance(shape, dict):
        return {name: tuple(of_one) for name, of_one in shape.items()}
    return tuple(shape)


def _rows_of(content):
    """Return two rows of zeros of such shape and kind."""
    shape = _shape_of(content)
    if isinstance(shape, dict):
        return {name: _rows_of({**content, "shape": list(s)}) for name, s in shape.items()}
    shape = (2, *shape)
    if np.prod(shape, dtype=object) > MOST_CELLS and not content["is_sparse"]:
        raise ValueError(f"rows of the shape {shape[1:]} are larger than any that are tried")
    if content["is_sparse"]:
        return sparse.csr_matrix(shape)
    layout = {name: decode(value) for name, value in content["layout"].items()}
    rows = np.broadcast_to(np.float32(0), shape)
    return EncodedTable(rows, layout["n_numeric"], layout["cardinalities"]) if layout else rows


def _describe_link(link, arrays):
    kind = type(link).__name__
    if isinstance(link, LabelLink):
        return {"class": kind, "classes": encode_labels(link.names)}
    if isinstance(link, NumberLink):
        parts = {"mean": link.mean, "scale": link.scale}
        return {"class": kind, **{n: arrays.add(f"link.{n}", v) for n, v in parts.items()}}
    found = {"class": kind, "classes": encode_labels(link.classes)}
    if isinstance(link, ClassLink):
        found |= {"from_probabilities": bool(link.from_probabilities)}
        found |= {"temperature": encode(float(link.temperature))}
    return found


def _build_link(content, arrays):
    match content["class"]:
        case kind if kind in LABEL_LINKS:
            names = decode_labels(content["classes"])
            return LABEL_LINKS[kind](len(names), names)
        case "NumberLink":
            return NumberLink(*(arrays.get_array(content[name]) for name in ("mean", "scale")))
        case "ClassLink":
            labels = decode_labels(content["classes"])
            return ClassLink(labels, content["from_probabilities"], decode(content["temperature"]))
        case "ProbabilityLink":
            return ProbabilityLink(decode_labels(content["classes"]))
    raise ValueError(f"{shorten(content['class'])} is no link")
