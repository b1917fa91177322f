#!/usr/bin/env python3
"""Makes the accessor tests from docs/spec/ddis.tsv.

    generate.py TABLE --thunks OUT    one C function per row that calls it with the arguments of a struct ddi_call, and ddi_rows[]
    generate.py TABLE --rows OUT      ddi_rows[] alone, for a program that calls through a driver
    generate.py TABLE --cases OUT     one line per test: row, placement of each address, mode, and what must come of it
    generate.py TABLE --prototypes OUT  one typed function pointer per function row, so that a prototype that drifts fails to compile

What a row does is told by its family and its parameters' names alone; what must come of a call is stated here, from
docs/spec and DESIGN.md, independently of the library. Owns no knowledge of how the tests run (see ddi.h, run.c).
"""
import argparse
import csv
import re
import sys

POINTER_SIZE = 8
STRUCT_SIZES = (1, 2, 3, 4, 8, 16, 24, 40)
SINGLE_ACCESS = (1, 2, 4, 8)  # 16 bytes are one access only within a page
COPY_SIZES = (1, 7, 64, 300)


class Row:
    """One row of the table, read into what the tests need to know."""

    def __init__(self, index, fields):
        self.index = index
        self.name = fields['name']
        self.kind = fields['kind']
        self.family = fields['family']
        self.returns = fields['return type']
        self.parameters = [self.split(p) for p in fields['parameters'].split(', ')]
        self.names = [name for _, name in self.parameters]
        self.mode = 'Mode' in self.names
        self.aligned = 'Alignment' in self.names
        self.size = self.access_size(fields['access size'])
        self.shape = self.find_shape()

    @staticmethod
    def split(parameter):
        """'const volatile ULONG *Source' -> ('const volatile ULONG *', 'Source')."""
        match = re.fullmatch(r'(.*?)\s*(\w+)', parameter.strip())
        kind = re.sub(r'\bchar\b', 'CHAR', match.group(1).strip())
        return kind.replace('wchar_t', 'WCHAR'), match.group(2)

    @staticmethod
    def access_size(text):
        if text.startswith('ptr'):
            return POINTER_SIZE
        if text.startswith('struct 16'):
            return 16
        match = re.match(r'\d+', text)
        return int(match.group(0)) if match else 0

    def find_shape(self):
        """What the call does: the C enumerator of enum ddi_shape."""
        name = self.name
        if name == 'UmaExceptionFilter':
            return 'DDI_FILTER'
        if name == 'RtlFastFailIfUserPointer':
            return 'DDI_POINTER_CHECK'
        if name == 'RtlTypesCompatible':
            return 'DDI_TYPES'
        if 'StringLength' in name:
            return 'DDI_WIDE_STRING' if 'Wide' in name else 'DDI_STRING'
        if 'CompareExchange' in name:
            return 'DDI_COMPARE_EXCHANGE'
        if 'Interlocked' in name:
            return 'DDI_AND' if 'And' in name else 'DDI_OR'
        if re.match(r'(Fill|Set|Zero|RtlSet)', name):
            return 'DDI_ZERO' if name.startswith('Zero') else 'DDI_FILL'
        if 'FromUserToMode' in name or 'ToUserFromUser' in name or 'CopyFrom' in name or name.startswith('ReadStruct'):
            return 'DDI_COPY_FROM'
        if 'CopyTo' in name or name.startswith('WriteStruct'):
            return 'DDI_COPY_TO'
        if re.match(r'(Rtl)?Read', name):
            return 'DDI_READ'
        if re.match(r'(Rtl)?Write', name):
            return 'DDI_WRITE'
        sys.exit(f'generate.py: no shape for {name} ({self.family})')

    @property
    def struct_macro(self):
        return self.family in ('struct macro', 'struct aligned macro')

    @property
    def both_user(self):
        return 'ToUserFromUser' in self.name

    @property
    def flags(self):
        both = self.both_user or 'FromUserToMode' in self.name
        return ' | '.join(flag for flag, on in (('DDI_MODE', self.mode), ('DDI_BOTH_USER', both)) if on) or '0'

    @property
    def value_type(self):
        return {name: kind for kind, name in self.parameters}.get('Value')


