/*
 * A stand-in for libnvidia-ml.so.1, so that NVIDIA's own binding runs without a GPU.
 *
 * The state is read anew on each call from the file $FAKE_NVML. A line is a GPU:
 *
 *     util=3,97,0 rates=5 used=500 free=80000 power=70000,71000 energy=123 procs=1 busy=40 mig=1,5 xid=79 enc=40 dec=0 nvmlDeviceGetUUID=15
 *
 * `util` and `power` are the sample buffers (percent, milliwatts), `rates` the utilisation of the moment, memory is in
 * MiB, energy in millijoules, `busy` the highest use by a process, `mig` the ids of GPU instances, `xid` an error that
 * is reported once. The name of a function is the error it returns. A line `init=9` makes the whole driver fail.
 *
 * In MIG mode, an entry for each instance of `mig`, in order; the same id twice is two compute instances in one:
 *
 *     mig=1,5 held=9000,0 gpm=97.5,nan sm=40,0 raw=291419
 *
 * `held` is its memory in MiB of 9728. `gpm` is the time in percent that something runs in it and `sm` the share of its
 * multiprocessors that does: counters advance by as much with each state that is taken of them. Without `gpm` the GPU
 * has no such counters; `still` stands for counters that do not advance, `nan` for a value that is none, `!4` for an
 * error of the call and `?21` for one of the metric. `raw` is what the buffer of the whole GPU then holds. `blind` is a
 * slot whose instance may not be looked at, `most=-4` an error in place of the number of slots.
 * Build with -DOLD for a driver that lacks the newer functions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST 16
#define SAMPLES 16
enum { SUCCESS = 0, UNINITIALIZED = 1, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NO_PERMISSION = 4, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, TIMEOUT = 10, MEMORY = 20, ARGUMENT_VERSION_MISMATCH = 25 };

typedef unsigned long long u64;
typedef struct { u64 total, free, used; } memory_t;
typedef struct { unsigned version; u64 total, reserved, free, used; } memory2_t;
typedef struct { unsigned gpu, memory; } rates_t;
typedef struct { u64 time; union { double d; unsigned ui; unsigned long ul; u64 ull; long long sll; } value; } sample_t;
typedef struct { unsigned pid; u64 used; unsigned gi, ci; } process_t;
typedef struct { unsigned pid; u64 time; unsigned sm, mem, enc, dec; } process_use_t;
typedef struct { void *device; u64 type, data; unsigned gi, ci; } event_t;
typedef struct { unsigned version, supported; } support_t;
typedef struct { double elapsed, ran, busy; int alive; char token[16]; } state_t;
typedef struct { unsigned id; int error; double value; char *names[3]; } metric_t;
typedef struct { unsigned version, n; state_t *older, *newer; metric_t metrics[]; } metrics_t;

typedef struct {
    int util[SAMPLES], n_util, power[SAMPLES], n_power, rates, procs, busy, mig[SAMPLES], n_mig, xid;
    u64 used, free, energy;
    unsigned enc, dec;
    char line[512];
} gpu_t;

static gpu_t gpus[MOST];
static int count, started, init_error, reported[MOST];

static int numbers(const char *text, int *into) {
    int n = 0;
    for (char *end; n < SAMPLES && *text >= '0' && *text <= '9'; text = *end == ',' ? end + 1 : end) into[n++] = (int)strtol(text, &end, 10);
    return n;
}

/* The text after ` key=`, or NULL. */
static const char *value_of(const gpu_t *gpu, const char *key) {
    char wanted[80];
    snprintf(wanted, sizeof wanted, " %s=", key);
    const char *found = strstr(gpu->line, wanted);
    return found ? found + strlen(wanted) : NULL;
}

static long number(const gpu_t *gpu, const char *key, long otherwise) {
    const char *text = value_of(gpu, key);
    return text ? strtol(text, NULL, 10) : otherwise;
}

