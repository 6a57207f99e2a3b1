"""
Images, and views of them
=========================

A residual network teaches a small ConvNet that has few labels. Each batch is a new view of the
images, shifted and mixed, and the teacher is asked about the very view that the student sees. The
images are scikit-learn's digits, each somewhere on a canvas; with a file as the argument, such as
``python 06_images.py fashion_mnist.npz``, they are the first 4,000 of that file.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import ImagePreprocessor
from skdistill.targets import teacher_probabilities
from skdistill.transfer import Mixup, Shift

if len(sys.argv) > 1:
    with np.load(sys.argv[1]) as file:
        X, y = file["X_train"][:4000], file["y_train"][:4000]
else:
    digits = load_digits()
    X, y = np.zeros((len(digits.images), 16, 16), dtype=np.uint8), digits.target
    corners = np.random.default_rng(0).integers(9, size=(len(X), 2))
    for image, digit, (i, j) in zip(X, digits.images, corners, strict=True):
        image[i : i + 8, j : j + 8] = 15 * digit  # somewhere on a canvas of 16 x 16 pixels
X_train, X_test, y_train, y_test = train_test_split(
    X, y, train_size=0.6, stratify=y, random_state=0
)
X_labelled, y_labelled, X_unlabeled = X_train[:200], y_train[:200], X_train[200:]
print(f"{len(X_train)} images of shape {X.shape[1:]} and dtype {X.dtype}, 200 with labels")

# %%
# The teacher
# -----------
# It stands for a network that was trained elsewhere, on more labels. A StudentNet without a teacher
# is a classifier like any other, and trains networks of any size; `n_channels` and `n_classes` are
# read off the data. It learns from views, too: a teacher that does not know its images by heart
# has more to say about them.


class Residual(nn.Module):
    """Two convolutions, to whose result the input is added."""

    def __init__(self, width):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, X):
        """Return feature maps of the shape of X."""
        return (X + self.body(X)).relu()


class ResidualNet(nn.Sequential):
    """Two stages of residual blocks for images of shape (height, width)."""

    def __init__(self, n_channels, n_classes, width=32):
        super().__init__(
            nn.Unflatten(1, (n_channels, -1)),
            nn.Conv2d(n_channels, width, 3, stride=2, padding=1),
            Residual(width),
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            Residual(2 * width),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(2 * width, n_classes),
        )


torch.manual_seed(0)
net = StudentNet(ResidualNet, max_epochs=20, lr=0.005, views=Shift(3))
teacher = make_pipeline(ImagePreprocessor(), net).fit(X_train, y_train)
print(f"{'teacher':<27} accuracy {teacher.score(X_test, y_test):.3f}")

# %%
# The student, with and without
# -----------------------------
# `views` is a setting of the student's net. The teacher is frozen and asked about every view, of
# the images without labels, too; a fit with views costs its forward passes besides. At alpha 0
# nobody is asked, and the labels of mixed images are mixed. Means of two students each.


def score(name, views, X_unlabeled=None, **settings):
    """Print the mean accuracy of two students that differ in their seed; return one."""
    net = StudentNet(max_epochs=25, lr=0.005, views=views)
    student = make_pipeline(ImagePreprocessor(), net)
    models = [
        DistilledClassifier(FrozenEstimator(teacher), student, random_state=seed, **settings).fit(
            X_labelled, y_labelled, X_unlabeled=X_unlabeled
        )
        for seed in range(2)
    ]
    mean = np.mean([model.score(X_test, y_test) for model in models])
    print(f"{name:<27} accuracy {mean:.3f}")
    return models[0]


shift_and_mix = [Shift(3), Mixup(alpha=0.2)]
score("plain", None, alpha=0)
score("plain, shift", Shift(3), alpha=0)
score("plain, shift and mixup", shift_and_mix, alpha=0)
score("distilled", None, X_unlabeled, alpha=0.9, temperature=2.0)
model = score("distilled, shift", Shift(3), X_unlabeled, alpha=0.9, temperature=2.0)
score("distilled, shift and mixup", shift_and_mix, X_unlabeled, alpha=0.9, temperature=2.0)

n_teacher = sum(p.numel() for p in teacher[-1].module_.parameters())
n_student = sum(p.numel() for p in model.student_[-1].module_.parameters())
print(f"parameters: teacher {n_teacher:,}, student {n_student:,}")

# %%
# What a view looks like
# ----------------------
# Above, images as they are; below, views of them. No label says what a mixed image is, and the
# teacher's answer does.

images = torch.tensor(X_train[:8], dtype=torch.float32)
seen = images
for view in [Shift(3), Mixup(alpha=1.0)]:
    seen = view.apply(seen, *view.draw(len(seen)))
answers = teacher_probabilities(teacher, seen.numpy(), teacher.classes_)
figure, axes = plt.subplots(2, 8, figsize=(12, 3.6), layout="constrained")
for i, (above, below) in enumerate(axes.T):
    above.imshow(images[i].numpy(), cmap="gray_r")
    above.set_title(f"label {y_train[i]}", fontsize=9)
    below.imshow(seen[i].numpy(), cmap="gray_r")
    first, second = answers[i].argsort()[::-1][:2]
    title = f"{first}: {answers[i, first]:.2f}, {second}: {answers[i, second]:.2f}"
    below.set_title(title, fontsize=9)
for ax in axes.flat:
    ax.set_axis_off()
output = Path("output")
output.mkdir(exist_ok=True)
figure.savefig(output / "views.png")
