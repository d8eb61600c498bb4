"""Runs docker-bench-security, of which nothing is kept here: get it from https://github.com/docker/docker-bench-security."""

import os
import re
import shutil
import subprocess
import sys

import lab


def prepared(folder):
    """A copy of it that may write its log; gives the command and where to run it."""
    if not os.path.exists(folder + "/docker-bench-security.sh"):
        sys.exit(f"{folder} does not hold docker-bench-security.sh")
    copy = lab.lab() + "/peer"
    shutil.copytree(folder, copy)
    os.makedirs(copy + "/log", exist_ok=True)
    return ["sh", "-c", f"cd {copy} && exec bash docker-bench-security.sh -b"]


def verdicts():
    """What it said last: by control, the result and the things it names. Read line by line: its JSON is not always JSON."""
    found, control, result = {}, None, None
    with open(lab.lab() + "/peer/log/docker-bench-security.log.json") as log:
        for line in log:
            if said := re.search(r'^\s+"id": "([\d.]+)"', line):
                control = said[1]
            elif said := re.search(r'^\s+"result": "(\w+)"', line):
                result = said[1]
                found[control] = (result, [])
            elif said := re.search(r'^\s+"details": "(.*)"', line):
                _, _, named = said[1].partition(": ")
                found[control] = (result, named.split())
    return found


def run(command):
    """One run of it; gives its output."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL).stdout.decode()
