#!/usr/bin/env python3
"""Builds kernels.wasm, bit for bit the same on every machine and in every folder.

    python3 native/kernels/build.py            writes native/kernels/kernels.wasm
    python3 native/kernels/build.py --check    builds into the cache folder and compares with kernels.wasm
    --output FILE   writes there instead       --cache FOLDER   keeps the compiler there

Needs Python 3.9+ and pip with access to its package registry. The compiler is the wheel pinned with its hash in
../requirements.txt; it goes into a cache folder that is not committed (native/kernels/.cache).
"""

import argparse
import gzip
import hashlib
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))
from toolchain import compiler, environment, run  # noqa: E402

SOURCE = HERE / "src"

UNITS = (
    "f32_gemm_4x8_fma qd16_f32_gemm_4x8c2_dot16x2 qd16_f32_gemm_4x8c2_strassen "
    "qu8_gemm_4x8c2_dot16x2 qu8_gemm_4x12c4_usdot qu8_gemm_3x8c4_usdot2 "
    "f32_dwconv_7x4_fma qu8_dwconv_2x8c2_dot16x2 qu8_dwconv_2x4x4c4_usdot "
    "vbinary pool vcvt move packw vunary copy lut2 s8_gemv_4c16_dot16x2"
).split()

# -ffp-contract=off: only relaxed_madd is fused. The compiler must not turn our loops into calls of memcpy or memset.
COMPILE = (
    "-target wasm32-freestanding -std=gnu11 -O3 -msimd128 -mrelaxed-simd -mbulk-memory -ffp-contract=off "
    "-fno-sanitize=all -fwrapv -fno-strict-aliasing -fno-builtin -fno-slp-vectorize -fno-vectorize -ffreestanding "
    "-DNDEBUG -g0 -Wall -Wextra -Werror"
).split()
# The memory belongs to the host: the module puts neither data nor a stack into it.
LINK = (
    "-target wasm32-freestanding -nostdlib -O3 -s -Wl,--no-entry -Wl,--gc-sections -Wl,--import-memory "
    "-Wl,-z,stack-size=16 -Wl,--initial-memory=65536"
).split()


def build(cache, output):
    zig = compiler(cache)
    env = environment(cache)
    objects = cache / "objects"
    shutil.rmtree(objects, ignore_errors=True)
    objects.mkdir(parents=True)
    # No path of this machine may end up in the module.
    maps = [f"-ffile-prefix-map={cache}=/cache", f"-ffile-prefix-map={HERE}=/kernels"]
    built = []
    for unit in UNITS:
        target = objects / f"{unit}.o"
        run([*zig, *COMPILE, *maps, "-c", SOURCE / f"{unit}.c", "-o", target], env=env, cwd=cache)
        built.append(target)
    run([*zig, *LINK, *built, "-o", output], env=env, cwd=cache)


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def check_no_state(objects, module):
    """Refuses kernels that use a stack in memory, and a module with data: both would overwrite memory of the host."""
    for unit in sorted(objects.glob("*.o")):
        if b"__stack_pointer" in unit.read_bytes():
            sys.exit(f"{unit.stem} needs a stack in memory: have its arrays unrolled into registers")
    at = 8
    while at < len(module):
        section = module[at]
        size, at = varint(module, at + 1)
        if section == 11 and varint(module, at)[0]:
            sys.exit("the module has data: constants must be immediate")
        at += size


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="compare with the committed module, write nothing")
    options.add_argument("--output", type=pathlib.Path, default=HERE / "kernels.wasm")
    options.add_argument("--cache", type=pathlib.Path, default=HERE / ".cache")
    arguments = options.parse_args()
    cache = arguments.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)

    output = cache / "kernels.wasm" if arguments.check else arguments.output.resolve()
    build(cache, output)
    module = output.read_bytes()
    check_no_state(cache / "objects", module)
    print(f"{hashlib.sha256(module).hexdigest()}  {output.name}")
    print(f"{len(module)} bytes, {len(gzip.compress(module, 9))} gzip")
    if arguments.check and module != (HERE / "kernels.wasm").read_bytes():
        sys.exit("the module built here differs from the committed one")


main()
