/*
 * calendar.c - system time (100 ns since 1601-01-01) and calendar fields, pseudo-random numbers, the version we claim
 * to be.
 *
 * Local time is UTC here.
 */
#include "rtl.h"

#define TICKS_PER_SECOND        10000000ll
#define TICKS_PER_DAY           (86400 * TICKS_PER_SECOND)
#define DAYS_1601_TO_0000_03_01 584694 /* days from 0000-03-01 to 1601-01-01 */

/* Days since 1601-01-01 of a date of the Gregorian calendar; years start in March so that the leap day comes last. */
static LONGLONG days_of(LONGLONG year, LONGLONG month, LONGLONG day)
{
    year -= month <= 2;
    LONGLONG shifted = month + (month > 2 ? -3 : 9);
    LONGLONG day_of_year = (153 * shifted + 2) / 5 + day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - DAYS_1601_TO_0000_03_01;
}

/* Time, not negative, as calendar fields. */
VOID NTAPI RtlTimeToTimeFields(const LARGE_INTEGER *Time, PTIME_FIELDS TimeFields)
{
    LONGLONG days = Time->QuadPart / TICKS_PER_DAY, rest = Time->QuadPart % TICKS_PER_DAY;
    LONGLONG from_march = days + DAYS_1601_TO_0000_03_01;
    LONGLONG era = from_march / 146097, in_era = from_march % 146097;
    LONGLONG year_of_era = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
    LONGLONG in_year = in_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    LONGLONG shifted = (5 * in_year + 2) / 153, month = shifted + (shifted < 10 ? 3 : -9);
    TimeFields->Year = (CSHORT)(year_of_era + era * 400 + (month <= 2));
    TimeFields->Month = (CSHORT)month;
    TimeFields->Day = (CSHORT)(in_year - (153 * shifted + 2) / 5 + 1);
    TimeFields->Weekday = (CSHORT)((days + 1) % 7); /* 1601-01-01 was a Monday; Sunday is 0 */
    TimeFields->Milliseconds = (CSHORT)(rest / 10000 % 1000);
    rest /= TICKS_PER_SECOND;
    TimeFields->Hour = (CSHORT)(rest / 3600);
    TimeFields->Minute = (CSHORT)(rest / 60 % 60);
    TimeFields->Second = (CSHORT)(rest % 60);
}

/* FALSE: the fields name no time. Weekday is ignored. */
BOOLEAN NTAPI RtlTimeFieldsToTime(const TIME_FIELDS *TimeFields, PLARGE_INTEGER Time)
{
    TIME_FIELDS f = *TimeFields;
    if (f.Year < 1601 || f.Month < 1 || f.Month > 12 || f.Day < 1 || f.Hour < 0 || f.Hour > 23 || f.Minute < 0 ||
        f.Minute > 59 || f.Second < 0 || f.Second > 59 || f.Milliseconds < 0 || f.Milliseconds > 999)
        return FALSE;
    LONGLONG first = days_of(f.Year, f.Month, 1);
    LONGLONG next = f.Month == 12 ? days_of(f.Year + 1, 1, 1) : days_of(f.Year, f.Month + 1, 1);
    if (f.Day > next - first)
        return FALSE;
    LONGLONG seconds = (f.Hour * 60ll + f.Minute) * 60 + f.Second;
    Time->QuadPart = (first + f.Day - 1) * TICKS_PER_DAY + seconds * TICKS_PER_SECOND + f.Milliseconds * 10000ll;
    return TRUE;
}

VOID NTAPI ExSystemTimeToLocalTime(PLARGE_INTEGER SystemTime, PLARGE_INTEGER LocalTime)
{
    *LocalTime = *SystemTime;
}

VOID NTAPI ExLocalTimeToSystemTime(PLARGE_INTEGER LocalTime, PLARGE_INTEGER SystemTime)
{
    *SystemTime = *LocalTime;
}

/* Uniform in [0, MAXLONG - 1], from and into *Seed; a given seed gives the same sequence every time. */
ULONG NTAPI RtlRandomEx(PULONG Seed)
{
    *Seed = (ULONG)((*Seed % 0x7FFFFFFFu * 48271ull + 11) % 0x7FFFFFFFu);
    return *Seed;
}

ULONG NTAPI RtlRandom(PULONG Seed)
{
    return RtlRandomEx(Seed);
}

/* Windows 11 24H2, the first whose kernel knows the accessors. */
enum { VERSION_MAJOR = 10, VERSION_MINOR = 0, VERSION_BUILD = 26100 };

/* Fills the structure, the longer form if its size says so. */
NTSTATUS NTAPI RtlGetVersion(PRTL_OSVERSIONINFOW lpVersionInformation)
{
    ULONG size = lpVersionInformation->dwOSVersionInfoSize;
    lpVersionInformation->dwMajorVersion = VERSION_MAJOR;
    lpVersionInformation->dwMinorVersion = VERSION_MINOR;
    lpVersionInformation->dwBuildNumber = VERSION_BUILD;
    lpVersionInformation->dwPlatformId = 2;
    lpVersionInformation->szCSDVersion[0] = 0;
    if (size >= sizeof(RTL_OSVERSIONINFOEXW)) {
        RTL_OSVERSIONINFOEXW *longer = (RTL_OSVERSIONINFOEXW *)lpVersionInformation;
        longer->wServicePackMajor = longer->wServicePackMinor = 0;
        longer->wSuiteMask = 0x100;
        longer->wProductType = 1;
        longer->wReserved = 0;
    }
    return STATUS_SUCCESS;
}

/* Every output is optional. TRUE: a checked build, which this is not. */
BOOLEAN NTAPI PsGetVersion(PULONG MajorVersion, PULONG MinorVersion, PULONG BuildNumber, PUNICODE_STRING CSDVersion)
{
    if (MajorVersion)
        *MajorVersion = VERSION_MAJOR;
    if (MinorVersion)
        *MinorVersion = VERSION_MINOR;
    if (BuildNumber)
        *BuildNumber = VERSION_BUILD;
    if (CSDVersion)
        CSDVersion->Length = 0;
    return FALSE;
}
