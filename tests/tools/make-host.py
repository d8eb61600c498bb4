#!/usr/bin/env python3
"""Makes a test host for `tests/hosts` of a real root file system: what an audit reads of it, and no more.

    tests/tools/make-host.py ROOT NAME --title TEXT [--live LIVE.tar] [--now TIME] [--drop GLOB]...

ROOT is the root of a host (debootstrap, a mounted image, the lower directory of a booted one); NAME is the folder that is
made anew in `tests/hosts`. Files that audits read are copied as they are. Of programs and of whatever has an unusual owner or
mode only that is kept, as entries of `host.toml`, as git keeps neither. The indexes of packages and of kernel modules are cut
down to the fields and lines that audits use. LIVE.tar is what `tests/tools/capture.py` wrote on the running host; without it the
host is a directory, and what only a kernel knows is not collected.
"""

import argparse
import fnmatch
import os
import re
import shutil
import stat
import sys
import tarfile

# Read by audits: copied whole. `**` stands for any directories.
READ = """
/etc/** /boot/grub/grub.cfg /boot/grub2/grub.cfg /boot/grub/user.cfg /boot/grub2/user.cfg /boot/loader/entries/*.conf /boot/config-*
/boot/grub2/grubenv /boot/grub/grubenv
/usr/lib/os-release /usr/lib/sysctl.d/** /usr/lib/modprobe.d/** /usr/lib/modules-load.d/** /usr/lib/tmpfiles.d/systemd.conf /usr/lib/tmpfiles.d/var.conf
/usr/lib/systemd/system/** /usr/lib/systemd/*.conf /usr/lib/systemd/*.conf.d/** /usr/lib/systemd/system-preset/** /usr/lib/environment.d/**
/usr/lib/pam.d/** /usr/share/pam-configs/** /usr/lib/issue /usr/lib/motd.d/** /usr/lib/udev/rules.d/*audit*
/usr/local/lib/systemd/** /usr/local/lib/sysctl.d/** /usr/share/audit/sample-rules/** /usr/share/crypto-policies/**
/usr/lib/modules/*/modules.dep /usr/lib/modules/*/modules.builtin
/var/lib/dpkg/status /var/lib/rpm/rpmdb.sqlite /usr/lib/sysimage/rpm/rpmdb.sqlite /var/lib/apt/extended_states /var/lib/apt/lists/*
/var/lib/apt/periodic/* /var/cache/dnf/*/repodata/* /var/lib/dnf/** /lib/apk/db/installed
/var/lib/docker/engine-id /var/lib/selinux/*/active/modules/100/*/lang_ext /var/log/aide/* /var/lib/aide/*
/root/.bashrc /root/.profile /root/.bash_profile /root/.netrc /root/.rhosts /root/.forward /home/*/.*
/var/spool/cron/** /run/reboot-required* /run/systemd/** /run/sysctl.d/** /run/modprobe.d/** /srv/** /opt/** /proc/** /sys/**
"""

# Not worth their size, or made anew wherever a host is made.
LEFT_OUT = """
/etc/ssl/certs/** /etc/ca-certificates/** /etc/ca-certificates.conf /etc/alternatives/** /etc/ld.so.cache /etc/mime.types /etc/services /etc/protocols /etc/rpc
/etc/ethertypes /etc/bindresvport.blacklist /etc/apparmor.d/abstractions/** /etc/apparmor.d/tunables/** /etc/udev/hwdb.bin /etc/ssh/moduli /etc/ssl/openssl.cnf
/etc/kernel/** /etc/initramfs-tools/** /etc/python3*/** /etc/perl/** /etc/vim/** /etc/terminfo/** /etc/dpkg/** /etc/bash_completion.d/** /etc/ufw/applications.d/**
/etc/gss/** /etc/X11/** /etc/iproute2/** /etc/skel/** /etc/init.d/** /etc/rc?.d/** /etc/rcS.d/** /etc/fonts/** /etc/lvm/profile/** /etc/docker/key.json
/run/systemd/units/* /run/systemd/journal/** /run/systemd/inaccessible/** /run/systemd/nspawn/** /run/systemd/propagate/** /run/systemd/transient/**
/run/systemd/netif/** /run/systemd/sessions/** /run/systemd/users/** /run/systemd/machines/** /run/systemd/incoming/** /run/systemd/seats/**
/usr/share/crypto-policies/python/** /usr/share/dbus-1/** /etc/xdg/** /etc/sv/** /etc/runit/** /etc/apt/listchanges.conf.d/** /etc/dbus-1/** /etc/sudo_logsrvd.conf /etc/ssh/ssh_host_*_key /etc/pki/** /usr/lib/systemd/system/systemd-*-update* /etc/opt/** /etc/logrotate.d/dpkg /etc/debconf.conf /etc/deluser.conf /etc/gai.conf /etc/nanorc /etc/inputrc /etc/xattr.conf /etc/mke2fs.conf /etc/apparmor.d/local/** /var/lib/apt/lists/partial/**
"""

