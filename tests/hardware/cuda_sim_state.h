/* The state of the simulated devices, and how it is read from the file; cuda_sim.c tells what stands there. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DEVICES = 8, FAULTS = 16, BUFFERS = 16, PIDS = 16 };
enum { SUCCESS, INVALID_VALUE, OUT_OF_MEMORY, NOT_INITIALIZED, INVALID_CONTEXT = 201, INVALID_HANDLE = 400 };
enum { NO_DEVICE = 100, INVALID_DEVICE = 101, NVML_INVALID = 2, NVML_SMALL = 7 };

struct fault {
    char function[48];
    int kind, code, skip;
};

struct device {
    uint8_t uuid[16];
    char name[48];
    double gbs, slow_s, slow, wobble, clock, pending, waited;
    uint64_t free, most, cache, taken, sizes[BUFFERS];
    int contexts, waits, computing, real;
    unsigned pids[PIDS];
};

struct event {
    double at;
};

static struct device devices[DEVICES];
static struct fault faults[FAULTS];
static struct device *seen[DEVICES], *current;
static int count, visible, failing, loaded, ready;

static void note(const char *function, uint64_t value) {
    const char *path = getenv("CUDA_SIM_LOG");
    FILE *file = path ? fopen(path, "a") : 0;
    if (!file) return;
    fprintf(file, "%s %llu\n", function, (unsigned long long)value);
    fclose(file);
}

static void add(const char *digits) {
    struct device *device = &devices[count++];
    *device = (struct device){.gbs = 1000, .free = 24ull << 30, .most = ~0ull, .cache = 64 << 20, .slow = 100};
    for (int i = 0; i < 16; i++) sscanf(digits + 2 * i, "%2hhx", &device->uuid[i]);
    int at = sprintf(device->name, "GPU-");
    for (int i = 0; i < 16; i++)
        at += sprintf(device->name + at, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", device->uuid[i]);
}

static void load(void) {
    char line[128], key[16], text[64];
    if (loaded++) return;
    FILE *file = getenv("CUDA_SIM") ? fopen(getenv("CUDA_SIM"), "r") : 0;
    while (file && fgets(line, sizeof line, file)) {
        struct device *device = &devices[count ? count - 1 : 0];
        struct fault *fault = &faults[failing];
        if (sscanf(line, "%15s %63s", key, text) != 2) continue;
        double number = atof(text);
        if (!strcmp(key, "device")) add(text);
        if (!strcmp(key, "gbs")) device->gbs = number;
        if (!strcmp(key, "free")) device->free = number;
        if (!strcmp(key, "most")) device->most = number;
        if (!strcmp(key, "cache")) device->cache = number;
        if (!strcmp(key, "real")) device->real = number;
        if (!strcmp(key, "wobble")) device->wobble = number / 100;
        if (!strcmp(key, "slow")) sscanf(line, "%*s %lf %lf", &device->slow_s, &device->slow);
        if (!strcmp(key, "compute")) device->pids[device->computing++] = number;
        if (!strcmp(key, "error") || !strcmp(key, "hang") || !strcmp(key, "crash")) {
            sscanf(line, "%*s %47s %d %d", fault->function, &fault->code, &fault->skip);
            fault->kind = *key;
            failing++;
        }
    }
    if (file) fclose(file);
    const char *only = getenv("CUDA_VISIBLE_DEVICES");
    for (int i = 0; i < count; i++)
        if (!only || !strcmp(only, devices[i].name) || (*only - '0' == i && !only[1])) seen[visible++] = &devices[i];
}

static int fault(const char *function) {
    load();
    size_t length = strcspn(function, "_");
    for (int i = 0; i < failing; i++) {
        struct fault *each = &faults[i];
        if (strlen(each->function) != length || strncmp(each->function, function, length)) continue;
        if (each->kind == 'h') for (;;) pause();
        if (each->kind == 'c') raise(SIGSEGV);
        if (each->skip-- <= 0) return each->code;
    }
    return ready || !strcmp(function, "cuInit") ? SUCCESS : NOT_INITIALIZED;
}