static void load(void) {
    const char *path = getenv("FAKE_NVML");
    FILE *file = path ? fopen(path, "r") : NULL;
    char line[500];
    count = init_error = 0;
    while (file && count < MOST && fgets(line, sizeof line, file)) {
        if (sscanf(line, "init=%d", &init_error) == 1) continue;
        gpu_t *gpu = &gpus[count++];
        snprintf(gpu->line, sizeof gpu->line, " %s", line);
        const char *util = value_of(gpu, "util"), *power = value_of(gpu, "power"), *mig = value_of(gpu, "mig");
        gpu->n_util = util ? numbers(util, gpu->util) : 0;
        gpu->n_power = power ? numbers(power, gpu->power) : 0;
        gpu->n_mig = mig ? numbers(mig, gpu->mig) : 0;
        gpu->rates = (int)number(gpu, "rates", 0);
        gpu->used = (u64)number(gpu, "used", 500) << 20;
        gpu->free = (u64)number(gpu, "free", 81000) << 20;
        gpu->energy = (u64)number(gpu, "energy", 0);
        gpu->procs = (int)number(gpu, "procs", 0);
        gpu->busy = (int)number(gpu, "busy", -1);
        gpu->xid = (int)number(gpu, "xid", 0);
        gpu->enc = (unsigned)number(gpu, "enc", 0);
        gpu->dec = (unsigned)number(gpu, "dec", 0);
    }
    if (file) fclose(file);
}

/* A handle is the position of a GPU plus one; of a GPU instance, 1000 more and 32 for each GPU before. */
static int position(void *device) { long h = (long)device; return h >= 1000 ? (int)((h - 1000) / 32) : (int)h - 1; }
static int slot(void *device) { long h = (long)device; return h >= 1000 ? (int)((h - 1000) % 32) : -1; }

#define OPEN(device)                                                             \
    if (!started) return UNINITIALIZED;                                          \
    load();                                                                      \
    if (init_error) return init_error;                                           \
    if (!(device) || position(device) >= count) return INVALID_ARGUMENT;         \
    gpu_t *gpu = &gpus[position(device)];                                        \
    if (number(gpu, __func__, 0)) return (int)number(gpu, __func__, 0)

int nvmlInitWithFlags(unsigned flags) { (void)flags; load(); started = !init_error; return init_error; }
int nvmlInit_v2(void) { return nvmlInitWithFlags(0); }
int nvmlShutdown(void) { started = 0; return SUCCESS; }
const char *nvmlErrorString(int error) { static char text[32]; snprintf(text, sizeof text, "error %d", error); return text; }

int nvmlSystemGetDriverVersion(char *text, unsigned length) { snprintf(text, length, "570.00"); return started ? SUCCESS : UNINITIALIZED; }

int nvmlDeviceGetCount_v2(unsigned *found) {
    if (!started) return UNINITIALIZED;
    load();
    *found = (unsigned)count;
    return init_error;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
    *device = (void *)(long)(index + 1);
    OPEN(*device);
    return SUCCESS;
}

int nvmlDeviceGetIndex(void *device, unsigned *index) { OPEN(device); *index = (unsigned)position(device); return SUCCESS; }
int nvmlDeviceGetName(void *device, char *text, unsigned length) { OPEN(device); snprintf(text, length, "NVIDIA H100 80GB HBM3"); return SUCCESS; }

