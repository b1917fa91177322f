/* delay.c - what a linker wants of a driver with delay imports; never called, since the loader binds them. */
__attribute__((used)) const char __ImageBase_unused;
void *__delayLoadHelper2(void *descriptor, void *slot);
void *__delayLoadHelper2(void *descriptor, void *slot)
{
    return 0;
}
