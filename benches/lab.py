"""What the scripts here share: a host of their own with a Docker engine of its own, and a stopwatch.

`enter()` starts the script again in namespaces of its own, where `/run` is empty, `/etc` and `/tmp` may be changed, and no process of the
machine is seen. So nothing else that runs on the machine is audited along, and nothing outside is touched. All of it is
gone when the script ends, however it ends.

Needs: root, python3, util-linux, iproute2, a static busybox; for engines dockerd with runc, and the docker client.
"""

import atexit
import glob
import http.client
import io
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOCKET = "/run/docker.sock"
IMAGE = "plimsoll-bench:1"
LAB = "PLIMSOLL_BENCH_LAB"

# The first process of the host. $1: scratch directory; the rest: what to run.
INIT = r"""
set -e
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
for d in etc var/lib tmp; do
  mkdir -p "$1/upper/$d" "$1/work/$d"
  mount -t overlay overlay -o "lowerdir=/$d,upperdir=$1/upper/$d,workdir=$1/work/$d" "/$d"
done
rm -rf /etc/docker /etc/plimsoll
mkdir -p "$1/docker" "$1/state" /var/lib/docker /etc/docker
mount --bind "$1/docker" /var/lib/docker
ip link set lo up
shift
"$@"
"""


def enter():
    """Runs the rest of the script in a host of its own."""
    if LAB in os.environ:
        return
    if os.geteuid() != 0:
        sys.exit("this needs root: it makes a host of its own")
    for program in ("unshare", "ip", "busybox"):
        if not shutil.which(program):
            sys.exit(f"this needs {program}")
    lab = tempfile.mkdtemp(prefix="plb-", dir="/var/tmp")
    cgroup = "plimsoll-bench-" + os.path.basename(lab)
    command = ["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "sh", "-c", INIT, "sh", lab]
    try:
        code = subprocess.run(command + [sys.executable] + sys.argv, env={**os.environ, LAB: lab}).returncode
    finally:
        _clear(lab, cgroup)
    sys.exit(code)


def _clear(lab, cgroup):
    """With the first process of a PID namespace gone all others are; cgroups and files stay."""
    folders = glob.glob(f"/sys/fs/cgroup/{cgroup}") + glob.glob(f"/sys/fs/cgroup/*/{cgroup}")
    for _ in range(50):
        for folder in folders:
            for below, _, _ in os.walk(folder, topdown=False):
                try:
                    os.rmdir(below)
                except OSError:
                    pass
        if not any(map(os.path.exists, folders)):
            break
        time.sleep(0.1)
    subprocess.run(["rm", "-rf", "--one-file-system", lab], check=False)


def lab():
    """The scratch directory of this host."""
    return os.environ[LAB]


def plimsoll():
    """The binary: `$PLIMSOLL`, or what `cargo build --release` made."""
    path = os.environ.get("PLIMSOLL", os.path.join(PROJECT, "target/release/plimsoll"))
    if not os.access(path, os.X_OK):
        sys.exit(f"{path} is not there: cargo build --release")
    return path


def audit(*arguments):
    """The command line of an audit."""
    return [plimsoll(), "audit", "--state", lab() + "/state", *arguments]


class Engine:
    """A Docker engine on the usual paths of this host."""

    def __init__(self, settings=None):
        # So that what is left of its cgroups can be found.
        group = {"cgroup-parent": "/plimsoll-bench-" + os.path.basename(lab())}
        command, environment = ["dockerd"], {**os.environ, "PATH": _shim() + ":" + os.environ["PATH"]}
        if settings is None:
            command.append("--cgroup-parent=" + group["cgroup-parent"])
        else:
            with open("/etc/docker/daemon.json", "w") as file:
                json.dump({**settings, **group}, file)
        with open(lab() + "/dockerd.log", "w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment)
        atexit.register(self.process.kill)
        until = time.monotonic() + 60
        while True:
            try:
                self.get("/_ping")
                break
            except OSError:
                if self.process.poll() is not None or time.monotonic() > until:
                    sys.exit("dockerd does not start:\n" + open(lab() + "/dockerd.log").read()[-2000:])
                time.sleep(0.05)

    def end(self):
        """Ends it, and all it holds."""
        subprocess.run("docker rm --force $(docker ps --all --quiet)", shell=True, capture_output=True)
        self.process.terminate()
        self.process.wait(30)
        if os.path.exists("/etc/docker/daemon.json"):
            os.unlink("/etc/docker/daemon.json")

    def get(self, path):
        return self._ask("GET", path)

    def post(self, path, body=None):
        return self._ask("POST", path, json.dumps(body or {}), "application/json")

    def _ask(self, method, path, body=None, kind=None):
        connection = _Unix("docker")
        connection.request(method, path, body, {"Content-Type": kind} if kind else {})
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {data[:300]}")
        return data

    def image(self):
        """Makes the image: busybox, and a user."""
        self._ask("POST", "/images/create?fromSrc=-&repo=plimsoll-bench&tag=1", _image(), "application/x-tar")

    def create(self, name, **wanted):
        """Creates a container, and gives its id."""
        host = {"NetworkMode": "none", "LogConfig": {"Type": "json-file"}, **wanted.pop("HostConfig", {})}
        body = {"Image": IMAGE, "Cmd": ["/bin/sleep", "1000000"], "HostConfig": host, **wanted}
        return json.loads(self.post(f"/containers/create?name={name}", body))["Id"]

    def containers(self, count, running=False, first=0):
        """Creates containers, every second one with a read-only root, and starts them if they are to run."""
        for number in range(first, count):
            made = self.create(f"load-{number}", Labels={"load": "1"}, HostConfig={"ReadonlyRootfs": number % 2 == 0})
            if running:
                self.post(f"/containers/{made}/start")


class _Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)


# Stands in for runc where root itself lacks CAP_SYS_RESOURCE, as in many sandboxes, and runc would refuse what needs it.
RUNC = r"""#!/bin/sh
for word; do
  case $before in
    --bundle | -b) sed -i -e 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g; s/\["CAP_SYS_RESOURCE"\]/[]/g' "$word/config.json" ;;
    --process | -p) sed -i -e 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g; s/\["CAP_SYS_RESOURCE"\]/[]/g' "$word" ;;
  esac
  before=$word
done
exec """


def _shim():
    folder = lab() + "/bin"
    if not os.path.exists(folder):
        os.mkdir(folder)
        with open(folder + "/runc", "w") as file:
            file.write(RUNC + f'{shutil.which("runc")} "$@"\n')
        os.chmod(folder + "/runc", 0o755)
    return folder


def _image():
    with open(os.path.realpath(shutil.which("busybox")), "rb") as file:
        busybox = file.read()
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        def add(name, content=None, mode=0o755, link=None):
            entry = tarfile.TarInfo(name)
            entry.mode, entry.mtime = mode, int(time.time())
            if link:
                entry.type, entry.linkname = tarfile.SYMTYPE, link
            elif content is None:
                entry.type = tarfile.DIRTYPE
            else:
                entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content) if content else None)
        add("bin"), add("etc"), add("tmp", mode=0o1777), add("usr/sbin")
        add("bin/busybox", busybox)
        for name in ("sh", "sleep", "false", "true", "ps"):
            add("bin/" + name, link="busybox")
        # A shell that is called like an SSH server.
        add("usr/sbin/sshd", b"#!/bin/sh\nsleep 1000000\n")
        add("etc/passwd", b"root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/:/bin/sh\n", 0o644)
    return data.getvalue()


def quiet(command):
    """Runs a command that has to succeed, and drops what it says."""
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)


def timed(rounds, commands, stdin=None):
    """Runs named commands in turn, so that what else the machine does hits all alike. Gives (name, fastest, median), in milliseconds."""
    times = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            began = time.perf_counter()
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, input=(stdin or {}).get(name))
            times[name].append((time.perf_counter() - began) * 1000)
            if done.returncode != 0:
                sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stderr.decode()}")
    return {name: (min(taken), statistics.median(taken)) for name, taken in times.items()}


def table(times, base):
    """Prints what `timed` gave, as ratios to one of them."""
    print(f"| | fastest | median | ratio of the fastest |\n| --- | ---: | ---: | ---: |")
    for name, (fastest, median) in times.items():
        print(f"| {name} | {fastest:.1f} ms | {median:.1f} ms | {fastest / times[base][0]:.2f} |")