# Programs that audits ask for: that they are there, with owner and mode.
PROGRAMS = """
/usr/sbin/auditd /usr/sbin/auditctl /usr/sbin/augenrules /usr/sbin/aureport /usr/sbin/ausearch /usr/sbin/autrace /usr/sbin/sshd /usr/bin/dockerd
/usr/sbin/dockerd /usr/bin/containerd /usr/bin/containerd-shim-runc-v2 /usr/sbin/runc /usr/bin/runc /usr/bin/docker /usr/sbin/nft /usr/sbin/iptables
/usr/sbin/xtables-nft-multi /usr/sbin/rsyslogd /usr/sbin/cron /usr/sbin/crond /usr/lib/systemd/systemd /usr/lib/systemd/systemd-journald
/usr/lib/systemd/systemd-timesyncd /usr/sbin/chronyd /usr/bin/aide /usr/sbin/aide /usr/bin/bash /usr/bin/dash /usr/sbin/nologin /usr/bin/sh /bin /sbin /lib /lib64 /var/run /var/lock
/usr/sbin/apparmor_parser /usr/bin/python3 /usr/sbin/ufw /usr/sbin/firewalld /usr/bin/fail2ban-server /usr/sbin/unix_chkpwd /usr/bin/sudo /usr/bin/su
"""

# Kernel modules of which some check speaks.
MODULES = re.compile(r"/(cramfs|freevxfs|hfs|hfsplus|jffs2|overlay|squashfs|udf|usb-storage|uas|dccp\w*|tipc\w*|rds\w*|sctp\w*|afs|ceph|cifs|exfat|v?fat|"
                     r"fscache|fuse|gfs2|ext4|xfs|btrfs|nf_tables|bluetooth|firewire-core|thunderbolt|vivid|nfsd?|af_802154|can|atm|ax25|x25|appletalk)\.ko")
FIELDS = ("Package", "Status", "Essential", "Priority", "Section", "Architecture", "Multi-Arch", "Source", "Version", "Provides")
# Where home directories, logs and the like stand: their directories and files matter by owner and mode alone.
STATED = ("/var/log/**", "/home/*", "/root", "/root/.ssh/**", "/tmp", "/var/tmp", "/var/spool/cron", "/dev/shm", "/boot/vmlinuz*", "/boot/initrd*", "/etc/**",
          "/var/lib/docker", "/var/lib/containerd", "/var/spool/**", "/var/mail", "/opt", "/srv", "/run/systemd/system", "/usr/local/*")


def patterns(text):
    parts = {"**": ".*", "*": "[^/]*", "?": "[^/]"}
    return [re.compile("".join(parts.get(part) or re.escape(part) for part in re.split(r"(\*\*|\*|\?)", one)) + r"\Z") for one in text.split()]


def matches(path, among):
    return any(pattern.match(path) for pattern in among)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def dpkg(text):
    """The packages with the fields that audits use."""
    kept = []
    for package in text.strip().split("\n\n"):
        lines = [line for line in package.splitlines() if line.split(":")[0] in FIELDS]
        kept.append("\n".join(lines))
    return "".join(package + "\n\n" for package in kept)


def modules(text):
    return "".join(line + "\n" for line in text.splitlines() if MODULES.search(line.split(":")[0]))


