"""Fetches what the scripts in native/ need: wheels pinned with their hashes in requirements*.txt beside this file, which
pip installs into virtual environments in a cache folder."""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent


def run(command, **options):
    subprocess.run([str(part) for part in command], check=True, **options)


def run_all(commands):
    """Runs commands that do not depend on each other, as many at once as there are processors."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, commands))


def script(main):
    """Runs a script's main function. A command that fails ends it with a message that repeats the command."""
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{shlex.join(str(part) for part in error.cmd)}\nfailed with {error.returncode}")


def installed(cache, name, requirements):
    """The Python of a virtual environment `name` in the cache folder that has what `requirements` lists."""
    venv = cache / name
    python = venv / "bin" / "python"
    stamp = venv / "requirements.txt"
    wanted = (HERE / requirements).read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(venv, ignore_errors=True)
        run([sys.executable, "-m", "venv", venv])
        options = ["--quiet", "--no-deps", "--require-hashes"]
        run([python, "-m", "pip", "install", *options, "-r", HERE / requirements])
        stamp.write_text(wanted)
    return python


def compiler(cache):
    """The command of the pinned zig's C compiler, to be run with `environment(cache)`."""
    return [installed(cache, "venv", "requirements.txt"), "-m", "ziglang", "cc"]


def environment(cache):
    """Keeps zig's caches in the cache folder, and timestamps out of its output."""
    zig = str(cache / "zig")
    return dict(os.environ, ZIG_GLOBAL_CACHE_DIR=zig, ZIG_LOCAL_CACHE_DIR=zig, SOURCE_DATE_EPOCH="0")


def simde(cache):
    """The folder that has simde/wasm/simd128.h."""
    python = installed(cache, "simde", "requirements-simde.txt")
    return next(python.parents[1].glob("lib/*/site-packages/cmeel.prefix/include"))
