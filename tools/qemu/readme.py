#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Run the code blocks of a README that say they are to be run in this guest.

usage: readme.py FILE

The info string of a fence is a language and, after a blank, a place:

    console guest       "$ " begins a command, "> " goes on with it; what
                        follows is what it writes to the terminal, exactly, but
                        that ... stands for anything.  It has to succeed unless
                        the last of that reads as an error, "NAME: ...".  All
                        these blocks are one session of bash.
    pycon guest         the same for Python, as doctest reads it
    LANGUAGE guest=NAME a file of that name, for later blocks
    console host        on the user's machine: `make help` has to have the targets
    no place            is not run; in a language that could be, that is an error

Exits 1 at the first block that is not as it says.
"""

import doctest
import os
import pty
import re
import select
import subprocess
import sys
import termios
import textwrap

FENCE = re.compile(r'^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$',
                   re.DOTALL | re.MULTILINE)
CONTROL = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]|[^\n]*\r(?!\n)|\r')
ERROR = re.compile(r'[\w.]+: ')
SECONDS = 60
CHECKER = doctest.OutputChecker()


class Wrong(Exception):
    """A block is not as it says."""


class Shell:
    """A bash that runs commands on a terminal, one after the other."""

    SCRIPT = """while IFS= read -r -d '' command <&$0; do
        eval "$command"; printf '\36%d\36' $?; done"""
    END = re.compile(rb'\x1e(\d+)\x1e')

    def __init__(self):
        self.terminal, slave = pty.openpty()
        mode = termios.tcgetattr(slave)
        mode[1] &= ~termios.OPOST
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        termios.tcsetwinsize(slave, (24, 80))
        read, self.commands = os.pipe()
        subprocess.Popen(['bash', '-c', self.SCRIPT, str(read)],
                         stdin=slave, stdout=slave, stderr=slave,
                         pass_fds=[read], start_new_session=True)
        os.close(slave)
        os.close(read)

    def run(self, command):
        """What the command writes, and its status."""
        os.write(self.commands, command.encode() + b'\0')
        output, end = b'', None
        while not end:
            if not select.select([self.terminal], [], [], SECONDS)[0]:
                raise Wrong(f'$ {command}\nsays nothing for {SECONDS} s')
            output += os.read(self.terminal, 65536)
            end = self.END.search(output)
        text = output[:end.start()].decode(errors='replace')
        return CONTROL.sub('', text), int(end.group(1))


def examples(text):
    """The commands of a console block, each with its output."""
    command = output = None
    for line in text.splitlines():
        if line.startswith('$ '):
            if command:
                yield command, output
            command, output = line[2:], ''
        elif command is None:
            raise Wrong(f'no command before: {line}')
        elif line.startswith('> ') and not output:
            command += '\n' + line[2:]
        else:
            output += line + '\n'
    if command:
        yield command, output


def console(shell, text):
    for command, expected in examples(text):
        output, status = shell.run(command)
        example = doctest.Example(command, expected)
        if not CHECKER.check_output(expected, output, doctest.ELLIPSIS):
            raise Wrong(f'$ {command}\nstatus {status}\n' + CHECKER.output_difference(
                example, output, doctest.ELLIPSIS))
        last = expected.splitlines()[-1:] or ['']
        if status and not ERROR.match(last[0]):
            raise Wrong(f'$ {command}\nexits with status {status}')


def pycon(names, text):
    said = []
    test = doctest.DocTestParser().get_doctest(text, names, 'pycon', None, 0)
    test.globs = names          # the next block goes on with them
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(
        test, out=said.append, clear_globs=False)
    if said:
        raise Wrong(''.join(said))


def on_host(text):
    """It takes the sources to make what is there; `make help` has the rest."""
    with open('/Makefile', encoding='utf-8') as makefile:
        targets = set(re.findall(r'^# make (\w[\w-]*)', makefile.read(), re.M))
    for command, _ in examples(text):
        for target in re.findall(r'\bmake +([a-z][\w-]*)', command):
            if target not in targets:
                raise Wrong(f'$ {command}\nthere is no target {target}')


def run(block, shell, names):
    language, _, place = block['info'].strip().partition(' ')
    text = textwrap.dedent(block['text'])
    if place == 'host':
        on_host(text)
    elif place == 'guest' and language == 'console':
        console(shell, text)
    elif place == 'guest' and language == 'pycon':
        pycon(names, text)
    elif place.startswith('guest='):
        with open(place.partition('=')[2], 'w', encoding='utf-8') as file:
            file.write(text)
    elif place or language in ('console', 'pycon', 'sh', 'bash', 'shell'):
        raise Wrong(f'where is this to be run? `{block["info"]}`')
    else:
        return 0
    return 1


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        readme = file.read()
    shell, names, ran = Shell(), {}, 0
    for block in FENCE.finditer(readme):
        line = readme.count('\n', 0, block.start()) + 1
        try:
            ran += run(block, shell, names)
        except Wrong as error:
            print(f'{sys.argv[1]}:{line}: {error}')
            return 1
    print(f'{ran} blocks are as they say')
    return not ran


if __name__ == '__main__':
    sys.exit(main())
