"""Ctrl-C in a training that is part of something longer, which it ends as a whole."""

import contextlib
import signal
import threading
from contextvars import ContextVar

_pressed: ContextVar[list | None] = ContextVar("pressed", default=None)


def only_whole():
    """Return whether a training that Ctrl-C cuts short must leave nothing."""
    return _pressed.get() is not None


@contextlib.contextmanager
def whole_trainings():
    """Let Ctrl-C end a training inside the block as it ends all else, with nothing kept of it.

    Nets of skorch and others keep what they have learnt and say nothing: with them it is noted
    that somebody has pressed it, and the block ends so.

    Raises
    ------
    KeyboardInterrupt
    """
    outer = _pressed.get()
    pressed: list = [] if outer is None else outer
    token = _pressed.set(pressed)
    kept = True
    try:
        with _noting(pressed) if outer is None else contextlib.nullcontext():
            yield
    except KeyboardInterrupt:
        kept = False
        raise
    finally:
        _pressed.reset(token)
        if kept and pressed:
            raise KeyboardInterrupt


@contextlib.contextmanager
def _noting(pressed):
    """Note each Ctrl-C that raises; elsewhere than in the main thread none arrives."""
    own = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(own):
        yield
        return

    def note(number, frame):
        try:
            own(number, frame)
        except KeyboardInterrupt:
            pressed.append(number)
            raise

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, own)
