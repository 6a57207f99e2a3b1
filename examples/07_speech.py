"""
Speech: a network that hears every frame teaches one that reads a summary
=========================================================================

A clip is 64 frames of 40 log-mel bands. The teacher is a convolutional network over the frames. The
student is a small network on 80 numbers, the mean and the standard deviation of each band: cheap
enough for a device that listens all day. Both are given the same X and take their own columns of
it, by the first step of their own Pipeline.

``python examples/07_speech.py`` makes clips: each word is a path of two formants, each speaker a
pitch and a vocal tract, and there is noise. They are no speech, only shaped like it.
``python examples/07_speech.py spoken_digits_logmel.npz`` takes the Free Spoken Digit Dataset, as
log-mel frames ``X_train``, summaries ``S_train`` and labels ``y_digit_train``, ``y_speaker_train``,
and the same with ``_test``.
"""

import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import shuffle
from torch import nn

from skdistill import DistilledClassifier, StudentNet
from skdistill.students import MLP

N_FRAMES, N_BANDS, N_WORDS, N_SPEAKERS = 64, 40, 10, 6
SILENCE = -13.8


def make_clips(n, random_state):
    """Return frames of made-up words by made-up speakers, and both labels."""
    rng = np.random.default_rng(random_state)
    voices = np.random.default_rng(0)  # the same words and speakers for each part
    paths = voices.uniform(6, 34, (N_WORDS, 2, 3))  # bands of two formants: start, middle, end
    tracts, pitches = voices.uniform(-3, 3, N_SPEAKERS), voices.uniform(2.0, 5.0, N_SPEAKERS)
    words, speakers = rng.integers(N_WORDS, size=n), rng.integers(N_SPEAKERS, size=n)
    bands, frames = np.arange(N_BANDS), np.full((n, N_FRAMES, N_BANDS), SILENCE)
    for clip, word, speaker in zip(frames, words, speakers, strict=True):
        length = rng.integers(25, N_FRAMES)
        time = np.linspace(0, 1, length) ** rng.uniform(0.7, 1.4)
        loudness = rng.normal(-6, 1) + 3 * np.sin(np.pi * time)
        energy = np.zeros((length, N_BANDS))
        for path in paths[word]:
            centre = np.interp(time, [0, 0.5, 1], path) + tracts[speaker] + rng.normal(0, 1.5)
            energy += np.exp(-(((bands - centre[:, None]) / 3.0) ** 2))
        harmonics = 1 + np.cos(2 * np.pi * bands / pitches[speaker])
        clip[:length] = loudness[:, None] + 5 * energy * (0.7 + 0.3 * harmonics)
        clip[:length] += rng.normal(0, 1.5, (length, N_BANDS))
    return frames, words, speakers


def load_clips(part):
    """Return one array of frames and summaries side by side, the words and the speakers."""
    if len(sys.argv) > 1:
        with np.load(sys.argv[1]) as arrays:
            frames, summaries = arrays[f"X_{part}"], arrays[f"S_{part}"]
            words, speakers = arrays[f"y_digit_{part}"], arrays[f"y_speaker_{part}"]
    else:
        frames, words, speakers = make_clips(*{"train": (1500, 1), "test": (1000, 2)}[part])
        summaries = np.hstack([frames.mean(axis=1), frames.std(axis=1)])
    X = np.hstack([frames.reshape(len(frames), -1), summaries]).astype(np.float32)
    # Real clips come sorted by speaker, and folds cut in that order would leave speakers out.
    return shuffle(X, words, speakers, random_state=0)


# %%
# Two Pipelines, two views of one X
# ---------------------------------
# The first step of each takes its columns. A network in the teacher's Pipeline is a `StudentNet`
# too: it is skorch with comfort, and any skorch net would do.


def take_frames(X):
    """Return the frames, scaled by what log-mel bands usually are."""
    return (X[:, : N_FRAMES * N_BANDS].reshape(-1, N_FRAMES, N_BANDS) + 7) / 4


