/* mapper.c - the threads that unmap, map again and protect memory which requests name. */
#include "load_client.h"
#include "uma.h"

enum {
    MEM_COMMIT = 0x1000,
    MEM_RESERVE_COMMIT = 0x3000,
    MEM_DECOMMIT = 0x4000,
    MEM_RELEASE = 0x8000,
    WHOLE_PROCESS = -1
};

static uma_status on_region(const char *service, uint64_t scratch, uint64_t base, uint64_t size, uint64_t last,
                            uint64_t protect)
{
    const uint64_t in[2] = {base, size};
    expect(uma_user_store(scratch, in, sizeof(in)), "a mapper's own memory");
    const uint64_t process = (uint64_t)(int64_t)WHOLE_PROCESS;
    if (service[2] == 'A')
        return uma_call(service, (const uint64_t[]){process, scratch, 0, scratch + 8, last, protect}, 6);
    if (service[2] == 'F')
        return uma_call(service, (const uint64_t[]){process, scratch, scratch + 8, last}, 4);
    return uma_call(service, (const uint64_t[]){process, scratch, scratch + 8, protect, scratch + 16}, 5);
}

void mapper_run(void *context)
{
    static const uint32_t protections[] = {0x01, 0x02, 0x04, 0x04, 0x104};
    struct client *client = context;
    const unsigned mine = client->index - LOAD_CLIENTS;
    uint64_t scratch;
    expect(uma_user_alloc(64, UMA_READ_WRITE, &scratch) == 0, "memory for a mapper");
    while (!__atomic_load_n(&shared.over, __ATOMIC_ACQUIRE)) {
        uint64_t base = shared.regions[pick(client, LOAD_REGIONS / LOAD_MAPPERS) * LOAD_MAPPERS + mine];
        uint32_t protect = protections[pick(client, 5)];
        uint64_t page = base + pick(client, LOAD_REGION_SIZE / 0x1000) * 0x1000ull;
        client->sent++;
        if (pick(client, 3)) { /* pages in use are not locked against their owner; nothing forbids this */
            expect(on_region("NtProtectVirtualMemory", scratch, page, 0x1000, 0, protect) == 0, "a page is protected");
            continue;
        }
        /* The addresses stay reserved: what others map must not come to lie where bad pointers lead. */
        expect(on_region("NtFreeVirtualMemory", scratch, base, 0, MEM_DECOMMIT, 0) == 0, "a region is unmapped");
        expect(on_region("NtAllocateVirtualMemory", scratch, base, LOAD_REGION_SIZE, MEM_COMMIT, 4) == 0,
               "a region is mapped again");
    }
    uma_user_free(scratch, 64);
}

void mappers_prepare(void)
{
    uint64_t scratch;
    expect(uma_user_alloc(64, UMA_READ_WRITE, &scratch) == 0, "memory for the mappers");
    for (unsigned i = 0; i < LOAD_REGIONS; i++) {
        expect(on_region("NtAllocateVirtualMemory", scratch, 0, LOAD_REGION_SIZE, MEM_RESERVE_COMMIT, 4) == 0,
               "a region is mapped");
        expect(uma_user_load(scratch, &shared.regions[i], 8), "its address can be read");
    }
    uma_user_free(scratch, 64);
}

void mappers_clean(void)
{
    uint64_t scratch;
    expect(uma_user_alloc(64, UMA_READ_WRITE, &scratch) == 0, "memory for the mappers");
    for (unsigned i = 0; i < LOAD_REGIONS; i++)
        expect(on_region("NtFreeVirtualMemory", scratch, shared.regions[i], 0, MEM_RELEASE, 0) == 0,
               "a region is unmapped");
    uma_user_free(scratch, 64);
}
