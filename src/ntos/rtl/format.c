/*
 * format.c - the one formatter behind DbgPrint, the kernel's printf family and our own reports. rtl.h has the contract.
 */
#include "rtl.h"

struct spec {
    bool left, plus, space, alternate, zero;
    bool wide_hint, narrow_hint; /* l or w before a character or string; h before one */
    LONG width, precision;       /* precision -1: not given */
    ULONG size;                  /* bytes of an integer */
    WCHAR letter;
};

struct formatter {
    struct rtl_sink *sink;
    const char *narrow;
    const WCHAR *wide;
    SIZE_T at;
    struct rtl_arguments *arguments;
};

#define LONGEST_FIELD 0x10000 /* a width or precision beyond this is a mistake or an attack */

static WCHAR peek(const struct formatter *f)
{
    return f->wide ? f->wide[f->at] : (UCHAR)f->narrow[f->at];
}

static void put_narrow(struct formatter *f, const char *text, SIZE_T length)
{
    if (length && !f->sink->failed)
        f->sink->failed = !f->sink->narrow(f->sink, text, length);
}

static void put_wide(struct formatter *f, const WCHAR *text, SIZE_T length)
{
    if (length && !f->sink->failed)
        f->sink->failed = !f->sink->wide(f->sink, text, length);
}

static void pad(struct formatter *f, char character, LONG count)
{
    for (; count > 0 && !f->sink->failed; count--)
        put_narrow(f, &character, 1);
}

static LONG parse_number(struct formatter *f)
{
    LONG value = 0;
    if (peek(f) == '*') {
        f->at++;
        value = (LONG)f->arguments->next(f->arguments);
        return value > LONGEST_FIELD ? LONGEST_FIELD : value < -LONGEST_FIELD ? -LONGEST_FIELD : value;
    }
    for (; nt_isdigit(peek(f)); f->at++)
        if (value < LONGEST_FIELD)
            value = value * 10 + (peek(f) - '0');
    return value > LONGEST_FIELD ? LONGEST_FIELD : value;
}

static void parse_size(struct formatter *f, struct spec *spec)
{
    for (;; f->at++) {
        switch (peek(f)) {
        case 'h':
            spec->narrow_hint = true;
            spec->size = spec->size == 2 ? 1 : 2;
            break;
        case 'l':
            spec->size = spec->wide_hint && spec->size == 4 ? 8 : 4; /* long has 32 bits, long long 64 */
            spec->wide_hint = true;
            break;
        case 'w':
            spec->wide_hint = true;
            break;
        case 'L':
        case 'j':
        case 'z':
        case 't':
        case 'q':
            spec->size = 8;
            break;
        case 'I':
            f->at++;
            if (peek(f) == '6' || peek(f) == '3') {
                spec->size = peek(f) == '6' ? 8 : 4;
                f->at++;
                if (peek(f) == (spec->size == 8 ? '4' : '2'))
                    f->at++;
            } else {
                spec->size = 8;
            }
            f->at--;
            break;
        default:
            return;
        }
    }
}

static void parse_spec(struct formatter *f, struct spec *spec)
{
    *spec = (struct spec){.precision = -1, .size = 4};
    for (;; f->at++) {
        WCHAR c = peek(f);
        if (c == '-')
            spec->left = true;
        else if (c == '+')
            spec->plus = true;
        else if (c == ' ')
            spec->space = true;
        else if (c == '#')
            spec->alternate = true;
        else if (c == '0')
            spec->zero = true;
        else
            break;
    }
    spec->width = parse_number(f);
    if (spec->width < 0) {
        spec->left = true;
        spec->width = -spec->width;
    }
    if (peek(f) == '.') {
        f->at++;
        spec->precision = parse_number(f);
        if (spec->precision < 0)
            spec->precision = -1;
    }
    parse_size(f, spec);
    spec->letter = peek(f);
    if (spec->letter)
        f->at++;
}

static void put_integer(struct formatter *f, const struct spec *spec, ULONG64 value, ULONG base, bool is_signed,
                        bool upper)
{
    char digits[24], prefix[3];
    LONG count = 0, prefix_length = 0;
    ULONG shift = 64 - spec->size * 8;
    if (is_signed) {
        LONG64 number = (LONG64)(value << shift) >> shift;
        value = number < 0 ? 0 - (ULONG64)number : (ULONG64)number;
        if (number < 0 || spec->plus || spec->space)
            prefix[prefix_length++] = number < 0 ? '-' : spec->plus ? '+' : ' ';
    } else {
        value = value << shift >> shift;
    }
    if (spec->alternate && value && base == 16) {
        prefix[prefix_length++] = '0';
        prefix[prefix_length++] = upper ? 'X' : 'x';
    } else if (spec->alternate && base == 8) {
        prefix[prefix_length++] = '0';
    }
    for (; value; value /= base)
        digits[count++] = (upper ? "0123456789ABCDEF" : "0123456789abcdef")[value % base];
    if (!count && spec->precision != 0)
        digits[count++] = '0';
    LONG zeros = spec->precision > count ? spec->precision - count : 0;
    LONG blanks = spec->width - prefix_length - zeros - count;
    if (spec->zero && !spec->left && spec->precision < 0 && blanks > 0) {
        zeros += blanks;
        blanks = 0;
    }
    if (!spec->left)
        pad(f, ' ', blanks);
    put_narrow(f, prefix, (SIZE_T)prefix_length);
    pad(f, '0', zeros);
    while (count--)
        put_narrow(f, &digits[count], 1);
    if (spec->left)
        pad(f, ' ', blanks);
}

