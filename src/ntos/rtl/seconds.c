/*
 * seconds.c - system time as 32-bit seconds, elapsed time as fields, local time (UTC here).
 */
#include "rtl.h"
#include "wdk/rtl_more.h"

#define TICKS_PER_SECOND 10000000ll
#define SECONDS_TO_1970  11644473600ll
#define SECONDS_TO_1980  11960006400ll

static BOOLEAN to_seconds(const LARGE_INTEGER *time, LONGLONG start, PULONG seconds)
{
    LONGLONG elapsed = time->QuadPart / TICKS_PER_SECOND - start;
    if (time->QuadPart < 0 || elapsed < 0 || elapsed > MAXULONG)
        return FALSE;
    *seconds = (ULONG)elapsed;
    return TRUE;
}

/* FALSE: the time is before that year or does not fit. */
BOOLEAN NTAPI RtlTimeToSecondsSince1970(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    return to_seconds(Time, SECONDS_TO_1970, ElapsedSeconds);
}

BOOLEAN NTAPI RtlTimeToSecondsSince1980(PLARGE_INTEGER Time, PULONG ElapsedSeconds)
{
    return to_seconds(Time, SECONDS_TO_1980, ElapsedSeconds);
}

VOID NTAPI RtlSecondsSince1970ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    Time->QuadPart = (SECONDS_TO_1970 + ElapsedSeconds) * TICKS_PER_SECOND;
}

VOID NTAPI RtlSecondsSince1980ToTime(ULONG ElapsedSeconds, PLARGE_INTEGER Time)
{
    Time->QuadPart = (SECONDS_TO_1980 + ElapsedSeconds) * TICKS_PER_SECOND;
}

/* A duration in days and the fields below; Year and Month are 0. */
VOID NTAPI RtlTimeToElapsedTimeFields(PLARGE_INTEGER Time, PTIME_FIELDS TimeFields)
{
    ULONGLONG milliseconds = (ULONGLONG)Time->QuadPart / 10000, seconds = milliseconds / 1000;
    *TimeFields = (TIME_FIELDS){.Day = (CSHORT)(seconds / 86400),
                                .Hour = (CSHORT)(seconds / 3600 % 24),
                                .Minute = (CSHORT)(seconds / 60 % 60),
                                .Second = (CSHORT)(seconds % 60),
                                .Milliseconds = (CSHORT)(milliseconds % 1000)};
}

NTSTATUS NTAPI RtlSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime)
{
    *LocalTime = *SystemTime;
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI RtlLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime)
{
    *SystemTime = *LocalTime;
    return STATUS_SUCCESS;
}
