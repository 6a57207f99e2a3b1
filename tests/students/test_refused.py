"""Settings of modules and preprocessing that are out of range, and rows that they cannot read."""

import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from torch import nn

from skdistill import (
    DistilledClassifier,
    DistilledRegressor,
    StudentNet,
    StudentNetRegressor,
)
from skdistill.exceptions import ColumnError, StudentError
from skdistill.students import (
    MLP,
    ConvNet,
    ImagePreprocessor,
    Linear,
    PiecewiseLinearEmbedding,
    SoftDecisionTree,
    SparseMLP,
    TablePreprocessor,
    TabularMLP,
    factorize,
    freeze,
    grow,
    layer_names,
    shrink,
    split,
    truncate,
)

X, Y = np.random.default_rng(0).normal(size=(30, 5)), np.arange(30) % 3
IMAGES = np.random.default_rng(0).random((30, 3, 12, 10), dtype=np.float32)
LAST = np.moveaxis(IMAGES, 1, -1)
GREY = IMAGES[:, 0]
SPARSE = sparse.csr_matrix(X)


class Unasked(LogisticRegression):
    """A teacher that nobody may fit: what is refused is refused before."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted before the refusal")


class UnaskedRegressor(Ridge):
    """Its sibling for numbers."""

    def fit(self, X, y):
        pytest.fail("the teacher was fitted before the refusal")


class Convolution(nn.Module):
    """A network of one's own that reads three channels."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)

    def forward(self, rows):
        return self.conv(rows).mean(dim=(2, 3))


def fit(module, rows=X, **settings):
    """Return an attempt to fit a module with these settings as the student."""
    settings = {f"module__{name}": value for name, value in settings.items()}
    student = StudentNet(module, max_epochs=1, **settings)
    return lambda: DistilledClassifier(Unasked(), student).fit(rows, Y)


def fit_numbers(module, **settings):
    """Return an attempt to fit a module with these settings as the student of numbers."""
    settings = {f"module__{name}": value for name, value in settings.items()}
    student = StudentNetRegressor(module, max_epochs=1, **settings)
    return lambda: DistilledRegressor(UnaskedRegressor(), student).fit(X, X[:, 0])


def preprocess(X, **settings):
    return lambda: TablePreprocessor(**settings).fit(X)


def images(X):
    return lambda: ImagePreprocessor().fit(X)


def module():
    with torch.random.fork_rng(devices=[]):
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))


def embed(rows):
    """Return an attempt to let an embedding of two columns see rows."""

    def adapt():
        with torch.random.fork_rng(devices=[]):
            PiecewiseLinearEmbedding(2).adapt(rows)

    return adapt


def setting(name, owner, values, instead):
    """Return the pattern of the one message about settings."""
    return f"The '{name}' parameter of {owner} must be {values}. Got {instead} instead"


COUNT = r"an int in the range \[1, inf\)"
COUNTS = r"a tuple of ints in the range \[1, inf\)"
DEPTH = r"an int in the range \[1, 12\]"
SHARE = r"a float in the range \[0.0, 1.0\)"