def read_table(path):
    with open(path, newline='', encoding='utf-8') as table:
        return [Row(i, fields) for i, fields in enumerate(csv.DictReader(table, delimiter='\t'))]


# ---- thunks ----

def cast(kind, expression):
    return f'({kind})(ULONG_PTR)({expression})'


def argument(row, kind, name):
    """The C expression that hands a struct ddi_call's field to one parameter."""
    writes = row.shape == 'DDI_COPY_TO'
    if name in ('Source', 'Destination') and row.shape in ('DDI_COPY_FROM', 'DDI_COPY_TO'):
        checked = 'Destination' if writes else 'Source'
        return cast(kind, 'call->user' if name == checked else 'call->other')
    if name in ('Source', 'Destination', 'Address', 'String', 'Pointer'):
        return cast(kind, 'call->user')
    plain = {'Length': '(SIZE_T)call->length', 'Size': '(SIZE_T)call->length', 'Fill': '(UCHAR)call->value[0]',
             'Mode': '(KPROCESSOR_MODE)call->mode', 'Value': 'value', 'ExChange': f'({kind})call->value[0]',
             'Comperand': f'({kind})call->value[1]', 'Alignment': 'call->alignment'}
    return plain[name]


def thunk(row):
    lines = [f'static int ddi_thunk_{row.name}(struct ddi_call *call)', '{']
    if row.shape == 'DDI_TYPES':
        lines += ['    ULONG one = 1, other = 2;', '    RtlTypesCompatible(&one, &other);', '    (void)one;', '    (void)other;',
                  '    call->result[0] = 1;']
    elif row.struct_macro:
        lines += struct_thunk(row)
    elif row.kind == 'macro':
        kinds = {'Destination': 'VOID *', 'Source': 'const volatile VOID *'}
        call = ', '.join(argument(row, kinds.get(name, ''), name) for name in row.names)
        lines.append(f'    {row.name}({call});')
    else:
        if row.value_type:
            lines += [f'    {row.value_type} value;', '    __builtin_memcpy(&value, call->value, sizeof value);']
        call = ', '.join(argument(row, kind, name) for kind, name in row.parameters)
        if row.returns.upper() == 'VOID':
            lines.append(f'    {row.name}({call});')
        else:
            lines += [f'    {row.returns} result = {row.name}({call});',
                      '    call->result[0] = call->result[1] = 0;',
                      '    __builtin_memcpy(call->result, &result, sizeof result);']
    return lines + [f'    DDI_RECORD("{row.name}");', '    return 1;', '}', '']


def struct_thunk(row):
    """The struct macros take their size from the types, so each size is a case of its own."""
    lines = ['    switch (call->length) {']
    for size in STRUCT_SIZES:
        kinds = {'Source': f'const volatile struct ddi_struct_{size} *' if row.shape == 'DDI_COPY_FROM'
                 else f'const struct ddi_struct_{size} *',
                 'Destination': f'struct ddi_struct_{size} *' if row.shape == 'DDI_COPY_FROM'
                 else f'volatile struct ddi_struct_{size} *'}
        call = ', '.join(argument(row, kinds.get(name, ''), name) for name in row.names)
        lines += [f'    case {size}:', f'        {row.name}({call});', '        break;']
    return lines + ['    default:', '        return 0;', '    }']


def write_thunks(rows, out):
    for size in STRUCT_SIZES:
        out.write(f'struct ddi_struct_{size} {{\n    UCHAR bytes[{size}];\n}};\n')
    out.write('\n')
    for row in rows:
        out.write('\n'.join(thunk(row)) + '\n')
    write_rows(rows, out, lambda row: f'ddi_thunk_{row.name}')


def write_rows(rows, out, thunk_name=lambda row: 'NULL'):
    out.write('const struct ddi_row ddi_rows[] = {\n')
    families = {}
    for row in rows:
        members = families.setdefault(row.family, (len(families), []))
        out.write(f'    {{"{row.name}", "{row.family}", {members[0]}, {len(members[1])}, {row.shape}, {row.flags}, '
                  f'{thunk_name(row)}}},\n')
        members[1].append(row)
    out.write('};\nconst unsigned ddi_row_count = sizeof ddi_rows / sizeof ddi_rows[0];\n')


