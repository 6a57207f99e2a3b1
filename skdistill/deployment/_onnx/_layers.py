"""The layers of torch as nodes of an ONNX graph, in evaluation mode."""

import math
from collections.abc import Callable

import numpy as np

from skdistill.deployment._plain_modules import weights_of
from skdistill.exceptions import ExportError


def no_layer(module, reason=""):
    """Return the error for a module that cannot be written."""
    return ExportError(
        f"The layer {module} cannot be written as ONNX{reason}; expected layers that ONNX has a "
        f"counterpart for, called one after the other, such as Linear, Conv2d, BatchNorm2d and "
        f"ReLU. skdistill.deployment.save keeps every module."
    )


def linear(graph, layer, x):
    """Wx + b, over the last axis."""
    x = graph.add("MatMul", x, graph.weights(weights_of(layer.weight).T.copy()))
    return x if layer.bias is None else graph.add("Add", x, weights_of(layer.bias))


def flatten(graph, layer, x):
    """All axes but the rows' become one."""
    if (layer.start_dim, layer.end_dim) != (1, -1):
        raise no_layer(layer, " with these axes")
    return graph.add("Flatten", x, axis=1)


def convolution(graph, layer, x):
    """A convolution with zeros around the map."""
    if layer.padding_mode != "zeros" or isinstance(layer.padding, str):
        raise no_layer(layer, " with this padding")
    weights = [graph.weights(weights_of(layer.weight))]
    if layer.bias is not None:
        weights.append(weights_of(layer.bias))
    return graph.add(
        "Conv",
        x,
        *weights,
        kernel_shape=list(layer.kernel_size),
        strides=list(layer.stride),
        dilations=list(layer.dilation),
        pads=[*layer.padding, *layer.padding],
        group=layer.groups,
    )


def batch_norm(graph, layer, x):
    """Normalisation by the running statistics."""
    if layer.running_mean is None:
        raise no_layer(layer, " without running statistics")
    mean, variance = weights_of(layer.running_mean), weights_of(layer.running_var)
    weight, bias = np.ones_like(mean), np.zeros_like(mean)
    if layer.affine:
        weight, bias = weights_of(layer.weight), weights_of(layer.bias)
    return graph.add("BatchNormalization", x, weight, bias, mean, variance, epsilon=layer.eps)


def layer_norm(graph, layer, x):
    """Normalisation over the last axes."""
    shape = layer.normalized_shape
    weight = np.ones(shape, graph.dtypes[x]) if layer.weight is None else weights_of(layer.weight)
    rest = [] if layer.bias is None else [weights_of(layer.bias)]
    return graph.add("LayerNormalization", x, weight, *rest, axis=-len(shape), epsilon=layer.eps)


def pool(op):
    """Return what writes a pooling with a fixed window."""

    def write(graph, layer, x):
        settings = {"count_include_pad": int(getattr(layer, "count_include_pad", True))}
        if op == "MaxPool":
            if layer.return_indices:
                raise no_layer(layer, " with indices")
            settings = {"dilations": _pair(layer.dilation)}
        elif getattr(layer, "divisor_override", None):
            raise no_layer(layer, " with a divisor of its own")
        return graph.add(
            op,
            x,
            kernel_shape=_pair(layer.kernel_size),
            strides=_pair(layer.stride),
            pads=_pair(layer.padding) * 2,
            ceil_mode=int(layer.ceil_mode),
            **settings,
        )

    return write


def global_pool(op):
    """Return what writes a pooling over the whole map."""

    def write(graph, layer, x):
        if layer.output_size not in (1, (1, 1)):
            raise no_layer(layer, " to this size")
        return graph.add(op, x)

    return write


def same(graph, layer, x):
    """Nothing."""
    return x


def unary(op, **settings):
    """Return what writes a function of each number; settings name the layer's attributes."""

    def write(graph, layer, x):
        given = {name: float(getattr(layer, of)) for name, of in settings.items()}
        return graph.add(op, x, **given)

    return write


def clip(low, high):
    """Return what writes a number between two bounds, or the layer's own."""

    def write(graph, layer, x):
        bounds = (getattr(layer, "min_val", low), getattr(layer, "max_val", high))
        return graph.add("Clip", x, *(np.array(b, graph.dtypes[x]) for b in bounds))

    return write


def silu(graph, layer, x):
    """X times its sigmoid."""
    return graph.add("Mul", x, graph.add("Sigmoid", x))


def gelu(graph, layer, x):
    """X times the normal distribution function of it."""
    if layer.approximate != "none":
        raise no_layer(layer, " with an approximation")
    dtype = graph.dtypes[x]
    share = graph.add("Erf", graph.add("Div", x, np.array(math.sqrt(2), dtype)))
    share = graph.add("Mul", graph.add("Add", share, np.array(1, dtype)), np.array(0.5, dtype))
    return graph.add("Mul", x, share)


def over_axis(op):
    """Return what writes a softmax over one axis."""

    def write(graph, layer, x):
        if layer.dim is None:
            raise no_layer(layer, " without its axis")
        return graph.add(op, x, axis=layer.dim)

    return write


def _pair(value):
    return list(value) if isinstance(value, tuple) else [value, value]


LAYERS: dict[str, Callable] = {
    "nn.Linear": linear,
    "nn.Flatten": flatten,
    "nn.LayerNorm": layer_norm,
    **dict.fromkeys(("nn.Conv1d", "nn.Conv2d", "nn.Conv3d"), convolution),
    **dict.fromkeys(("nn.BatchNorm1d", "nn.BatchNorm2d", "nn.BatchNorm3d"), batch_norm),
    "nn.MaxPool2d": pool("MaxPool"),
    "nn.AvgPool2d": pool("AveragePool"),
    "nn.AdaptiveAvgPool2d": global_pool("GlobalAveragePool"),
    "nn.AdaptiveMaxPool2d": global_pool("GlobalMaxPool"),
    **dict.fromkeys(("nn.Identity", "Dropout", "nn.Dropout", "nn.Dropout1d", "nn.Dropout2d"), same),
    "nn.ReLU": unary("Relu"),
    "nn.Tanh": unary("Tanh"),
    "nn.Sigmoid": unary("Sigmoid"),
    "nn.LeakyReLU": unary("LeakyRelu", alpha="negative_slope"),
    "nn.ELU": unary("Elu", alpha="alpha"),
    "nn.SELU": unary("Selu"),
    "nn.Hardswish": unary("HardSwish"),
    "nn.ReLU6": clip(0.0, 6.0),
    "nn.Hardtanh": clip(-1.0, 1.0),
    "nn.SiLU": silu,
    "nn.GELU": gelu,
    "nn.Softmax": over_axis("Softmax"),
    "nn.LogSoftmax": over_axis("LogSoftmax"),
}
"""By the names that files have for their classes."""