def kernel_config(text):
    return "".join(line + "\n" for line in text.splitlines() if re.search(r"CONFIG_(SECURITY|AUDIT|OVERLAY|SQUASHFS|MODULE|IPV6|RANDOMIZE|HARDENED|INIT_ON|LSM|STRICT)", line))


TRIMMED = [(re.compile(r"/var/lib/dpkg/status\Z"), dpkg), (re.compile(r".*/modules\.(dep|builtin)\Z"), modules), (re.compile(r"/boot/config-"), kernel_config)]

arguments = argparse.ArgumentParser(usage=__doc__)
arguments.add_argument("root")
arguments.add_argument("name")
arguments.add_argument("--title", required=True)
arguments.add_argument("--live")
arguments.add_argument("--running", action="store_true", help="what ROOT has in /proc and /sys is what a kernel says")
arguments.add_argument("--mounts", help="a mountinfo that every captured process is given in place of its own")
arguments.add_argument("--cmdline", help="what the captured kernel was started with, in place of what it says")
arguments.add_argument("--now", default="2026-01-31T12:00:00Z")
arguments.add_argument("--drop", action="append", default=[])
arguments.add_argument("--append", help="a file whose text is put at the end of host.toml")
arguments.add_argument("--kernel", default="6.1.0-40-amd64")
given = arguments.parse_args()
source = os.path.abspath(given.root)
folder = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "hosts", given.name)
target = os.path.join(folder, "root")
read, left_out, programs, stated = patterns(READ), patterns(LEFT_OUT + " " + " ".join(given.drop)), set(PROGRAMS.split()), patterns(" ".join(STATED))
shutil.rmtree(target, ignore_errors=True)
os.makedirs(target)
entries = {}          # what host.toml says of a path
devices = os.lstat(source).st_dev


def said(path, **what):
    entries.setdefault(path, {}).update(what)


def place(path):
    there = target + path
    os.makedirs(os.path.dirname(there), exist_ok=True)
    return there


def owner_and_mode(path, meta):
    """What git does not keep of it."""
    if stat.S_ISLNK(meta.st_mode):
        return
    mode = stat.S_IMODE(meta.st_mode)
    usual = 0o755 if stat.S_ISDIR(meta.st_mode) or (os.path.isfile(target + path) and mode & 0o111) else 0o644
    if mode != usual:
        said(path, mode=f'"{mode:04o}"')
    if meta.st_uid:
        said(path, owner=meta.st_uid)
    if meta.st_gid:
        said(path, group=meta.st_gid)


def one(path):
    meta = os.lstat(source + path)
    kind, mode = stat.S_IFMT(meta.st_mode), stat.S_IMODE(meta.st_mode)
    out = matches(path, left_out)
    if kind == stat.S_IFLNK:
        if (matches(path, read) and not out) or path in programs:
            os.symlink(os.readlink(source + path), place(path))
        return
    odd = bool(mode & 0o6000 or mode & 0o002 and not mode & 0o1000 or (kind == stat.S_IFREG and mode & 0o002))
    if kind == stat.S_IFDIR:
        if not out and (matches(path, read) or matches(path, stated)) or odd or mode & 0o1000:
            owner_and_mode(path, meta)
            if path in entries or not any(True for _ in os.scandir(source + path)):
                said(path, kind='"directory"')
        return
    if kind == stat.S_IFREG and matches(path, read) and not out:
        there = place(path)
        for pattern, trim in TRIMMED:
            if pattern.match(path):
                with open(source + path, encoding="utf-8", errors="surrogateescape") as file, \
                        open(there, "w", encoding="utf-8", errors="surrogateescape") as made:
                    made.write(trim(file.read()))
                break
        else:
            shutil.copyfile(source + path, there)
        # What git keeps of a mode.
        os.chmod(there, 0o755 if mode & 0o100 else 0o644)
        owner_and_mode(path, meta)
        if not os.path.getsize(there) and ("/." + os.path.basename(path)).endswith("/.gitignore"):
            said(path, kind='"file"')
        return
    if odd or (path in programs or matches(path, stated)) and not out:
        word = {stat.S_IFREG: "file", stat.S_IFSOCK: "socket", stat.S_IFIFO: "fifo"}.get(kind)
        if word is None:
            return
        said(path, kind=f'"{word}"', mode=f'"{mode:04o}"')
        if kind == stat.S_IFREG:
            said(path, size=meta.st_size)
        if meta.st_uid:
            said(path, owner=meta.st_uid)
        if meta.st_gid:
            said(path, group=meta.st_gid)


