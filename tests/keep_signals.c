/*
 * keep_signals.c - linked into every cmocka program of ours: the platform's signal handlers stay in place.
 *
 * cmocka calls signal() around each test to catch crashes, which would take faults away from src/plat. Here signal()
 * leaves the five fault signals alone; a crash then ends the program, or is a bug check.
 */
#include <signal.h>

__attribute__((visibility("default"))) __sighandler_t signal(int number, __sighandler_t handler)
{
    struct sigaction action = {.sa_handler = handler}, old;
    switch (number) {
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGTRAP:
    case SIGFPE:
        return SIG_DFL;
    default:
        break;
    }
    sigemptyset(&action.sa_mask);
    return sigaction(number, &action, &old) == 0 ? old.sa_handler : SIG_ERR;
}
