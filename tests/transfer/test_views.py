"""Views against numpy: what each makes of rows, how it draws, what it refuses."""

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.base import clone

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import ConvNet
from skdistill.transfer import Flip, Mixup, Shift, View

IMAGES = torch.arange(3 * 2 * 4 * 5, dtype=torch.float32).view(3, 2, 4, 5)
# The teacher has the weights that it was made with.
UNTRAINED = pytest.mark.filterwarnings("ignore::skdistill.exceptions.TeacherWarning")
with torch.random.fork_rng():
    torch.manual_seed(0)
    TEACHER = ConvNet(2, 2, size="tiny").eval()


@pytest.fixture(autouse=True)
def own_generator():
    """Nets on their own and draws read torch's generator: seed it, and put it back."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def shift_by_hand(image, down, right):
    """Pad with the border's own pixels, then cut out."""
    far = max(abs(down), abs(right))
    height, width = image.shape[-2:]
    pads = [(0, 0)] * (image.ndim - 2) + [(far, far)] * 2
    padded = np.pad(image, pads, mode="edge")
    top, left = far - down, far - right
    return padded[..., top : top + height, left : left + width]


@pytest.mark.parametrize("down, right", [(0, 0), (1, 0), (-2, 1), (3, -3), (9, 9)])
@pytest.mark.parametrize("rows", [IMAGES, IMAGES[:, 0]], ids=["chw", "hw"])
def test_shift_is_a_padded_crop(rows, down, right):
    before = rows.clone()
    shifted = Shift().apply(rows, torch.full((3,), down), torch.full((3,), right))
    expected = [shift_by_hand(image, down, right) for image in rows.numpy()]
    assert np.array_equal(shifted.numpy(), expected)
    assert torch.equal(rows, before)


def test_shift_moves_each_image_by_its_own():
    down, right = torch.tensor([1, 0, -1]), torch.tensor([0, 2, -1])
    shifted = Shift().apply(IMAGES, down, right)
    for image, moved, a, b in zip(IMAGES, shifted, down.tolist(), right.tolist(), strict=True):
        assert np.array_equal(moved.numpy(), shift_by_hand(image.numpy(), a, b))


def test_shift_commutes_with_pixelwise_scaling():
    drawn = Shift(2).draw(3)
    scaled = (IMAGES - 7.0) / 3.0
    assert torch.equal(Shift(2).apply(scaled, *drawn), (Shift(2).apply(IMAGES, *drawn) - 7.0) / 3.0)


def test_flip_mirrors_the_drawn_images():
    mirrored = Flip().apply(IMAGES, torch.tensor([True, False, True]))
    assert np.array_equal(mirrored[0].numpy(), IMAGES[0].numpy()[..., ::-1])
    assert torch.equal(mirrored[1], IMAGES[1])


@pytest.mark.parametrize("shape", [(6,), (4, 5), (2, 4, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_mixup_is_the_weighted_mean_of_two_rows(shape, dtype):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, *shape))
    share, partner = np.array([0.25, 1.0, 0.0]), np.array([2, 0, 1])
    mixed = Mixup().apply(
        torch.tensor(rows, dtype=dtype), torch.tensor(share), torch.tensor(partner)
    )
    weight = share.reshape(-1, *[1] * len(shape))
    assert mixed.dtype == dtype
    np.testing.assert_allclose(mixed, weight * rows + (1 - weight) * rows[partner], atol=1e-6)


def test_draws_have_their_distributions():
    down, right = Shift(2).draw(4000)
    for pixels in (down, right):
        counts = np.bincount(pixels.numpy() + 2, minlength=5)
        assert len(counts) == 5 and stats.chisquare(counts).pvalue > 0.01
    assert not torch.equal(down, right)
    assert Flip(0.3).draw(4000)[0].float().mean().item() == pytest.approx(0.3, abs=0.03)
    share, partner = Mixup(0.5).draw(4000)
    assert stats.kstest(share.numpy(), stats.beta(0.5, 0.5).cdf).pvalue > 0.01
    assert np.array_equal(np.sort(partner.numpy()), np.arange(4000))


def test_settings_at_their_limits_change_nothing():
    assert torch.equal(Shift(0).apply(IMAGES, *Shift(0).draw(3)), IMAGES)
    assert torch.equal(Flip(0.0).apply(IMAGES, *Flip(0.0).draw(3)), IMAGES)
    assert torch.equal(Flip(1.0).apply(IMAGES, *Flip(1.0).draw(3)), IMAGES.flip(-1))


def distil(views):
    """Return what a student of six images answers that has learnt from views of them."""
    images = np.random.default_rng(0).normal(size=(6, 2, 8, 8)).astype(np.float32)
    net = StudentNet(ConvNet, module__size="tiny", views=views, max_epochs=2, train_split=None)
    model = DistilledClassifier(TEACHER, net, random_state=0).fit(images, np.arange(6) % 2)
    return model.predict_proba(images)


@UNTRAINED
def test_names_and_instances():
    plain = distil(None)
    assert np.array_equal(distil([]), plain)
    for name, view in {"shift": Shift(), "flip": Flip(), "mixup": Mixup()}.items():
        found = distil(name)
        assert np.array_equal(found, distil([view])) and not np.array_equal(found, plain)
    assert np.array_equal(distil(("flip", "mixup")), distil([Flip(), Mixup()]))
    assert not np.array_equal(distil([Shift(pixels=3), "mixup"]), distil(["shift", "mixup"]))
    assert clone(Mixup(alpha=0.2)).get_params() == {"alpha": 0.2}


@UNTRAINED
def test_an_instance_of_ones_own_is_used_itself():
    n_rows = []

    class Watched(Flip):
        def draw(self, n_samples, generator=None):
            n_rows.append(n_samples)
            return super().draw(n_samples, generator)

    distil([Watched(), "mixup"])
    assert n_rows[-2:] == [6, 6]  # an epoch each


@pytest.mark.parametrize(
    "views, message",
    [
        ("mixpu", "Got 'mixpu' instead. Did you mean 'mixup'"),
        (Shift, "must be None, one of"),
        (["shift", 3], "Got 3 instead"),
        (["mixup", Mixup(0.2)], "Mixup more than once"),
        (Shift(-1), r"'pixels' parameter of Shift must be an int in the range \[0, inf\)"),
        (Shift(1.5), "Got 1.5 instead"),
        (Flip(1.5), r"'p' parameter of Flip must be a float in the range \[0.0, 1.0\]"),
        (Mixup(0), r"'alpha' parameter of Mixup must be a float in the range \(0.0, inf\)"),
    ],
)
def test_refusals(views, message):
    with pytest.raises(ValueError, match=message):
        distil(views)


def test_base_class_asks_for_both_methods():
    with pytest.raises(NotImplementedError):
        View().draw(1)
    with pytest.raises(NotImplementedError):
        View().apply(IMAGES)
