/* The memory roof as a C compiler reaches it: read, copy and triad on all threads, counted in common windows of time.
 *
 *   cc -O3 -march=native -ffast-math -pthread -o stream stream.c
 *   ./stream THREADS MIB_PER_THREAD WINDOWS
 *
 * Prints one line a kernel: its name, then GB/s (1e9 bytes a second) of each window. Each thread owns its buffers,
 * touches them first, waits at a barrier, then works in blocks and counts them; the main thread looks at all counters at
 * the edge of each window. Bytes are those that the program names: read 1 stream, copy 2, triad 3. The read that a
 * store may cost (write-allocate) is not counted.
 */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define BLOCK (1u << 16) /* doubles: 512 KiB, some 10 microseconds */
#define WINDOW 0.1       /* seconds */
#define HUGE_PAGE ((size_t)1 << 21)

enum kernel { READ, COPY, TRIAD, KERNELS };

static const char *const names[KERNELS] = {"read", "copy", "triad"};
static const int streams[KERNELS] = {1, 2, 3};

struct worker {
    _Alignas(128) atomic_size_t blocks;
    pthread_t thread;
};

static pthread_barrier_t gate;
static atomic_bool stop;
static enum kernel kernel;
static size_t doubles; /* in each buffer */
static volatile double sink;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void sleep_for(double seconds) {
    struct timespec t = {seconds, (seconds - (time_t)seconds) * 1e9};
    nanosleep(&t, 0);
}

static double read_block(const double *restrict a) {
    double sum = 0;
    for (size_t i = 0; i < BLOCK; i++) sum += a[i];
    return sum;
}

static void copy_block(double *restrict a, const double *restrict b) {
    for (size_t i = 0; i < BLOCK; i++) a[i] = b[i];
}

static void triad_block(double *restrict a, const double *restrict b, const double *restrict c) {
    for (size_t i = 0; i < BLOCK; i++) a[i] = b[i] + 3.0 * c[i];
}

static double *touched(double value) {
    double *buffer = aligned_alloc(HUGE_PAGE, (doubles * sizeof *buffer + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
    if (!buffer) {
        fputs("stream: not enough memory\n", stderr);
        exit(1);
    }
#ifdef MADV_HUGEPAGE
    madvise(buffer, doubles * sizeof *buffer, MADV_HUGEPAGE);
#endif
    for (size_t i = 0; i < doubles; i++) buffer[i] = value;
    return buffer;
}

static void *work(void *argument) {
    struct worker *self = argument;
    double *buffers[3], sum = 0;
    for (int i = 0; i < streams[kernel]; i++) buffers[i] = touched(i + 1);
    pthread_barrier_wait(&gate);
    for (size_t i = 0; !atomic_load_explicit(&stop, memory_order_relaxed);
         i = i + 2 * BLOCK <= doubles ? i + BLOCK : 0) {
        switch (kernel) {
        case READ: sum += read_block(buffers[0] + i); break;
        case COPY: copy_block(buffers[0] + i, buffers[1] + i); break;
        default: triad_block(buffers[0] + i, buffers[1] + i, buffers[2] + i);
        }
        atomic_fetch_add_explicit(&self->blocks, 1, memory_order_relaxed);
    }
    sink = sum;
    for (int i = 0; i < streams[kernel]; i++) free(buffers[i]);
    return 0;
}

static double finished(const struct worker *workers, int threads) {
    size_t blocks = 0;
    for (int i = 0; i < threads; i++) blocks += atomic_load_explicit(&workers[i].blocks, memory_order_relaxed);
    return (double)blocks * BLOCK * sizeof(double) * streams[kernel] / 1e9;
}

static void run(struct worker *workers, int threads, size_t bytes, int windows) {
    doubles = bytes / streams[kernel] / sizeof(double);
    atomic_store(&stop, 0);
    pthread_barrier_init(&gate, 0, threads + 1);
    for (int i = 0; i < threads; i++) {
        atomic_store(&workers[i].blocks, 0);
        pthread_create(&workers[i].thread, 0, work, &workers[i]);
    }
    pthread_barrier_wait(&gate);
    sleep_for(WINDOW);
    printf("%s", names[kernel]);
    double before = finished(workers, threads), start = now();
    for (int i = 0; i < windows; i++) {
        sleep_for(WINDOW);
        double after = finished(workers, threads), end = now();
        printf(" %.3f", (after - before) / (end - start));
        before = after, start = end;
    }
    puts("");
    atomic_store(&stop, 1);
    for (int i = 0; i < threads; i++) pthread_join(workers[i].thread, 0);
    pthread_barrier_destroy(&gate);
}

int main(int count, char **words) {
    int threads = count > 1 ? atoi(words[1]) : 1;
    size_t mib = count > 2 ? strtoul(words[2], 0, 10) : 256;
    int windows = count > 3 ? atoi(words[3]) : 5;
    if (threads < 1 || mib < 8 || windows < 1) {
        fputs("usage: stream THREADS MIB_PER_THREAD WINDOWS\n", stderr);
        return 2;
    }
    struct worker *workers = aligned_alloc(128, threads * sizeof *workers);
    for (int i = READ; i < KERNELS; i++) {
        kernel = i;
        run(workers, threads, mib << 20, windows);
    }
    free(workers);
}