int nvmlDeviceGetUUID(void *device, char *text, unsigned length) {
    OPEN(device);
    if (slot(device) >= 0) { snprintf(text, length, "MIG-00000000-0000-0000-%04d-%012d", position(device), slot(device)); return SUCCESS; }
    snprintf(text, length, "GPU-00000000-0000-0000-0000-%012d", position(device));
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(void *device, rates_t *rates) {
    OPEN(device);
    if (gpu->n_mig) return NOT_SUPPORTED;
    rates->gpu = (unsigned)gpu->rates;
    rates->memory = 0;
    return SUCCESS;
}

#ifndef OLD
/* The entry of an instance in a list such as `gpm=97.5,nan`. */
static void entry(const gpu_t *gpu, const char *key, int at, char *into, const char *otherwise) {
    const char *text = value_of(gpu, key);
    for (int i = 0; text && i < at; i++) text = (text = strpbrk(text, ", \n")) && *text == ',' ? text + 1 : NULL;
    snprintf(into, 16, "%.*s", text ? (int)strcspn(text, ", \n") : 15, text ? text : otherwise);
}
#endif

static u64 now_us(void) { struct timespec t; clock_gettime(CLOCK_REALTIME, &t); return (u64)t.tv_sec * 1000000 + (u64)t.tv_nsec / 1000; }

#ifndef OLD
int nvmlDeviceGetSamples(void *device, int kind, u64 since, int *type, unsigned *n, sample_t *samples) {
    OPEN(device);
    int *values = kind == 0 ? gpu->power : gpu->util, held = kind == 0 ? gpu->n_power : gpu->n_util;
    int raw = (int)number(gpu, "raw", 0);
    if (raw && kind != 0) { values = &raw; held = 1; }
    else if (gpu->n_mig && kind != 0) return NOT_SUPPORTED;
    if (!held) return NOT_FOUND;
    *type = 1;
    if (samples) for (int i = 0; i < held; i++) { samples[i].time = now_us() - (u64)(held - i) * 1000; samples[i].value.ui = (unsigned)values[i]; }
    *n = (unsigned)held;
    (void)since;
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo_v2(void *device, memory2_t *memory) {
    OPEN(device);
    if (slot(device) >= 0) {
        char held[16];
        entry(gpu, "held", slot(device), held, "0");
        memory->used = strtoull(held, NULL, 10) << 20;
        memory->reserved = 0;
        memory->total = 9728ULL << 20;
        memory->free = memory->total - memory->used;
        return SUCCESS;
    }
    memory->reserved = 600ULL << 20;
    memory->used = gpu->used;
    memory->free = gpu->free;
    memory->total = gpu->used + gpu->free + memory->reserved;
    return SUCCESS;
}
#endif

int nvmlDeviceGetMemoryInfo(void *device, memory_t *memory) {
    OPEN(device);
    memory->used = gpu->used + (600ULL << 20);
    memory->free = gpu->free;
    memory->total = memory->used + memory->free;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts) {
    OPEN(device);
    if (!gpu->n_power) return NOT_SUPPORTED;
    *milliwatts = (unsigned)gpu->power[gpu->n_power - 1];
    return SUCCESS;
}

int nvmlDeviceGetTotalEnergyConsumption(void *device, u64 *millijoules) { OPEN(device); *millijoules = gpu->energy; return SUCCESS; }

int nvmlDeviceGetEncoderUtilization(void *device, unsigned *percent, unsigned *period) { OPEN(device); *percent = gpu->enc; *period = 167000; return SUCCESS; }
int nvmlDeviceGetDecoderUtilization(void *device, unsigned *percent, unsigned *period) { OPEN(device); *percent = gpu->dec; *period = 167000; return SUCCESS; }

int nvmlDeviceGetComputeRunningProcesses_v3(void *device, unsigned *n, process_t *found) {
    OPEN(device);
    unsigned held = (unsigned)gpu->procs;
    int fits = found && *n >= held;
    for (unsigned i = 0; fits && i < held; i++) found[i] = (process_t){1000 + i, gpu->used / held, 0xFFFFFFFF, 0xFFFFFFFF};
    *n = held;
    return held && !fits ? INSUFFICIENT_SIZE : SUCCESS;
}

int nvmlDeviceGetProcessUtilization(void *device, process_use_t *found, unsigned *n, u64 since) {
    OPEN(device);
    (void)since;
    if (gpu->busy < 0) return NOT_FOUND;
    if (!found) { *n = 1; return INSUFFICIENT_SIZE; }
    *found = (process_use_t){1000, now_us(), (unsigned)gpu->busy, 0, 0, 0};
    *n = 1;
    return SUCCESS;
}

int nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending) { OPEN(device); *current = *pending = gpu->n_mig > 0; return SUCCESS; }
int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned *most) {
    OPEN(device);
    long slots = number(gpu, "most", 7);
    *most = (unsigned)slots;
    return slots < 0 ? (int)-slots : SUCCESS;
}

