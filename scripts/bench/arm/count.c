/* A plugin of QEMU's user emulation that counts the instructions of the emulated program, for scripts/bench/arm.ts.
 * Debian has no header for plugins: what is used of QEMU's qemu-plugin.h, API version 1, is declared here.
 *
 *     cc -shared -fPIC -O2 count.c -o count.so
 *     qemu-aarch64 -plugin ./count.so,count=COUNT PROGRAM
 *
 * COUNT must have 8 bytes, in which the number stands while the program runs. Threads may lose counts to each other. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_info_t;
struct qemu_plugin_tb;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                           void (*callback)(qemu_plugin_id_t, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, enum qemu_plugin_op operation, void *to,
                                              uint64_t value);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);

int qemu_plugin_version = 1;

static uint64_t *count;

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(block, QEMU_PLUGIN_INLINE_ADD_U64, count, qemu_plugin_tb_n_insns(block));
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info, int count_of_arguments, char **arguments) {
    (void)info;
    if (count_of_arguments != 1 || strncmp(arguments[0], "count=", 6) != 0) return 1;
    const int file = open(arguments[0] + 6, O_RDWR);
    if (file < 0) return 1;
    count = mmap(0, sizeof *count, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (count == MAP_FAILED) return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
