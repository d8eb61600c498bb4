#!/usr/bin/env python3
"""What a running host's kernel says of it, as plain files: what `make-host.py --live` lays over a pruned root.

    capture.py > live.tar       run as root on the host

Only what audits look at: settings, modules, mounts, sockets, the processes of programs with their open sockets, and what the security modules
say. No environment and no memory of any process.
"""
import glob
import io
import os
import re
import sys
import tarfile

FILES = """
/proc/cmdline /proc/modules /proc/filesystems /proc/stat /proc/version /proc/swaps /proc/mounts /proc/devices /proc/partitions
/proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 /proc/net/raw /proc/net/raw6 /proc/net/unix /proc/net/if_inet6 /proc/net/route
/proc/net/ipv6_route /proc/net/dev /proc/net/netlink /proc/net/packet /proc/net/fib_trie /proc/net/ip_tables_names /proc/net/ip6_tables_names
/sys/kernel/security/lsm /sys/kernel/security/lockdown /sys/kernel/security/apparmor/profiles /sys/fs/selinux/enforce /sys/module/*/parameters/*
/sys/class/net/*/type /sys/class/net/*/operstate /sys/class/block/*/dm/uuid /sys/class/block/*/dm/name /sys/class/block/*/dev
/sys/devices/system/cpu/vulnerabilities/* /sys/kernel/kexec_loaded
"""
OF_PROCESS = "cmdline comm status stat cgroup mountinfo uid_map gid_map loginuid attr/current attr/apparmor/current"
LEFT_OUT = re.compile(r"sched_domain|/neigh/|stable_secret|/net/(ipv4|ipv6)/conf/(?!all/|default/|eth0/)|/proc/sys/(user|sunrpc|debug|fscache|abi)/|/keys/|mq_|/random/|/pty/|/epoll/|/quota/|/firmware_config/|/seccomp/|ipvlan|/net/(unix|mptcp|netfilter/nf_log)")

tar = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")


def body(path, data):
    entry = tarfile.TarInfo("." + path)
    entry.size = len(data)
    tar.addfile(entry, io.BytesIO(data))


def link(path, target):
    entry = tarfile.TarInfo("." + path)
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    tar.addfile(entry)


def take(path):
    try:
        if os.path.isfile(path) and os.lstat(path).st_mode & 0o444:
            with open(path, "rb") as file:
                body(path, file.read(400000))
    except OSError:
        pass


for pattern in FILES.split():
    for path in sorted(glob.glob(pattern)):
        take(path)
for at, _, names in os.walk("/proc/sys"):
    for name in names:
        path = f"{at}/{name}"
        if not LEFT_OUT.search(path):
            take(path)
for pid in sorted((name for name in os.listdir("/proc") if name.isdigit()), key=int):
    process = f"/proc/{pid}"
    try:
        with open(f"{process}/cmdline", "rb") as file:
            # Threads of the kernel have no command line.
            if not file.read(1) or int(pid) == os.getpid():
                continue
        for name in OF_PROCESS.split():
            take(f"{process}/{name}")
        for fd in os.listdir(f"{process}/fd"):
            target = os.readlink(f"{process}/fd/{fd}")
            if target.startswith("socket:"):
                link(f"{process}/fd/{fd}", target)
        body(f"{process}/exe.is", os.readlink(f"{process}/exe").encode())
        body(f"{process}/ns.are", "".join(f"{name}={os.readlink(f'{process}/ns/{name}')}\n" for name in os.listdir(f"{process}/ns")).encode())
    except OSError:
        pass
tar.close()
