"""What errors say of a user's values, and of the errors of others, within a sentence."""

__all__ = ["cut", "one_line", "shorten"]

VALUE, ERROR = 80, 300
"""Characters that a value, or what another error says, has at most in an error."""


def shorten(value):
    """Return a value as an error shows it: its repr in one line, cut where it is long.

    Parameters
    ----------
    value : object

    Returns
    -------
    str
        Of 80 characters at most.
    """
    return cut(repr(value))


def cut(text):
    """Return a text in one line, without its end where it is long; see `shorten`."""
    text = " ".join(text.split())
    return text if len(text) <= VALUE else f"{text[: VALUE - 3]}..."


def one_line(error, limit=ERROR):
    """Return what an error of others says, to be joined into a sentence of ours.

    Parameters
    ----------
    error : BaseException or str
    limit : int, default=300
        Characters; what is longer, such as an error that repeats a text of the user's, goes without
        its middle.

    Returns
    -------
    str
        In one line, and without the dot at its end.
    """
    text = " ".join(str(error).split()).rstrip(".")
    return text if len(text) <= limit else f"{text[: limit // 2]} ... {text[-limit // 2 :]}"
