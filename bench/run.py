#!/usr/bin/env python3
"""Measures the accessors and prints them as ratios; writes docs/bench.json and docs/bench.svg.

    run.py [--build FOLDER] [--quick] [--no-write]

Runs, in one go, the programs that the build leaves in FOLDER/bench: scalars in each protection this processor has and, under
Wine, in the down-level umaccess.lib; copies against glibc's memcpy, process_vm_readv and a sigsetjmp-guarded memcpy; the
kernel's services against what Linux takes for the nearest thing. Each
number is the median of interleaved rounds. Nothing here is a test: see docs/bench.md for what is aimed at.
"""
import argparse
import json
import os
import platform
import shutil
import subprocess
import sys

import plot

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NOT_RUN = 77
COPY_COLUMNS = ('accessor', 'memcpy', 'process_vm', 'guarded')
GOAL_INSTRUCTIONS = 8
GOAL_LARGE, GOAL_SMALL, LARGE = 0.9, 0.7, 4096
NOISE = 0.05


def fail(message):
    sys.exit(f'run.py: {message}')


def run(program, arguments=(), protect=None, wine=None, prefix=None):
    """Lines of a bench program's output as lists of columns; None if it cannot run here."""
    environment = dict(os.environ)
    command = [program, *arguments]
    if protect:
        environment['UMA_PROTECT'] = protect
    if wine:
        environment.update(WINEPREFIX=prefix, WINEDEBUG='-all', DISPLAY='')
        command = [wine, *command]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode == NOT_RUN:
        return None
    if done.returncode != 0:
        fail(f'{" ".join(command)} ended with {done.returncode}: {done.stderr.strip()[-300:]}')
    return [line.split('\t') for line in done.stdout.splitlines() if '\t' in line]


def find_wine():
    return shutil.which('wine64') or shutil.which('wine64', path='/usr/lib/wine')


def scalars(folder):
    """Library -> case -> {ns, instructions}."""
    libraries = {}
    for name, protect in (('ELF, none', 'none'), ('ELF, pku', 'pku'), ('ELF, mprotect', 'mprotect')):
        libraries[name] = run(os.path.join(folder, 'bench_scalars'), protect=protect)
    wine, program = find_wine(), os.path.join(folder, 'bench_scalars_windows.exe')
    libraries['PE, down-level'] = run(program, wine=wine, prefix=os.path.join(folder, 'wine')) if wine else None
    return {name: {case: {'ns': float(ns), 'instructions': int(count)} for case, ns, count in rows} if rows else None
            for name, rows in libraries.items()}


def copies(folder, largest):
    """One record per direction and size, times in ns."""
    rows = run(os.path.join(folder, 'bench_copies'), [str(largest)], protect='none')
    return [{'direction': row[0], 'size': int(row[1]), **dict(zip(COPY_COLUMNS, map(float, row[2:])))} for row in rows]


def services(folder):
    """Case -> {ns, peer, peer_ns}; protection keys if this processor has them."""
    arguments = [os.path.join(folder, name) for name in ('bench_io.sys', 'bench_kmdf.sys')]
    program = os.path.join(folder, 'bench_system')
    rows = run(program, arguments, protect='pku') or run(program, arguments, protect='none')
    recorded = [os.path.join(folder, 'bench_trace'), [os.path.join(folder, '..', 'tests', 'check', 'drivers', 'touch.sys')]]
    rows += run(*recorded, protect='none')
    rows += run(*recorded, protect='pku') or run(*recorded, protect='mprotect')
    return {name: {'ns': float(ns), 'peer': peer, 'peer_ns': float(peer_ns)} for name, ns, peer, peer_ns in rows}


def size_name(size):
    for unit, name in ((1 << 20, 'MB'), (1 << 10, 'KB')):
        if size >= unit:
            return f'{size // unit} {name}'
    return f'{size} B'


def print_scalars(libraries):
    ran = {name: cases for name, cases in libraries.items() if cases}
    for name in libraries:
        if name not in ran:
            print(f'not run here: {name}')
    print(f'\n{"ns per call (instructions)":34}' + ''.join(f'{name:>18}' for name in ran))
    for case in next(iter(ran.values())):
        cells = ''
        for cases in ran.values():
            count = cases[case]['instructions']
            text = f'{cases[case]["ns"]:.2f}' + (f' ({count})' if count else ' ( -)')
            cells += f'{text:>18}'
        print(f'{case:34}' + cells)


