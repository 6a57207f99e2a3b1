"""
A torch teacher on digits
=========================

The teacher is a convolutional network that was trained elsewhere, in plain torch. A fitted teacher
is used as it is. The student is a module of your own with a thirtieth of its parameters, and the
temperature decides how much of the teacher's doubt it is shown.
"""

import copy

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.targets import teacher_probabilities

X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, stratify=y, random_state=0)

# %%
# The teacher
# -----------
# It learns from pictures that are shifted by up to one pixel at random, so it does not know the
# 1078 pictures of the training set by heart. That is what makes a teacher useful on the very rows
# that it was trained on.

torch.manual_seed(0)
teacher = nn.Sequential(
    nn.Unflatten(1, (1, 8, 8)),
    nn.Conv2d(1, 32, 3, padding=1),
    nn.ReLU(),
    nn.Conv2d(32, 32, 3, padding=1),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Dropout(0.3),
    nn.Linear(512, 128),
    nn.ReLU(),
    nn.Dropout(0.3),
    nn.Linear(128, 10),
)

n_epochs, batch_size = 25, 64
images, labels = torch.tensor(X_train).view(-1, 1, 8, 8), torch.tensor(y_train)
n_steps = n_epochs * -(-len(images) // batch_size)
optimizer = torch.optim.AdamW(teacher.parameters())
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.004, total_steps=n_steps)
padded = nn.functional.pad(images, (1, 1, 1, 1))
for _ in range(n_epochs):
    for index in torch.randperm(len(images)).split(batch_size):
        down, right = torch.randint(0, 3, (2,)).tolist()
        shifted = padded[index, :, down : down + 8, right : right + 8]
        loss = nn.functional.cross_entropy(teacher(shifted.flatten(1)), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()

# %%
# The student
# -----------
# A class with an input width and a number of classes among its arguments: `StudentNet` reads both
# off the data. Its other arguments are reached as `module__width`.


class OneLayer(nn.Module):
    """One hidden layer."""

    def __init__(self, n_features, n_classes, width=32):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(n_features, width), nn.ReLU(), nn.Linear(width, n_classes)
        )

    def forward(self, X):
        """Return logits."""
        return self.layers(X)


student = StudentNet(OneLayer, lr=0.01, module__width=32)

# %%
# Temperature
# -----------
# The logits of both sides are divided by the temperature before the softmax. At 1 a sure teacher
# is nearly its own hard label; at 4 the student also learns which wrong classes come close. "auto"
# takes 4 here, because the teacher gives logits and there are ten classes. Three fits of each show
# how much is chance.


def score(name, **settings):
    """Print the mean scores of three students that differ in their seed."""
    models = [
        DistilledClassifier(student=student, random_state=seed, **settings).fit(X_train, y_train)
        for seed in range(3)
    ]
    answers = [model.predict_proba(X_test) for model in models]
    accuracy = np.mean([accuracy_score(y_test, p.argmax(axis=1)) for p in answers])
    loss = np.mean([log_loss(y_test, p) for p in answers])
    print(f"{name:24} accuracy {accuracy:.3f}   log-loss {loss:.3f}")
    return models[0]


weights_before = copy.deepcopy(teacher.state_dict())
answer = teacher_probabilities(teacher, X_test, np.arange(10))
accuracy = accuracy_score(y_test, answer.argmax(axis=1))
print(f"{'teacher':24} accuracy {accuracy:.3f}   log-loss {log_loss(y_test, answer):.3f}")
score("plain student", alpha=0)
score("distilled, temperature 1", teacher=teacher, temperature=1.0)
model = score("distilled, auto", teacher=teacher)
print(f"auto stands for temperature {model.temperature_:g}")

# %%
# The teacher was in training mode and is still; its weights are what they were. It was asked in
# evaluation mode, so that dropout did not blur its answers.

assert teacher.training
assert all(
    torch.equal(before, after)
    for before, after in zip(weights_before.values(), teacher.state_dict().values(), strict=True)
)
assert model.teacher_ is teacher

# %%
# Ship the module
# ---------------
# `student_.module_` is the module itself. Its weights need neither skdistill nor scikit-learn on
# the other side: the class and `load_state_dict` are enough.

weights = model.student_.module_.state_dict()
deployed = OneLayer(n_features=64, n_classes=10)
deployed.load_state_dict(weights)
deployed.eval()
with torch.no_grad():
    named = deployed(torch.tensor(X_test)).argmax(dim=1).numpy()
assert (named == model.predict(X_test)).all()

n_teacher = sum(p.numel() for p in teacher.parameters())
n_student = sum(p.numel() for p in deployed.parameters())
print(f"parameters: teacher {n_teacher:,}, student {n_student:,}")
