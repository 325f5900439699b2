/* A CUDA driver library without a GPU: copies take the time that a set bandwidth dictates, on a clock of the device's
 * own that nobody waits for. The few functions of NVML that name the devices and who computes on them are here, too: link it under both names.
 *
 *   cc -shared -fPIC -Wl,-soname,libcuda.so.1 -o libcuda.so.1 cuda_sim.c
 *
 * The state is read once from the file that CUDA_SIM names, a line a fact:
 *
 *   error FUNCTION CODE [SKIP]   the function answers with this code, after it has worked SKIP times; NAME without "_v2"
 *   hang FUNCTION                it never returns
 *   crash FUNCTION               it ends the process
 *   device UUID                  32 hexadecimal digits; the facts below are those of the newest device
 *   gbs N                        bytes read and written a nanosecond, 1000 unless told
 *   free BYTES                   as cuMemGetInfo tells, 24 GiB unless told
 *   most BYTES                   that can really be had, as much unless told
 *   cache BYTES                  L2, 64 MiB unless told
 *   slow SECONDS PERCENT         at first its clocks are so low
 *   wobble PERCENT               every third time that it is waited for, the work took so much longer
 *   real 1                       who waits for the work waits as long as it takes
 *   compute PID                  a process that computes on it
 *
 * Every call that takes or gives something is a line in the file that CUDA_SIM_LOG names.
 */
#include "cuda_sim_state.h"

#define BEGIN                           \
    {                                   \
        int code = fault(__func__);     \
        if (code) return code;          \
    }
#define BEGIN_IN_CONTEXT                \
    BEGIN                               \
    if (!current) return INVALID_CONTEXT;

int cuInit(unsigned flags) {
    BEGIN
    if (flags) return INVALID_VALUE;
    ready = 1;
    return visible ? SUCCESS : NO_DEVICE;
}