def take_summary(X):
    """Return the mean and the standard deviation of each band."""
    return X[:, N_FRAMES * N_BANDS :]


class FrameNet(nn.Module):
    """Convolutions along the time of a clip, then the mean and the maximum over it."""

    def __init__(self, n_features, n_classes, width=32):
        super().__init__()
        layers = []
        for n_inputs in (n_features, width, width):
            layers += [
                nn.Conv1d(n_inputs, width, 5, padding=2, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(),
                nn.MaxPool1d(2),
            ]
        self.body = nn.Sequential(*layers[:-1])
        self.head = nn.Sequential(nn.Dropout(0.3), nn.Linear(2 * width, n_classes))

    def forward(self, X):
        """Return logits of clips of shape (n_clips, n_frames, n_bands)."""
        heard = self.body(X.transpose(1, 2))
        return self.head(torch.cat([heard.mean(dim=2), heard.amax(dim=2)], dim=1))


teacher = make_pipeline(FunctionTransformer(take_frames), StudentNet(FrameNet, max_epochs=15))
student = make_pipeline(
    FunctionTransformer(take_summary),
    StandardScaler(),
    StudentNet(MLP, module__hidden_units=(64,)),
)
X_train, *labels_train = load_clips("train")
X_test, *labels_test = load_clips("test")

# %%
# Words and speakers
# ------------------
# Clips are cheap and labels are not: a tenth of them has one. The teacher learns from these and
# labels the others for the student, with one temperature fitted on its out-of-fold answers.

found = {}
for name, y_train, y_test in zip(("words", "speakers"), labels_train, labels_test, strict=True):
    few, rest, y_few, _ = train_test_split(
        X_train, y_train, train_size=0.1, stratify=y_train, random_state=0
    )
    model = DistilledClassifier(teacher, student, alpha=0.9, calibrate=True, random_state=0)
    model.fit(few, y_few, X_unlabeled=rest)
    plain = DistilledClassifier(student=student, alpha=0, random_state=0).fit(few, y_few)
    arms = {"teacher": model.teacher_, "plain": plain.student_, "distilled": model.student_}
    found[name] = {}
    print(f"\n{name}: {len(few)} clips with labels, {len(rest)} without")
    for arm, classifier in arms.items():
        started = time.perf_counter()
        p = classifier.predict_proba(X_test)
        microseconds = 1e6 * (time.perf_counter() - started) / len(X_test)
        found[name][arm] = accuracy_score(y_test, p.argmax(axis=1))
        print(
            f"{arm:12} accuracy {found[name][arm]:.3f}   log-loss {log_loss(y_test, p):.3f}   "
            f"{microseconds:.1f} us per clip"
        )

# %%
# The student is a classifier of its own
# --------------------------------------
# It still gets the whole X, and looks at 80 columns of it.

without_frames = X_test.copy()
without_frames[:, : N_FRAMES * N_BANDS] = 0
assert (model.student_.predict(without_frames) == model.predict(X_test)).all()
print("\nwithout the frames the student answers the same")

# %%
# A picture
# ---------

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
clip = X_test[0, : N_FRAMES * N_BANDS].reshape(N_FRAMES, N_BANDS)
left.imshow(clip.T, origin="lower", aspect="auto", cmap="magma")
left.set(title="one clip, as the teacher hears it", xlabel="frame", ylabel="band")
for shift, (name, accuracies) in enumerate(found.items()):
    errors = [100 * (1 - accuracy) for accuracy in accuracies.values()]
    bars = right.bar(np.arange(len(arms)) + 0.4 * shift, errors, width=0.38, label=name)
    right.bar_label(bars, fmt="%.1f")
right.set_xticks(np.arange(len(arms)) + 0.2, arms)
right.margins(y=0.15)
right.set(title="errors on new clips", ylabel="percent")
right.legend()
output = Path("output")
output.mkdir(exist_ok=True)
figure.savefig(output / "speech.png")
