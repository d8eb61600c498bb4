#!/usr/bin/env python3
"""How long it takes to start, load every definition inside the binary, and list the checks.

    benches/startup.py [--rounds N]
"""

import argparse

import lab

arguments = argparse.ArgumentParser()
arguments.add_argument("--rounds", type=int, default=200)
options = arguments.parse_args()
binary = lab.plimsoll()
lab.table(lab.timed(options.rounds, {
    "/bin/true": ["/bin/true"],
    "list resources (no definitions)": [binary, "list", "resources"],
    "list checks": [binary, "list", "checks"],
    "audit --plan": [binary, "audit", "--plan"],
}), "/bin/true")