def walk(path):
    for entry in sorted(os.scandir(source + (path or "/")), key=lambda entry: entry.name):
        below = f"{path}/{entry.name}"
        try:
            meta = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue
        one(below)
        if entry.is_dir(follow_symlinks=False) and meta.st_dev == devices and below not in ("/dev", "/var/lib/docker", "/var/lib/containerd",
                                                                                          "/usr/share/doc", "/usr/share/man", "/usr/share/locale"):
            walk(below)


walk("")

processes = []
if given.live:
    with tarfile.open(given.live) as tar:
        told, sockets = {}, set()
        os.symlink("1/net", place("/proc/net"))
        for member in sorted(tar.getmembers(), key=lambda member: member.name):
            path = member.name.removeprefix(".")
            if member.issym():
                owner = re.match(r"/proc/(\d+)/fd/", path)
                if owner:
                    sockets.add((int(owner[1]), int(re.sub(r"\D", "", member.linkname))))
            elif member.isfile():
                body = tar.extractfile(member).read()
                process = re.match(r"/proc/(\d+)/(exe\.is|ns\.are)\Z", path)
                if process:
                    told.setdefault(int(process[1]), {})[process[2]] = body.decode(errors="replace").strip()
                    continue
                if path.endswith("/mountinfo") and given.mounts:
                    with open(given.mounts, "rb") as file:
                        body = file.read()
                if path == "/proc/cmdline" and given.cmdline:
                    body = given.cmdline.encode() + b"\n"
                with open(place(re.sub(r"\A/proc/net/", "/proc/1/net/", path)), "wb") as made:
                    made.write(body)
    for pid, what in sorted(told.items()):
        spaces = dict(re.findall(r"^(\w+)=\w+:\[(\d+)\]$", what.get("ns.are", ""), re.M))
        spaces = ", ".join(f"{name} = {spaces[name]}" for name in ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup") if name in spaces)
        lines = ["[[process]]", f"pid = {pid}"]
        if what.get("exe.is"):
            lines.append(f"exe = {quoted(what['exe.is'])}")
        if spaces:
            lines.append(f"namespaces = {{ {spaces} }}")
        processes.append("\n".join(lines))

parts = [f"# {given.title}", "# Made by tests/tools/make-host.py.", "format = 1", f"now = {given.now}"]
parts += [f"running = {'true' if given.live or given.running else 'false'}", "owned_by_root = true"]
if given.live:
    parts.append('socket_owners = """\n' + "".join(f"{pid} {inode}\n" for pid, inode in sorted(sockets)) + '"""')
parts += ["", "[identity]", f"name = {quoted(given.name)}", f"kernel = {quoted(given.kernel)}",
          'architecture = "x86_64"', 'machine_id = "0123456789abcdef0123456789abcdef"']
if given.live or given.running:
    parts.append("booted = 2026-01-30T08:00:00Z")
for glob in ("/etc/**", "/usr/**", "/var/**"):
    parts += ["", "[[file]]", f"path = {quoted(glob)}", "modified = 2026-01-15T08:00:00Z"]
for path, what in sorted(entries.items()):
    parts += ["", "[[file]]", f"path = {quoted(path)}"] + [f"{key} = {value}" for key, value in what.items()]
for process in processes:
    parts += ["", process]
if given.append:
    with open(given.append, encoding="utf-8") as file:
        parts += ["", file.read().rstrip()]
with open(os.path.join(folder, "host.toml"), "w", encoding="utf-8") as file:
    file.write("\n".join(parts) + "\n")
total = sum(os.lstat(os.path.join(at, name)).st_size for at, _, names in os.walk(folder) for name in names)
print(f"{folder}: {sum(len(names) for _, _, names in os.walk(folder))} files, {total // 1024} KiB, {len(entries)} entries", file=sys.stderr)
