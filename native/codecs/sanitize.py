#!/usr/bin/env python3
"""Builds the codecs as a program of this machine, watched by AddressSanitizer and UndefinedBehaviorSanitizer.

    python3 native/codecs/sanitize.py    writes native/codecs/.cache/codecs-sanitized

The program is for test/sanitize.mjs, which builds and runs it. Needs what build.py needs, and a C compiler of the system
with its sanitizers: gcc or clang, $CC or cc. SIMDe stands for wasm's SIMD; it is the wheel pinned with its hash in
../requirements-simde.txt.
"""

import os
import pathlib
import shlex
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE))
from build import SOURCE, sources, units  # noqa: E402
from toolchain import run, run_all, script, simde  # noqa: E402

HARNESS = HERE / "test" / "sanitized"

# -fwrapv and -DNDEBUG as in build.py: integers may wrap. No checks of alignment: wasm does not require it, and the code
# relies on that.
COMPILE = (
    "-std=gnu11 -O1 -g -fno-omit-frame-pointer -ffp-contract=off -fwrapv -DNDEBUG -DNO_GETENV -w "
    "-fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all -ffunction-sections"
).split()
# Some functions of the libraries that are never called refer to functions that are not compiled.
LINK = "-Wl,--gc-sections -lm".split()
# test/sanitized/memory.c counts the decoders' blocks. OPAQUE is for the compiler of wasm. libjpeg's JLONG is a long, which
# has 32 bits in wasm: sums of damaged files wrap there.
DECODERS = [
    *(f"-D{name}=codecs_{name}" for name in ("malloc", "free", "calloc", "realloc")),
    *("-DOPAQUE(value)=((void)0)", "-DJLONG=int"),
]


def main():
    cache = HERE / ".cache"
    objects = cache / "sanitized"
    objects.mkdir(parents=True, exist_ok=True)
    compiler = shlex.split(os.environ.get("CC", "cc"))
    trees = sources(cache)
    # libwebp's own code for x86, not that for wasm.
    includes = [f"-I{folder}" for folder in (HERE / "config", trees["libjpeg"], trees["libwebp"], HARNESS, simde(cache))]
    built = []
    for source, options in units(trees):
        if source != SOURCE / "memory.c":
            options = [option for option in options if not option.startswith(("-W", "-I", "-D__"))]
            built.append((source, [*DECODERS, *options]))
    built += [(HARNESS / "memory.c", []), (HARNESS / "main.c", [])]
    targets = [objects / f"{index:02d}-{source.stem}.o" for index, (source, _) in enumerate(built)]

    run_all(
        [*compiler, *COMPILE, *options, *includes, "-c", source, "-o", target]
        for (source, options), target in zip(built, targets)
    )
    program = cache / "codecs-sanitized"
    run([*compiler, *COMPILE, *targets, *LINK, "-o", program])
    print(program)


if __name__ == "__main__":
    script(main)
