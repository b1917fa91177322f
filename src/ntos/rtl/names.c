/*
 * names.c - what file systems ask about names: wildcards, parts of paths, names that FAT and HPFS allow; and which
 * exceptions they handle.
 *
 * A match keeps the set of places in the expression that the name so far leads to, so its work is bounded by the
 * product of the lengths whatever the expression is.
 */
#include "rtl.h"
#include "seh.h"
#include "wdk/rtl_more.h"

/* Wildcards as MS-DOS programs mean them. */
#define DOS_STAR '<'
#define DOS_QM   '>'
#define DOS_DOT  '"'

enum { MOST_PLACES = 0x8000 }; /* a counted string has at most 32767 characters */

struct match {
    WCHAR (*expression_at)(const struct match *match, SIZE_T index);
    WCHAR (*name_at)(const struct match *match, SIZE_T index);
    const void *expression, *name;
    SIZE_T expression_length, name_length;
    const WCHAR *upcase; /* table, if ignore_case */
    bool ignore_case;
    UCHAR places[MOST_PLACES / 8];
};

static bool has(const struct match *match, SIZE_T place)
{
    return match->places[place / 8] >> place % 8 & 1;
}

static void set(struct match *match, SIZE_T place, bool value)
{
    UCHAR bit = (UCHAR)(1 << place % 8);
    match->places[place / 8] = (UCHAR)(value ? match->places[place / 8] | bit : match->places[place / 8] & ~bit);
}

/* Places reached without taking a character; the next one is a dot, or there is none. */
static void skip(struct match *match, bool dot, bool end)
{
    for (SIZE_T place = 0; place < match->expression_length; place++) {
        WCHAR wanted = has(match, place) ? match->expression_at(match, place) : 0;
        if (wanted == '*' || wanted == DOS_STAR || (wanted == DOS_QM && (dot || end)) || (wanted == DOS_DOT && end))
            set(match, place + 1, true);
    }
}

static bool advances(WCHAR wanted, WCHAR given)
{
    switch (wanted) {
    case '*':
    case DOS_STAR:
        return false;
    case '?':
        return true;
    case DOS_QM:
        return given != '.';
    case DOS_DOT:
        return given == '.';
    default:
        return wanted == given;
    }
}

/* From the last place to the first, so that no character is taken twice. */
static void take(struct match *match, WCHAR given, bool last_dot)
{
    set(match, match->expression_length, false);
    for (SIZE_T place = match->expression_length; place-- > 0;) {
        if (!has(match, place))
            continue;
        WCHAR wanted = match->expression_at(match, place);
        if (advances(wanted, given))
            set(match, place + 1, true);
        set(match, place, wanted == '*' || (wanted == DOS_STAR && !last_dot));
    }
}

static BOOLEAN run(struct match *match)
{
    SIZE_T last_dot = SIZE_MAX;
    if (!match->name_length || !match->expression_length)
        return match->name_length == match->expression_length;
    for (SIZE_T i = 0; i < match->name_length; i++)
        if (match->name_at(match, i) == '.')
            last_dot = i;
    set(match, 0, true);
    for (SIZE_T i = 0; i < match->name_length; i++) {
        WCHAR given = match->name_at(match, i);
        skip(match, given == '.', false);
        take(match, given, i == last_dot);
    }
    skip(match, false, true);
    return has(match, match->expression_length);
}

static WCHAR wide_expression(const struct match *match, SIZE_T index)
{
    return ((const WCHAR *)match->expression)[index];
}

static WCHAR upcase(WCHAR character, const WCHAR *table)
{
    return table ? table[character] : RtlUpcaseUnicodeChar(character);
}

static WCHAR wide_name(const struct match *match, SIZE_T index)
{
    WCHAR character = ((const WCHAR *)match->name)[index];
    return match->ignore_case ? upcase(character, match->upcase) : character;
}

static WCHAR narrow_expression(const struct match *match, SIZE_T index)
{
    return ((const UCHAR *)match->expression)[index];
}

static WCHAR narrow_name(const struct match *match, SIZE_T index)
{
    return ((const UCHAR *)match->name)[index];
}

/* With IgnoreCase the expression is upper case already. UpcaseTable has 65536 entries, or is null. */
BOOLEAN NTAPI FsRtlIsNameInExpression(PUNICODE_STRING Expression, PUNICODE_STRING Name, BOOLEAN IgnoreCase,
                                      PWCH UpcaseTable)
{
    struct match match = {.expression_at = wide_expression,
                          .name_at = wide_name,
                          .expression = Expression->Buffer,
                          .name = Name->Buffer,
                          .expression_length = Expression->Length / sizeof(WCHAR),
                          .name_length = Name->Length / sizeof(WCHAR),
                          .upcase = UpcaseTable,
                          .ignore_case = IgnoreCase};
    return run(&match);
}

BOOLEAN NTAPI FsRtlIsDbcsInExpression(PANSI_STRING Expression, PANSI_STRING Name)
{
    struct match match = {.expression_at = narrow_expression,
                          .name_at = narrow_name,
                          .expression = Expression->Buffer,
                          .name = Name->Buffer,
                          .expression_length = Expression->Length,
                          .name_length = Name->Length};
    if (match.expression_length >= MOST_PLACES)
        return FALSE; /* no file name is that long */
    return run(&match);
}

static bool is_wild(WCHAR character)
{
    return character == '*' || character == '?' || character == DOS_STAR || character == DOS_QM || character == DOS_DOT;
}

