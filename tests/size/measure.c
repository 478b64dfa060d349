/* A plugin of QEMU. It counts the instructions from one execution of the address `mark` to the next,
   then from the one after it, and finds the lowest address between `floor` and `top` that was ever
   read or written: how deep the stack became. Both are exact, whatever the host does. For the count
   with the number `profile` it also tells how often each address was executed.

   Debian's QEMU runs plugins but ships no header for them, so what is used of it is declared here. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*on_translate)(plugin_id, struct qemu_plugin_tb *);
typedef void (*on_execute)(unsigned int cpu, void *data);
typedef void (*on_access)(unsigned int cpu, uint32_t info, uint64_t address, void *data);
typedef void (*on_end)(plugin_id, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translate);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, on_execute, int flags,
                                            void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, on_access, int flags, int reads_writes,
                                      void *data);
void qemu_plugin_register_atexit_cb(plugin_id, on_end, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *);

#define EXPORT __attribute__((visibility("default")))
#define READS_AND_WRITES 3

EXPORT int qemu_plugin_version = PLUGIN_VERSION;

/* Programs and the library's code in flash lie below this address, an instruction in each two bytes. */
#define FLASH 0x40000

static uint64_t mark, floor_, top, count, deepest, profile, counted, executed[FLASH / 2];
static int counting;
static FILE *out;

static void at_mark(unsigned int cpu, void *data) {
    if (counting) {
        fprintf(out, "count %" PRIu64 "\n", count);
        counted++;
    }
    counting = !counting;
    count = 0;
}

static void at_each(unsigned int cpu, void *data) {
    count++;
    uintptr_t address = (uintptr_t)data;
    if (counting && counted + 1 == profile && address < FLASH) {
        executed[address / 2]++;
    }
}

static void at_access(unsigned int cpu, uint32_t info, uint64_t address, void *data) {
    if (address >= floor_ && address < deepest) {
        deepest = address;
    }
}

static void translate(plugin_id id, struct qemu_plugin_tb *block) {
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(block, i);
        uint64_t address = qemu_plugin_insn_vaddr(insn);
        int is_mark = mark != 0 && address == mark;
        qemu_plugin_register_vcpu_insn_exec_cb(insn, is_mark ? at_mark : at_each, 0,
                                               (void *)(uintptr_t)address);
        qemu_plugin_register_vcpu_mem_cb(insn, at_access, 0, READS_AND_WRITES, NULL);
    }
}

static void finish(plugin_id id, void *data) {
    fprintf(out, "stack %" PRIu64 "\n", top - deepest);
    for (uint64_t i = 0; i < FLASH / 2; i++) {
        if (executed[i] > 0) {
            fprintf(out, "at %" PRIu64 " %" PRIu64 "\n", 2 * i, executed[i]);
        }
    }
    fclose(out);
}

EXPORT int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        if (value == NULL) {
            return -1;
        }
        *value++ = '\0';
        if (strcmp(argv[i], "out") == 0) {
            out = fopen(value, "w");
        } else if (strcmp(argv[i], "mark") == 0) {
            mark = strtoull(value, NULL, 0);
        } else if (strcmp(argv[i], "floor") == 0) {
            floor_ = strtoull(value, NULL, 0);
        } else if (strcmp(argv[i], "top") == 0) {
            top = deepest = strtoull(value, NULL, 0);
        } else if (strcmp(argv[i], "profile") == 0) {
            profile = strtoull(value, NULL, 0);
        } else {
            return -1;
        }
    }
    if (out == NULL || top == 0) {
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    qemu_plugin_register_atexit_cb(id, finish, NULL);
    return 0;
}
