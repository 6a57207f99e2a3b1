"""Distillation in torch alone, as well as it can be written, and the data of the benchmarks."""

import copy
import itertools
from pathlib import Path

import numpy as np
import torch
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import make_classification
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from torch import nn
from torch.nn.functional import cross_entropy, log_softmax

EPOCHS = 5
LR = 0.001


def mlp(*widths):
    """Return linear layers of these widths with ReLU between them."""
    layers = []
    for n_in, n_out in itertools.pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def raw_fit(X, y, soft, hidden, batch_size, *, temperature=1.0, hold_out=True, device="cpu"):
    """Distil by hand.

    Rows and targets are on the device, a batch is an `index_select`, the softened targets are
    made once, AdamW is fused, losses are read once an epoch; a stratified tenth is held back
    and the best epoch kept.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32
    y : ndarray of shape (n_samples,), int64
    soft : ndarray of shape (n_samples, n_classes)
        The teacher's probabilities.
    hidden : tuple of int
    batch_size : int
    temperature : float, default=1.0
    hold_out : bool, default=True
    device : str, default="cpu"

    Returns
    -------
    torch.nn.Module
    """
    module = mlp(X.shape[1], *hidden, soft.shape[1]).to(device)
    parameters = list(module.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=LR, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)
    X, y = torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)
    p = torch.softmax(torch.from_numpy(np.log(soft)).float().to(device) / temperature, dim=1)
    order = torch.arange(len(X), device=device)
    if hold_out:
        split = StratifiedShuffleSplit(1, test_size=0.1, random_state=0)
        train, valid = next(split.split(y.cpu(), y.cpu()))
        order, valid = torch.from_numpy(train).to(device), torch.from_numpy(valid).to(device)
        X_valid, y_valid = X[valid], y[valid]
    least = np.inf
    for _ in range(EPOCHS):
        losses = []
        for rows in order[torch.randperm(len(order), device=device)].split(batch_size):
            logits = module(X.index_select(0, rows))
            hard = cross_entropy(logits, y.index_select(0, rows))
            soft_term = cross_entropy(logits / temperature, p.index_select(0, rows))
            loss = 0.5 * hard + 0.5 * temperature**2 * soft_term
            for parameter in parameters:
                parameter.grad = None
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
        schedule.step()
        torch.stack(losses).mean().item()
        if hold_out:
            with torch.no_grad():
                loss = cross_entropy(module(X_valid), y_valid).item()
            if loss < least:
                least, best = loss, copy.deepcopy(module.state_dict())
    if hold_out:
        module.load_state_dict(best)
    return module


def train_teacher(X, y, hidden, device="cpu"):
    """Return a torch classifier trained on labels for one epoch, in evaluation mode."""
    module = mlp(X.shape[1], *hidden, int(y.max()) + 1)
    optimizer = torch.optim.AdamW(module.parameters(), lr=LR, fused=True)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for rows in torch.randperm(len(X)).split(128):
        optimizer.zero_grad()
        cross_entropy(module(X[rows]), y[rows]).backward()
        optimizer.step()
    return module.to(device).eval()


def ask(teacher, X):
    """Return a torch teacher's probabilities, float64."""
    device = next(teacher.parameters()).device
    with torch.no_grad():
        logits = [teacher(rows.to(device)) for rows in torch.from_numpy(X).split(4096)]
    return log_softmax(torch.cat(logits).double(), dim=1).exp().cpu().numpy()


def synthetic(n_samples, n_features=50, n_classes=2):
    """Return rows (float32), labels and soft targets made up."""
    X, y = make_classification(
        n_samples, n_features, n_informative=20, n_classes=n_classes, flip_y=0.1, random_state=0
    )
    logits = np.random.default_rng(0).normal(size=(n_samples, n_classes))
    logits[np.arange(n_samples), y] += 2
    return X.astype(np.float32), y, _softmax(logits)


def fashion_mnist(folder, n_samples):
    """Return images as rows in [0, 1] and labels; None where the file is missing."""
    path = Path(folder or "") / "fashion_mnist.npz"
    if not path.is_file():
        return None
    with np.load(path) as arrays:
        images, labels = arrays["X_train"][:n_samples], arrays["y_train"][:n_samples]
    return images.reshape(len(images), -1).astype(np.float32) / 255, labels.astype(np.int64)


def adult_table(folder):
    """Return Adult's columns as a DataFrame and labels; None where the file is missing."""
    path = Path(folder or "") / "adult_train.csv.gz"
    if not path.is_file():
        return None
    import pandas as pd

    table = pd.read_csv(path)
    y = np.unique(table.iloc[:, -1].astype(str).str.strip(" ."), return_inverse=True)[1]
    return table.iloc[:, :-1], y.astype(np.int64)


def adult_floats(table):
    """Return Adult's columns as standardised and one-hot float32 columns."""
    return np.ascontiguousarray(column_transformer().fit_transform(table), dtype=np.float32)


def column_transformer():
    """Return the usual preprocessing of a mixed table."""
    return make_column_transformer(
        (
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            make_column_selector(dtype_exclude="number"),
        ),
        (StandardScaler(), make_column_selector(dtype_include="number")),
    )


def _softmax(logits):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)
