"""Runs kosoku, whose cases of compression send fewer of their long messages.

usage: autobahn.py BYTES KOSOKU-ARGUMENT..

Each of the cases 12.* and 13.* sends 1000 messages of one length, of up to 131,072 bytes: 10 GB in
all. Here each sends as many of them as make BYTES, but at least one and at most 1000.
"""

import sys

from kosoku._cli import main
from kosoku.cases import CASES


def shorten(most):
    for name, case in CASES.items():
        if name.startswith(("12.", "13.")):
            count = min(case.COUNT, max(most // case.LEN, 1))
            case.DESCRIPTION = case.DESCRIPTION.replace(f"Send {case.COUNT} ", f"Send {count} ")
            case.COUNT = count


if len(sys.argv) < 3 or not sys.argv[1].isdecimal():
    sys.exit("usage: autobahn.py BYTES KOSOKU-ARGUMENT..")
shorten(int(sys.argv.pop(1)))
main()
