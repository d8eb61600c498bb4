#!/usr/bin/env python3
"""How much longer an audit takes than merely fetching what it fetches.

An engine with many containers is audited, and the very documents the audit asked for, as its own manifest lists them, are
fetched by one `curl` process over one connection that is kept open. Containers are created and not started, unless told
otherwise: an engine answers the same about them, and 500 take seconds instead of minutes.

    benches/engine.py [--containers N] [--running] [--rounds N]
"""

import argparse
import json
import subprocess

import lab

arguments = argparse.ArgumentParser()
arguments.add_argument("--containers", type=int, default=500)
arguments.add_argument("--running", action="store_true")
arguments.add_argument("--rounds", type=int, default=15)
options = arguments.parse_args()
lab.enter()

engine = lab.Engine()
engine.image()
engine.containers(options.containers, options.running)


def asked(command):
    """Every endpoint a run asked for, as input for curl."""
    run = json.loads(subprocess.run(command + ["--format", "json"], stdout=subprocess.PIPE, check=True).stdout)
    urls = [one["endpoint"] for one in run["manifest"]["engines"] for _ in range(one["times"])]
    return urls, "".join(f'url = "http://docker{url}"\noutput = /dev/null\n' for url in urls).encode()


checks = lab.audit("--only", "container-*")
whole = lab.audit()
curl = ["curl", "--silent", "--fail-early", "--unix-socket", lab.SOCKET, "--config", "-"]
(container_urls, container_input), (whole_urls, whole_input) = asked(checks), asked(whole)
print(f"{options.containers} containers, {'running' if options.running else 'created'}; the checks of containers ask "
      f"{len(container_urls)} questions, all checks {len(whole_urls)}; {options.rounds} rounds in turn\n")
for title, audit, urls in (("checks of containers", checks, container_input), ("all checks", whole, whole_input)):
    lab.table(lab.timed(options.rounds, {"curl": curl, title: audit}, {"curl": urls}), "curl")
    print(flush=True)
