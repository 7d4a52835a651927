/*
 * Errors that cannot be returned. libjpeg reports errors by calling a function that must not come back, and C without
 * setjmp has no way out of it, so the module imports one function, `env.fail(status, detail)`, that throws a JavaScript
 * exception through the wasm frames. The shadow stack and libjpeg's state are then as the throw left them: the host
 * throws the instance away and makes a new one from the compiled module. All other code returns its status.
 */
#include "codecs.h"

__attribute__((import_module("env"), import_name("fail"))) _Noreturn void host_fail(int status, int detail);

_Noreturn void fail_with(int status, int detail) {
  info.detail = detail;
  host_fail(status, detail);
}
