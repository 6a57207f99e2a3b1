import pickle
import tracemalloc

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.exceptions import StudentError
from skdistill.students import ConvNet, ImagePreprocessor, TablePreprocessor

DIGITS = load_digits()
X = (16 * DIGITS.images[:300]).clip(0, 255).astype(np.uint8)
Y = DIGITS.target[:300]
SOFT = 0.05 + 0.5 * np.eye(10)[Y]


def made(*args, **kwargs):
    with torch.random.fork_rng():
        return ConvNet(*args, **kwargs)


def n_weights(module):
    return sum(parameter.numel() for parameter in module.parameters())


# ConvNet


@pytest.mark.parametrize("size", ["tiny", "small", "medium"])
@pytest.mark.parametrize("shape", [(2, 3, 8, 8), (2, 3, 28, 9), (2, 3, 33, 64)])
def test_convnet_reads_images_of_any_size(size, shape):
    assert made(3, 5, size=size)(torch.zeros(shape)).shape == (2, 5)


def test_convnet_sizes_are_those_of_its_docstring():
    found = [n_weights(made(1, 10, size=size)) for size in ("tiny", "small", "medium")]
    assert found == [1_442, 24_058, 288_170]
    for n in found:
        assert f"{n:,}" in ConvNet.__doc__


def test_convnet_gives_images_without_channels_one():
    module = made(1, 4).eval()
    rows = torch.rand(3, 9, 9, generator=torch.Generator().manual_seed(0))
    assert torch.equal(module(rows), module(rows[:, None]))


def test_convnet_drops_out_channels():
    module = made(1, 4, size="tiny", dropout=0.5)
    assert [layer.p for layer in module if isinstance(layer, nn.Dropout)] == [0.5]
    assert not any(isinstance(layer, nn.Dropout) for layer in made(1, 4))


@pytest.mark.parametrize("shape", [(2, 1, 7, 8), (2, 8), (2, 8, 8, 3), (2, 1, 1, 8, 8)])
def test_convnet_refuses_what_is_no_image(shape):
    with pytest.raises(ValueError, match=r"channels first.*got the shape"):
        made(1, 4)(torch.zeros(shape))


def test_convnet_refuses_an_unknown_size():
    with pytest.raises(ValueError, match=r"'size' .* ConvNet must be a str among .*'huge'"):
        ConvNet(1, 4, size="huge")


@pytest.mark.parametrize(("shape", "n_channels"), [((3, 8, 9), 3), ((8, 9), 1), ((1, 8, 9), 1)])
def test_channels_are_inferred(shape, n_channels):
    X, y = np.zeros((16, *shape), dtype=np.float32), np.arange(16) % 4
    net = StudentNet(ConvNet, module__size="tiny", max_epochs=1, train_split=None)
    student = DistilledClassifier(None, net, alpha=0, random_state=0).fit(X, y).student_
    first, *_, last = (m for m in student.module_ if isinstance(m, nn.Conv2d | nn.Linear))
    assert (first.in_channels, last.out_features) == (n_channels, 4)


# ImagePreprocessor


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, bool])
def test_channels_are_scaled_as_scikit_learn_scales_columns(dtype):
    rng = np.random.default_rng(0)
    images = (rng.normal(100, 30, size=(1500, 2, 4, 3)) * [[[[1]], [[0.5]]]]).astype(dtype)
    images[0] = 0
    pixels = images.astype(np.float64).transpose(0, 2, 3, 1).reshape(-1, 2)
    expected = StandardScaler().fit_transform(pixels)
    before = images.copy()
    preprocessor = ImagePreprocessor().fit(images)
    found = preprocessor.transform(images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.transpose(0, 2, 3, 1).reshape(-1, 2), expected, atol=1e-5)
    np.testing.assert_allclose(preprocessor.mean_, pixels.mean(axis=0))
    np.testing.assert_allclose(preprocessor.scale_, pixels.std(axis=0))
    np.testing.assert_array_equal(images, before)


def test_images_without_channels_are_one_channel():
    with_axis = ImagePreprocessor().fit_transform(X[:, None])
    np.testing.assert_array_equal(ImagePreprocessor().fit_transform(X), with_axis[:, 0])


def test_a_constant_channel_becomes_zero():
    assert not ImagePreprocessor().fit_transform(np.full((3, 1, 2, 2), 7)).any()


