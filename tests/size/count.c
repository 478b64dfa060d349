/* A plugin of QEMU: counts the instructions from one execution of the address `mark` to the next, then
   from the one after it, and writes each count as a line.
   Debian ships no header for plugins, so what is used of it is declared here. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*on_translate)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*on_execute)(unsigned int cpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, on_translate);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, on_execute, int flags,
                                            void *data);

__attribute__((visibility("default"))) int qemu_plugin_version = PLUGIN_VERSION;

static uint64_t mark, count;
static int counting;

static void at_mark(unsigned int cpu, void *data) {
    if (counting) {
        fprintf(stderr, "count %" PRIu64 "\n", count);
    }
    counting = !counting;
    count = 0;
}

static void at_each(unsigned int cpu, void *data) { count++; }

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        uint64_t address = qemu_plugin_insn_vaddr(insn);
        qemu_plugin_register_vcpu_insn_exec_cb(insn, address == mark ? at_mark : at_each, 0, NULL);
    }
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                              const qemu_info_t *info, int argc,
                                                              char **argv) {
    if (argc != 1 || strncmp(argv[0], "mark=", 5) != 0) {
        return -1;
    }
    mark = strtoull(argv[0] + 5, NULL, 0);
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
