#!/usr/bin/env python3
"""How much memory an audit of very many containers takes, how long it takes, and how much it asks.

The engine is made up: it answers at once, with documents of the size that compose projects have, about 12 KB each. Every
container has a process in a cgroup of its own, so that processes are held against their declarations too. What is
measured is the high-water mark of each of the two processes; pages they share count twice.

    benches/memory.py [--containers N] [--rounds N]
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import re
import signal
import socketserver
import subprocess
import sys
import time

import lab

LIMIT = 64.0
arguments = argparse.ArgumentParser()
arguments.add_argument("--containers", type=int, default=1000)
arguments.add_argument("--rounds", type=int, default=5)
options = arguments.parse_args()
lab.enter()


def digest(what):
    return hashlib.sha256(what.encode()).hexdigest()


TEMPLATE = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "inspect.json")).read()


def container(number, pid):
    """A service of a compose project, as an engine describes it; some are set up better than others."""
    values = {"ID": digest(f"container {number}"), "SHORT": digest(f"container {number}")[:12], "NUMBER": number, "PID": pid,
              "PROJECT": f"project-{number // 8}", "SERVICE": number % 8, "IMAGE": digest(f"image {number % 40}"), "TEAM": number % 40,
              "PORT": 10000 + number}
    made = json.loads(re.sub("@([A-Z]+)@", lambda found: str(values[found[1]]), TEMPLATE))
    made["Config"]["User"] = "1000:1000" if number % 4 else ""
    made["HostConfig"].update(
        CapAdd=["CAP_NET_BIND_SERVICE"] if number % 5 == 0 else None, CapDrop=["ALL"] if number % 2 else None,
        Memory=536870912 * (number % 2), Privileged=number % 100 == 0, ReadonlyRootfs=number % 2 == 0,
        SecurityOpt=["no-new-privileges:true"] if number % 3 else None)
    return made


def image(number):
    return {
        "Id": "sha256:" + digest(f"image {number}"), "RepoTags": [f"registry.example.org/team-{number}/service:1.{number}"],
        "RepoDigests": [], "Created": "2025-01-01T00:00:00Z", "Size": 100000000, "Architecture": "amd64", "Os": "linux",
        "Config": {"User": "1000", "Env": ["PATH=/usr/bin"], "Healthcheck": {"Test": ["CMD", "true"]}, "Labels": {}},
        "GraphDriver": {"Name": "overlay2", "Data": {}}, "RootFS": {"Type": "layers", "Layers": ["sha256:" + digest("x")] * 12}}


def listed(one):
    return {"Id": one["Id"], "Names": [one["Name"]], "Image": one["Config"]["Image"], "ImageID": one["Image"], "Command": "x", "Created": 1735689600,
            "State": "running", "Status": "Up 3 days (healthy)", "Labels": one["Config"]["Labels"],
            "Ports": [{"IP": "0.0.0.0", "PrivatePort": 8080, "PublicPort": 10000, "Type": "tcp"}],
            "HostConfig": {"NetworkMode": one["HostConfig"]["NetworkMode"]}, "NetworkSettings": {"Networks": one["NetworkSettings"]["Networks"]},
            "Mounts": one["Mounts"]}


def answers(pids):
    containers, images = [container(number, pid) for number, pid in enumerate(pids)], [image(number) for number in range(40)]
    every = {
        "/version": {"Version": "28.5.1", "ApiVersion": "1.51", "MinAPIVersion": "1.24", "Os": "linux", "Arch": "amd64"},
        "/info": {"ID": "x", "Containers": len(containers), "ContainersRunning": len(containers), "ContainersStopped": 0, "Images": len(images),
                  "Driver": "overlay2", "LoggingDriver": "json-file", "CgroupDriver": "systemd", "CgroupVersion": "2",
                  "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin", "name=cgroupns"], "DockerRootDir": "/var/lib/docker",
                  "LiveRestoreEnabled": False, "ServerVersion": "28.5.1", "Swarm": {"LocalNodeState": "inactive"},
                  "Plugins": {"Authorization": None}, "Runtimes": {"runc": {"path": "runc"}}, "DefaultRuntime": "runc", "Warnings": None,
                  "RegistryConfig": {"InsecureRegistryCIDRs": ["127.0.0.0/8"], "IndexConfigs": {}, "Mirrors": []}},
        "/containers/json": [listed(one) for one in containers],
        "/images/json": [{**one, "Containers": -1, "Created": 1735689600, "Labels": {}} for one in images],
        "/networks": [], "/volumes": {"Volumes": [], "Warnings": None},
    }
    every |= {f"/containers/{one['Id']}/json": one for one in containers} | {f"/images/{one['Id']}/json": one for one in images}
    bodies = {path: json.dumps(value).encode() for path, value in every.items()}
    sizes = [len(bodies[f"/containers/{one['Id']}/json"]) for one in containers]
    return {**bodies, "/_ping": b"OK"}, sum(sizes) / len(sizes)


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        path = self.rfile.readline().split(b" ")[1].decode().split("?")[0]
        while self.rfile.readline() not in (b"\r\n", b""):
            pass
        body = self.server.bodies.get(path) or self.server.bodies.get(re.sub("/images/", "/images/sha256:", path))
        status = "200 OK" if body else "404 Not Found"
        self.wfile.write(f"HTTP/1.0 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body or b'')}\r\n\r\n".encode() + (body or b""))


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    request_queue_size = 128
    daemon_threads = True


def processes(count):
    """A process in a cgroup of its own for each container."""
    mount = "/sys/fs/cgroup/unified" if os.path.exists("/sys/fs/cgroup/unified/cgroup.procs") else "/sys/fs/cgroup"
    top = f"{mount}/plimsoll-bench-{os.path.basename(lab.lab())}"
    pids = []
    for number in range(count):
        group = f"{top}/{digest(f'container {number}')}"
        os.makedirs(group)
        pids.append(subprocess.Popen(["busybox", "sleep", "1000000"]).pid)
        with open(group + "/cgroup.procs", "w") as file:
            file.write(str(pids[-1]))
    return pids


def high_water(pid):
    """In MiB; None once it has ended."""
    try:
        with open(f"/proc/{pid}/status") as file:
            found = re.search(r"VmHWM:\s+(\d+) kB", file.read())
    except OSError:
        return None
    return int(found[1]) / 1024 if found else None


def measured(command):
    """Seconds, and the high-water marks of supervisor and worker in MiB."""
    began = time.perf_counter()
    with open(lab.lab() + "/result", "wb") as result:
        supervisor = subprocess.Popen(command, stdout=result)
    worker, peaks = None, {}
    while supervisor.poll() is None:
        if not worker:
            with open(f"/proc/{supervisor.pid}/task/{supervisor.pid}/children") as file:
                worker = next(iter(file.read().split()), None)
        for who, pid in (("supervisor", supervisor.pid), ("worker", worker)):
            peaks[who] = (pid and high_water(pid)) or peaks.get(who, 0.0)
        time.sleep(0.002)
    return time.perf_counter() - began, peaks["supervisor"], peaks["worker"]


pids = processes(options.containers)
bodies, size = answers(pids)
server = Server(lab.SOCKET, Handler)
server.bodies = bodies
engine = multiprocessing.Process(target=server.serve_forever, daemon=True)
engine.start()

print(f"{options.containers} containers, {size / 1000:.1f} KB each; {options.rounds} rounds, the fastest, and the largest marks\n")
print("| | wall time | supervisor | worker | together |\n| --- | ---: | ---: | ---: | ---: |")
over = False
for title, command in (("all checks, terminal", lab.audit()), ("all checks, json", lab.audit("--format", "json"))):
    rounds = [measured(command) for _ in range(options.rounds)]
    seconds, supervisor, worker = min(r[0] for r in rounds), max(r[1] for r in rounds), max(r[2] for r in rounds)
    over |= supervisor + worker > LIMIT
    print(f"| {title} | {seconds * 1000:.0f} ms | {supervisor:.1f} MiB | {worker:.1f} MiB | {supervisor + worker:.1f} MiB |")
with open(lab.lab() + "/result") as file:
    run = json.load(file)
asked = run["manifest"]["engines"]
print(f"\nquestions to the engine: {sum(one['times'] for one in asked)}, asked twice: {sum(one['times'] > 1 for one in asked)}; "
      f"size of the JSON result: {os.path.getsize(lab.lab() + '/result') / 1e6:.1f} MB; "
      f"findings decided: {sum(one['result'] in ('pass', 'fail') for one in run['findings'])} of {len(run['findings'])}")
engine.kill()
for pid in pids:
    os.kill(pid, signal.SIGKILL)
sys.exit(f"more than {LIMIT} MiB" if over else 0)
