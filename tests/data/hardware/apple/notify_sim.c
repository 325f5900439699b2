/* Stands in for notify(3) of libSystem: the level is the content of the file named by NOTIFY_SIM. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t STATUS_OK = 0, STATUS_INVALID_NAME = 1, STATUS_INVALID_TOKEN = 2;
enum { TOKEN = 4711 };

uint32_t notify_register_check(const char *name, int *token) {
    if (strcmp(name, "com.apple.system.thermalpressurelevel") != 0)
        return STATUS_INVALID_NAME;
    *token = TOKEN;
    return STATUS_OK;
}

uint32_t notify_get_state(int token, uint64_t *state) {
    if (token != TOKEN)
        return STATUS_INVALID_TOKEN;
    FILE *file = fopen(getenv("NOTIFY_SIM"), "r");
    if (file == NULL)
        return STATUS_INVALID_NAME;
    unsigned long long level = 0;
    int found = fscanf(file, "%llu", &level);
    fclose(file);
    *state = level;
    return found == 1 ? STATUS_OK : STATUS_INVALID_NAME;
}
