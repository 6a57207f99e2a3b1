"""The usual ways to train the same student: each as its own documentation has it."""

import importlib.util
import os

import torch
from _speed_raw import EPOCHS, LR, mlp
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn.functional import kl_div, log_softmax


class AskingNet(NeuralNetClassifier):
    """A skorch net that asks the teacher about every batch anew, as skorch's tutorials do."""

    def __init__(self, *args, ask, temperature, **kwargs):
        super().__init__(*args, **kwargs)
        self.ask = ask
        self.temperature = temperature

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Return half the loss of the labels and half the teacher's."""
        hard = super().get_loss(y_pred, y_true, X=X, training=training)
        with torch.no_grad():
            answer = self.ask(X.to(self.device))
        T = self.temperature
        log_p, log_q = log_softmax(answer / T, dim=1), log_softmax(y_pred / T, dim=1)
        return 0.5 * hard + 0.5 * T**2 * kl_div(
            log_q, log_p, reduction="batchmean", log_target=True
        )


def skorch_net(X, y, hidden, batch_size, device, teacher=None, temperature=None):
    """Fit a skorch net on labels, or one that asks a teacher."""
    settings = {}
    if teacher is not None:  # a function: skorch would take a module for one to train
        settings = {"ask": lambda rows: teacher(rows), "temperature": temperature}
    net = (NeuralNetClassifier if teacher is None else AskingNet)(
        mlp(X.shape[1], *hidden, int(y.max()) + 1),
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.AdamW,
        lr=LR,
        max_epochs=EPOCHS,
        batch_size=batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        device=device,
        **settings,
    )
    return net.fit(X, y)


def sklearn_net(X, y, hidden, batch_size):
    """Fit scikit-learn's MLPClassifier on labels."""
    net = MLPClassifier(hidden, batch_size=batch_size, max_iter=EPOCHS, learning_rate_init=LR)
    return net.fit(X, y)


def keras_is_installed():
    """Whether the Keras peer can run."""
    return importlib.util.find_spec("keras") is not None


def keras_distiller(X, y, hidden, batch_size, device, teacher, temperature):
    """Fit a Keras model whose `train_step` asks the teacher, on Keras' torch backend."""
    os.environ |= {"KERAS_BACKEND": "torch", "KERAS_TORCH_DEVICE": device}
    import keras

    class Distiller(keras.Model):
        def __init__(self, student):
            super().__init__()
            self.student = student
            self.mean_loss = keras.metrics.Mean(name="loss")

        def call(self, rows):
            return self.student(rows)

        @property
        def metrics(self):
            return [self.mean_loss]

        def train_step(self, data):
            rows, labels = data
            self.zero_grad()
            logits = self.student(rows, training=True)
            with torch.no_grad():
                answer = ask(rows)
            hard = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            soft = keras.losses.kl_divergence(
                keras.ops.softmax(answer / temperature), keras.ops.softmax(logits / temperature)
            )
            loss = 0.5 * keras.ops.mean(hard) + 0.5 * temperature**2 * keras.ops.mean(soft)
            loss.backward()
            weights = self.trainable_weights
            with torch.no_grad():
                self.optimizer.apply([weight.value.grad for weight in weights], weights)
            self.mean_loss.update_state(loss)
            return {"loss": self.mean_loss.result()}

    def ask(rows):  # a function, so that Keras does not take the teacher for a part to train
        return teacher(rows)

    layers = [keras.layers.Dense(width, activation="relu") for width in hidden]
    layers = [keras.Input((X.shape[1],)), *layers, keras.layers.Dense(int(y.max()) + 1)]
    model = Distiller(keras.Sequential(layers))
    model.compile(optimizer=keras.optimizers.AdamW(LR), jit_compile=False)
    model.fit(X, y, batch_size=batch_size, epochs=EPOCHS, verbose=0)
    return model
