"""The compiler of native/*/build.py: the wheel pinned with its hash in requirements.txt beside this file, which pip
fetches into a virtual environment in the cache folder."""

import os
import pathlib
import shutil
import subprocess
import sys

REQUIREMENTS = pathlib.Path(__file__).resolve().parent / "requirements.txt"


def run(command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def compiler(cache):
    """The command of the pinned zig's C compiler, to be run with `environment(cache)`."""
    venv = cache / "venv"
    python = venv / "bin" / "python"
    stamp = venv / "requirements.txt"
    wanted = REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(venv, ignore_errors=True)
        run([sys.executable, "-m", "venv", venv])
        run([python, "-m", "pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS])
        stamp.write_text(wanted)
    return [python, "-m", "ziglang", "cc"]


def environment(cache):
    """Keeps zig's own caches in the cache folder, and times out of what it makes."""
    zig = str(cache / "zig")
    return dict(os.environ, ZIG_GLOBAL_CACHE_DIR=zig, ZIG_LOCAL_CACHE_DIR=zig, SOURCE_DATE_EPOCH="0")
