import numpy as np
import pytest
import torch
from sklearn.base import clone

from skdistill.exceptions import StudentError
from skdistill.losses import (
    FeatureLoss,
    HintLoss,
    SimilarityLoss,
    hint_error,
    similarity_distance,
)


def draw(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(size=shape))


def similarities(features):
    """G of the paper, entry by entry."""
    rows = features.numpy().reshape(len(features), -1)
    products = np.array([[a @ b for b in rows] for a in rows])
    return np.array([row / np.sqrt((row**2).sum()) for row in products])


@pytest.mark.parametrize("shape", [(7, 5), (7, 2, 5), (7, 3, 4, 4)])
def test_hint_is_the_mean_square_of_a_row(shape):
    student, teacher = draw(*shape), draw(*shape, seed=1)
    expected = [
        np.mean((s - t) ** 2) for s, t in zip(student.numpy(), teacher.numpy(), strict=True)
    ]
    np.testing.assert_allclose(hint_error(student, teacher), expected, rtol=1e-12)


@pytest.mark.parametrize("shape", [(7, 5), (7, 3, 4, 4)])
def test_similarity_is_the_papers_squared_norm(shape):
    student, teacher = draw(7, 3), draw(*shape, seed=1)
    expected = np.linalg.norm(similarities(teacher) - similarities(student), "fro") ** 2 / 7**2
    assert similarity_distance(student, teacher).item() == pytest.approx(expected, rel=1e-12)


def test_the_size_of_features_does_not_matter_to_similarity():
    student, teacher = draw(7, 3), draw(7, 4, seed=1)
    torch.testing.assert_close(
        similarity_distance(0.1 * student, 30 * teacher), similarity_distance(student, teacher)
    )
    assert similarity_distance(student, 2 * student).item() == pytest.approx(0, abs=1e-30)


def test_a_weight_of_similarity_counts_a_row_as_often():
    student, teacher = draw(6, 3), draw(6, 4, seed=1)
    times = torch.tensor([1, 0, 3, 1, 2, 1])
    weight = times.double() / times.double().mean()
    repeated = [f.repeat_interleave(times, dim=0) for f in (student, teacher)]
    # The distance falls with the size of a batch; weights of mean one leave that as it is.
    expected = similarity_distance(*repeated) * times.sum() / len(times)
    torch.testing.assert_close(similarity_distance(student, teacher, weight), expected)


def test_rows_without_any_feature_have_a_gradient():
    student = torch.zeros(4, 3, requires_grad=True)
    loss = similarity_distance(student, draw(4, 2).float())
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(student.grad).all()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("loss", [HintLoss("a", "b"), SimilarityLoss("a", "b")])
def test_gradient_is_that_of_finite_differences(loss, weighted):
    student, teacher = draw(4, 3).requires_grad_(), draw(4, 3, seed=1)
    weight = torch.tensor([0.5, 1.5, 0.0, 2.0], dtype=torch.float64) if weighted else None
    assert torch.autograd.gradcheck(lambda f: loss.mean(f, teacher, weight), student)


def test_hint_weighs_rows():
    student, teacher = draw(4, 3), draw(4, 3, seed=1)
    weight = torch.tensor([2.0, 0.0, 2.0, 0.0], dtype=torch.float64)
    found = HintLoss("a", "b").mean(student, teacher, weight)
    torch.testing.assert_close(found, hint_error(student, teacher)[::2].mean())


GOOD = [((3,), (5,)), ((4, 3), (4, 5)), ((3, 6, 4), (5, 6, 4))]
BAD = [
    ((3,), (5, 1)),
    ((4, 3), (2, 3)),
    ((3, 6, 4), (3, 3, 2)),
    ((3, 2, 2, 2), (3, 2, 2, 2)),
    ((), ()),
]


@pytest.mark.parametrize(("student_shape", "teacher_shape"), GOOD)
def test_the_adapter_leads_from_width_to_width(student_shape, teacher_shape):
    with torch.random.fork_rng():
        adapter = HintLoss("a", "b").adapter(student_shape, teacher_shape)
    assert adapter(torch.zeros(2, *student_shape)).shape == (2, *teacher_shape)
    n_weights = 3 * 5 + 5  # whatever the height, the width and the tokens
    assert sum(p.numel() for p in adapter.parameters()) == n_weights


@pytest.mark.parametrize(("student_shape", "teacher_shape"), BAD)
def test_shapes_that_cannot_be_compared_are_refused(student_shape, teacher_shape):
    with pytest.raises(StudentError, match=r"cannot compare .*'b'.*'a'.*SimilarityLoss"):
        HintLoss("a", "b").adapter(student_shape, teacher_shape)
    assert SimilarityLoss("a", "b").adapter(student_shape, teacher_shape) is None


@pytest.mark.parametrize(("loss", "weight"), [(HintLoss, 100.0), (SimilarityLoss, 3000.0)])
def test_settings(loss, weight):
    settings = {"teacher_layer": "a", "student_layer": "b", "weight": weight}
    assert clone(loss("a", "b")).get_params() == settings
    assert issubclass(loss, FeatureLoss)
