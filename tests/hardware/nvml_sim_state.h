/* The state of the simulated GPUs, and how it is read from the file; nvml_sim.c tells what stands there. */
#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SUCCESS, UNINITIALIZED, INVALID, NOT_SUPPORTED, NOT_FOUND = 6, INSUFFICIENT_SIZE };
enum { NO_MIG, MIG_OFF, MIG_ON };
enum { NO_ECC, ECC_OFF, ECC_ON };
enum { GPUS = 64, INSTANCES = 8, ERRORS = 32, PROCESSES = 24, NAME = 64 };
enum { COMPUTE, GRAPHICS, KINDS };
#define NOT_AVAILABLE UINT64_MAX

struct error {
    char function[56];
    int code;
};

struct process { /* nvmlProcessInfo_v2_t */
    unsigned pid;
    unsigned long long bytes;
    unsigned gpu_instance, compute_instance;
};

struct work { /* nvmlProcessUtilizationSample_t */
    unsigned pid;
    unsigned long long microseconds;
    unsigned sm, memory, encoder, decoder;
};

struct gpu {
    char name[NAME];
    uint64_t memory_total, memory_used, utilization, memory_utilization, temperature;
    uint64_t power, limit, limit_min, limit_max, limit_default, energy;
    uint64_t sm_clock, memory_clock, sm_clock_max, memory_clock_max, bus_width, cores, cc_major, cc_minor, reasons;
    uint64_t pci_id; /* the vendor in the lower half */
    uint64_t enforced; /* 0: as the limit */
    uint64_t power_average, power_instant, memory_temperature;
    uint64_t pcie_gen, pcie_width, pcie_gen_max, pcie_width_max, nvlinks, nvlinks_up, nvlink_version, nvlink_mbps;
    uint64_t ecc, mig, gpm, dram; /* NO_ECC and so on; NO_MIG and so on; whether there is GPM; percent */
    uint64_t set_step, set_deaf, set_linger; /* how a new limit is taken */
    uint64_t sms, slices, memory_mb, gpu_instance; /* of an instance */
    int errors, delays, processes[KINDS], busy, instances;
    struct error error[ERRORS], delay[ERRORS];
    struct process process[KINDS][PROCESSES];
    struct work work[PROCESSES];
};

struct setting {
    const char *key;
    size_t offset;
    uint64_t value; /* that of a desktop card at rest */
};