def write_prototypes(rows, out):
    for row in rows:
        if row.kind == 'macro' or row.shape == 'DDI_TYPES':
            out.write(f'#ifndef {row.name}\n#error "{row.name} is a macro in the table"\n#endif\n')
            continue
        kinds = ', '.join(kind for kind, _ in row.parameters)
        out.write(f'extern {row.returns} (NTAPI *const ddi_prototype_{row.name})({kinds});\n'
                  f'{row.returns} (NTAPI *const ddi_prototype_{row.name})({kinds}) = {row.name};\n')


# ---- cases ----

class Cases:
    """The tests of one row. Every add() is one test with the outcome the documents demand."""

    def __init__(self, row, out):
        self.row = row
        self.out = out
        self.count = 0

    def add(self, name, place='AT_VALID', other='AT_OTHER', mode=1, expect='EXPECT_OK', side=0, kind=0, length=None,
            alignment=1, partial=0):
        length = self.row.size if length is None else length
        self.out.write(f'{{{self.row.index}, "{name}", {place}, {other}, {mode}, {expect}, {side}, {kind}, {partial}, '
                       f'{alignment}, {length:#x}u}},\n')
        self.count += 1


# Places that lie outside the user range whatever the length; nothing may be touched there.
OUTSIDE = (('at the limit', 'AT_LIMIT'), ('kernel address', 'AT_KERNEL'), ('wrap', 'AT_WRAP'),
           ('non-canonical address', 'AT_NONCANONICAL'))


def outside_cases(cases, size, kind, **more):
    for name, place in OUTSIDE:
        cases.add(name, place, expect='EXPECT_RANGE', kind=kind, length=size, **more)


def fixed_size_cases(cases, size, kind, **more):
    """Scalars and single-access structures: one access, so nothing is moved if any byte of it faults."""
    cases.add('valid', length=size, **more)
    cases.add('null', 'AT_NULL', expect='EXPECT_FAULT', kind=kind, length=size, **more)
    cases.add('last valid byte', 'AT_LAST', length=size, **more)
    if size > 1:
        cases.add('straddling the limit', 'AT_STRADDLE', expect='EXPECT_RANGE', kind=kind, length=size, **more)
    outside_cases(cases, size, kind, **more)
    cases.add('unmapped', 'AT_UNMAPPED', expect='EXPECT_FAULT', kind=kind, length=size, **more)
    cases.add('read-only', 'AT_READONLY', expect='EXPECT_FAULT' if kind else 'EXPECT_OK', kind=kind, length=size, **more)


def unaligned_cases(cases, size, kind, partial, **more):
    if size > 1:
        cases.add('page-crossing', 'AT_CROSSING', length=size, **more)
        cases.add('page-crossing into an unmapped page', 'AT_CROSSING_FAULT', expect='EXPECT_BOUNDARY', kind=kind, length=size,
                  partial=partial, **more)
    cases.add('misaligned', 'AT_MISALIGNED', length=size, **more)


def mode_cases(cases, size, kind, **more):
    """Any mode but KernelMode is UserMode; KernelMode goes straight to memory."""
    cases.add('KernelMode, kernel address', 'AT_KERNEL', mode=0, length=size, **more)
    cases.add('KernelMode, user address', 'AT_VALID', mode=0, length=size, **more)
    for mode in (2, 127, -1):
        cases.add(f'mode {mode} counts as UserMode, valid', mode=mode, length=size, **more)
        cases.add(f'mode {mode} counts as UserMode, kernel address', 'AT_KERNEL', mode=mode, expect='EXPECT_RANGE', kind=kind,
                  length=size, **more)


def scalar(cases, kind):
    row = cases.row
    fixed_size_cases(cases, row.size, kind)
    unaligned_cases(cases, row.size, kind, partial=int(row.size == 16))
    if row.mode:
        mode_cases(cases, row.size, kind)


