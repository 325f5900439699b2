/* A libnvidia-ml.so.1 with simulated GPUs, so that the real binding can be tested where there is none.
 *
 *   cc -shared -fPIC -pthread -Wl,-soname,libnvidia-ml.so.1 -o libnvidia-ml.so.1 nvml_sim.c
 *
 * -DOLD_DRIVER leaves out what drivers of 2020 lack: event reasons, core counts, the third version of process lists.
 *
 * The environment variable NVML_SIM names a text file that holds the state. Before each answer the file's time and size
 * are looked at, and it is read again when they changed (replace the file rather than writing into it). One line holds
 * one setting, a key and a value; '#' begins a comment.
 *
 *   init 18                nvmlInit answers this code
 *   gpu 0                  what follows is about GPU 0; the count is the highest index + 1; 16 at most
 *   name NVIDIA H100       up to 63 characters
 *   KEY NUMBER             one of the keys in `settings` below, in the units of NVML (mW, MHz, bytes, degrees, percent)
 *   compute 4711 1048576   a process and its bytes of memory; "-" for bytes that are not available
 *   graphics 4712 -
 *   busy 4711 80           percent of the time that the GPU works for it; without such lines nothing is found (6)
 *   error FUNCTION 3       the function (its name without "nvmlDevice"; "*" for all) answers this code for this GPU
 *
 * Return codes: 2 invalid argument, 3 not supported, 4 no permission, 7 insufficient size, 9 driver not loaded,
 * 12 library missing, 13 function missing, 15 GPU lost, 16 reset required, 18 versions differ.
 * nvmlDeviceSetPowerManagementLimit keeps the limit in memory until the file changes.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SUCCESS, UNINITIALIZED, INVALID, NOT_SUPPORTED, NOT_FOUND = 6, INSUFFICIENT_SIZE };
enum { GPUS = 16, ERRORS = 24, PROCESSES = 24, NAME = 64 };
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
    int errors, processes[KINDS], busy;
    struct error error[ERRORS];
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
};
enum { SETTINGS = sizeof settings / sizeof *settings };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct gpu gpus[GPUS];
static int count, init_code, users;
static char seen_path[4096];
static struct stat seen;

static uint64_t *at(struct gpu *gpu, const struct setting *setting) {
    return (uint64_t *)((char *)gpu + setting->offset);
}

static void add_gpu(void) {
    struct gpu *gpu = &gpus[count++];
    memset(gpu, 0, sizeof *gpu);
    strcpy(gpu->name, "NVIDIA Simulated GPU");
    for (int i = 0; i < SETTINGS; i++) *at(gpu, &settings[i]) = settings[i].value;
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
    struct error *error = &gpu->error[gpu->errors];
    if (!strcmp(key, "name")) snprintf(gpu->name, NAME, "%.63s", value);
    if (!strcmp(key, "compute")) add_process(gpu, COMPUTE, value);
    if (!strcmp(key, "graphics")) add_process(gpu, GRAPHICS, value);
    if (!strcmp(key, "busy")) add_work(gpu, value);
    if (!strcmp(key, "error") && gpu->errors < ERRORS && sscanf(value, "%55s %d", error->function, &error->code) == 2)
        gpu->errors++;
    for (int i = 0; i < SETTINGS; i++)
        if (!strcmp(key, settings[i].key)) *at(gpu, &settings[i]) = strtoull(value, 0, 0);
}

static void load(FILE *file) {
    char line[256], key[32], value[200];
    struct gpu *gpu = 0;
    count = init_code = 0;
    while (fgets(line, sizeof line, file)) {
        line[strcspn(line, "#\n")] = 0;
        if (sscanf(line, "%31s %199[^\n]", key, value) != 2) continue;
        if (!strcmp(key, "init")) init_code = atoi(value);
        if (!strcmp(key, "gpu")) {
            int index = atoi(value);
            if (index < 0 || index >= GPUS) continue;
            while (count <= index) add_gpu();
            gpu = &gpus[index];
        } else if (gpu) {
            set(gpu, key, value);
        }
    }
}

/* Under the lock. */
static void refresh(void) {
    const char *path = getenv("NVML_SIM");
    struct stat now;
    if (!path || stat(path, &now)) return;
    if (!strcmp(path, seen_path) && now.st_ino == seen.st_ino && now.st_size == seen.st_size &&
        now.st_mtim.tv_sec == seen.st_mtim.tv_sec && now.st_mtim.tv_nsec == seen.st_mtim.tv_nsec)
        return;
    FILE *file = fopen(path, "r");
    if (!file) return;
    load(file);
    fclose(file);
    snprintf(seen_path, sizeof seen_path, "%s", path);
    seen = now;
}

/* Takes the lock, which `leave` gives back; a handle is the index + 1. */
static int enter(void *handle, struct gpu **gpu, const char *function) {
    pthread_mutex_lock(&lock);
    if (!users) return UNINITIALIZED;
    refresh();
    uintptr_t number = (uintptr_t)handle;
    if (number < 1 || number > (uintptr_t)count) return INVALID;
    *gpu = &gpus[number - 1];
    function += strlen("nvmlDevice");
    for (int i = 0; i < (*gpu)->errors; i++) {
        const struct error *error = &(*gpu)->error[i];
        if (!strcmp(error->function, "*") || !strcmp(error->function, function)) return error->code;
    }
    return SUCCESS;
}

static int leave(int code) {
    pthread_mutex_unlock(&lock);
    return code;
}

#define ANSWER(statements)                           \
    {                                                \
        struct gpu *gpu = 0;                         \
        int code = enter(handle, &gpu, __func__);    \
        if (!code) { statements; }                   \
        return leave(code);                          \
    }
