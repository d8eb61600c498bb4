#!/usr/bin/env python3
"""The whole audit of this host, with every profile, beside what bounds it and what does the same work.

    whole.py walk [ROUNDS]                              against the walk of the file systems alone, in turn; and its memory
    whole.py peers [--lynis] [--oscap DIRECTORY]        against Lynis, and OpenSCAP's profile run (DIRECTORY is what
                                                        `benches/agreement/agree.py content` made)

Needs root and `cargo build --release`; PLIMSOLL names another binary. Files are warm: the first round of each is not counted.
"""
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PLIMSOLL = os.environ.get("PLIMSOLL", os.path.join(HERE, "../../target/release/plimsoll"))


def profiles():
    listed = subprocess.run([PLIMSOLL, "list", "profiles"], stdout=subprocess.PIPE, check=True).stdout.decode()
    return [line.split()[0] for line in listed.splitlines()]


def audit(*more):
    return [PLIMSOLL, "audit", *[word for profile in PROFILES for word in ("--profile", profile)], *more]


def timed(command, **options):
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, **options)
    return time.perf_counter() - began


def line(name, times, base):
    print(f"| {name} | {min(times) * 1000:.0f} ms | {statistics.median(times) * 1000:.0f} ms | {min(times) / base:.2f} |")


def walk(rounds):
    """What only walks: the checks whose one question is the walk."""
    with open(os.path.join(HERE, "../../benchmarks/host/tree.toml"), encoding="utf-8") as file:
        ids = re.findall(r'^id = "([^"]+)"', file.read(), re.M)
    alone = audit(*[word for id in ids for word in ("--only", id)])
    whole = audit()
    times = {"walk": [], "audit": []}
    for number in range(rounds + 1):
        for name, command in (("walk", alone), ("audit", whole)):
            taken = timed(command)
            if number:
                times[name].append(taken)
    base = min(times["walk"])
    print("| | fastest | median | ratio |\n| --- | ---: | ---: | ---: |")
    line("the walk", times["walk"], base)
    line("the whole audit, every profile", times["audit"], base)
    with tempfile.NamedTemporaryFile() as report:
        subprocess.run(["/usr/bin/env", "time", "-v", "-o", report.name, *whole], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        found = re.search(rb"Maximum resident set size \(kbytes\): (\d+)", report.read())
        if found:
            print(f"\nthe larger of its two processes: {int(found[1]) / 1024:.1f} MiB")


def peers(arguments):
    ours = [timed(audit()) for _ in range(4)][1:]
    print("| | fastest | times as fast |\n| --- | ---: | ---: |")
    print(f"| plimsoll, every profile | {min(ours) * 1000:.0f} ms | |")
    if "--lynis" in arguments:
        taken = [timed(["lynis", "audit", "system", "--quick", "--no-colors", "--no-log"]) for _ in range(2)]
        print(f"| Lynis | {min(taken):.1f} s | {min(taken) / min(ours):.0f} |")
    if "--oscap" in arguments:
        content = arguments[arguments.index("--oscap") + 1]
        command = ["oscap", "xccdf", "eval", "--skip-valid", "--profile", "xccdf_org.ssgproject.content_profile_cis_level2_server", f"{content}/ubuntu2204.xml"]
        taken = [timed(command) for _ in range(2)]
        print(f"| OpenSCAP, CIS profile | {min(taken):.1f} s | {min(taken) / min(ours):.0f} |")


if len(sys.argv) < 2 or sys.argv[1] not in ("walk", "peers"):
    sys.exit(__doc__)
PROFILES = profiles()
if sys.argv[1] == "walk":
    walk(int(sys.argv[2]) if len(sys.argv) > 2 else 15)
else:
    peers(sys.argv[2:])