def interlocked(cases):
    """Alignment is checked before the range, so what straddles or wraps is misaligned first."""
    row = cases.row
    aligned = [('valid', 'AT_VALID', 'EXPECT_OK'), ('null', 'AT_NULL', 'EXPECT_FAULT'), ('last valid byte', 'AT_LAST', 'EXPECT_OK'),
               ('unmapped', 'AT_UNMAPPED', 'EXPECT_FAULT'), ('read-only', 'AT_READONLY', 'EXPECT_FAULT'),
               ('wrap', 'AT_TOP', 'EXPECT_RANGE')]
    aligned += [(name, place, 'EXPECT_RANGE') for name, place in OUTSIDE if place != 'AT_WRAP']
    for name, place, expect in aligned:
        cases.add(name, place, expect=expect, kind=1)
    for name, place in (('misaligned', 'AT_MISALIGNED'), ('page-crossing', 'AT_CROSSING'), ('straddling the limit', 'AT_STRADDLE'),
                        ('wrap, misaligned', 'AT_WRAP')):
        cases.add(name, place, expect='EXPECT_MISALIGNED')
    if row.shape == 'DDI_COMPARE_EXCHANGE':
        cases.add('compare fails', partial=1)
        cases.add('compare fails on read-only memory', 'AT_READONLY', expect='EXPECT_FAULT', kind=1, partial=1)
    if row.mode:
        mode_cases(cases, row.size, 1)


def ranges(cases, kind, sizes, alignments=(1,)):
    """Copies, fills and structures: a range of bytes on the checked side."""
    row = cases.row
    for size in sizes:
        for alignment in alignments:
            fixed_size_cases(cases, size, kind, alignment=alignment)
        single = row.struct_macro and size in SINGLE_ACCESS
        unaligned_cases(cases, size, kind, partial=0 if single else 1)
    if row.mode and 'FromUserToMode' not in row.name:
        mode_cases(cases, sizes[-1], kind)
    if row.struct_macro:
        return
    for name, place in (('null', 'AT_NULL'), ('unmapped', 'AT_UNMAPPED'), ('read-only', 'AT_READONLY')) + OUTSIDE:
        cases.add(f'length 0: {name}', place, length=0)
    cases.add('length to the top of the address space', expect='EXPECT_RANGE', kind=kind, length=(1 << 64) - 1)
    cases.add('address plus length wraps', expect='EXPECT_RANGE', kind=kind, length=(1 << 64) - 0x7000)
    cases.add('length of half the address space', expect='EXPECT_RANGE', kind=kind, length=1 << 63)


def second_side(cases, size):
    """Both sides are user memory: the destination has the same cases, with the source good."""
    for name, place, expect in (('null', 'AT_NULL', 'EXPECT_FAULT'), ('unmapped', 'AT_UNMAPPED', 'EXPECT_FAULT'),
                                ('read-only', 'AT_READONLY', 'EXPECT_FAULT'), ('straddling the limit', 'AT_STRADDLE', 'EXPECT_RANGE'),
                                ('last valid byte', 'AT_LAST', 'EXPECT_OK'),
                                *((n, p, 'EXPECT_RANGE') for n, p in OUTSIDE)):
        cases.add(f'destination {name}', 'AT_VALID', place, expect=expect, side=1, kind=1, length=size)
    cases.add('destination page-crossing into an unmapped page', 'AT_VALID', 'AT_CROSSING_FAULT', expect='EXPECT_BOUNDARY', side=1,
              kind=1, length=size, partial=1)


def alignment_cases(cases, kind):
    row = cases.row
    size = 16
    for alignment in (2, 4, 8, 16):
        cases.add(f'alignment {alignment}, aligned', length=size, alignment=alignment)
        cases.add(f'alignment {alignment}, misaligned', 'AT_MISALIGNED', expect='EXPECT_MISALIGNED', length=size, alignment=alignment)
    for alignment in (0, 3, 12):
        cases.add(f'alignment {alignment}', expect='EXPECT_INVALID', length=size, alignment=alignment)
    if not row.struct_macro:
        cases.add('length 0, misaligned', 'AT_MISALIGNED', length=0, alignment=8)
    if row.mode:
        cases.add('KernelMode skips the alignment check', 'AT_KERNEL_ODD', mode=0, length=size, alignment=8)


