#!/usr/bin/env python3
"""Formats the C of this folder as .clang-format says.

    python3 native/format.py            writes the files
    python3 native/format.py --check    writes nothing, ends with 1 if a file would change

Needs Python 3.9+ and pip. clang-format is the wheel pinned with its hash in requirements-format.txt.
"""

import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
from toolchain import installed  # noqa: E402

FOLDERS = ("kernels/src", "kernels/test/sanitized", "codecs/src", "codecs/test/sanitized")


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="write nothing, say which files would change")
    arguments = options.parse_args()
    cache = HERE / ".cache"
    cache.mkdir(exist_ok=True)
    program = installed(cache, "format", "requirements-format.txt").with_name("clang-format")
    files = sorted(file for folder in FOLDERS for file in (HERE / folder).glob("*.[ch]"))
    how = ["--dry-run", "--Werror"] if arguments.check else ["-i"]
    sys.exit(subprocess.run([program, *how, *files]).returncode)


main()
