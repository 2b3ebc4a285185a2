# SPDX-License-Identifier: GPL-2.0
"""Run tests, each in a process of its own, and print KTAP."""

import os
import signal
import sys
import traceback

TEST_SECONDS = 100      # a test that takes longer hangs


def equal(value, expected):
    if value != expected or type(value) is not type(expected):
        raise AssertionError(f'{value!r}, not {expected!r}')


def need_debugfs():
    """Skip all tests where the kernel has no debugfs."""
    if not os.path.exists('/sys/kernel/debug'):
        print('# the kernel has no debugfs')
        sys.exit(4)


def passes(test):
    pid = os.fork()
    if pid:
        status = os.waitpid(pid, 0)[1]
        if os.WIFSIGNALED(status):
            print('# killed:', signal.strsignal(os.WTERMSIG(status)))
        return status == 0
    signal.alarm(TEST_SECONDS)
    try:
        test()
    except BaseException:
        for line in traceback.format_exc().splitlines():
            print('#', line)
        sys.stdout.flush()
        os._exit(1)
    os._exit(0)


def main(names, after):
    """Run what is called test_*, and after() after each; 0 if all pass."""
    tests = {name[5:]: test for name, test in names.items()
             if name.startswith('test_')}
    failed = 0
    print('KTAP version 1', f'1..{len(tests)}', sep='\n', flush=True)
    for number, (name, test) in enumerate(tests.items(), 1):
        passed = passes(test)
        failed += not passed
        print('ok' if passed else 'not ok', number, name, flush=True)
        after()
    return failed != 0
