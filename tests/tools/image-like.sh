#!/bin/bash
# Makes the root file system of a host like an image made for containers and nothing else: `/usr` is read-only and brings the configuration,
# `/etc` holds what this machine differs in, there is no package manager, and an agent replaces the whole system.
#
#   image-like.sh DIRECTORY
set -euo pipefail
root=$(readlink -m "$1")
[[ ! -e $root ]] || { echo "$root exists" >&2; exit 1; }
mkdir -p "$root"
cd "$root"
put() { mkdir -p "$(dirname "$root$1")"; cat > "$root$1"; }
mkdir -p usr/{bin,sbin,lib,lib64} etc/systemd/system/{multi-user.target.wants,sockets.target.wants} var/{log/journal,tmp,lib/docker} home/core root run tmp
for name in bin sbin lib lib64; do ln -s "usr/$name" "$name"; done
ln -s ../run var/run
chmod 1777 tmp var/tmp; chmod 0700 root home/core; chmod 0710 var/lib/docker
chown 500:500 home/core
put /usr/lib/os-release <<'F'
NAME="Flatcar Container Linux by Kinvolk"
ID=flatcar
ID_LIKE=coreos
VERSION=3975.2.1
VERSION_ID=3975.2.1
BUILD_ID=2024-09-17-1954
SYSEXT_LEVEL=1.0
PRETTY_NAME="Flatcar Container Linux by Kinvolk 3975.2.1 (Oklo)"
FLATCAR_BOARD="amd64-usr"
F
ln -s ../usr/lib/os-release etc/os-release
put /etc/hostname <<< container-image
put /etc/passwd <<< $'root:x:0:0:root:/root:/bin/bash\ncore:x:500:500:Flatcar Admin:/home/core:/bin/bash'
put /etc/group <<< $'root:x:0:root\nwheel:x:10:root,core\nsudo:x:150:core\ndocker:x:233:core\nsystemd-journal:x:248:core\ncore:x:500:'
put /etc/shadow <<< $'root:*:15887:0:::::\ncore:*:15887:0:::::'
put /etc/gshadow <<< $'root:::root\ncore:!::'
chmod 0640 etc/shadow etc/gshadow
# Accounts of services stand in /usr, where nobody can change them.
put /usr/share/baselayout/passwd <<< $'root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/sbin/nologin\nsshd:x:22:22:sshd:/var/empty:/sbin/nologin\nnobody:x:65534:65534:nobody:/var/empty:/sbin/nologin'
put /etc/nsswitch.conf <<< $'passwd: files usrfiles systemd\nshadow: files usrfiles systemd\ngroup: files usrfiles systemd'
put /etc/shells <<< $'/bin/bash\n/bin/sh'
put /usr/share/ssh/sshd_config <<'F'
UsePrivilegeSeparation sandbox
Subsystem sftp internal-sftp
ClientAliveInterval 180
UseDNS no
UsePAM yes
PrintLastLog no
PrintMotd no
PermitRootLogin no
AllowUsers core
AuthenticationMethods publickey
F
mkdir -p etc/ssh
ln -s ../../usr/share/ssh/sshd_config etc/ssh/sshd_config
put /usr/share/sudoers <<< 'root ALL=(ALL) ALL'
put /etc/sudoers <<< $'root ALL=(ALL) ALL\n%sudo ALL=(ALL) ALL\n#includedir /etc/sudoers.d'
put /etc/sudoers.d/flatcar <<< '%sudo ALL=(ALL) NOPASSWD: ALL'
chmod 0440 etc/sudoers etc/sudoers.d/flatcar
for service in login sshd su sudo system-auth system-login system-remote-login other; do
    put /usr/lib/pam.d/$service <<< $'auth required pam_unix.so try_first_pass\naccount required pam_unix.so\npassword required pam_unix.so try_first_pass sha512 shadow\nsession required pam_unix.so'
