#!/bin/bash
# Makes the test hosts that stand on a real Debian anew: all, or those named.
#
#   remake.sh BASE WORK [HOST]...
#
# BASE is the root of a Debian 12 with openssh-server, sudo, cron, rsyslog, auditd, apparmor-utils, nftables, libpam-pwquality, aide,
# unattended-upgrades, docker.io (mmdebstrap makes it in a minute). WORK is a directory of the caller's that holds
#   cloud/      the unpacked linux-image package of the machine that was captured; `depmod` has been run
#   stock.tar, stock.audit.hex, stock.nft.hex    what capture.py and netlink.py wrote on a machine that runs BASE;
#   engine/     what its Docker engine answered, and engine.toml, what host.toml says of that
#   hardened.tar, hardened.audit.hex, hardened.nft.hex    the same after harden-debian.sh
# Each host is BASE under an overlay, changed, and cut down by make-host.py. Needs root. BASE itself stays as it is.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
base=$(readlink -f "$1") work=$(readlink -f "$2"); shift 2
wanted=" ${*:-debian-12-server debian-12-hardened ubuntu-24.04 rhel-9 container-image} "

layered() { # the base, to be changed
    rm -rf "$work/layer"; mkdir -p "$work/layer"/{upper,work,root}
    mount -t overlay layer -o "lowerdir=$base,upperdir=$work/layer/upper,workdir=$work/layer/work" "$work/layer/root"
    trap 'umount "$work/layer/root"' EXIT
    root=$work/layer/root
    rm -rf "$root"/etc/systemd/system/{auditd,audit-rules}.service.d
}
done_with() { umount "$work/layer/root"; trap - EXIT; }
modules() { # the lists of a kernel's modules
    local version; version=$(basename "$work/$1"/lib/modules/*)
    mkdir -p "$root/usr/lib/modules/$version" "$root/boot"
    cp "$work/$1/lib/modules/$version"/modules.{dep,builtin} "$root/usr/lib/modules/$version/"
    cp "$work/$1/boot/config-$version" "$root/boot/"
    : > "$root/boot/vmlinuz-$version"
    kernel=$version
}
kernel_says() { # what netlink.py printed
    mkdir -p "$here/../hosts/$host"
    cp "$work/$1.audit.hex" "$here/../hosts/$host/audit_rules.hex"
    cp "$work/$1.nft.hex" "$here/../hosts/$host/packet_filter.hex"
    printf '[audit_rules]\nfile = "audit_rules.hex"\n\n[packet_filter]\nfile = "packet_filter.hex"\n\n' > "$work/end.toml"
}
without() { chroot "$root" env DEBIAN_FRONTEND=noninteractive dpkg --purge --force-depends "$@" > "$work/purge.log" 2>&1 || { cat "$work/purge.log" >&2; exit 1; }; }
make() { "$here/make-host.py" "$root" "$@"; }

for host in $wanted; do
    case $host in
    debian-12-server)
        layered; modules cloud
        without lynis openscap-scanner aide aide-common ufw at apparmor-utils
        printf 'menuentry "Debian GNU/Linux" {\n\tlinux\t/boot/vmlinuz-%s root=/dev/vda ro console=ttyS0\n}\n' "$kernel" > "$work/grub.cfg"
        install -D -m 0600 "$work/grub.cfg" "$root/boot/grub/grub.cfg"
        echo '/dev/vda / ext4 defaults 0 1' > "$root/etc/fstab"
        kernel_says stock
        cat "$work/engine.toml" >> "$work/end.toml"
        make "$host" --kernel "$kernel" --live "$work/stock.tar" --append "$work/end.toml" \
            --title "Debian 12 server as installed, with ssh, cron, rsyslog, auditd and Docker, as captured while it ran: nobody has hardened it."
        rm -rf "$here/../hosts/$host/engine"; [[ ! -d $work/engine ]] || cp -r "$work/engine" "$here/../hosts/$host/engine"
        done_with ;;
    debian-12-hardened)
        layered; modules cloud
        without lynis openscap-scanner ufw docker.io containerd runc at liblockfile-bin
        # Left behind by Docker, and watched as what they are.
        mkdir -p "$root"/var/lib/docker "$root"/etc/docker
        chroot "$root" /bin/sh < "$here/harden-debian.sh"
        kernel_says hardened
        cat > "$work/mounts" <<'F'
22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/mapper/vg-root rw
23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw
24 22 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:2 - sysfs sysfs rw
25 22 0:5 / /dev rw,nosuid,relatime shared:3 - devtmpfs udev rw,size=983488k,nr_inodes=245872,mode=755
26 25 0:23 / /dev/pts rw,nosuid,noexec,relatime shared:4 - devpts devpts rw,gid=5,mode=620,ptmxmode=000
27 25 0:24 / /dev/shm rw,nosuid,nodev,noexec,relatime shared:5 - tmpfs tmpfs rw
28 22 0:25 / /run rw,nosuid,nodev,noexec,relatime shared:6 - tmpfs tmpfs rw,size=199580k,mode=755
29 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
30 24 0:7 / /sys/kernel/security rw,nosuid,nodev,noexec,relatime shared:10 - securityfs securityfs rw
40 22 254:1 / /boot rw,nosuid,nodev,noexec,relatime shared:20 - ext4 /dev/vda1 rw
41 22 0:40 / /tmp rw,nosuid,nodev,noexec,relatime shared:21 - tmpfs tmpfs rw
42 22 253:1 / /home rw,nosuid,nodev,relatime shared:22 - ext4 /dev/mapper/vg-home rw
43 22 253:2 / /var rw,nosuid,nodev,relatime shared:23 - ext4 /dev/mapper/vg-var rw
44 43 253:3 / /var/tmp rw,nosuid,nodev,noexec,relatime shared:24 - ext4 /dev/mapper/vg-var_tmp rw
45 43 253:4 / /var/log rw,nosuid,nodev,noexec,relatime shared:25 - ext4 /dev/mapper/vg-log rw
46 45 253:5 / /var/log/audit rw,nosuid,nodev,noexec,relatime shared:26 - ext4 /dev/mapper/vg-audit rw
F
        make "$host" --kernel "$kernel" --live "$work/hardened.tar" --append "$work/end.toml" --mounts "$work/mounts" \
            --cmdline "BOOT_IMAGE=/vmlinuz-$kernel root=/dev/mapper/vg-root ro quiet apparmor=1 security=apparmor audit=1 audit_backlog_limit=8192" \
            --title "Debian 12 server without Docker that follows every advice of the CIS benchmark that files can follow, as captured while it ran."
        done_with ;;
    ubuntu-24.04)
        layered
        without lynis openscap-scanner aide aide-common docker.io containerd runc
        "$here/ubuntu-like.sh" "$root"
        printf '[audit_rules]\ngap = "not_collected"\n' > "$work/off.toml"
        make "$host" --kernel 6.8.0-45-generic --append "$work/off.toml" \
            --title "Like an Ubuntu 24.04 server from a cloud image, as the root file system alone: no kernel runs."
        done_with ;;
    rhel-9)
        rm -rf "$work/rhel"; "$here/rhel-like.sh" "$work/rhel"; root=$work/rhel
        printf '[audit_rules]\ngap = "not_collected"\n' > "$work/off.toml"
        make "$host" --kernel 5.14.0-427.13.1.el9_4.x86_64 --append "$work/off.toml" \
            --title "Like Red Hat Enterprise Linux 9 as installed, as the root file system alone: no kernel runs." ;;
    container-image)
        rm -rf "$work/image"; "$here/image-like.sh" "$work/image"; root=$work/image
        # Processes, and an engine, as the test host `debian-12` has them.
        cp -r "$here/../hosts/debian-12/root/"{proc,sys} "$root/"
        printf '%s\n' '22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/sda9 rw,seclabel' '23 22 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:12 - proc proc rw' \
            '24 22 0:22 / /sys rw,nosuid,nodev,noexec,relatime shared:2 - sysfs sysfs rw' '25 22 0:24 / /run rw,nosuid,nodev shared:5 - tmpfs tmpfs rw,size=803592k,mode=755' \
            '26 24 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate' \
            '27 22 254:0 / /usr ro,relatime shared:20 - ext4 /dev/mapper/usr ro,seclabel' '28 22 0:30 / /tmp rw,nosuid,nodev,noexec shared:21 - tmpfs tmpfs rw' \
            '29 22 0:31 / /dev/shm rw,nosuid,nodev,noexec shared:22 - tmpfs tmpfs rw' | tee "$root"/proc/{1,500,600}/mountinfo > /dev/null
        echo 'BOOT_IMAGE=/flatcar/vmlinuz-a mount.usr=/dev/mapper/usr verity.usr=PARTUUID=7130c94a-213a-4e5a-8e26-6cce9662f132 rootflags=rw mount.usrflags=ro consoleblank=0 root=LABEL=ROOT selinux=1' > "$root/proc/cmdline"
        { sed -n '/^\[\[engine\]\]/,$p' "$here/../hosts/debian-12/host.toml"
          printf '\n[[file]]\npath = "/run/docker.sock"\nkind = "socket"\ngroup = 233\nmode = "0660"\n'; } > "$work/container-image.toml"
        make "$host" --kernel 6.6.48-flatcar --running --append "$work/container-image.toml" \
            --title "Like an image for containers alone: read-only /usr that brings the configuration, no package manager, one engine."
        rm -rf "$here/../hosts/$host/engine"; cp -r "$here/../hosts/debian-12/engine" "$here/../hosts/$host/engine" ;;
    *) echo "no recipe for $host" >&2; exit 2 ;;
    esac
done