#define SETTING(field, value) {#field, offsetof(struct gpu, field), value}
static const struct setting settings[] = {
    SETTING(memory_total, 24ull << 30), SETTING(memory_used, 1ull << 30), SETTING(utilization, 0),
    SETTING(memory_utilization, 0),     SETTING(temperature, 35),         SETTING(power, 22000),
    SETTING(limit, 450000),             SETTING(limit_min, 150000),       SETTING(limit_max, 600000),
    SETTING(limit_default, 450000),     SETTING(energy, 0),               SETTING(sm_clock, 210),
    SETTING(memory_clock, 405),         SETTING(sm_clock_max, 3105),      SETTING(memory_clock_max, 10501),
    SETTING(bus_width, 384),            SETTING(cores, 16384),            SETTING(cc_major, 8),
    SETTING(cc_minor, 9),               SETTING(reasons, 0),              SETTING(pci_id, 0),
    SETTING(enforced, 0),               SETTING(power_average, 0),        SETTING(power_instant, 0),
    SETTING(memory_temperature, 0),     SETTING(pcie_gen, 1),             SETTING(pcie_width, 16),
    SETTING(pcie_gen_max, 4),           SETTING(pcie_width_max, 16),      SETTING(nvlinks, 0),
    SETTING(nvlinks_up, 0),             SETTING(nvlink_version, 0),       SETTING(nvlink_mbps, 0),
    SETTING(ecc, NO_ECC),               SETTING(mig, NO_MIG),             SETTING(gpm, 0),
    SETTING(dram, 0),                   SETTING(sms, 0),                  SETTING(slices, 0),
    SETTING(memory_mb, 0),              SETTING(gpu_instance, 0),         SETTING(set_step, 0),
    SETTING(set_deaf, 0),               SETTING(set_linger, 0),
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct gpu gpus[GPUS], parts[GPUS][INSTANCES];
static int count, init_code, init_delay, users, samples;
static unsigned long calls;
static char driver[80], seen_path[4096];
static struct stat seen, seen_limits;

static uint64_t *at(struct gpu *gpu, const struct setting *setting) {
    return (uint64_t *)((char *)gpu + setting->offset);
}

static void begin(struct gpu *gpu) {
    memset(gpu, 0, sizeof *gpu);
    strcpy(gpu->name, "NVIDIA Simulated GPU");
    for (int i = 0; i < SETTINGS; i++) *at(gpu, &settings[i]) = settings[i].value;
}

static void add_call(struct error *calls, int *count, const char *text) {
    struct error *each = &calls[*count];
    if (*count < ERRORS && sscanf(text, "%55s %d", each->function, &each->code) == 2) ++*count;
}

/* The code or the delay that stands for a function; 0 where there is none. */
static int find(const struct error *calls, int count, const char *function) {
    for (int i = 0; i < count; i++)
        if (!strcmp(calls[i].function, "*") || !strcmp(calls[i].function, function)) return calls[i].code;
    return 0;
}

static void pause_ms(int ms) {
    struct timespec left = {ms / 1000, ms % 1000 * 1000000l};
    nanosleep(&left, 0);
}

static void add_process(struct gpu *gpu, int kind, const char *text) {
    char bytes[24];
    unsigned pid;
    if (gpu->processes[kind] == PROCESSES || sscanf(text, "%u %23s", &pid, bytes) != 2) return;
    uint64_t held = *bytes == '-' ? NOT_AVAILABLE : strtoull(bytes, 0, 0);
    gpu->process[kind][gpu->processes[kind]++] = (struct process){pid, held, ~0u, ~0u};
}

static void add_work(struct gpu *gpu, const char *text) {
    unsigned pid, percent;
    if (gpu->busy == PROCESSES || sscanf(text, "%u %u", &pid, &percent) != 2) return;
    gpu->work[gpu->busy++] = (struct work){pid, 1700000000000000ull, percent, 0, 0, 0};
}

static void set(struct gpu *gpu, const char *key, const char *value) {
    if (!strcmp(key, "name")) snprintf(gpu->name, NAME, "%.63s", value);
    if (!strcmp(key, "compute")) add_process(gpu, COMPUTE, value);
    if (!strcmp(key, "graphics")) add_process(gpu, GRAPHICS, value);
    if (!strcmp(key, "busy")) add_work(gpu, value);
    if (!strcmp(key, "error")) add_call(gpu->error, &gpu->errors, value);
    if (!strcmp(key, "delay")) add_call(gpu->delay, &gpu->delays, value);
    for (int i = 0; i < SETTINGS; i++)
        if (!strcmp(key, settings[i].key)) *at(gpu, &settings[i]) = strtoull(value, 0, 0);
}

static void load(FILE *file) {
    char line[256], key[32], value[200];
    struct gpu *gpu = 0, *whole = 0;
    count = init_code = init_delay = 0;
    strcpy(driver, "580.65.06");
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "#\n")] = 0;
        if (sscanf(line, "%31s %199[^\n]", key, value) != 2) continue;
        if (!strcmp(key, "init")) init_code = atoi(value);
        if (!strcmp(key, "init_delay")) init_delay = atoi(value);
        if (!strcmp(key, "driver")) snprintf(driver, sizeof driver, "%.79s", value);
        int index = atoi(value);
        if (!strcmp(key, "gpu")) {
            if (index < 0 || index >= GPUS) continue;
            while (count <= index) begin(&gpus[count++]);
            whole = gpu = &gpus[index];
        } else if (!strcmp(key, "instance")) {
            if (!whole || index < 0 || index >= INSTANCES) continue;
            while (whole->instances <= index) begin(&parts[whole - gpus][whole->instances++]);
            gpu = &parts[whole - gpus][index];
        } else if (gpu) {
            set(gpu, key, value);
        }
    }
}

