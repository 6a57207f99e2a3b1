"""Modules of a file as plain attributes, for what reads them and computes without torch."""

from collections.abc import Callable

from skdistill.deployment._values import decode


class PlainModule:
    """A module as a file describes it: settings, weights and parts are its attributes.

    Parameters
    ----------
    description : dict
        Of `describe_module`.
    arrays : dict of str to ndarray
        The weights of the whole, by their names in its state dict.
    prefix : str, default=""
        What the names of its own begin with.

    Attributes
    ----------
    kind : str
        The name of its class; see `kind_of`.
    parts : list of PlainModule
    """

    def __init__(self, description, arrays, prefix=""):
        settings = {name: decode(v) for name, v in description.get("settings", {}).items()}
        own = [key.removeprefix(prefix) for key in arrays if key.startswith(prefix)]
        weights = {name: arrays[prefix + name] for name in own if "." not in name}
        parts = {
            name: PlainModule(part, arrays, f"{prefix}{name}.")
            for name, part in description.get("parts", {}).items()
        }
        if "bias" in settings:
            settings["bias"] = None  # whether it has one: its weights tell
        vars(self).update(settings | weights | parts)
        self.kind, self.parts = description["class"], list(parts.values())
        if weights:
            self._check(weights, description.get("shape", ()))

    def _check(self, weights, shape):
        """Refuse weights of other shapes than the layer has, which NumPy would stretch."""
        wanted = SHAPES[self.kind](self, *shape)
        for name, values in weights.items():
            if values.shape != wanted[name]:
                raise ValueError(f"{name} of {self.kind} has the shape {values.shape}")

    def __iter__(self):
        return iter(self.parts)


def _of_tree(tree):
    n_leaves, n_outputs = tree.leaves.shape
    n_plain = tree.n_features - tree.n_codes
    if n_leaves != 1 << min(tree.depth, 32):
        raise ValueError(f"{n_leaves} leaves are none of depth {tree.depth}")
    return {
        "weight": (n_leaves - 1, n_plain),
        "bias": (n_leaves - 1,),
        "leaves": (n_leaves, n_outputs),
    }


SHAPES: dict[str, Callable] = {
    "nn.Linear": lambda layer: {
        "weight": (layer.out_features, layer.in_features),
        "bias": (layer.out_features,),
    },
    "nn.Embedding": lambda layer: {"weight": (layer.num_embeddings, layer.embedding_dim)},
    "PiecewiseLinearEmbedding": lambda layer, n, size, bins: {
        "weight": (n, size, bins),
        **dict.fromkeys(("slope", "offset", "center"), (n, 1, bins)),
    },
    "MemberLinear": lambda layer, members, width, n: {
        "weight": (members, width, n),
        "bias": (members, 1, n),
    },
    "MemberMLP": lambda module: {"scale": (len(module.heads.weight), module.scale.shape[-1])},
    "SoftDecisionTree": _of_tree,
    **dict.fromkeys(
        ("GatedClasses", "GatedColumns"), lambda module: {"places": (sum(module.sizes),)}
    ),
}
"""The shapes of the weights of layers that compute without torch."""


def kind_of(module):
    """Return the name of a module's class, None where no file knows the class.

    Parameters
    ----------
    module : torch.nn.Module or PlainModule
    """
    if isinstance(module, PlainModule):
        return module.kind
    from skdistill.deployment._modules import NAMES  # which imports torch

    return NAMES.get(type(module))


def weights_of(tensor):
    """Return a parameter, a buffer or an array as an array."""
    return tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else tensor
