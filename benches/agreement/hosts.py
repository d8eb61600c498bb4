#!/usr/bin/env python3
"""Looks at a stock, a hardened and some thirty mutated hosts with OpenSCAP and with plimsoll, and compares.

    hosts.py WORK BASE BOOT PLIMSOLL [HOST]...

WORK is a directory to fill. BASE is the root file system of a Debian 12 with systemd, openssh-server, sudo, cron, rsyslog, auditd, libpam-pwquality,
nftables, openscap-scanner and the like (what `tests/tools/remake.sh` takes). BOOT is a command that boots hosts which end with it:

    BOOT start NAME --base DIR [--layer DIR] [--setup SCRIPT] --bind-ro OUTSIDE:INSIDE    with SCRIPT run in the root before it boots
    BOOT exec NAME COMMAND [ARGUMENT]...
    BOOT destroy NAME

HOST is `stock`, `hardened` or the name of a mutation; all without. A host that was looked at is not looked at again, but by
plimsoll where AGAIN=1 is in the environment: it is what changes. Needs root.
"""
import os
import subprocess
import sys
import tomllib

import agree

if len(sys.argv) < 5:
    sys.exit(__doc__)
work, base, boot, plimsoll = (os.path.abspath(path) for path in sys.argv[1:5])
with open(os.path.join(agree.HERE, "mutations.toml"), "rb") as file:
    mutations = {one["name"]: one for one in tomllib.load(file)["mutation"]}
chosen = sys.argv[5:] or ["stock", "hardened", *mutations]
os.makedirs(f"{work}/results", exist_ok=True)
if not os.path.exists(f"{work}/content/rhel9.xml"):
    agree.content(f"{work}/content")
with open(os.path.join(agree.HERE, "../../tests/tools/harden-debian.sh"), encoding="utf-8") as file:
    harden = file.read()

layer = f"{work}/hardened"
if not os.path.exists(f"{layer}/upper/etc"):
    for name in ("upper", "work", "root"):
        os.makedirs(f"{layer}/{name}", exist_ok=True)
    subprocess.run(["mount", "-t", "overlay", "hardened", "-o", f"lowerdir={base},upperdir={layer}/upper,workdir={layer}/work", f"{layer}/root"], check=True)
    try:
        done = subprocess.run(["chroot", f"{layer}/root", "/bin/sh"], input=harden.encode(), capture_output=True, check=False)
        if done.returncode:
            sys.exit(done.stderr.decode())
    finally:
        subprocess.run(["umount", f"{layer}/root"], check=True)

pairs = []
for name in chosen:
    out = f"{work}/results/{name}"
    pairs.append((name, out))
    seen = os.path.exists(f"{out}/times.json")
    if seen and not os.environ.get("AGAIN"):
        continue
    mutation = mutations.get(name, {})
    host = "agree-" + name[:20]
    command = [boot, "start", host, "--base", base, "--bind-ro", f"{work}/content:/mnt", "--bind-ro", f"{plimsoll}:/usr/local/bin/plimsoll",
               "--bind-ro", f"{agree.HERE}:/srv"]
    if name != "stock":
        command += ["--layer", f"{layer}/upper"]
    if "run" in mutation:
        with open(f"{work}/setup.sh", "w", encoding="utf-8") as file:
            file.write(mutation["run"] + "\n")
        command += ["--setup", f"{work}/setup.sh"]
    subprocess.run(command, check=True, stdout=sys.stderr)
    try:
        if "after" in mutation:
            subprocess.run([boot, "exec", host, "sh", "-c", mutation["after"]], check=True, stdout=sys.stderr)
        about = ["-"] if seen else mutation.get("controls", [])
        subprocess.run([boot, "exec", host, "python3", "/srv/agree.py", "look", "/mnt", "/root/look", "/usr/local/bin/plimsoll", *about], check=True)
        os.makedirs(out, exist_ok=True)
        packed = subprocess.run([boot, "exec", host, "tar", "-C", "/root/look", "-c", *(["plimsoll.json", "plimsoll.log"] if seen else ["."])], check=True, stdout=subprocess.PIPE).stdout
        subprocess.run(["tar", "-C", out, "-x"], input=packed, check=True)
    finally:
        subprocess.run([boot, "destroy", host], check=True)
sys.exit(agree.compare(pairs))