#define NUMBER(function, type, field) int function(void *handle, type *out) ANSWER(*out = gpu->field)

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    pthread_mutex_lock(&lock);
    refresh();
    users += !init_code;
    return leave(init_code);
}

int nvmlShutdown(void) {
    pthread_mutex_lock(&lock);
    int code = users ? SUCCESS : UNINITIALIZED;
    users -= !code;
    return leave(code);
}

const char *nvmlErrorString(int code) {
    return code ? "simulated error" : "success";
}

int nvmlDeviceGetCount_v2(unsigned *out) {
    pthread_mutex_lock(&lock);
    refresh();
    *out = count;
    return leave(users ? SUCCESS : UNINITIALIZED);
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out) {
    void *handle = (void *)((uintptr_t)index + 1);
    struct gpu *gpu;
    int code = enter(handle, &gpu, "nvmlDeviceGetHandleByIndex");
    if (!code) *out = handle;
    return leave(code);
}

int nvmlDeviceGetName(void *handle, char *out, unsigned size) ANSWER(snprintf(out, size, "%s", gpu->name))

struct pci { /* nvmlPciInfo_t */
    char legacy[16];
    unsigned domain, bus, device, id, subsystem;
    char address[32];
};

int nvmlDeviceGetPciInfo_v3(void *handle, struct pci *out) ANSWER({
    memset(out, 0, sizeof *out);
    out->bus = (unsigned)(gpu - gpus) + 1;
    out->id = (unsigned)gpu->pci_id;
    snprintf(out->address, sizeof out->address, "00000000:%02X:00.0", out->bus);
})

struct memory { /* nvmlMemory_t */
    unsigned long long total, free, used;
};

int nvmlDeviceGetUUID(void *handle, char *out, unsigned size)
    ANSWER(snprintf(out, size, "GPU-00000000-0000-0000-0000-%012d", (int)(gpu - gpus)))

int nvmlDeviceGetProcessUtilization(void *handle, struct work *out, unsigned *size, unsigned long long since) ANSWER({
    (void)since;
    int fits = out && *size >= (unsigned)gpu->busy;
    *size = gpu->busy;
    if (!gpu->busy) code = NOT_FOUND;
    else if (!fits) code = INSUFFICIENT_SIZE;
    else memcpy(out, gpu->work, gpu->busy * sizeof *out);
})

int nvmlDeviceGetMemoryInfo(void *handle, struct memory *out)
    ANSWER((*out = (struct memory){gpu->memory_total, gpu->memory_total - gpu->memory_used, gpu->memory_used}))

struct utilization { /* nvmlUtilization_t */
    unsigned gpu, memory;
};

int nvmlDeviceGetUtilizationRates(void *handle, struct utilization *out)
    ANSWER((*out = (struct utilization){gpu->utilization, gpu->memory_utilization}))

int nvmlDeviceGetTemperature(void *handle, unsigned sensor, unsigned *out)
    ANSWER(if (sensor) code = INVALID; else *out = gpu->temperature)

struct temperature { /* nvmlTemperature_v1_t */
    unsigned version, sensor;
    int degrees;
};

int nvmlDeviceGetTemperatureV(void *handle, struct temperature *out) ANSWER(out->degrees = gpu->temperature)

/* Clock types of NVML: 0 graphics, 1 SM, 2 memory. */
int nvmlDeviceGetClockInfo(void *handle, unsigned type, unsigned *out)
    ANSWER(if (type > 2) code = INVALID; else *out = type == 2 ? gpu->memory_clock : gpu->sm_clock)

int nvmlDeviceGetMaxClockInfo(void *handle, unsigned type, unsigned *out)
    ANSWER(if (type > 2) code = INVALID; else *out = type == 2 ? gpu->memory_clock_max : gpu->sm_clock_max)

int nvmlDeviceGetPowerManagementLimitConstraints(void *handle, unsigned *lowest, unsigned *highest)
    ANSWER(*lowest = gpu->limit_min; *highest = gpu->limit_max)

int nvmlDeviceSetPowerManagementLimit(void *handle, unsigned limit)
    ANSWER(if (limit < gpu->limit_min || limit > gpu->limit_max) code = INVALID; else gpu->limit = limit)

int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor)
    ANSWER(*major = gpu->cc_major; *minor = gpu->cc_minor)

NUMBER(nvmlDeviceGetPowerUsage, unsigned, power)
NUMBER(nvmlDeviceGetPowerManagementLimit, unsigned, limit)
NUMBER(nvmlDeviceGetEnforcedPowerLimit, unsigned, limit)
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, unsigned, limit_default)
NUMBER(nvmlDeviceGetTotalEnergyConsumption, unsigned long long, energy)
NUMBER(nvmlDeviceGetMemoryBusWidth, unsigned, bus_width)
NUMBER(nvmlDeviceGetCurrentClocksThrottleReasons, unsigned long long, reasons)

#ifndef OLD_DRIVER
NUMBER(nvmlDeviceGetNumGpuCores, unsigned, cores)
NUMBER(nvmlDeviceGetCurrentClocksEventReasons, unsigned long long, reasons)

/* As the driver does: tells the size first, unless there is nothing to tell. */
static int list(const struct gpu *gpu, int kind, unsigned *size, struct process *out) {
    unsigned found = gpu->processes[kind];
    int fits = *size >= found;
    *size = found;
    if (!fits) return INSUFFICIENT_SIZE;
    if (out) memcpy(out, gpu->process[kind], found * sizeof *out);
    return SUCCESS;
}

int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *size, struct process *out)
    ANSWER(code = list(gpu, COMPUTE, size, out))

int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *size, struct process *out)
    ANSWER(code = list(gpu, GRAPHICS, size, out))
#endif
