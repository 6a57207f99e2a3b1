"""The command line: `python -m skdistill`, or `skdistill`."""

import sys

from skdistill._cli import main

if __name__ == "__main__":
    sys.exit(main())
