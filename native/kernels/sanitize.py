#!/usr/bin/env python3
"""Builds the kernels as a program of this machine, watched by AddressSanitizer and UndefinedBehaviorSanitizer.

    python3 native/kernels/sanitize.py    writes native/kernels/.cache/kernels-sanitized

The program is for test/sanitize.ts, which builds and runs it. Needs Python 3.9+, pip, and a C compiler of the system with
its sanitizers: gcc or clang, $CC or cc. SIMDe stands for wasm's SIMD; it is the wheel pinned with its hash in
../requirements-simde.txt.
"""

import json
import os
import pathlib
import platform
import re
import shlex
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent))
from toolchain import run, run_all, script, simde  # noqa: E402

SOURCE = HERE / "src"
HARNESS = HERE / "test" / "sanitized"
LAYOUTS = json.loads((HERE.parent / "layouts" / "kernels.json").read_text())

# As in build.py, integers wrap, and wasm does not require alignment. Pointers have 64 bits here, so that the offsets that
# layouts.h asserts do not hold: calls.h, generated below, fills the structures field by field.
COMPILE = (
    "-std=gnu11 -O1 -g -fno-omit-frame-pointer -ffp-contract=off -fwrapv -fno-strict-aliasing -DNDEBUG -w "
    "-fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all"
).split() + ["-DOPAQUE(value)=((void)0)", "-D_Static_assert(...)="]


def fuses():
    """Whether engines on this CPU fuse the relaxed multiply-add, as V8 does where it can."""
    if platform.machine() in ("aarch64", "arm64"):
        return True
    info = pathlib.Path("/proc/cpuinfo")
    return info.exists() and " fma " in info.read_text()


class Words:
    """Consumes the words of parameters one after the other."""

    def __init__(self):
        self.count = 0

    def take(self, declaration):
        """A C expression for a field or parameter with this declaration."""
        array = re.search(r"\[(\w+)\]$", declaration)
        if array and "*" not in declaration:
            length = LAYOUTS["constants"].get(array[1], [array[1]])[0]
            return "{" + ", ".join(self.take(declaration[: array.start()]) for _ in range(int(length))) + "}"
        struct = re.match(r"struct (\w+) \w+$", declaration)
        if struct:
            return "{" + ", ".join(self.take(field[0]) for field in LAYOUTS["structs"][struct[1]]["fields"]) + "}"
        at = self.count
        self.count += 1
        if "*" in declaration:
            return f"pointer(w[{at}])"
        return f"real(w[{at}])" if declaration.startswith("float ") else f"(int32_t)w[{at}].value"


def parameters_of(prototype):
    """The parameters of a C prototype; a pointer to an array has its parentheses."""
    inner = prototype[prototype.index("(") + 1 : -1]
    return [part.strip() for part in re.split(r",(?![^(]*\))", inner)]


def calls():
    """calls.h: calls the kernel or function of an index with words, in the order in which kernels.json lists them."""
    cases = []
    for name, struct in LAYOUTS["structs"].items():
        for kernel in struct.get("kernels", ()):
            words = Words()
            fields = ", ".join(words.take(field[0]) for field in struct["fields"])
            cases.append(f"{{ const struct {name} s = {{{fields}}}; {kernel}(&s); return 0; }}")
    for prototype, _ in LAYOUTS["functions"]:
        words = Words()
        function = re.search(r"(\w+)\(", prototype)[1]
        call = f"{function}({', '.join(words.take(parameter) for parameter in parameters_of(prototype))})"
        cases.append(f"return {call};" if prototype.startswith("int32_t ") else f"{call}; return 0;")
    lines = [f"    case {index}: {body}" for index, body in enumerate(cases)]
    head = "/* Made by sanitize.py from native/layouts/kernels.json. */\nstatic int32_t call(uint32_t index, const struct Word *w) {"
    return "\n".join([head, "    switch (index) {", *lines, "    default: exit(2);", "    }", "}", ""])


def main():
    cache = HERE / ".cache"
    objects = cache / "sanitized"
    objects.mkdir(parents=True, exist_ok=True)
    (objects / "calls.h").write_text(calls())
    compiler = shlex.split(os.environ.get("CC", "cc"))
    options = [*COMPILE, *(f"-I{folder}" for folder in (HARNESS, objects, simde(cache)))]
    if fuses():
        options.append("-DFUSES")
    units = [*sorted(SOURCE.glob("*.c")), HARNESS / "main.c"]
    targets = [objects / f"{unit.stem}.o" for unit in units]
    run_all([*compiler, *options, "-c", unit, "-o", target] for unit, target in zip(units, targets))
    program = cache / "kernels-sanitized"
    run([*compiler, *COMPILE, *targets, "-lm", "-o", program])
    print(program)


if __name__ == "__main__":
    script(main)
