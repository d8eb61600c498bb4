#!/usr/bin/env python3
"""Where docker-bench-security and `--profile cis-docker-1.6` say different things of the same host.

Three engines are looked at, one after the other: with no settings, with hardened ones, and with careless ones; each with
the same containers in many states. For every control both decide, the verdicts are compared, and the containers each
blames. `benches/README.md` explains each difference.

    benches/verdicts.py PATH-TO-DOCKER-BENCH-SECURITY [SETUP...]
"""

import json
import os
import shutil
import subprocess
import sys

import lab
import peer

SETUPS = {
    "stock": None,
    "hardened": {"icc": False, "log-level": "info", "userland-proxy": False, "no-new-privileges": True, "live-restore": True,
                 "default-ulimits": {"nofile": {"Name": "nofile", "Hard": 4096, "Soft": 1024}}, "log-driver": "syslog",
                 "log-opts": {"syslog-address": "udp://127.0.0.1:514"}},
    "careless": {"hosts": ["unix:///run/docker.sock", "tcp://127.0.0.1:2375"], "log-level": "debug", "iptables": False, "ip6tables": False,
                 "experimental": True, "insecure-registries": ["registry.example.org:5000"], "userland-proxy": True},
}

# By name, what `docker run` is given; `create` is only created.
STATES = """
good            --read-only --cap-drop ALL --security-opt no-new-privileges --memory 64m --cpus 0.5 --pids-limit 50 --restart on-failure:5 --network none --user 1000 --health-cmd true
default
privileged      --privileged --network none
cap-added       --cap-add SYS_ADMIN --network none
cap-default     --cap-add CHOWN --network none
cap-all         --cap-add ALL --network none
host-net        --network host
host-pid        --pid host --network none
host-ipc        --ipc host --network none
host-uts        --uts host --network none
host-userns     --userns host --network none
host-cgroup     --cgroupns host --network none
joins-host-pid  --pid container:host-pid --network none
joins-host-net  --network container:host-net
root-mounted    -v /:/host --network none
etc-read-only   -v /etc:/host-etc:ro --network none
below-etc       -v /etc/ssl:/host-ssl --network none
api-socket      -v /run/docker.sock:/var/run/docker.sock --network none
api-directory   -v /run:/host-run --network none
shared          -v @SHARED@:/shared:rshared --network none
seccomp-off     --security-opt seccomp=unconfined --network none
apparmor-off    --security-opt apparmor=unconfined --network none
label-off       --security-opt label=disable --network none
device          --device /dev/null:/dev/nothing --network none
published-all   -p 0.0.0.0:8080:80
published-one   -p 127.0.0.1:8081:80
published-six   -p [::]:8082:80
privileged-port -p 127.0.0.1:1023:80
first-free-port -p 127.0.0.1:1024:80
restart-always  --restart always --network none
restart-often   --restart on-failure:9 --network none
cpu-quota       --cpu-quota 5000 --network none
oom-off         --oom-kill-disable --memory 64m --network none
ulimits         --ulimit nofile=1000:2000 --network none
user-zero       --user 00:0 --network none
user-root-group --user root:root --network none
secret          -e DB_PASSWORD=example --network none
no-health       --no-healthcheck --network none
no-new-off      --security-opt no-new-privileges:false --network none
pids-unlimited  --pids-limit -1 --network none
ssh-like        --network none @SSHD@
paused          --network none
exited          --network none @FALSE@
created         create --privileged -v /:/host --network none
"""
VERDICT = {"PASS": "pass", "WARN": "fail"}

if len(sys.argv) < 2:
    sys.exit(__doc__)
lab.enter()
command = peer.prepared(sys.argv[1])


def populate():
    for line in STATES.strip().splitlines():
        name, *words = line.split()
        verb = ["create"] if words[:1] == ["create"] else ["run", "--detach"]
        program = {"@SSHD@": ["/usr/sbin/sshd"], "@FALSE@": ["/bin/false"]}.get(words[-1] if words else "", ["/bin/sleep", "1000000"])
        words = [word.replace("@SHARED@", shared) for word in words if word != "create" and word not in ("@SSHD@", "@FALSE@")]
        done = subprocess.run(["docker", *verb, "--name", name, *words, lab.IMAGE, *program], capture_output=True)
        if done.returncode:
            print(f"not made: {name}: {done.stderr.decode().strip().splitlines()[0]}")
            subprocess.run(["docker", "rm", "--force", name], capture_output=True)
    subprocess.run(["docker", "pause", "paused"], capture_output=True)


def ours():
    """By control, the result and the subjects that fail; and the checks."""
    run = json.loads(subprocess.run(lab.audit("--profile", "cis-docker-1.6", "--format", "json"), stdout=subprocess.PIPE, check=True).stdout)
    findings = {finding["check"]: finding for finding in run["findings"]}
    found = {}
    for control in run["profiles"][0]["controls"]:
        about = [findings[check] for check in control.get("checks", [])]
        failing = {one["subject"] for finding in about for one in finding["observations"] if one["truth"] == "false" and one.get("subject")}
        omitted = sum(finding.get("omitted", 0) for finding in about)
        found[control["id"]] = (control["result"], failing, omitted, "; ".join(filter(None, (finding.get("reason") for finding in about))))
    return found


def compare(theirs, ours, running):
    agree, silent = [], []
    for control, (said, named) in theirs.items():
        if control not in ours:
            continue
        result, failing, omitted, reason = ours[control]
        verdict = VERDICT.get(said)
        if verdict is None:
            silent.append(f"{control} ({said}; ours {result})")
        elif verdict != result:
            print(f"{control}: theirs {verdict} {' '.join(named)}\n{' ' * len(control)}  ours   {result} {reason} {' '.join(sorted(failing))}")
        else:
            agree.append(control)
        # Where they name containers, of which only those that run are theirs to see.
        blamed = {part for name in named for part in name.split(":")} & running
        if control.startswith("5.") and result in ("pass", "fail") and not omitted and blamed != failing:
            print(f"{control}: only they blame [{' '.join(sorted(blamed - failing))}], only we [{' '.join(sorted(failing - blamed))}]")
    print(f"same verdict ({len(agree)}): {' '.join(agree)}")
    print(f"they leave to the reader ({len(silent)}): {', '.join(silent)}")
    print(f"they do not look at: {' '.join(control for control in ours if control not in theirs)}")


shared = lab.lab() + "/shared"
os.makedirs(shared)
subprocess.run(["mount", "-t", "tmpfs", "tmpfs", shared], check=True)
subprocess.run(["mount", "--make-shared", shared], check=True)
for setup in sys.argv[2:] or SETUPS:
    engine = lab.Engine(SETUPS[setup])
    engine.image()
    print(f"\n## {setup}\n")
    populate()
    peer.run(command)
    theirs = peer.verdicts()
    running = subprocess.run(["docker", "ps", "--format", "{{.Names}}"], stdout=subprocess.PIPE, check=True).stdout.decode().split()
    compare(theirs, ours(), set(running))
    engine.end()
