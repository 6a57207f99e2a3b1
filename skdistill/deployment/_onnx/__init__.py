"""Students as ONNX graphs."""

from skdistill.deployment._onnx._to_onnx import to_onnx

__all__ = ["to_onnx"]
