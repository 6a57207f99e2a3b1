"""The command line. Each command imports what it needs when it is run."""

import sys
import warnings
from importlib import import_module

from skdistill._cli._parser import parse

HOMES = {
    "export": "skdistill._cli._export",
    "demo": "skdistill._cli._report",
    "fit": "skdistill._cli._fit",
    "inspect": "skdistill._cli._inspect",
    "predict": "skdistill._cli._predict",
    "report": "skdistill._cli._report",
}


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, default=None
        Words after the program's name; None takes those of the process.

    Returns
    -------
    int
        The exit status: 0, 2 when the words or a file cannot be used, 130 after Ctrl-C.
    """
    options = parse(arguments)
    run = import_module(HOMES[options.command]).run
    name = f"skdistill {options.command}"
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning(name)
        try:
            run(options)
            sys.stdout.flush()
        except BrokenPipeError:  # whoever reads has read enough
            sys.stdout = None
        except (OSError, ValueError, TypeError, ImportError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        except KeyboardInterrupt:
            print(f"{name}: interrupted; nothing is kept", file=sys.stderr)
            return 130
    return 0


def _show_warning(name):
    def show(message, category, filename, lineno, file=None, line=None):
        print(f"{name}: {category.__name__}: {message}", file=sys.stderr)

    return show
