"""Modules that `torch.compile` has made, and what is inside of them."""


def uncompiled(module):
    """Return the module that was compiled, with the same weights; any other as it is.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    torch.nn.Module
    """
    return getattr(module, "_orig_mod", module)