def strings(cases):
    row = cases.row
    for name, place, expect in (('valid', 'AT_VALID', 'EXPECT_OK'), ('null', 'AT_NULL', 'EXPECT_FAULT'),
                                ('last valid byte', 'AT_LAST', 'EXPECT_OK'),
                                ('straddling the limit', 'AT_STRADDLE', 'EXPECT_LIMIT'), ('unmapped', 'AT_UNMAPPED', 'EXPECT_FAULT'),
                                ('read-only', 'AT_READONLY', 'EXPECT_OK'), ('page-crossing', 'AT_CROSSING', 'EXPECT_OK'),
                                ('page-crossing into an unmapped page', 'AT_CROSSING_FAULT', 'EXPECT_BOUNDARY'),
                                ('misaligned', 'AT_MISALIGNED', 'EXPECT_OK')):
        cases.add(name, place, expect=expect, length=12)
    cases.add('empty', length=0)
    cases.add('long', length=0xC00)
    outside_cases(cases, 12, 0)
    if row.mode:
        mode_cases(cases, 12, 0)


def write_cases(rows, out):
    total = 0
    for row in rows:
        cases = Cases(row, out)
        if row.shape in ('DDI_READ', 'DDI_WRITE'):
            scalar(cases, int(row.shape == 'DDI_WRITE'))
        elif row.shape in ('DDI_AND', 'DDI_OR', 'DDI_COMPARE_EXCHANGE'):
            interlocked(cases)
        elif row.shape in ('DDI_FILL', 'DDI_ZERO'):
            ranges(cases, 1, COPY_SIZES)
        elif row.shape in ('DDI_COPY_FROM', 'DDI_COPY_TO'):
            copies(cases)
        elif row.shape in ('DDI_STRING', 'DDI_WIDE_STRING'):
            strings(cases)
        elif row.shape == 'DDI_FILTER':
            for mode in (0, 1, 2, -1):
                cases.add(f'mode {mode}', mode=mode)
        elif row.shape == 'DDI_POINTER_CHECK':
            cases.add('kernel address passes', 'AT_KERNEL')
        else:
            cases.add('valid')
        total += cases.count
    return total


def copies(cases):
    row = cases.row
    kind = int(row.shape == 'DDI_COPY_TO')
    ranges(cases, kind, STRUCT_SIZES if row.struct_macro else COPY_SIZES)
    if row.both_user:
        second_side(cases, 64)
    if 'FromUserToMode' in row.name:
        second_side(cases, 64)
        cases.add('KernelMode destination', other='AT_KERNEL', mode=0, length=64)
        cases.add('KernelMode, source a kernel address', 'AT_KERNEL', other='AT_OTHER_KERNEL', mode=0, expect='EXPECT_RANGE', length=64)
        for mode in (2, -1):
            cases.add(f'mode {mode} counts as UserMode, kernel destination', other='AT_KERNEL', mode=mode, expect='EXPECT_RANGE',
                      side=1, kind=1, length=64)
    if row.aligned:
        alignment_cases(cases, kind)


def main():
    parser = argparse.ArgumentParser(description='Makes the accessor tests from the table of DDIs.')
    parser.add_argument('table')
    parser.add_argument('--public', action='store_true', help='leave the reserved names out')
    parser.add_argument('--thunks')
    parser.add_argument('--rows')
    parser.add_argument('--cases')
    parser.add_argument('--prototypes')
    options = parser.parse_args()
    rows = [row for row in read_table(options.table) if not options.public or row.kind != 'reserved']
    for path, write in ((options.thunks, write_thunks), (options.rows, write_rows), (options.cases, write_cases),
                        (options.prototypes, write_prototypes)):
        if path:
            with open(path, 'w', encoding='utf-8') as out:
                write(rows, out)


if __name__ == '__main__':
    main()