MODULES = {
    "MLP, a share of 1 left out": (MLP, {"dropout": 1.0}, "dropout", SHARE, "1.0"),
    "MLP, a share below 0": (MLP, {"dropout": -0.1}, "dropout", SHARE, "-0.1"),
    "MLP, a share of NaN": (MLP, {"dropout": np.nan}, "dropout", SHARE, "nan"),
    "MLP, a share in words": (MLP, {"dropout": "some"}, "dropout", SHARE, "'some'"),
    "MLP, one number for a tuple": (MLP, {"hidden_units": 64}, "hidden_units", COUNTS, "64"),
    "MLP, a layer of no unit": (MLP, {"hidden_units": (8, 0)}, "hidden_units", COUNTS, r"\(8, 0\)"),
    "MLP, a layer of half a unit": (
        MLP,
        {"hidden_units": (8.5,)},
        "hidden_units",
        COUNTS,
        r"\(8.5,\)",
    ),
    "MLP, units in words": (MLP, {"hidden_units": "wide"}, "hidden_units", COUNTS, "'wide'"),
    "MLP, units of None": (MLP, {"hidden_units": None}, "hidden_units", COUNTS, "None"),
    "MLP, no features": (MLP, {"n_features": 0}, "n_features", COUNT, "0"),
    "MLP, no classes": (MLP, {"n_classes": 0}, "n_classes", COUNT, "0"),
    "MLP, classes as a list": (MLP, {"n_classes": [0, 1]}, "n_classes", COUNT, r"\[0, 1\]"),
    "Linear, no features": (Linear, {"n_features": -5}, "n_features", COUNT, "-5"),
    "Linear, half a class": (Linear, {"n_classes": 2.5}, "n_classes", COUNT, "2.5"),
    "SparseMLP, a layer of no unit": (
        *(SparseMLP, {"hidden_units": (0,)}, "hidden_units", COUNTS, r"\(0,\)"),
    ),
    "SparseMLP, a share above 1": (SparseMLP, {"dropout": 50}, "dropout", SHARE, "50"),
    "SparseMLP, no features": (SparseMLP, {"n_features": 0}, "n_features", COUNT, "0"),
    "TabularMLP, a share below 0": (TabularMLP, {"dropout": -1}, "dropout", SHARE, "-1"),
    "TabularMLP, more quantities than columns": (
        *(TabularMLP, {"n_numeric": 9}, "n_numeric", r"an int in the range \[0, 5\]", "9"),
    ),
    "TabularMLP, quantities below 0": (
        *(TabularMLP, {"n_numeric": -1}, "n_numeric", r"an int in the range \[0, inf\)", "-1"),
    ),
    "TabularMLP, more codes than columns": (
        *(TabularMLP, {"cardinalities": (3,) * 6}, "cardinalities"),
        *("a tuple of no more than 5 ints, one for each column of codes", r"\(3, 3, 3, 3, 3, 3\)"),
    ),
    "TabularMLP, quantities that are codes too": (
        *(TabularMLP, {"n_numeric": 4, "cardinalities": (3, 3)}, "n_numeric"),
        *(r"an int in the range \[0, 3\]", "4"),
    ),
    "TabularMLP, a column of no code": (
        *(TabularMLP, {"cardinalities": (3, 0)}, "cardinalities", COUNTS, r"\(3, 0\)"),
    ),
    "TabularMLP, an embedding of no unit": (
        *(TabularMLP, {"embedding_size": 0}, "embedding_size", COUNT, "0"),
    ),
    "TabularMLP, no interval": (TabularMLP, {"n_bins": 0}, "n_bins", COUNT, "0"),
    "TabularMLP, no member": (TabularMLP, {"n_members": 0}, "n_members", COUNT, "0"),
    "TabularMLP, members in words": (TabularMLP, {"n_members": "2"}, "n_members", COUNT, "'2'"),
    "TabularMLP, half a member": (TabularMLP, {"n_members": 1.5}, "n_members", COUNT, "1.5"),
    "TabularMLP, members of None": (TabularMLP, {"n_members": None}, "n_members", COUNT, "None"),
    "TabularMLP, another mean": (
        *(TabularMLP, {"n_members": 2, "member_mean": "logits"}, "member_mean"),
        *("a str among {.*'probabilities'.*}", "'logits'"),
    ),
    "TabularMLP, another embedding": (
        *(TabularMLP, {"numeric_embedding": "periodic"}, "numeric_embedding"),
        *("a str among {'piecewise-linear'} or None", "'periodic'"),
    ),
    "SoftDecisionTree, no question": (SoftDecisionTree, {"depth": 0}, "depth", DEPTH, "0"),
    "SoftDecisionTree, too deep": (SoftDecisionTree, {"depth": 13}, "depth", DEPTH, "13"),
    "SoftDecisionTree, half a level": (SoftDecisionTree, {"depth": 2.5}, "depth", DEPTH, "2.5"),
    "SoftDecisionTree, no beta": (
        *(SoftDecisionTree, {"beta": 0}, "beta", r"a float in the range \(0.0, inf\)", "0"),
    ),
    "SoftDecisionTree, a penalty below 0": (
        *(SoftDecisionTree, {"penalty": -0.1}, "penalty"),
        *(r"a float in the range \[0.0, inf\)", "-0.1"),
    ),
    "SoftDecisionTree, another mean": (
        *(SoftDecisionTree, {"leaf_mean": "logits"}, "leaf_mean"),
        *("a str among {.*'probabilities'.*}", "'logits'"),
    ),
    "SoftDecisionTree, more codes than columns": (
        *(SoftDecisionTree, {"cardinalities": (3,) * 6}, "cardinalities"),
        *("a tuple of no more than 5 ints, one for each column of codes", r"\(3, 3, 3, 3, 3, 3\)"),
    ),
}
IMAGE_MODULES = {
    "ConvNet, a size of another kind": (
        *({"size": "huge"}, "size", "a str among {.*'medium'.*}", "'huge'"),
    ),
    "ConvNet, a size as a number": ({"size": 3}, "size", "a str among {.*'medium'.*}", "3"),
    "ConvNet, a share of 1 left out": ({"dropout": 1}, "dropout", SHARE, "1"),
    "ConvNet, no channels": ({"n_channels": 0}, "n_channels", COUNT, "0"),
    "ConvNet, no classes": ({"n_classes": -3}, "n_classes", COUNT, "-3"),
}
EMBEDDINGS = {
    "no columns": ({"n_features": 0}, "n_features", COUNT, "0"),
    "no unit": ({"n_features": 2, "size": 0}, "size", COUNT, "0"),
    "half an interval": ({"n_features": 2, "n_bins": 0.5}, "n_bins", COUNT, "0.5"),
}

