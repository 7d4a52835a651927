#!/usr/bin/env python3
"""Builds codecs.wasm, bit for bit the same on every machine and in every folder.

    python3 native/codecs/build.py            writes native/codecs/codecs.wasm
    python3 native/codecs/build.py --check    builds into the cache folder and compares with codecs.wasm
    python3 native/codecs/build.py --guards --output FILE    a module for tests that notices writes outside of blocks
    --output FILE   writes there instead      --cache FOLDER   keeps compiler and sources there

Needs Python 3.9+, pip and cargo with access to their package registries. The compiler is the wheel pinned with its
hash in ../requirements.txt, the sources are the crates pinned with their checksums in Cargo.lock; both are fetched by
their ordinary clients into a cache folder that is not committed (native/codecs/.cache).
"""

import argparse
import gzip
import hashlib
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))
from toolchain import compiler, environment, run  # noqa: E402

SOURCE = HERE / "src"

OURS = (
    "codecs errors memory input orientation resize jpeg jpeg_source jpeg_huff jpeg_scans jpeg_dc jpeg_dnl jpeg_part jpeg_simd libjpeg_stubs png "
    "inflate webp webp_lossless gif bmp pnm tiff"
).split()

LIBJPEG = (
    "jaricom jcomapi jdapimin jdapistd jdarith jdcoefct jdcolor jddctmgr jdinput jdmainct jdmarker jdmaster "
    "jdphuff jdpostct jdsample jidctint jidctred jmemmgr jmemnobs jutils jpeg_nbits jidctflt jidctfst jdmerge"
).split()
LIBWEBP = (
    "dec/frame_dec dec/quant_dec dec/tree_dec dec/vp8_dec "
    "utils/bit_reader_utils utils/color_cache_utils utils/huffman_utils utils/utils utils/thread_utils "
    "dsp/dec dsp/dec_sse2 dsp/dec_clip_tables dsp/lossless dsp/lossless_sse2 dsp/upsampling dsp/upsampling_sse2 "
    "dsp/yuv dsp/yuv_sse2"
).split()

# -ffp-contract=off and no fast maths: the resize weights must be Pillow's to the last bit.
COMPILE = (
    "-target wasm32-wasi -std=gnu11 -O3 -flto -msimd128 -mbulk-memory -ffp-contract=off -fno-sanitize=all "
    "-fwrapv -DNDEBUG -DNO_GETENV -g0"
).split()
WARNINGS = "-Wall -Wextra -Werror".split()
# Linked without libc and its start-up code, which would import WASI functions: the compiler's runtime has memcpy and the
# like, memory.c the rest.
LINK = (
    "-target wasm32-freestanding -nostdlib -flto -O3 -s -Wl,--no-entry -Wl,--gc-sections -Wl,-z,stack-size=65536 "
    "-Wl,--max-memory=134217728"
).split()


def sources(cache):
    """The crates of Cargo.lock, which cargo checks against the checksums there."""
    vendor = cache / "vendor"
    stamp = cache / "Cargo.lock"
    wanted = (HERE / "Cargo.lock").read_text()
    if not stamp.exists() or stamp.read_text() != wanted or not vendor.exists():
        shutil.rmtree(vendor, ignore_errors=True)
        command = ["cargo", "vendor", "--quiet", "--locked", "--versioned-dirs", "--manifest-path", HERE / "Cargo.toml"]
        run([*command, vendor], stdout=subprocess.DEVNULL)
        stamp.write_text(wanted)
    return {
        "libjpeg": vendor / "turbojpeg-sys-1.2.0" / "libjpeg-turbo" / "src",
        "libwebp": vendor / "libwebp-sys-0.14.4" / "vendor",
    }


def units(trees, warnings=WARNINGS):
    """The files to compile, ours and the libraries', with their options besides those for all."""
    # jpeg_dc.c decides which coefficient controller an image gets; this one keeps all coefficients.
    special = {"jdcoefct": ["-Djinit_d_coef_controller=jpeg_full_coef_controller"]}
    # jpeg_huff.c, in which jdhuff.c is compiled, says why.
    special |= {"jdphuff": ["-D__x86_64__", "-D__ILP32__"]}
    # config/webp has an emmintrin.h for wasm, so libwebp's SSE2 code is used.
    sse2 = ["-w", "-DWEBP_USE_SSE2", f"-I{HERE / 'config' / 'webp'}"]
    ours = [(SOURCE / f"{name}.c", warnings) for name in OURS]
    libjpeg = [(trees["libjpeg"] / f"{name}.c", ["-w", *special.get(name, [])]) for name in LIBJPEG]
    return ours + libjpeg + [(trees["libwebp"] / "src" / f"{name}.c", sse2) for name in LIBWEBP]


def build(cache, output, guards):
    zig = compiler(cache)
    env = environment(cache)
    trees = sources(cache)
    objects = cache / "objects"
    shutil.rmtree(objects, ignore_errors=True)
    objects.mkdir(parents=True)

    includes = [f"-I{HERE / 'config'}", f"-I{trees['libjpeg']}", f"-I{trees['libwebp']}"]
    # No path of this machine may end up in the module.
    maps = [f"-ffile-prefix-map={cache}=/cache", f"-ffile-prefix-map={HERE}=/codecs"]

    built = []
    for source, options in units(trees, [*WARNINGS, "-DMEMORY_GUARDS"] if guards else WARNINGS):
        target = objects / f"{len(built):02d}-{source.stem}.o"
        run([*zig, *COMPILE, *options, *includes, *maps, "-c", source, "-o", target], env=env, cwd=cache)
        built.append(target)
    run([*zig, *LINK, *built, "-o", output], env=env, cwd=cache)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--check", action="store_true", help="compare with the committed module, write nothing")
    options.add_argument("--guards", action="store_true", help="a module for tests; needs --output")
    options.add_argument("--output", type=pathlib.Path, default=HERE / "codecs.wasm")
    options.add_argument("--cache", type=pathlib.Path, default=HERE / ".cache")
    arguments = options.parse_args()
    if arguments.guards and (arguments.check or arguments.output == HERE / "codecs.wasm"):
        options.error("--guards is not for the committed module: give another --output")
    cache = arguments.cache.resolve()
    cache.mkdir(parents=True, exist_ok=True)

    output = cache / "codecs.wasm" if arguments.check else arguments.output.resolve()
    build(cache, output, arguments.guards)
    module = output.read_bytes()
    print(f"{hashlib.sha256(module).hexdigest()}  {output.name}")
    print(f"{len(module)} bytes, {len(gzip.compress(module, 9))} gzip")
    if arguments.check and module != (HERE / "codecs.wasm").read_bytes():
        sys.exit("the module built here differs from the committed one")


if __name__ == "__main__":
    main()