static int same(const struct stat *one, const struct stat *other) {
    return one->st_ino == other->st_ino && one->st_size == other->st_size &&
           one->st_mtim.tv_sec == other->st_mtim.tv_sec && one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

/* The limits that were set, by whichever process; 0 for a GPU that has none. */
static void read_limits(const char *path, uint64_t *limits) {
    memset(limits, 0, GPUS * sizeof *limits);
    FILE *file = fopen(path, "r");
    unsigned index, limit;
    while (file && fscanf(file, "%u %u", &index, &limit) == 2)
        if (index < GPUS) limits[index] = limit;
    if (file) fclose(file);
}

/* Under the lock. */
static void refresh(void) {
    const char *path = getenv("NVML_SIM");
    char beside[4096];
    struct stat now, now_limits = {0};
    uint64_t limits[GPUS];
    if (!path || stat(path, &now)) return;
    snprintf(beside, sizeof beside, "%s.limits", path);
    if (stat(beside, &now_limits)) memset(&now_limits, 0, sizeof now_limits);
    if (!strcmp(path, seen_path) && same(&now, &seen) && same(&now_limits, &seen_limits)) return;
    FILE *file = fopen(path, "r");
    if (!file) return;
    load(file);
    fclose(file);
    read_limits(beside, limits);
    for (int i = 0; i < count; i++)
        if (limits[i]) gpus[i].limit = limits[i];
    snprintf(seen_path, sizeof seen_path, "%s", path);
    seen = now;
    seen_limits = now_limits;
}

/* Keeps a limit for all processes; one that reads sees the old file or the new one. */
static void keep_limit(int index, unsigned limit) {
    const char *path = getenv("NVML_SIM");
    char kept[4096], draft[4096], locked[4096];
    uint64_t limits[GPUS];
    if (!path) return;
    snprintf(kept, sizeof kept, "%s.limits", path);
    snprintf(draft, sizeof draft, "%s.limits.new", path);
    snprintf(locked, sizeof locked, "%s.limits.lock", path);
    int turn = open(locked, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (turn < 0 || flock(turn, LOCK_EX)) return;
    read_limits(kept, limits);
    limits[index] = limit;
    FILE *file = fopen(draft, "w");
    for (int i = 0; file && i < GPUS; i++)
        if (limits[i]) fprintf(file, "%d %u\n", i, (unsigned)limits[i]);
    if (file && !fclose(file)) rename(draft, kept);
    close(turn);
}

static int is_part(const struct gpu *gpu) {
    return gpu < gpus || gpu >= gpus + GPUS;
}

/* A handle is the index of the GPU + 1; that of an instance has its own index + 1 above the lower byte. */
static struct gpu *resolve(void *handle) {
    uintptr_t number = (uintptr_t)handle, whole = (number & 255) - 1, part = number >> 8;
    if (whole >= (uintptr_t)count || part > (uintptr_t)gpus[whole].instances) return 0;
    return part ? &parts[whole][part - 1] : &gpus[whole];
}

static int refused(const struct gpu *gpu, const char *function) {
    static const char *const of_parts[] = {"GetName", "GetUUID", "GetMemoryInfo", "GetAttributes_v2", "GetGpuInstanceId",
        "GetComputeRunningProcesses_v3", "GetGraphicsRunningProcesses_v3"};
    if (!is_part(gpu)) return gpu->mig == MIG_ON && strstr(function, "Utilization") != 0;
    for (unsigned i = 0; i < sizeof of_parts / sizeof *of_parts; i++)
        if (!strcmp(function, of_parts[i])) return 0;
    return 1;
}

/* Takes the lock, which `leave` gives back. */
static int enter(void *handle, struct gpu **gpu, const char *function) {
    if (!strncmp(function, "nvmlDevice", 10)) function += 10;
    pthread_mutex_lock(&lock);
    calls++;
    for (int slept = 0;; slept = 1) {
        if (!users) return UNINITIALIZED;
        refresh();
        *gpu = resolve(handle);
        if (!*gpu) return INVALID;
        int ms = find((*gpu)->delay, (*gpu)->delays, function);
        if (slept || !ms) break;
        pthread_mutex_unlock(&lock);
        pause_ms(ms);
        pthread_mutex_lock(&lock);
    }
    int code = find((*gpu)->error, (*gpu)->errors, function);
    return code || !refused(*gpu, function) ? code : NOT_SUPPORTED;
}

static int leave(int code) {
    pthread_mutex_unlock(&lock);
    return code;
}

#define ANSWER(...)                                  \
    {                                                \
        struct gpu *gpu = 0;                         \
        int code = enter(handle, &gpu, __func__);    \
        if (!code) { __VA_ARGS__; }                  \
        return leave(code);                          \
    }
#define NUMBER(function, type, field) int function(void *handle, type *out) ANSWER(*out = gpu->field)