REFUSED = {
    **{
        name: (ValueError, fit(kind, **given), setting(which, kind.__name__, values, instead))
        for name, (kind, given, which, values, instead) in MODULES.items()
    },
    **{
        name: (
            ValueError,
            fit(ConvNet, IMAGES, **given),
            setting(which, "ConvNet", values, instead),
        )
        for name, (given, which, values, instead) in IMAGE_MODULES.items()
    },
    **{
        f"PiecewiseLinearEmbedding, {name}": (
            ValueError,
            lambda given=given: PiecewiseLinearEmbedding(**given),
            setting(which, "PiecewiseLinearEmbedding", values, instead),
        )
        for name, (given, which, values, instead) in EMBEDDINGS.items()
    },
    "members that average probabilities of numbers": (
        StudentError,
        fit_numbers(TabularMLP, n_members=2, member_mean="probabilities"),
        "averages the probabilities of its members, and numbers are learnt; expected "
        "member_mean='outputs'",
    ),
    "an instance whose members average probabilities of numbers": (
        StudentError,
        lambda: fit_numbers(nn.Sequential(TabularMLP(5, 1, n_members=2)))(),
        "Sequential averages the probabilities.*Give it so, or give the module's class",
    ),
    "a tree that mixes probabilities of numbers": (
        StudentError,
        lambda: fit_numbers(SoftDecisionTree(5, 1))(),
        "averages the probabilities of its leaves, and numbers are learnt; expected "
        "leaf_mean='outputs'",
    ),
    "a tree for images": (
        StudentError,
        fit(SoftDecisionTree, IMAGES),
        r"cannot read rows of shape \(3, 12, 10\).*reads rows of shape \(n_features,\).*Flatten",
    ),
    "a tree without widths for images": (
        StudentError,
        lambda: DistilledClassifier(Unasked(), SoftDecisionTree(depth=2)).fit(GREY, Y),
        r"reads rows of shape \(n_features,\); got \(12, 10\). Flatten them: X.reshape",
    ),
    "a tree whose depth is none, without widths": (
        ValueError,
        lambda: SoftDecisionTree(depth=0),
        setting("depth", "SoftDecisionTree", DEPTH, "0"),
    ),
    "a tree with one of its two widths": (
        ValueError,
        lambda: SoftDecisionTree(5),
        setting("n_classes", "SoftDecisionTree", COUNT, "None"),
    ),
    "a tree without widths that is asked": (
        ValueError,
        lambda: SoftDecisionTree()(torch.zeros(2, 3)),
        "has no widths yet; expected .*Give n_features and n_classes, or pass it to a StudentNet",
    ),
    "embedding, rows of another width": (
        ValueError,
        embed(np.ones((4, 3))),
        r"shape \(4, 3\); expected finite numbers of shape \(n_samples, 2\)",
    ),
    "embedding, no rows": (
        ValueError,
        embed(np.ones((0, 2))),
        r"shape \(0, 2\); expected finite numbers of shape \(n_samples, 2\)",
    ),
    "embedding, gaps": (
        ValueError,
        embed(np.array([[1.0, np.nan]])),
        r"NaN or infinity among them; expected finite numbers .*Fill the gaps",
    ),
    "SparseMLP, gaps": (
        ValueError,
        lambda: SparseMLP(2, 2).adapt(np.array([[1.0, np.nan]])),
        "NaN or infinity among them; expected finite numbers.*Fill the gaps",
    ),
    # Preprocessing
    "max_one_hot below 0": (
        ValueError,
        preprocess(X, max_one_hot=-1),
        setting("max_one_hot", "TablePreprocessor", r"an int in the range \[0, inf\)", -1),
    ),
    "max_one_hot as a share": (
        ValueError,
        preprocess(X, max_one_hot=0.5),
        setting("max_one_hot", "TablePreprocessor", r"an int in the range \[0, inf\)", 0.5),
    ),
    "max_one_hot in a model": (
        ValueError,
        lambda: DistilledClassifier(
            Unasked(), make_pipeline(TablePreprocessor(max_one_hot="all"), StudentNet())
        ).fit(X, Y),
        setting("max_one_hot", "TablePreprocessor", r"an int in the range \[0, inf\)", "'all'"),
    ),
    "transform before fit": (
        NotFittedError,
        lambda: TablePreprocessor().transform(X),
        "TablePreprocessor instance is not fitted yet. Call 'fit'",
    ),
    "images for a table": (
        StudentError,
        preprocess(IMAGES),
        r"reads tables of shape \(n_samples, n_features\).*Images want an ImagePreprocessor",
    ),
    "texts for a table": (
        StudentError,
        preprocess(["good", "bad"]),
        r"reads tables of shape \(n_samples, n_features\).*texts a TfidfVectorizer before it",
    ),
    "one dimension": (
        ValueError,
        preprocess(X[:, 0]),
        r"Expected 2D array, got 1D array.*reshape\(-1, 1\)",
    ),
    "no rows": (ValueError, preprocess(X[:0]), r"0 sample\(s\).*minimum of 1 is required"),
    "None for rows": (
        ValueError,
        preprocess(None),
        r"Expected 2D array, got an array of shape \(\)",
    ),
    "infinity": (ValueError, preprocess(np.array([[1.0], [np.inf]])), "contains infinity"),
    "infinity among objects": (
        ColumnError,
        preprocess(np.array([[1.0, None], [np.inf, "a"]], dtype=object)),
        "contains infinity; expected finite numbers or gaps. Replace it",
    ),
    "complex numbers": (ValueError, preprocess(X + 1j), "Complex data not supported"),
    "dates in an array": (
        ColumnError,
        preprocess(np.ones((3, 2), "M8[D]")),
        r"X holds dates \(datetime64\[D\]\).*expected numbers.*Derive numbers",
    ),
    "dicts in an array": (
        ColumnError,
        preprocess(np.array([["a", {"b": 1}]], dtype=object)),
        r"column 1 holds nested values .*'b': 1.*expected numbers.*Spread it",
    ),
    "rows of several lengths": (
        ValueError,
        preprocess([[1.0, 2.0], [3.0]]),
        "inhomogeneous shape",
    ),
    "rows of another width": (
        ValueError,
        lambda: TablePreprocessor().fit(X).transform(X[:, :3]),
        "X has 3 features, but TablePreprocessor is expecting 5 features as input",
    ),
    "sparse rows of another width": (
        ValueError,
        lambda: (
            TablePreprocessor().fit(sparse.csr_matrix(X)).transform(sparse.csr_matrix(X[:, :3]))
        ),
        "X has 3 features, but TablePreprocessor is expecting 5 features as input",
    ),
    "strings where numbers were": (
        ColumnError,
        lambda: TablePreprocessor().fit(X).transform(np.full((2, 5), "two")),
        r"'two'.* in the column 0\), where fit saw numbers or gaps alone; expected .*Convert them",
    ),
    # Images
    "channels last": (
        StudentError,
        images(LAST),
        r"shape \(30, 12, 10, 3\).*channels come last; expected \(n, c, h, w\).*"
        r"numpy.moveaxis\(X, -1, 1\)",
    ),
    "one channel last": (
        StudentError,
        images(LAST[..., :1]),
        r"shape \(30, 12, 10, 1\).*channels come last; .*numpy.moveaxis\(X, -1, 1\)",
    ),
    "four channels last, of bytes": (
        StudentError,
        images(np.zeros((2, 28, 28, 4), dtype=np.uint8)),
        r"shape \(2, 28, 28, 4\).*channels come last; .*numpy.moveaxis\(X, -1, 1\)",
    ),
    "channels last for a module of one's own": (
        StudentError,
        fit(Convolution, LAST),
        r"cannot read rows of shape \(12, 10, 3\).*to have 3 channels.*"
        r"channels come last; expected \(n, c, h, w\). Write numpy.moveaxis\(X, -1, 1\)",
    ),
    "no axis of channels for a module of one's own": (
        StudentError,
        fit(Convolution, IMAGES[:, 0]),
        r"cannot read rows of shape \(12, 10\).*no axis of channels; .*Write X\[:, None\]",
    ),
    "channels last in a model": (
        StudentError,
        lambda: DistilledClassifier(Unasked()).fit(LAST, Y),
        r"channels come last; .*numpy.moveaxis\(X, -1, 1\)",
    ),
    "channels last before a ConvNet": (
        StudentError,
        fit(ConvNet, LAST),
        r"channels come last; .*numpy.moveaxis\(X, -1, 1\)",
    ),
    "images too small": (
        StudentError,
        fit(ConvNet, IMAGES[:, :, :5]),
        r"8 x 8 pixels or more; got the shape \(\d+, 3, 5, 10\)",
    ),
    "flat images": (
        StudentError,
        images(IMAGES.reshape(30, -1)),
        r"reads numbers of shape \(n, c, h, w\).*got shape \(30, 360\).*X.reshape\(-1, height, wid",
    ),
    "images of another size": (
        StudentError,
        lambda: ImagePreprocessor().fit(IMAGES).transform(IMAGES[:, :, :8]),
        r"shape \(3, 8, 10\), and those of fit had \(3, 12, 10\); expected the same. Resize or",
    ),
    "images without channels": (
        StudentError,
        lambda: ImagePreprocessor().fit(IMAGES).transform(GREY),
        r"shape \(12, 10\), and those of fit had \(3, 12, 10\); expected the same",
    ),
    "images with a gap": (
        StudentError,
        images(np.where(GREY.max() == GREY, np.nan, GREY)),
        "images with NaN.*expected finite pixels. Fill the gaps: numpy.nan_to_num",
    ),
    "images beyond single precision": (
        StudentError,
        images(1e300 * GREY.astype(np.float64)),
        "too large for float32; expected finite pixels",
    ),
    "images of strings": (
        StudentError,
        images(np.full((2, 8, 8), "dark")),
        r"reads numbers of shape \(n, c, h, w\).*got shape \(2, 8, 8\) and dtype <U4",
    ),
    "complex images": (ValueError, images(GREY + 1j), "Complex data not supported"),
    "images before fit": (
        NotFittedError,
        lambda: ImagePreprocessor().transform(GREY),
        "ImagePreprocessor instance is not fitted yet",
    ),
    "images of other channels than a module's": (
        ValueError,
        lambda: ConvNet(1, n_classes=2)(torch.zeros(2, 3, 8, 8)),
        r"ConvNet was made for images of 1 channel\(s\).*got the shape \(2, 3, 8, 8\)",
    ),
    # Layers
    "layers of no module": (
        StudentError,
        lambda: layer_names(LogisticRegression()),
        "Expected a torch.nn.Module, got LogisticRegression. Of a fitted net it is net.module_",
    ),
    "layers of a class": (
        StudentError,
        lambda: layer_names(MLP),
        "Expected a torch.nn.Module, got",
    ),
    "freeze no module": (
        StudentError,
        lambda: freeze(None, "0"),
        "Expected a torch.nn.Module, got NoneType",
    ),
    "freeze an unknown layer": (
        StudentError,
        lambda: freeze(module(), "head"),
        r"has no layer 'head'; expected a name such as \['0', '1', '2'\]. layer_names",
    ),
    "freeze a layer by its number": (
        ValueError,
        lambda: freeze(module(), 0),
        "'names' parameter of freeze must be .*'str'.*'list' or .*Got 0 instead",
    ),
    "freeze nothing": (
        ValueError,
        lambda: freeze(module(), []),
        r"'names' .*freeze .*is empty; expected .*layer_names\(module\)",
    ),
    "shrink to nothing": (
        ValueError,
        lambda: shrink(module(), width=0),
        setting("width", "shrink", r"a float in the range \(0.0, 1.0\]", 0),
    ),
    "shrink in per cent": (
        ValueError,
        lambda: shrink(module(), width=50),
        setting("width", "shrink", r"a float in the range \(0.0, 1.0\]", 50),
    ),
    "shrink by NaN": (
        ValueError,
        lambda: shrink(module(), width=np.nan),
        setting("width", "shrink", r"a float in the range \(0.0, 1.0\]", "nan"),
    ),
    "shrink in words": (
        ValueError,
        lambda: shrink(module(), width="half"),
        setting("width", "shrink", r"a float in the range \(0.0, 1.0\]", "'half'"),
    ),
    "shrink no module": (
        StudentError,
        lambda: shrink("net"),
        "Expected a torch.nn.Module, got str",
    ),
    "shrink one layer": (
        StudentError,
        lambda: shrink(nn.Sequential(nn.Linear(3, 2), nn.ReLU())),
        "has 1 linear and convolutional layers.*expected two or more",
    ),
    "shrink a soft tree": (
        StudentError,
        lambda: shrink(SoftDecisionTree(3, 2)),
        "SoftDecisionTree cannot be shrunk: each unit.*expected a network.*smaller depth",
    ),
    "truncate at an unknown layer": (
        StudentError,
        lambda: truncate(module(), upto="block"),
        "has no layer 'block'; expected a name such as",
    ),
    "truncate at a layer by its number": (
        ValueError,
        lambda: truncate(module(), upto=1),
        "'upto' parameter of truncate must be an instance of 'str'. Got 1 instead",
    ),
    "truncate to no class": (
        ValueError,
        lambda: truncate(module(), upto="1", n_classes=0),
        setting("n_classes", "truncate", r"an int in the range \[1, inf\) or None", 0),
    ),
    "truncate with no cell": (
        ValueError,
        lambda: truncate(module(), upto="1", pool=0),
        setting("pool", "truncate", r"an int in the range \[1, inf\)", 0),
    ),
    "truncate with half a cell": (
        ValueError,
        lambda: truncate(module(), upto="1", pool=1.5),
        setting("pool", "truncate", r"an int in the range \[1, inf\)", 1.5),
    ),
    "truncate several members": (
        StudentError,
        lambda: truncate(TabularMLP(5, 3, n_members=2), upto="mlp.shared.1"),
        "TabularMLP cannot be truncated: it has several members.*expected one vector.*shrink",
    ),
    "truncate no module": (
        StudentError,
        lambda: truncate(LogisticRegression(), upto="1"),
        "Expected a torch.nn.Module, got LogisticRegression",
    ),
}


