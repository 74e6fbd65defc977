#!/usr/bin/env python3
"""Writes src/value/unicode/tables.rs: what Python's text methods ask of characters, as CPython 3.11 (Unicode 14) answers it.

Run with that version: python3 unicode_tables.py > src/value/unicode/tables.rs
"""
import sys
import unicodedata

CHARACTERS = [chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def ranges(name, doc, wanted):
    found = []
    for c in CHARACTERS:
        if wanted(c):
            if found and found[-1][1] == ord(c) - 1:
                found[-1][1] = ord(c)
            else:
                found.append([ord(c), ord(c)])
    table(name, doc, '(u32, u32)', [f'({a:#x}, {b:#x})' for a, b in found])


def table(name, doc, kind, entries):
    print(f'/// {doc}\npub(super) const {name}: &[{kind}] = &[')
    line = '   '
    for entry in entries:
        if len(line) + len(entry) + 2 > 125:
            print(line)
            line = '   '
        line += f' {entry},'
    print(line + '\n];\n')


def mapping(name, doc, of, usual):
    entries = []
    for c in CHARACTERS:
        if of(c) != usual(c):
            text = ''.join(f'\\u{{{ord(x):x}}}' for x in of(c))
            entries.append(f'({ord(c):#x}, "{text}")')
    table(name, doc, '(u32, &str)', entries)


print('//! What text methods ask of characters. Written by `unicode_tables.py` from Unicode 14; do not change it by hand.\n')
print('#![cfg_attr(rustfmt, rustfmt::skip)]')
print('#![allow(clippy::unreadable_literal)]\n')
ranges('ALPHABETIC', 'Letters: `str.isalpha`.', str.isalpha)
ranges('NUMERIC', 'Digits and everything else with a numeric value: `str.isnumeric`.', str.isnumeric)
ranges('DIGITS', 'Digits: `str.isdigit`.', str.isdigit)
ranges('PRINTABLE', 'Characters that `repr` shows as they are: `str.isprintable`.', str.isprintable)
ranges('TITLE', 'Letters of title case.', lambda c: unicodedata.category(c) == 'Lt')
table('DECIMAL', 'The zeros of the decimal digits.', 'u32', [f'{ord(c):#x}' for c in CHARACTERS if unicodedata.decimal(c, -1) == 0])
mapping('TITLE_CASE', 'Title case where it is not upper case.', str.title, str.upper)
mapping('FOLDED', 'Folded case where it is not lower case.', str.casefold, str.lower)
