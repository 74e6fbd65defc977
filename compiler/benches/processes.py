#!/usr/bin/env python3
"""Times whole processes: tlc next to serde_json, which reads the same bytes, and next to /bin/true.

    processes.py [--list LIST] [--rounds N] [--large] [--against TLC] [--jsonnet JRSONNET]

The commands take turns, so that ratios hold on a machine that does other things as well. What counts is the median of the processor time
(user and system) that the system says each process took, and the peak of its memory. Build first:

    cargo build --release -p tlc -p tlc-compiler --bin tlc --example measure --example generate_list

--list LIST    also a list of your own, cold, against /bin/true, and warm in one process against serde_json
--large        also a million tests: some minutes, and 2 GB for serde_json
--against TLC  another tlc, measured beside this one
--jsonnet JRSONNET  `tlc dump` beside jrsonnet (`cargo install jrsonnet`) on the list of 10,000 tests, written in its language
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

RELEASE = pathlib.Path(__file__).resolve().parents[2] / 'target' / 'release'
TLC, MEASURE, GENERATE = RELEASE / 'tlc', RELEASE / 'examples' / 'measure', RELEASE / 'examples' / 'generate_list'


def once(command):
    """The processor time of a command, in milliseconds, and its peak memory, in kB: never less than that of this script."""
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -1
    if child.returncode not in (0, 1):
        sys.exit(f'{command} ended with {child.returncode}')
    return (used.ru_utime + used.ru_stime) * 1e3, used.ru_maxrss


def measured(commands, rounds):
    """The medians of each command: time, and peak memory."""
    taken = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            taken[name].append(once(command))
    return {name: (statistics.median(t for t, _ in all_of), statistics.median(m for _, m in all_of)) for name, all_of in taken.items()}


def row(what, value, against):
    ratio = f'{value[0] / against[0]:8.2f}' if against else ' ' * 8
    print(f'{what:<44}{value[0]:>10.1f}{value[1] / 1024:>10.1f}{ratio}', flush=True)


def again(what, folder, name, times):
    """The processor time of doing it once more in a process that has done it before, in milliseconds."""
    first, all_of = once([MEASURE, what, folder, name, 1])[0], once([MEASURE, what, folder, name, times + 1])[0]
    return (all_of - first) / times


def again_of(folder):
    """What can also be measured of a list: `recheck` edits a file that generated ones have."""
    return ['recheck'] if (pathlib.Path(folder) / 'smt.test_list.json').exists() and (pathlib.Path(folder) / 'runin.test_list.json').exists() else []


def warm(folder, name, title, times):
    """In one process, over and over; the processes take turns."""
    rounds = [{what: again(what, folder, name, times) for what in ('serde_json', 'compile', 'check', *again_of(folder))} for _ in range(5)]
    medians = {what: statistics.median(one[what] for one in rounds) for what in rounds[0]}
    for what, value in medians.items():
        print(f'{title + ", warm: " + what:<44}{value:>10.2f}{"":>10}{value / medians["serde_json"]:8.2f}', flush=True)
    return medians


def in_jsonnet(value):
    """A value of a generated list in Jsonnet; an expression becomes one."""
    if isinstance(value, dict):
        return '{' + ', '.join(f'{json.dumps(key)}: {in_jsonnet(inner)}' for key, inner in value.items()) + '}'
    if isinstance(value, list):
        return '[' + ', '.join(map(in_jsonnet, value)) + ']'
    if not isinstance(value, str) or not value.startswith('eval! '):
        return json.dumps(value)
    text = value.removeprefix('eval! ')
    text = re.sub(r"^('.*') if (.*) else ('.*')$", r'if \2 then \1 else \3', text)
    text = re.sub(r'^(.*) and (.*) or None$', r'if \1 then \2 else null', text)
    return re.sub(r'^int\((.*)\)$', r'std.floor(\1)', text)


def jsonnet_of(folder):
    """The generated list in a folder as one Jsonnet program: definitions are objects, `inherit` is `+`, tests are resolved with the
    overrides of their path. It gives every test with its arguments evaluated, and so a good deal less than `tlc dump`."""
    lists = {path.name.split('.')[0]: json.loads(path.read_text()) for path in folder.iterdir()}
    definitions, constants = {}, {}
    for one in lists.values():
        definitions.update(one.get('definitions', {}))
        constants.update(one.get('constants', {}))

    def own(fields):
        """What an object says itself."""
        parts = []
        for key, value in fields.items():
            if key == 'subtests':
                parts.append('subtests: [' + ', '.join(map(test, value)) + ']')
            elif key != 'inherit':
                parts.append(f'{key}{"+" if key == "args" else ""}: {in_jsonnet(value)}' if key in ('args', 'label', 'pytest_name') else '')
        return '{' + ', '.join(part for part in parts if part) + '}'

    def test(written):
        return f'D.{written}' if isinstance(written, str) else f'D.{written["inherit"]} + {own(written)}'

    lines = [f'local constants = {in_jsonnet(constants)};', f'local overrides = {in_jsonnet(lists["main"].get("override_args", {}))};',
             'local resolved(around, test) =',
             '  local path = if around == "" then test.id else around + "." + test.id;',
             '  local all = test + (if std.objectHas(overrides, path) then {args+: overrides[path]} else {});',
             '  {path: path, label: all.label, pytest_name: all.pytest_name, args: all.args, subtests: [resolved(path, t) for t in all.subtests]};',
             'local D = {', '  FactoryTest: {label: self.id, pytest_name: null, args: {}, subtests: []},', '  TestGroup: self.FactoryTest,']
    for name, fields in definitions.items():
        if name not in ('FactoryTest', 'TestGroup'):
            lines.append(f'  {name}: D.{fields.get("inherit", "FactoryTest")} + {own(fields)} + {{id: "{name}"}},')
    tests = ', '.join(f'resolved("", {test(one)})' for one in lists['main']['tests'])
    return '\n'.join([*lines, '};', f'[{tests}]']) + '\n'


def arguments_of(tests, field):
    """The arguments of all tests, by their paths."""
    for test in tests:
        yield test['path'], test[field]
        yield from arguments_of(test['subtests'], field)


def beside_jsonnet(tool, tools, folder, rounds):
    """Compiling and printing beside jrsonnet, which must find the same arguments."""
    program, main_list = folder / 'main.jsonnet', folder / 'main.test_list.json'
    text = jsonnet_of(folder)
    program.write_text(text)
    output = {name: subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE).stdout for name, command in
              [('jrsonnet', [tool, program]), ('tlc', [TLC, 'dump', main_list, '--format', 'json'])]}
    found = dict(arguments_of(json.loads(output['jrsonnet']), 'args'))
    expected = dict(arguments_of(json.loads(output['tlc'])['tests'], 'resolved_args'))
    if found != expected:
        sys.exit('jrsonnet finds other arguments')
    values = measured({'jrsonnet': [tool, program], **{f'{name} dump': [one, 'dump', main_list, '--format', 'json'] for name, one in tools.items()}},
                      rounds)
    for name, value in values.items():
        size = len(output['jrsonnet' if name == 'jrsonnet' else 'tlc'])
        row(f'{len(found)} nodes with arguments: {name} ({size / 1e6:.1f} MB)', value, values['jrsonnet'])
    program.unlink()


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument('--list')
    options.add_argument('--rounds', type=int, default=9)
    options.add_argument('--large', action='store_true')
    options.add_argument('--against')
    options.add_argument('--jsonnet')
    given = options.parse_args()
    tools = {'tlc': TLC, **({'other tlc': given.against} if given.against else {})}
    work = pathlib.Path(tempfile.mkdtemp(prefix='tlc-measure-'))
    print(f'{"what":<44}{"ms":>10}{"MB":>10}{"ratio":>8}')
    try:
        if given.list:
            commands = {'/bin/true': ['/bin/true'], **{f'{name} --version': [tool, '--version'] for name, tool in tools.items()},
                        **{f'{name} check': [tool, 'check', given.list] for name, tool in tools.items()}}
            values = measured(commands, given.rounds * 10)
            for name, value in values.items():
                row(f'own list, cold: {name}', value, values['/bin/true'])
            path = pathlib.Path(given.list)
            warm(path.parent, path.name.replace('.test_list.json', ''), 'own list', 200)
        peaks = {}
        for shape, leaves in [('line', 1000), ('line', 10_000), ('line', 100_000)] + [('line', 1_000_000)] * given.large + [('fan', 160_000)]:
            folder = work / f'{shape}{leaves}'
            subprocess.run([GENERATE, shape, str(leaves), folder], check=True)
            size = sum(file.stat().st_size for file in folder.iterdir())
            title = f'{shape} {leaves} ({size / 1e6:.1f} MB)'
            main_list = folder / 'main.test_list.json'
            commands = {'serde_json': [MEASURE, 'serde_json', folder, 'main', 1], 'compile': [MEASURE, 'compile', folder, 'main', 1],
                        **{f'{name} check': [tool, 'check', main_list] for name, tool in tools.items()}}
            if leaves == 10_000:
                commands.update({f'{name} dump': [tool, 'dump', main_list, '--format', 'json'] for name, tool in tools.items()})
            values = measured(commands, given.rounds if leaves < 1_000_000 else 3)
            for name, value in values.items():
                row(f'{title}: {name}', value, values['serde_json'])
            if given.jsonnet and leaves == 10_000:
                beside_jsonnet(given.jsonnet, tools, folder, given.rounds)
            peaks[leaves] = {name: value[1] for name, value in values.items()}
            if shape == 'line':
                inner = warm(folder, 'main', title, max(2, 200_000 // leaves))
                peaks[leaves]['warm'] = inner
            shutil.rmtree(folder)
        top = 1_000_000 if given.large else 100_000
        for name in tools:
            slope = (peaks[top][f'{name} check'] - peaks[10_000][f'{name} check']) * 1024 / (top - 10_000)
            print(f'{name} check: {slope:.0f} bytes a test between 10000 and {top} tests')
        for what in ('serde_json', 'compile', 'check'):
            slope = peaks[top]['warm'][what] / peaks[10_000]['warm'][what]
            print(f'{what}: {slope:.0f} times the time of 10000 tests for {top}')
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
