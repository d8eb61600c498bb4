#!/usr/bin/env python3
"""Times the walk against `find` and against the least a walk can do, in turn, and prints medians of the ratios.

    cargo build --release --example walk-ours --example walk-bare
    benches/walk/compare.py /usr --rounds 15
"""

import argparse
import os
import statistics
import subprocess
import time

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../target/release/examples")


def run(command):
    """Wall seconds and processor seconds of one run."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("directory")
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--examples", default=EXAMPLES, help="where the two programs are")
    given = arguments.parse_args()
    find = ["find", given.directory, "-xdev", "-type", "f", "-perm", "/6000"]

    def program(name, threads):
        return [os.path.join(given.examples, name), given.directory, threads]

    commands = {"find": find}
    for threads in ("1", "2"):
        commands["ours " + threads] = program("walk-ours", threads)
        commands["bare " + threads] = program("walk-bare", threads)
    for command in commands.values():
        run(command)
    rounds = [{name: run(command) for name, command in commands.items()} for _ in range(given.rounds)]
    for name in commands:
        wall, cpu = (statistics.median(each[name][i] for each in rounds) for i in range(2))
        print(f"{name:8} {wall:8.3f} s   {cpu:8.3f} s of processors")
    for above, below in (("find", "ours 1"), ("find", "ours 2"), ("ours 1", "bare 1"), ("ours 2", "bare 2")):
        wall, cpu = (statistics.median(each[above][i] / each[below][i] for each in rounds) for i in range(2))
        print(f"{above} takes {wall:.2f} times as long as {below}, and {cpu:.2f} times its processor time")


if __name__ == "__main__":
    main()
