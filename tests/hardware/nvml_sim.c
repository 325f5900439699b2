/* A libnvidia-ml.so.1 with simulated GPUs, so that the real binding can be tested where there is none.
 *
 *   cc -shared -fPIC -pthread -Wl,-soname,libnvidia-ml.so.1 -o libnvidia-ml.so.1 nvml_sim.c
 *
 * -DOLD_DRIVER leaves out what drivers of 2020 lack: event reasons, core counts, the third version of process lists, GPM.
 *
 * The environment variable NVML_SIM names a text file that holds the state. Before each answer the file's time and size
 * are looked at, and it is read again when they changed (replace the file rather than writing into it). One line holds
 * one setting, a key and a value; '#' begins a comment.
 *
 *   init 18                nvmlInit answers this code
 *   init_delay 500         nvmlInit takes this many milliseconds
 *   driver 580.65.06       version of the driver
 *   gpu 0                  what follows is about GPU 0; the count is the highest index + 1; 64 at most
 *   instance 0             what follows is about instance 0 of that GPU, which is shared out (`mig 2`); 8 at most
 *   name NVIDIA H100       up to 63 characters
 *   KEY NUMBER             one of the keys in `settings` below, in the units of NVML (mW, MHz, bytes, degrees, percent)
 *   compute 4711 1048576   a process and its bytes of memory; "-" for bytes that are not available
 *   graphics 4712 -
 *   busy 4711 80           percent of the time that the GPU works for it; without such lines nothing is found (6)
 *   error FUNCTION 3       the function (its name without "nvmlDevice"; "*" for all) answers this code for this GPU
 *   delay FUNCTION 500     the function takes this many milliseconds for this GPU, and keeps no other waiting
 *
 * Return codes: 2 invalid argument, 3 not supported, 4 no permission, 7 insufficient size, 9 driver not loaded,
 * 12 library missing, 13 function missing, 15 GPU lost, 16 reset required, 18 versions differ.
 * nvmlDeviceSetPowerManagementLimit keeps the limit in the file $NVML_SIM.limits, a line "INDEX MILLIWATTS" for each GPU
 * that was set; it wins over `limit`, in all processes. `set_step N` rounds down to multiples of N mW, `set_deaf 1` takes
 * a limit without changing it, `set_linger N` returns N milliseconds after it was changed. As in the driver, an instance
 * answers few questions, and a GPU that is shared out tells no utilization; a field that is 0 is not supported.
 * nvmlSimCalls and nvmlSimSamples tell how many questions were asked about devices, and how many samples are allocated.
 */
#define _GNU_SOURCE
#include "nvml_sim_state.h"

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    pthread_mutex_lock(&lock);
    refresh();
    int ms = init_delay;
    pthread_mutex_unlock(&lock);
    pause_ms(ms);
    pthread_mutex_lock(&lock);
    users += !init_code;
    return leave(init_code);
}

unsigned long nvmlSimCalls(void) {
    return calls;
}

int nvmlSimSamples(void) {
    return samples;
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

int nvmlSystemGetDriverVersion(char *out, unsigned size) {
    pthread_mutex_lock(&lock);
    refresh();
    snprintf(out, size, "%s", driver);
    return leave(users ? SUCCESS : UNINITIALIZED);
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

/* "GPU-00000000-0000-0000-0000-000000000003" is GPU 3. */
int nvmlDeviceGetHandleByUUID(const char *uuid, void **out) {
    const char *digits = strrchr(uuid, '-');
    unsigned long index = strncmp(uuid, "GPU-", 4) || !digits ? GPUS : strtoul(digits + 1, 0, 10);
    void *handle = (void *)((uintptr_t)index + 1);
    struct gpu *gpu = 0;
    if (index >= GPUS) return NOT_FOUND;
    int code = enter(handle, &gpu, __func__);
    if (code == INVALID && !gpu) code = NOT_FOUND;
    if (!code) *out = handle;
    return leave(code);
}

int nvmlDeviceGetIndex(void *handle, unsigned *out) ANSWER(*out = (unsigned)(gpu - gpus))

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
    ANSWER(if (is_part(gpu)) snprintf(out, size, "MIG-00000000-0000-0000-0000-%012d", (int)(gpu - parts[0]));
           else snprintf(out, size, "GPU-00000000-0000-0000-0000-%012d", (int)(gpu - gpus)))

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

int nvmlDeviceSetPowerManagementLimit(void *handle, unsigned limit) {
    struct gpu *gpu = 0;
    int linger = 0, code = enter(handle, &gpu, __func__);
    if (!code && (limit < gpu->limit_min || limit > gpu->limit_max)) code = INVALID;
    if (!code && !gpu->set_deaf) {
        gpu->limit = gpu->set_step ? limit - limit % (unsigned)gpu->set_step : limit;
        linger = (int)gpu->set_linger;
        keep_limit((int)(gpu - gpus), (unsigned)gpu->limit);
    }
    leave(code);
    pause_ms(linger);
    return code;
}

int nvmlDeviceGetCudaComputeCapability(void *handle, int *major, int *minor)
    ANSWER(*major = gpu->cc_major; *minor = gpu->cc_minor)

NUMBER(nvmlDeviceGetPowerUsage, unsigned, power)
NUMBER(nvmlDeviceGetPowerManagementLimit, unsigned, limit)
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, unsigned, pcie_gen)
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, unsigned, pcie_width)
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, unsigned, pcie_gen_max)
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, unsigned, pcie_width_max)
NUMBER(nvmlDeviceGetPowerManagementDefaultLimit, unsigned, limit_default)
NUMBER(nvmlDeviceGetTotalEnergyConsumption, unsigned long long, energy)
NUMBER(nvmlDeviceGetMemoryBusWidth, unsigned, bus_width)
NUMBER(nvmlDeviceGetCurrentClocksThrottleReasons, unsigned long long, reasons)