done
put /usr/lib/sysctl.d/baselayout.conf <<'F'
net.ipv4.ip_forward = 0
net.ipv4.conf.default.rp_filter = 1
net.ipv4.conf.all.rp_filter = 0
kernel.kptr_restrict = 1
net.ipv4.conf.all.accept_source_route = 0
F
put /etc/sysctl.d/60-docker.conf <<< 'net.ipv4.ip_forward = 1'
put /usr/lib/systemd/journald.conf.d/10-flatcar.conf <<< $'[Journal]\nStorage=persistent'
put /usr/lib/systemd/timesyncd.conf.d/10-flatcar.conf <<< $'[Time]\nNTP=0.flatcar.pool.ntp.org 1.flatcar.pool.ntp.org'
unit() { put "/usr/lib/systemd/system/$1"; }
unit docker.service <<'F'
[Unit]
Description=Docker Application Container Engine
After=containerd.service docker.socket network-online.target
Requires=containerd.service docker.socket

[Service]
Type=notify
Environment=DOCKER_SELINUX=--selinux-enabled=true
ExecStart=/usr/bin/dockerd --host=fd:// --containerd=/var/run/docker/libcontainerd/docker-containerd.sock $DOCKER_SELINUX $DOCKER_OPTS
LimitNOFILE=1048576
TasksMax=infinity
Delegate=yes

[Install]
WantedBy=multi-user.target
F
unit docker.socket <<'F'
[Unit]
Description=Docker Socket for the API

[Socket]
ListenStream=/run/docker.sock
SocketMode=0660
SocketUser=root
SocketGroup=docker

[Install]
WantedBy=sockets.target
F
unit sshd.socket <<< $'[Unit]\nDescription=OpenSSH Server Socket\n\n[Socket]\nListenStream=22\nAccept=yes\n\n[Install]\nWantedBy=sockets.target'
unit sshd@.service <<< $'[Unit]\nDescription=OpenSSH per-connection server daemon\n\n[Service]\nExecStart=-/usr/sbin/sshd -i -e\nStandardInput=socket'
unit update-engine.service <<< $'[Unit]\nDescription=Update Engine\n\n[Service]\nExecStart=/usr/sbin/update_engine -foreground -logtostderr\n\n[Install]\nWantedBy=multi-user.target'
unit locksmithd.service <<< $'[Unit]\nDescription=Cluster reboot manager\n\n[Service]\nExecStart=/usr/lib/locksmith/locksmithd\n\n[Install]\nWantedBy=multi-user.target'
unit systemd-timesyncd.service <<< $'[Unit]\nDescription=Network Time Synchronization\n\n[Service]\nExecStart=/usr/lib/systemd/systemd-timesyncd\n\n[Install]\nWantedBy=sysinit.target'
unit systemd-journald.service <<< $'[Unit]\nDescription=Journal Service\n\n[Service]\nExecStart=/usr/lib/systemd/systemd-journald'
unit audit-rules.service <<< $'[Unit]\nDescription=Load Security Auditing Rules\n\n[Service]\nType=oneshot\nExecStart=/sbin/auditctl -R /etc/audit/audit.rules\n\n[Install]\nWantedBy=multi-user.target'
# What /usr brings is enabled in /usr.
mkdir -p usr/lib/systemd/system/{multi-user.target.wants,sockets.target.wants,sysinit.target.wants}
for name in docker.service update-engine.service locksmithd.service audit-rules.service; do ln -s ../$name usr/lib/systemd/system/multi-user.target.wants/$name; done
for name in docker.socket sshd.socket; do ln -s ../$name usr/lib/systemd/system/sockets.target.wants/$name; done
ln -s ../systemd-timesyncd.service usr/lib/systemd/system/sysinit.target.wants/systemd-timesyncd.service
put /etc/audit/rules.d/80-selinux.rules <<< $'-D\n-b 8192\n-a never,user'
put /etc/docker/daemon.json <<< '{"log-driver": "journald", "live-restore": true, "icc": false, "no-new-privileges": true}'
for program in bin/dockerd bin/containerd bin/runc bin/bash sbin/sshd sbin/auditctl; do : > usr/$program; chmod 0755 usr/$program; done
for program in bin/sudo bin/su bin/mount bin/umount; do : > usr/$program; chmod 4755 usr/$program; done