def test_bytes_are_never_float64_as_a_whole():
    images = np.zeros((20_000, 16, 16), dtype=np.uint8)
    images[::2] = 1
    tracemalloc.start()
    ImagePreprocessor().fit_transform(images)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6 * images.nbytes  # the result takes 4, float64 would take 8


BAD_IMAGES = [
    (np.zeros((3, 64)), r"channels first.*got shape \(3, 64\).*reshape"),
    (np.zeros((3, 1, 2, 2, 2)), r"got shape \(3, 1, 2, 2, 2\)"),
    (np.full((3, 2, 2), "a"), "dtype <U1"),
    (np.array([[[np.nan]]]), "NaN"),
    (np.array([[[-1e300]]]), "too large"),
]


@pytest.mark.parametrize(("images", "message"), BAD_IMAGES)
def test_what_is_no_image_is_refused(images, message):
    with pytest.raises(StudentError, match=message):
        ImagePreprocessor().fit(images)


def test_a_frame_is_no_image():
    pd = pytest.importorskip("pandas")
    with pytest.raises(StudentError, match="got a table of shape"):
        ImagePreprocessor().fit(pd.DataFrame({"a": [1.0]}))


def test_images_of_another_size_are_refused():
    preprocessor = ImagePreprocessor().fit(X)
    with pytest.raises(StudentError, match=r"\(8, 7\), and those of fit had \(8, 8\)"):
        preprocessor.transform(X[:, :, :7])


# The default student


@pytest.mark.parametrize("shape", [(-1, 8, 8), pytest.param((-1, 1, 8, 8), marks=pytest.mark.slow)])
def test_the_default_student_of_images(shape):
    images, y, soft_targets = X[:40].reshape(shape), Y[:40], SOFT[:40]
    before = images.copy()
    model = DistilledClassifier(random_state=0).fit(images, y, soft_targets=soft_targets)
    preprocess, net = model.student_
    assert isinstance(preprocess, ImagePreprocessor)
    assert isinstance(net.module_, ConvNet)
    assert model.score(images, y) > 0.9
    np.testing.assert_array_equal(images, before)
    again = clone(model).fit(images, y, soft_targets=soft_targets)
    expected = model.predict_proba(images)
    np.testing.assert_array_equal(again.predict_proba(images), expected)
    copied = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copied.predict_proba(images), expected)
    np.testing.assert_allclose(model.predict_proba(images[:1]), expected[:1], rtol=1e-4)


def test_the_default_student_of_tables_is_as_before():
    rows = X.reshape(len(X), -1)
    model = DistilledClassifier(random_state=0, alpha=0, student=None).fit(rows[:40], Y[:40])
    assert isinstance(model.student_[0], TablePreprocessor)


def test_images_that_are_too_small_are_refused_before_the_teacher_is_asked():
    def teacher(X):
        raise AssertionError("asked")

    with pytest.raises(StudentError, match=r"ConvNet cannot read rows.*8 x 8 pixels or more"):
        DistilledClassifier(teacher, random_state=0).fit(X[:, 2:], Y)


@pytest.mark.filterwarnings("ignore:The teacher names:skdistill.exceptions.TeacherWarning")
def test_an_unlabelled_image_is_learnt_from():  # from one who knows all labels
    def teacher(images):
        return SOFT[: len(images)]

    model = DistilledClassifier(
        teacher, make_pipeline(ImagePreprocessor(), StudentNet(max_epochs=1)), random_state=0
    )
    assert model.fit(X[:100], Y[:100], X_unlabeled=X[100:150]).score(X, Y) > 0


def test_the_size_is_searched_like_any_setting():
    net = StudentNet(ConvNet, module__size="tiny", max_epochs=1)
    model = DistilledClassifier(
        student=make_pipeline(ImagePreprocessor(), net), alpha=0, random_state=0
    )
    grid = {"student__studentnet__module__size": ["tiny", "small"]}
    search = GridSearchCV(model, grid, cv=2).fit(X, Y)
    best = search.best_params_["student__studentnet__module__size"]
    module = search.best_estimator_.student_[-1].module_
    assert n_weights(module) == n_weights(made(1, 10, size=best))


def test_tags_say_that_images_are_read():
    assert DistilledClassifier().__sklearn_tags__().input_tags.three_d_array
    student = make_pipeline(TablePreprocessor(), StudentNet())
    assert not DistilledClassifier(student=student).__sklearn_tags__().input_tags.three_d_array
