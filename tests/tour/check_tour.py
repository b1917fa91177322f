#!/usr/bin/env python3
"""Checks uma_tour.sys from outside: what `uma info --json` says of it, which accessors it calls, what its request file does.

Every import is done and every slot of the accessor table filled; each of the table's public functions is an undefined symbol of the
driver's object, so that the linker took it from umaccess.lib, and each public macro stands in its source; tour.json calls
every family, and each request ends as its name says.
"""
import argparse
import csv
import json
import re
import subprocess
import sys

failures = 0


def check(good, text):
    global failures
    failures += not good
    print(f'{"ok" if good else "not ok"} - {text}')


def output(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def check_info(uma, driver):
    status, text = output(uma, 'info', driver, '--json')
    check(status == 0, 'uma info loads the driver')
    info = json.loads(text)
    imports, uma_table = info['imports'], info['uma_table']
    check(imports['total'] > 0 and imports['done'] == imports['total'] and not info['missing'],
          f'{imports["done"]} of {imports["total"]} imports are done')
    check(uma_table is not None and uma_table['filled'] == uma_table['of'] == 23 and
          all((slot['function'] or '').startswith('uma!') for slot in uma_table['slots']),
          'all 23 slots of the accessor table hold our functions')


def check_names(table, object_file, calls):
    with open(table, newline='', encoding='utf-8') as rows:
        public = [row for row in csv.DictReader(rows, delimiter='\t') if row['kind'] != 'reserved']
    _, text = output('llvm-nm-19', '--undefined-only', object_file)
    symbols = set(re.findall(r'\bU (\w+)', text))
    with open(calls, encoding='utf-8') as source:
        called = set(re.findall(r'\b(\w+)\(', source.read()))
    functions = [row['name'] for row in public if row['kind'] == 'function']
    macros = [row['name'] for row in public if row['kind'] == 'macro']
    missing = [name for name in functions if name not in symbols] + [name for name in macros if name not in called]
    check(len(functions) + len(macros) == len(public), 'every public row is a function or a macro')
    check(not missing, f'the driver reaches {len(public) - len(missing)} of {len(public)} public DDIs {missing or ""}')
    return {row['family'] for row in public}


def check_run(uma, driver, requests, families):
    with open(requests, encoding='utf-8') as source:
        codes = {request['code'] for request in json.load(source)['requests']}
    check(len(codes) == len(families), f'tour.json calls {len(codes)} of {len(families)} families')
    status, text = output(uma, 'run', driver, '--requests', requests)
    check(status == 0, 'uma run ends with 0')
    lines = re.findall(r'^#\d+ ioctl \w+ \((\w+)( [^)\n]*)?\): (\S+)', text, re.M)
    wrong = [line for line in lines if line[2] != ('STATUS_ACCESS_VIOLATION' if line[1] else 'STATUS_SUCCESS')]
    check(lines and not wrong, f'{len(lines)} requests end as they should {wrong or ""}')
    check('left behind: nothing' in text and 'raw user accesses: none' in text, 'nothing left behind, no user access outside an accessor')


def main():
    parser = argparse.ArgumentParser(description='Checks uma_tour.sys from outside.')
    for name in ('uma', 'driver', 'table', 'requests', 'object', 'calls'):
        parser.add_argument(f'--{name}', required=True)
    options = parser.parse_args()
    check_info(options.uma, options.driver)
    families = check_names(options.table, options.object, options.calls)
    check_run(options.uma, options.driver, options.requests, families)
    sys.exit(failures != 0)


if __name__ == '__main__':
    main()