@pytest.fixture(autouse=True)
def weights_drawn_apart():
    """Put torch's generator back: a module that is made before it is refused draws from it."""
    with torch.random.fork_rng(devices=[]):
        yield


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case, refused):
    refused(*REFUSED[case])


CUTS = {
    "shrunk": shrink,
    "factorized": factorize,
    "split": split,
    "grown": lambda module: grow(module, module),
    "truncated": lambda module: truncate(module, "0", n_classes=4),
    "frozen": lambda module: freeze(module, "0"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_modules_without_values_are_not_cut(cut, refused):
    missing = "The weight '0.weight' of Sequential has no values yet; expected a module with"
    layers = nn.ReLU(), nn.Linear(8, 4, device="meta")
    for first in (nn.Linear(4, 8, device="meta"), nn.LazyLinear(8, device="meta")):
        refused(StudentError, lambda: CUTS[cut](nn.Sequential(first, *layers)), missing)  # noqa: B023


@pytest.mark.parametrize("cut", ["shrunk", "factorized", "split", "grown"])
def test_weights_that_are_not_finite_are_not_compared(cut, refused):
    with torch.random.fork_rng():
        module = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    with torch.no_grad():
        module[2].weight[1, 1] = np.nan
    wanted = "its weight '2.weight' holds NaN or infinite values; expected finite numbers"
    refused(StudentError, lambda: CUTS[cut](module), wanted)


def test_images_that_only_look_like_channels_last():
    for shape in [(2, 3, 9, 4), (2, 1, 28, 3), (2, 5, 4), (2, 4, 4, 3)]:
        assert ImagePreprocessor().fit_transform(np.zeros(shape)).shape == shape


def test_units_may_stand_in_a_list_and_be_of_numpy():
    assert MLP(np.int64(3), 2, hidden_units=[np.int32(4)])[0].out_features == 4
    assert TabularMLP(3, 2, n_numeric=2, cardinalities=[4]).n_codes == 1
    assert SparseMLP(3, 2, hidden_units=[4, 5])(torch.zeros(1, 3)).shape == (1, 2)
