"""Ids that an embedding has no row for, such as those of another tokenizer."""

import contextlib
from collections.abc import Iterator

import torch
from torch import nn

from skdistill._input._inputs import name_rows
from skdistill._torch import INFERENCE_BATCH_CPU, as_tensor, evaluating, run_module
from skdistill.exceptions import StudentError

FIRST_ROWS = 8
"""Rows that go through the whole module, to see how often its embeddings are asked."""

SHOWN = 6


class _Enough(Exception):
    """The last embedding has its ids: what comes after it is of no interest."""


class _Beyond(Exception):
    """An embedding got what is no id of its own."""


def ids_beyond(module: nn.Module, X) -> str | None:
    """Say what a module's embeddings are given that is no id of theirs.

    A module without an embedding is not run. The ids are looked at before an embedding reads them:
    after one that it does not have, a GPU computes no more. All rows are looked at, but only a few
    go further than to the last embedding.

    Parameters
    ----------
    module : torch.nn.Module
    X : {array-like, SliceDict} of shape (n_samples, ...)
        Rows; see `skdistill._torch.as_tensor`.

    Returns
    -------
    str or None
        What came, what was expected and the next step; None where all ids are known, and where the
        module cannot read the rows at all.
    """
    names = {
        part: name
        for name, part in module.named_modules()
        if isinstance(part, nn.Embedding | nn.EmbeddingBag)
    }
    if not names:
        return None
    n_calls, n_known = 0, None

    def look(part, args, kwargs):
        nonlocal n_calls
        ids = args[0] if args else kwargs["input"]
        if ids.is_floating_point():
            raise _Beyond(
                f"its embedding {names[part]!r} got numbers of {ids.dtype}; expected ids, whole "
                f"numbers. Pass X.astype(int), and no step before it that makes other numbers of "
                f"them"
            )
        is_beyond = (ids < 0) | (ids >= part.num_embeddings)
        if is_beyond.any():
            raise _Beyond(_in_words(names[part], part.num_embeddings, ids[is_beyond]))
        n_calls += 1
        if n_calls == n_known:
            raise _Enough

    starts = [0, *range(FIRST_ROWS, X.shape[0], INFERENCE_BATCH_CPU)]
    handles = [part.register_forward_pre_hook(look, with_kwargs=True) for part in names]
    try:
        with evaluating(module):
            for start, stop in zip(starts, [*starts[1:], X.shape[0]], strict=True):
                n_calls = 0
                with contextlib.suppress(_Enough):
                    rows = as_tensor(X[start:stop], module, copy=True)
                    run_module(module, rows, next(iter(names)).weight.device)
                n_known = n_calls
    except _Beyond as beyond:
        return str(beyond)
    except Exception:  # who runs the module in earnest says it
        return None
    finally:
        for handle in handles:
            handle.remove()
    return None


def _in_words(name, n_ids, beyond):
    came = torch.unique(beyond).tolist()
    step = "Map"
    if came[-1] >= n_ids:
        step = f"Make it with num_embeddings={came[-1] + 1} or what the tokenizer has, or map"
    return (
        f"its embedding {name!r} got the ids {came[:SHOWN]}{' and more' * (len(came) > SHOWN)}, "
        f"and has num_embeddings={n_ids}; expected ids from 0 to {n_ids - 1}. {step} others to "
        f"the id of unknown tokens"
    )


def refuse_ids(module: nn.Module, X, who: str = "", error: type[ValueError] = StudentError) -> None:
    """Refuse rows with ids that a module's embeddings do not have.

    Parameters
    ----------
    module : torch.nn.Module
    X : {array-like, SliceDict} of shape (n_samples, ...)
        See `ids_beyond`.
    who : str, default=""
        The beginning of the sentence, such as "The teacher cannot read"; of a student it is known.
    error : type, default=StudentError
        The class of the refusal.
    """
    said = ids_beyond(module, X)
    if said:
        who = who or f"The student's module {type(module).__name__} cannot read"
        raise error(f"{who} {name_rows(X)}: {said}.") from None


@contextlib.contextmanager
def naming_ids(module: nn.Module, X, *who_and_error) -> Iterator[None]:
    """Run a module inside the block, and say which ids it has not; see `refuse_ids`."""
    first = next(module.parameters(), None)
    if first is not None and first.device.type != "cpu":
        refuse_ids(module, X, *who_and_error)
    try:
        yield
    except IndexError:
        refuse_ids(module, X, *who_and_error)
        raise