int cuGetErrorName(int code, const char **out) {
    static const struct { int code; const char *name; } names[] = {
        {OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY"}, {46, "CUDA_ERROR_DEVICE_UNAVAILABLE"},
        {NO_DEVICE, "CUDA_ERROR_NO_DEVICE"}, {700, "CUDA_ERROR_ILLEGAL_ADDRESS"},
        {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"}, {999, "CUDA_ERROR_UNKNOWN"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].code == code) return *out = names[i].name, SUCCESS;
    return *out = 0, INVALID_VALUE;
}

int cuDriverGetVersion(int *out) {
    BEGIN
    *out = 12080;
    return SUCCESS;
}

int cuDeviceGetCount(int *out) {
    BEGIN
    *out = visible;
    return SUCCESS;
}

int cuDeviceGet(int *out, int ordinal) {
    BEGIN
    if (ordinal < 0 || ordinal >= visible) return INVALID_DEVICE;
    *out = ordinal;
    return SUCCESS;
}

int cuDeviceGetUuid(void *out, int device) {
    BEGIN
    memcpy(out, seen[device]->uuid, 16);
    return SUCCESS;
}

#ifndef OLD_DRIVER
int cuDeviceGetUuid_v2(void *out, int device) {
    return cuDeviceGetUuid(out, device);
}
#endif

int cuDeviceGetAttribute(int *out, int attribute, int device) {
    BEGIN
    if (attribute != 38) return INVALID_VALUE;
    *out = seen[device]->cache;
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void **out, int device) {
    BEGIN
    note("retain", ++seen[device]->contexts);
    *out = seen[device];
    return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int device) {
    BEGIN
    if (!seen[device]->contexts) return INVALID_CONTEXT;
    note("release", --seen[device]->contexts);
    if (!seen[device]->contexts) current = 0;
    return SUCCESS;
}

int cuCtxSetCurrent(void *context) {
    BEGIN
    current = context;
    return SUCCESS;
}

int cuMemGetInfo_v2(size_t *free, size_t *total) {
    BEGIN_IN_CONTEXT
    *free = current->free - current->taken;
    *total = 24ull << 30;
    return SUCCESS;
}

int cuMemAlloc_v2(uint64_t *out, size_t bytes) {
    BEGIN_IN_CONTEXT
    if (!bytes) return INVALID_VALUE;
    if (current->taken + bytes > current->free || current->taken + bytes > current->most) return OUT_OF_MEMORY;
    int slot = 0;
    while (slot < BUFFERS && current->sizes[slot]) slot++;
    if (slot == BUFFERS) return OUT_OF_MEMORY;
    current->sizes[slot] = bytes;
    current->taken += bytes;
    *out = (uint64_t)(slot + 1) << 40; /* does not fit into 32 bits */
    note("alloc", bytes);
    return SUCCESS;
}

static uint64_t *held(uint64_t address) {
    uint64_t slot = (address >> 40) - 1;
    return address & ((1ull << 40) - 1) || slot >= BUFFERS || !current->sizes[slot] ? 0 : &current->sizes[slot];
}

int cuMemFree_v2(uint64_t address) {
    BEGIN_IN_CONTEXT
    uint64_t *size = held(address);
    if (!size) return INVALID_VALUE;
    note("free", *size);
    current->taken -= *size;
    *size = 0;
    return SUCCESS;
}

int cuMemsetD32_v2(uint64_t address, unsigned value, size_t words) {
    BEGIN_IN_CONTEXT
    (void)value;
    uint64_t *size = held(address);
    return size && 4 * words <= *size ? SUCCESS : INVALID_VALUE;
}

static int made(const char *what, void **out) {
    note(what, 1);
    *out = calloc(1, sizeof(struct event));
    return SUCCESS;
}

static int unmade(const char *what, void *thing) {
    if (!thing) return INVALID_HANDLE;
    note(what, 1);
    free(thing);
    return SUCCESS;
}

int cuStreamCreate(void **out, unsigned flags) {
    BEGIN_IN_CONTEXT
    return flags > 1 ? INVALID_VALUE : made("stream", out);
}

int cuStreamDestroy_v2(void *stream) {
    BEGIN_IN_CONTEXT
    return unmade("unstream", stream);
}

int cuEventCreate(void **out, unsigned flags) {
    BEGIN_IN_CONTEXT
    return flags > 7 ? INVALID_VALUE : made("event", out);
}

int cuEventDestroy_v2(void *event) {
    BEGIN_IN_CONTEXT
    return unmade("unevent", event);
}

int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *stream) {
    BEGIN_IN_CONTEXT
    uint64_t *target = held(to), *source = held(from);
    if (!stream || !target || !source || to == from || bytes > *target || bytes > *source) return INVALID_VALUE;
    double low = current->clock + current->pending < current->slow_s ? current->slow / 100 : 1;
    current->pending += 2.0 * bytes / (current->gbs * 1e9 * low);
    return SUCCESS;
}

int cuEventRecord(struct event *event, void *stream) {
    BEGIN_IN_CONTEXT
    if (!event || !stream) return INVALID_HANDLE;
    if (current->pending && current->waits++ % 3 == 2) current->pending *= 1 + current->wobble;
    current->clock += current->pending;
    current->pending = 0;
    event->at = current->clock;
    return SUCCESS;
}

int cuEventSynchronize(struct event *event) {
    BEGIN_IN_CONTEXT
    if (!event) return INVALID_HANDLE;
    if (current->real) usleep((event->at - current->waited) * 1e6);
    current->waited = event->at;
    return SUCCESS;
}

int cuEventElapsedTime(float *out_ms, struct event *start, struct event *stop) {
    BEGIN_IN_CONTEXT
    *out_ms = (stop->at - start->at) * 1e3;
    return SUCCESS;
}

/* NVML, as far as the question of who computes needs it. */

struct process { /* nvmlProcessInfo_v2_t */
    unsigned pid;
    unsigned long long bytes;
    unsigned gpu_instance, compute_instance;
};

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    load();
    return SUCCESS;
}

const char *nvmlErrorString(int code) {
    return code ? "simulated error" : "success";
}

int nvmlDeviceGetCount_v2(unsigned *out) {
    *out = count;
    return SUCCESS;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **out) {
    *out = &devices[index];
    return index < (unsigned)count ? SUCCESS : NVML_INVALID;
}

int nvmlDeviceGetUUID(struct device *device, char *out, unsigned size) {
    snprintf(out, size, "%s", device->name);
    return SUCCESS;
}

int nvmlDeviceGetName(struct device *device, char *out, unsigned size) {
    snprintf(out, size, "NVIDIA X%d", (int)(device - devices));
    return SUCCESS;
}

int nvmlDeviceGetHandleByUUID(const char *uuid, void **out) {
    for (int i = 0; i < count; i++)
        if (!strcmp(uuid, devices[i].name)) return *out = &devices[i], SUCCESS;
    return NVML_INVALID;
}

int nvmlDeviceGetComputeRunningProcesses_v3(struct device *device, unsigned *size, struct process *out) {
    int fits = *size >= (unsigned)device->computing;
    *size = device->computing;
    if (!fits) return NVML_SMALL;
    for (int i = 0; out && i < device->computing; i++) out[i] = (struct process){device->pids[i], 1 << 30, ~0u, ~0u};
    return SUCCESS;
}
