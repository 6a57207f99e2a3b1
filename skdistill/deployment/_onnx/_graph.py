"""An ONNX graph that is written step by step."""

import numpy as np

from skdistill.deployment._compact import find_compact

OPSET = 18
IR_VERSION = 8
"""The file format's, which goes with the opset: onnxruntime reads both from 1.14 on."""

ML, ML_OPSET = "ai.onnx.ml", 3
ML_OPERATORS = ("LabelEncoder", "TreeEnsembleRegressor")
"""Those of the domain for classical models."""

TEXT = np.dtype(object)
FLOAT32, FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


class Graph:
    """Nodes in the order in which they are computed; a value is known by its name.

    Parameters
    ----------
    onnx : module

    Attributes
    ----------
    dtypes : dict of str to dtype
        What each value holds; texts are objects.
    """

    def __init__(self, onnx):
        self.onnx = onnx
        self.dtypes = {}
        self._nodes, self._constants = [], []
        self._inputs, self._outputs = [], []

    def input(self, name, dtype, shape=(1,)):
        """Declare an input whose first axis is that of the rows; return its name."""
        self._inputs.append(self._declare(name, np.dtype(dtype), shape))
        return name

    def output(self, name, value, shape=()):
        """Declare an output whose first axis is that of the rows."""
        self._nodes.append(self.onnx.helper.make_node("Identity", [value], [name]))
        self._outputs.append(self._declare(name, self.dtypes[value], shape))

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
        name = f"/{op}/{len(self._nodes)}"  # no input's name begins so
        if op in ML_OPERATORS:
            attributes["domain"] = ML
        self._nodes.append(self.onnx.helper.make_node(op, names, [name], **attributes))
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
        return self.add("Cast", value, dtype=dtype, to=self._elem_type(dtype))

    def join(self, values, axis=1):
        """Return values of one dtype side by side."""
        return values[0] if len(values) == 1 else self.add("Concat", *values, axis=axis)

    def tensor(self, array):
        """Return an array as the attribute of a node."""
        return self.onnx.numpy_helper.from_array(array)

    def to_model(self, metadata):
        """Return the whole as a model, checked by onnx.

        Parameters
        ----------
        metadata : dict of str to str

        Returns
        -------
        onnx.ModelProto
        """
        helper = self.onnx.helper
        graph = helper.make_graph(
            self._nodes, "student", self._inputs, self._outputs, self._constants
        )
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        model = helper.make_model(
            graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="skdistill"
        )
        helper.set_model_props(model, metadata)
        self.onnx.checker.check_model(model, full_check=True)
        return model

    def _constant(self, array):
        array = np.asarray(array)
        name = f"/constant/{len(self._constants)}"
        self._constants.append(self.onnx.numpy_helper.from_array(array, name))
        self.dtypes[name] = array.dtype
        return name

    def _declare(self, name, dtype, shape):
        self.dtypes[name] = dtype
        return self.onnx.helper.make_tensor_value_info(
            name, self._elem_type(dtype), ["rows", *shape]
        )

    def _elem_type(self, dtype):
        if dtype == TEXT:
            return self.onnx.TensorProto.STRING
        return self.onnx.helper.np_dtype_to_tensor_dtype(dtype)