/* Looks at the last part of the path only. */
BOOLEAN NTAPI FsRtlDoesNameContainWildCards(PUNICODE_STRING Name)
{
    for (SIZE_T i = Name->Length / sizeof(WCHAR); i-- > 0 && Name->Buffer[i] != '\\';)
        if (is_wild(Name->Buffer[i]))
            return TRUE;
    return FALSE;
}

BOOLEAN NTAPI FsRtlAreNamesEqual(PCUNICODE_STRING ConstantNameA, PCUNICODE_STRING ConstantNameB, BOOLEAN IgnoreCase,
                                 PCWCH UpcaseTable)
{
    if (ConstantNameA->Length != ConstantNameB->Length)
        return FALSE;
    for (SIZE_T i = 0; i < ConstantNameA->Length / sizeof(WCHAR); i++) {
        WCHAR a = ConstantNameA->Buffer[i], b = ConstantNameB->Buffer[i];
        if (a != b && (!IgnoreCase || upcase(a, UpcaseTable) != upcase(b, UpcaseTable)))
            return FALSE;
    }
    return TRUE;
}

/* "\A\B\C" or "A\B\C" into "A" and "B\C"; both point into Path. */
VOID NTAPI FsRtlDissectName(UNICODE_STRING Path, PUNICODE_STRING FirstName, PUNICODE_STRING RemainingName)
{
    SIZE_T length = Path.Length / sizeof(WCHAR), start = length && Path.Buffer[0] == '\\', end = start;
    *FirstName = *RemainingName = (UNICODE_STRING){0};
    if (!length)
        return;
    while (end < length && Path.Buffer[end] != '\\')
        end++;
    USHORT bytes = (USHORT)((end - start) * sizeof(WCHAR));
    *FirstName = (UNICODE_STRING){bytes, bytes, Path.Buffer + start};
    if (end == length)
        return;
    bytes = (USHORT)((length - end - 1) * sizeof(WCHAR));
    *RemainingName = (UNICODE_STRING){bytes, bytes, Path.Buffer + end + 1};
}

static bool is_legal(UCHAR character, bool fat, bool wild)
{
    static const char neither[] = "/\\:|", not_fat[] = "+,;=[]";
    if (character < ' ' || (is_wild(character) && !wild))
        return false;
    return !nt_strchr(neither, character) && !(fat && nt_strchr(not_fat, character));
}

/* Base of 1 to 8 characters, at most one dot, extension of at most 3; neither ends in a blank. */
static bool is_fat_part(const CHAR *part, SIZE_T length, bool wild)
{
    SIZE_T base = 0;
    if ((length == 1 || length == 2) && part[0] == '.' && part[length - 1] == '.')
        return true;
    while (base < length && part[base] != '.')
        base++;
    for (SIZE_T i = 0; i < length; i++)
        if (!is_legal((UCHAR)part[i], true, wild) || (i > base && part[i] == '.'))
            return false;
    bool fits = base >= 1 && base <= 8 && (base == length || (length - base - 1 >= 1 && length - base - 1 <= 3));
    return fits && part[base - 1] != ' ' && part[length - 1] != ' ';
}

static bool is_hpfs_part(const CHAR *part, SIZE_T length, bool wild)
{
    if ((length == 1 || length == 2) && part[0] == '.' && part[length - 1] == '.')
        return true;
    for (SIZE_T i = 0; i < length; i++)
        if (!is_legal((UCHAR)part[i], false, wild))
            return false;
    return length >= 1 && length <= 255 && part[length - 1] != ' ' && part[length - 1] != '.';
}

static BOOLEAN each_part(ANSI_STRING name, BOOLEAN wild, BOOLEAN path, BOOLEAN leading,
                         bool (*is_part)(const CHAR *part, SIZE_T length, bool wild))
{
    SIZE_T start = 0, length = name.Length;
    if (length && name.Buffer[0] == '\\') {
        if (!leading || length == 1)
            return leading && path;
        start = 1;
    }
    for (SIZE_T end = start;; end++) {
        if (end < length && name.Buffer[end] != '\\')
            continue;
        if ((end < length && !path) || !is_part(name.Buffer + start, end - start, wild))
            return FALSE;
        if (end == length)
            return TRUE;
        start = end + 1;
    }
}

/* A name (or path) of 8.3 parts. */
BOOLEAN NTAPI FsRtlIsFatDbcsLegal(ANSI_STRING DbcsName, BOOLEAN WildCardsPermissible, BOOLEAN PathNamePermissible,
                                  BOOLEAN LeadingBackslashPermissible)
{
    return each_part(DbcsName, WildCardsPermissible, PathNamePermissible, LeadingBackslashPermissible, is_fat_part);
}

BOOLEAN NTAPI FsRtlIsHpfsDbcsLegal(ANSI_STRING DbcsName, BOOLEAN WildCardsPermissible, BOOLEAN PathNamePermissible,
                                   BOOLEAN LeadingBackslashPermissible)
{
    return each_part(DbcsName, WildCardsPermissible, PathNamePermissible, LeadingBackslashPermissible, is_hpfs_part);
}

/* FALSE for exceptions that are a program's mistake, which a file system must not swallow. */
BOOLEAN NTAPI FsRtlIsNtstatusExpected(NTSTATUS Exception)
{
    return Exception != STATUS_ACCESS_VIOLATION && Exception != STATUS_DATATYPE_MISALIGNMENT &&
           Exception != STATUS_ILLEGAL_INSTRUCTION && Exception != STATUS_INSTRUCTION_MISALIGNMENT;
}

NTSTATUS NTAPI FsRtlNormalizeNtstatus(NTSTATUS Exception, NTSTATUS GenericException)
{
    return FsRtlIsNtstatusExpected(Exception) ? Exception : GenericException;
}