static void put_text(struct formatter *f, const struct spec *spec, const void *text, SIZE_T length, bool wide)
{
    LONG blanks = spec->width - (LONG)length;
    if (!spec->left)
        pad(f, ' ', blanks);
    if (wide)
        put_wide(f, text, length);
    else
        put_narrow(f, text, length);
    if (spec->left)
        pad(f, ' ', blanks);
}

static void put_string(struct formatter *f, const struct spec *spec, ULONG_PTR address, bool wide)
{
    SIZE_T limit = spec->precision < 0 ? SIZE_MAX : (SIZE_T)spec->precision;
    if (!address)
        put_text(f, spec, "(null)", limit < 6 ? limit : 6, false);
    else if (wide)
        put_text(f, spec, (const WCHAR *)address, nt_wcsnlen((const WCHAR *)address, limit), true);
    else
        put_text(f, spec, (const char *)address, nt_strnlen((const char *)address, limit), false);
}

/* %Z and %wZ: the argument is the address of a STRING or UNICODE_STRING, which have one layout. */
static void put_counted(struct formatter *f, const struct spec *spec, ULONG_PTR address, bool wide)
{
    const STRING *string = (const STRING *)address;
    if (!string || !string->Buffer) {
        put_string(f, spec, 0, false);
        return;
    }
    SIZE_T length = wide ? string->Length / sizeof(WCHAR) : string->Length;
    if (spec->precision >= 0 && length > (SIZE_T)spec->precision)
        length = (SIZE_T)spec->precision;
    put_text(f, spec, string->Buffer, length, wide);
}

static void put_argument(struct formatter *f, struct spec *spec)
{
    struct rtl_arguments *arguments = f->arguments;
    bool swapped = spec->letter == 'C' || spec->letter == 'S';
    /* c and s have the format's width, C and S the other one; l, w and h decide against both. */
    bool wide = spec->wide_hint || (!spec->narrow_hint && (f->wide != NULL) != swapped);
    switch (spec->letter) {
    case 'd':
    case 'i':
        put_integer(f, spec, arguments->next(arguments), 10, true, false);
        break;
    case 'u':
        put_integer(f, spec, arguments->next(arguments), 10, false, false);
        break;
    case 'o':
        put_integer(f, spec, arguments->next(arguments), 8, false, false);
        break;
    case 'x':
    case 'X':
        put_integer(f, spec, arguments->next(arguments), 16, false, spec->letter == 'X');
        break;
    case 'p':
        spec->size = 8;
        spec->precision = 16;
        put_integer(f, spec, arguments->next(arguments), 16, false, true);
        break;
    case 'c':
    case 'C': {
        ULONG64 value = arguments->next(arguments);
        WCHAR unit = (WCHAR)value;
        char byte = (char)value;
        put_text(f, spec, wide ? (const void *)&unit : &byte, 1, wide);
        break;
    }
    case 's':
    case 'S':
        put_string(f, spec, arguments->next(arguments), wide);
        break;
    case 'Z':
        put_counted(f, spec, arguments->next(arguments), spec->wide_hint);
        break;
    case 'n': /* stores through a pointer in C; never here */
        arguments->next(arguments);
        break;
    case 'a':
    case 'A':
    case 'e':
    case 'E':
    case 'f':
    case 'F':
    case 'g':
    case 'G':
        arguments->next(arguments);
        put_wide(f, &spec->letter, 1);
        break;
    default:
        put_wide(f, &spec->letter, 1); /* %% and anything unknown */
    }
}

void rtl_format(struct rtl_sink *sink, const char *format, const WCHAR *wide_format, struct rtl_arguments *arguments)
{
    struct formatter f = {sink, format, wide_format, 0, arguments};
    while (peek(&f) && !sink->failed) {
        SIZE_T start = f.at;
        while (peek(&f) && peek(&f) != '%')
            f.at++;
        if (wide_format)
            put_wide(&f, wide_format + start, f.at - start);
        else
            put_narrow(&f, format + start, f.at - start);
        if (!peek(&f))
            break;
        f.at++;
        struct spec spec;
        parse_spec(&f, &spec);
        if (!spec.letter)
            break;
        put_argument(&f, &spec);
    }
}
