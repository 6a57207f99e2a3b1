"""An ONNX graph that is written step by step."""

from typing import Any, NamedTuple

import numpy as np

from skdistill.deployment._compact import find_compact

OPSET = 18
IR_VERSION = 8
"""The file format's, which goes with the opset: onnxruntime reads both from 1.14 on."""

ML, ML_OPSET = "ai.onnx.ml", 3
ML_OPERATORS = ("LabelEncoder", "TreeEnsembleRegressor")
"""Those of the domain for classical models."""

ELEM_TYPES = {
    "float32": 1,
    "int8": 3,
    "int64": 7,
    "object": 8,
    "bool": 9,
    "float16": 10,
    "float64": 11,
}
"""The numbers by which ONNX knows dtypes."""

TEXT = np.dtype(object)
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


class Node(NamedTuple):
    """A step of a graph.

    Attributes
    ----------
    op : str
        The operator; "Module" stands for the graph of another model, with one input and one output.
    inputs : list of str
    output : str
    attributes : dict of str to object
        Numbers, texts, lists of these, and arrays.
    """

    op: str
    inputs: list[str]
    output: str
    attributes: dict[str, Any]


class Graph:
    """Nodes in the order in which they are computed; a value is known by its name.

    It is plain data, which needs no onnx until `to_model`.

    Attributes
    ----------
    nodes : list of Node
    constants : dict of str to ndarray
    dtypes : dict of str to dtype
        What each value holds; texts are objects.
    """

    def __init__(self):
        self.nodes: list[Node] = []
        self.constants: dict[str, np.ndarray] = {}
        self.dtypes: dict[str, np.dtype] = {}
        self._inputs: dict[str, tuple[int, ...]] = {}
        self._outputs: dict[str, tuple[int, ...]] = {}

    def input(self, name, dtype, shape=(1,)):
        """Declare an input whose first axis is that of the rows; return its name."""
        self._inputs[name], self.dtypes[name] = shape, np.dtype(dtype)
        return name

    def output(self, name, value, shape=()):
        """Declare an output whose first axis is that of the rows."""
        self.nodes.append(Node("Identity", [value], name, {}))
        self._outputs[name], self.dtypes[name] = shape, self.dtypes[value]

    def add(self, op, *inputs, dtype=None, **attributes):
        """Add a node.

        Parameters
        ----------
        op : str
            The operator.
        *inputs : str or ndarray
            Values, and constants as they are.
        dtype : dtype, default=None
            What the result holds; None is what the first input holds.
        **attributes

        Returns
        -------
        str
            The name of its result.
        """
        names = [one if isinstance(one, str) else self._constant(one) for one in inputs]
        name = f"/{op}/{len(self.nodes)}"  # no input's name begins so
        self.nodes.append(Node(op, names, name, attributes))
        self.dtypes[name] = self.dtypes[names[0]] if dtype is None else np.dtype(dtype)
        return name

    def weights(self, array):
        """Return weights as a value: kept in fewer bytes where these say them exactly.

        Whoever runs the graph computes them once, when it is opened.
        """
        compact = find_compact(array)
        if compact is None:
            return self._constant(array)
        values = self.cast(self._constant(compact.values), array.dtype)
        return values if compact.scale is None else self.add("Mul", values, compact.scale)

    def cast(self, value, dtype):
        """Return a value in another dtype."""
        dtype = np.dtype(dtype)
        if self.dtypes[value] == dtype:
            return value
        return self.add("Cast", value, dtype=dtype, to=ELEM_TYPES[dtype.name])

    def undo(self, n_nodes):
        """Forget all nodes but the first ones."""
        del self.nodes[n_nodes:]
        used = {name for node in self.nodes for name in node.inputs}
        self.constants = {name: v for name, v in self.constants.items() if name in used}

    def join(self, values, axis=1):
        """Return values of one dtype side by side."""
        return values[0] if len(values) == 1 else self.add("Concat", *values, axis=axis)

    def to_model(self, onnx, metadata):
        """Return the whole as a model, checked by onnx.

        Parameters
        ----------
        onnx : module
        metadata : dict of str to str

        Returns
        -------
        onnx.ModelProto
        """
        helper, as_tensor = onnx.helper, onnx.numpy_helper.from_array

        def declared(values):
            return [
                helper.make_tensor_value_info(
                    name, ELEM_TYPES[self.dtypes[name].name], ["rows", *shape]
                )
                for name, shape in values.items()
            ]

        def written(node):
            if node.op == "Module":
                return embedded(node)
            attributes = {
                name: as_tensor(value) if isinstance(value, np.ndarray) else value
                for name, value in node.attributes.items()
            }
            domain = ML if node.op in ML_OPERATORS else None
            return [
                helper.make_node(node.op, node.inputs, [node.output], domain=domain, **attributes)
            ]

        def embedded(node):
            inner = onnx.compose.add_prefix_graph(node.attributes["model"], f"{node.output}/")
            weights.extend(inner.initializer)
            enter = helper.make_node("Identity", node.inputs, [inner.input[0].name])
            leave = helper.make_node("Identity", [inner.output[0].name], [node.output])
            return [enter, *inner.node, leave]

        weights = [as_tensor(array, name) for name, array in self.constants.items()]
        graph = helper.make_graph(
            [one for node in self.nodes for one in written(node)],
            "student",
            declared(self._inputs),
            declared(self._outputs),
            weights,
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="skdistill"
        )
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _constant(self, array):
        array = np.asarray(array)
        name = f"/constant/{len(self.dtypes)}"
        self.constants[name], self.dtypes[name] = array, array.dtype
        return name
