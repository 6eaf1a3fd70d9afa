"""Entry of `python -m flexsaml`."""

import sys

from flexsaml.cli import main

if __name__ == "__main__":
    sys.exit(main())