int nvmlDeviceGetEnforcedPowerLimit(void *handle, unsigned *out)
    ANSWER(*out = gpu->enforced ? gpu->enforced : gpu->limit)

int nvmlDeviceGetEccMode(void *handle, unsigned *now, unsigned *pending)
    ANSWER(if (gpu->ecc == NO_ECC) code = NOT_SUPPORTED; else *now = *pending = gpu->ecc == ECC_ON)

int nvmlDeviceGetMigMode(void *handle, unsigned *now, unsigned *pending)
    ANSWER(if (gpu->mig == NO_MIG) code = NOT_SUPPORTED; else *now = *pending = gpu->mig == MIG_ON)

int nvmlDeviceGetMaxMigDeviceCount(void *handle, unsigned *out)
    ANSWER(if (gpu->mig == NO_MIG) *out = 0; else *out = 7)

int nvmlDeviceGetMigDeviceHandleByIndex(void *handle, unsigned index, void **out) ANSWER({
    if (gpu->mig != MIG_ON) code = NOT_SUPPORTED;
    else if (index >= (unsigned)gpu->instances) code = NOT_FOUND;
    else *out = (void *)((uintptr_t)handle + ((index + 1) << 8));
})

NUMBER(nvmlDeviceGetGpuInstanceId, unsigned, gpu_instance)

struct attributes { /* nvmlDeviceAttributes_t */
    unsigned sms, copy_engines, decoders, encoders, jpegs, flows, gpu_slices, compute_slices;
    unsigned long long memory_mb;
};

int nvmlDeviceGetAttributes_v2(void *handle, struct attributes *out)
    ANSWER((*out = (struct attributes){gpu->sms, 1, 0, 0, 0, 0, gpu->slices, gpu->slices, gpu->memory_mb}))

int nvmlDeviceGetNvLinkState(void *handle, unsigned link, unsigned *out)
    ANSWER(if (!gpu->nvlinks) code = NOT_SUPPORTED; else if (link >= gpu->nvlinks) code = INVALID;
           else *out = link < gpu->nvlinks_up)

int nvmlDeviceGetNvLinkVersion(void *handle, unsigned link, unsigned *out)
    ANSWER(if (link >= gpu->nvlinks) code = INVALID; else *out = gpu->nvlink_version)

struct field { /* nvmlFieldValue_t */
    unsigned id, scope;
    long long microseconds, latency;
    unsigned type, code; /* type 1: unsigned, 3: unsigned long long */
    union { unsigned small; unsigned long long large; } value;
};

int nvmlDeviceGetFieldValues(void *handle, int size, struct field *out) ANSWER({
    for (int i = 0; i < size; i++) {
        const struct {
            unsigned id;
            uint64_t value;
        } known[] = {
            {82, gpu->memory_temperature}, {83, gpu->energy},         {90, gpu->nvlink_mbps},
            {91, gpu->nvlinks},            {185, gpu->power_average}, {186, gpu->power_instant},
        };
        out[i].code = NOT_SUPPORTED;
        for (unsigned k = 0; k < sizeof known / sizeof *known; k++)
            if (known[k].id == out[i].id && known[k].value) {
                out[i].code = SUCCESS;
                out[i].type = out[i].id == 83 ? 3 : 1;
                if (out[i].type == 3) out[i].value.large = known[k].value;
                else out[i].value.small = known[k].value;
            }
    }
})

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

struct support { /* nvmlGpmSupport_t */
    unsigned version, supported;
};

int nvmlGpmQueryDeviceSupport(void *handle, struct support *out) ANSWER(out->supported = gpu->gpm != 0)

struct sample {
    unsigned long taken; /* 0 before it is filled */
    unsigned dram;
};

int nvmlGpmSampleAlloc(struct sample **out) {
    pthread_mutex_lock(&lock);
    *out = calloc(1, sizeof **out);
    samples++;
    return leave(SUCCESS);
}

int nvmlGpmSampleFree(struct sample *sample) {
    pthread_mutex_lock(&lock);
    free(sample);
    samples--;
    return leave(SUCCESS);
}

int nvmlGpmSampleGet(void *handle, struct sample *out)
    ANSWER(if (!gpu->gpm) code = NOT_SUPPORTED; else *out = (struct sample){calls, gpu->dram})

struct metric { /* nvmlGpmMetric_t */
    unsigned id, code;
    double value;
    char *names[3];
};

struct metrics { /* nvmlGpmMetricsGet_t */
    unsigned version, size;
    struct sample *before, *after;
    struct metric metric[1];
};

/* The later sample tells what was moved since the earlier one. Only metric 10 is known. */
int nvmlGpmMetricsGet(struct metrics *out) {
    pthread_mutex_lock(&lock);
    if (out->version != 1 || !out->before->taken || out->after->taken <= out->before->taken) return leave(INVALID);
    for (unsigned i = 0; i < out->size; i++) {
        out->metric[i].code = out->metric[i].id == 10 ? SUCCESS : NOT_SUPPORTED;
        out->metric[i].value = out->after->dram;
    }
    return leave(SUCCESS);
}
#endif