def print_copies(records):
    print(f'\n{"":10} {"":>7} {"accessor":>10}   speed of the accessor as a multiple of')
    print(f'{"direction":10} {"size":>7} {"GB/s":>10} {"memcpy":>10} {"process_vm":>12} {"guarded":>10}')
    for record in records:
        own = record['accessor']
        print(f'{record["direction"]:10} {size_name(record["size"]):>7} {record["size"] / own:>10.2f}'
              f' {record["memcpy"] / own:>10.2f} {record["process_vm"] / own:>12.2f} {record["guarded"] / own:>10.2f}')


def print_services(cases):
    print(f'\n{"ns per call":48} {"here":>10}   {"peer":>10}  ratio')
    for name, case in cases.items():
        print(f'{name:48} {case["ns"]:>10.0f}   {case["peer_ns"]:>10.0f}  {case["ns"] / case["peer_ns"]:>5.2f}  ({case["peer"]})')


def print_goals(libraries, records):
    """How this run stands against the aims; a miss is said, not hidden."""
    print()
    for name, cases in libraries.items():
        if cases and 'mprotect' not in name:
            counts = [(value['instructions'], case) for case, value in cases.items() if case.startswith(('Read', 'Write'))]
            worst = max(counts)
            verdict = 'met' if worst[0] <= GOAL_INSTRUCTIONS else 'missed'
            print(f'aim: a scalar takes at most {GOAL_INSTRUCTIONS} instructions, return included; {name}: {verdict}, the most is '
                  f'{worst[0]} ({worst[1]})')
    for text, wanted, rows in (('from 4 KB up', GOAL_LARGE, [r for r in records if r['size'] >= LARGE]),
                               ('below 4 KB', GOAL_SMALL, [r for r in records if r['size'] < LARGE])):
        if rows:
            worst = min(rows, key=lambda r: r['memcpy'] / r['accessor'])
            ratio = worst['memcpy'] / worst['accessor']
            print(f'aim: copies at {wanted} of memcpy {text}: {"met" if ratio >= wanted else "missed"}, the least is {ratio:.3f} '
                  f'({worst["direction"]}, {size_name(worst["size"])})')
    for peer, name in (('process_vm', 'process_vm_readv/writev'), ('guarded', 'the guarded memcpy')):
        behind = [r for r in records if r[peer] / r['accessor'] < 1 - NOISE]
        level = sum(abs(r[peer] / r['accessor'] - 1) <= NOISE for r in records)
        print(f'aim: ahead of {name} everywhere: ' + ('met' if not behind else 'missed at ' + ', '.join(
            f'{r["direction"]} {size_name(r["size"])} ({r[peer] / r["accessor"]:.2f})' for r in behind)) +
              (f'; level (within {NOISE:.0%}) at {level} of {len(records)} sizes' if level else ''))


def processor():
    with open('/proc/cpuinfo', encoding='utf-8') as cpuinfo:
        for line in cpuinfo:
            if line.startswith('model name'):
                return line.split(':', 1)[1].strip()
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description='Measures the accessors against their peers.')
    parser.add_argument('--build', default=os.path.join(ROOT, 'build', 'release'), help='build folder (default build/release)')
    parser.add_argument('--quick', action='store_true', help='copies only up to 64 KB')
    parser.add_argument('--no-write', action='store_true', help='leave docs/bench.json and docs/bench.svg alone')
    options = parser.parse_args()
    folder = os.path.join(options.build, 'bench')
    if not os.path.exists(os.path.join(folder, 'bench_scalars')):
        fail(f'no bench programs in {folder}; build first (./x build), or name the build folder with --build')
    libraries = scalars(folder)
    cases = services(folder)
    records = copies(folder, 64 << 10 if options.quick else 64 << 20)
    print(f'{processor()}, {platform.system()} {platform.release()}')
    print_scalars(libraries)
    print_services(cases)
    print_copies(records)
    print_goals(libraries, records)
    if not options.no_write:
        with open(os.path.join(ROOT, 'docs', 'bench.json'), 'w', encoding='utf-8') as out:
            json.dump({'processor': processor(), 'scalars': libraries, 'services': cases, 'copies': records}, out, indent=1)
            out.write('\n')
        plot.write(os.path.join(ROOT, 'docs', 'bench.svg'), records, processor())
        print('\nwritten: docs/bench.json, docs/bench.svg')


if __name__ == '__main__':
    main()