int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned index, void **part) {
    OPEN(device);
    if (number(gpu, "blind", -1) == (long)index) return NO_PERMISSION;
    if ((int)index >= gpu->n_mig) return NOT_FOUND;
    *part = (void *)(long)(1000 + 32 * position(device) + (long)index);
    return SUCCESS;
}

int nvmlDeviceGetGpuInstanceId(void *device, unsigned *id) {
    OPEN(device);
    if (slot(device) < 0) return INVALID_ARGUMENT;
    *id = (unsigned)gpu->mig[slot(device)];
    return SUCCESS;
}

#ifndef OLD
#define STATES 64
static state_t counters[MOST][SAMPLES];
static int states; /* that were allocated and not freed */

int nvmlGpmQueryDeviceSupport(void *device, support_t *support) {
    OPEN(device);
    if (support->version != 1) return ARGUMENT_VERSION_MISMATCH;
    support->supported = value_of(gpu, "gpm") != NULL;
    return SUCCESS;
}

int nvmlGpmSampleAlloc(state_t **state) {
    if (!started) return UNINITIALIZED;
    if (states == STATES) return MEMORY;
    states++;
    *state = calloc(1, sizeof **state);
    return SUCCESS;
}

int nvmlGpmSampleFree(state_t *state) {
    if (!state) return INVALID_ARGUMENT;
    states--;
    free(state);
    return SUCCESS;
}

int nvmlGpmMigSampleGet(void *device, unsigned id, state_t *state) {
    OPEN(device);
    int at = 0;
    while (at < gpu->n_mig && gpu->mig[at] != (int)id) at++;
    if (at == gpu->n_mig || !state || slot(device) >= 0) return INVALID_ARGUMENT;
    char ran[16], busy[16];
    entry(gpu, "gpm", at, ran, "0");
    entry(gpu, "sm", at, busy, "0");
    if (*ran == '!') return atoi(ran + 1);
    state_t *now = &counters[position(device)][at];
    if (strcmp(ran, "still")) {
        now->elapsed += 1000;
        now->ran += strcmp(ran, "nan") ? 10 * strtod(ran, NULL) : 0;
        now->busy += 10 * strtod(busy, NULL);
    }
    *state = *now;
    if (!strcmp(ran, "nan")) state->ran = strtod(ran, NULL);
    state->alive = 1;
    memcpy(state->token, ran, sizeof ran);
    return SUCCESS;
}

int nvmlGpmMetricsGet(metrics_t *asked) {
    if (asked->version != 1) return ARGUMENT_VERSION_MISMATCH;
    if (!asked->older || !asked->newer || !asked->older->alive || !asked->newer->alive) return INVALID_ARGUMENT;
    for (unsigned i = 0; i < asked->n; i++) {
        metric_t *metric = &asked->metrics[i];
        const state_t *older = asked->older, *newer = asked->newer;
        double part = metric->id == 1 ? newer->ran - older->ran : newer->busy - older->busy;
        metric->error = *newer->token == '?' ? atoi(newer->token + 1) : metric->id > 2 ? INVALID_ARGUMENT : SUCCESS;
        metric->value = 100 * part / (newer->elapsed - older->elapsed);
    }
    return SUCCESS;
}
#endif

int nvmlEventSetCreate(void **set) { *set = (void *)1; return started ? SUCCESS : UNINITIALIZED; }
int nvmlEventSetFree(void *set) { (void)set; return SUCCESS; }
int nvmlDeviceRegisterEvents(void *device, u64 types, void *set) { (void)types; (void)set; OPEN(device); return SUCCESS; }

int nvmlEventSetWait_v2(void *set, event_t *event, unsigned milliseconds) {
    (void)set; (void)milliseconds;
    load();
    for (int i = 0; i < count; i++)
        if (gpus[i].xid && reported[i] != gpus[i].xid) {
            reported[i] = gpus[i].xid;
            *event = (event_t){(void *)(long)(i + 1), 8, (u64)gpus[i].xid, 0xFFFFFFFF, 0xFFFFFFFF};
            return SUCCESS;
        }
    return TIMEOUT;
}
