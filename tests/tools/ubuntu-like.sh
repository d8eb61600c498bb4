#!/bin/bash
# Turns the root file system of a Debian 12 into one like Ubuntu 24.04 server as a cloud image brings it.
#
#   ubuntu-like.sh ROOT        changes ROOT; give it a copy or an overlay
set -euo pipefail
cd "$1"
put() { mkdir -p "$(dirname ".$1")"; rm -f ".$1"; cat > ".$1"; }

put /usr/lib/os-release <<'F'
PRETTY_NAME="Ubuntu 24.04.1 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.1 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=noble
F
put /etc/lsb-release <<'F'
DISTRIB_ID=Ubuntu
DISTRIB_RELEASE=24.04
DISTRIB_CODENAME=noble
DISTRIB_DESCRIPTION="Ubuntu 24.04.1 LTS"
F
put /etc/hostname <<< ubuntu-24
put /etc/issue <<< 'Ubuntu 24.04.1 LTS \n \l'
put /etc/issue.net <<< 'Ubuntu 24.04.1 LTS'
rm -f etc/debian_version etc/motd etc/apt/sources.list etc/apt/trusted.gpg.d/*
put /etc/apt/sources.list.d/ubuntu.sources <<'F'
Types: deb
URIs: http://archive.ubuntu.com/ubuntu
Suites: noble noble-updates noble-backports
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg

Types: deb
URIs: http://security.ubuntu.com/ubuntu
Suites: noble-security
Components: main universe restricted multiverse
Signed-By: /usr/share/keyrings/ubuntu-archive-keyring.gpg
F

# Packages of its own, and the versions that checks ask for.
sed -i -E '
/^Package: (openssh-(server|client))$/,/^$/ s/^Version: .*/Version: 1:9.6p1-3ubuntu13.5/
/^Package: libpam-(modules|runtime)$/,/^$/ s/^Version: .*/Version: 1.5.3-5ubuntu5.1/
/^Package: sudo$/,/^$/ s/^Version: .*/Version: 1.9.15p5-3ubuntu5/
/^Package: libpam-pwquality$/,/^$/ s/^Version: .*/Version: 1.4.5-3build1/
/^Package: systemd$/,/^$/ s/^Version: .*/Version: 255.4-1ubuntu8.4/
/^Package: apt$/,/^$/ s/^Version: .*/Version: 2.7.14build2/
' var/lib/dpkg/status
while read -r package version; do
    printf 'Package: %s\nStatus: install ok installed\nPriority: optional\nSection: admin\nArchitecture: amd64\nVersion: %s\n\n' "$package" "$version"
done >> var/lib/dpkg/status <<'F'
snapd 2.63.1+24.04
ufw 0.36.2-6
apport 2.28.1-0ubuntu3.1
netplan.io 1.0.1-1ubuntu2~24.04.1
cloud-init 24.2-0ubuntu1~24.04.2
systemd-timesyncd 255.4-1ubuntu8.4
telnet 0.17+2.5-3ubuntu4
inetutils-telnet 2:2.5-3ubuntu4
rsync 3.2.7-1ubuntu1
ftp 20230507-2build3
tnftp 20230507-2build3
linux-image-6.8.0-45-generic 6.8.0-45.45
ubuntu-server 1.539.1
F

# The first user of a cloud image.
printf 'ubuntu:x:1000:1000:Ubuntu:/home/ubuntu:/bin/bash\n' >> etc/passwd
printf 'ubuntu:!:20000:0:99999:7:::\n' >> etc/shadow
printf 'ubuntu:x:1000:\n' >> etc/group
printf 'ubuntu:!::\n' >> etc/gshadow
sed -i -E 's/^(adm|sudo|cdrom|dip|lxd):x:([0-9]+):$/\1:x:\2:ubuntu/' etc/group
mkdir -p home/ubuntu
chown 1000:1000 home/ubuntu
chmod 0750 home/ubuntu
put /home/ubuntu/.bashrc <<< 'HISTCONTROL=ignoreboth'
put /home/ubuntu/.profile <<< '[ -f ~/.bashrc ] && . ~/.bashrc'
chown 1000:1000 home/ubuntu/.bashrc home/ubuntu/.profile
put /etc/sudoers.d/90-cloud-init-users <<'F'
# Created by cloud-init
ubuntu ALL=(ALL) NOPASSWD:ALL
F
chmod 0440 etc/sudoers.d/90-cloud-init-users

# SSH waits behind a socket, and cloud-init turns passwords off.
put /etc/ssh/sshd_config <<'F'
Include /etc/ssh/sshd_config.d/*.conf
KbdInteractiveAuthentication no
UsePAM yes
X11Forwarding yes
PrintMotd no
AcceptEnv LANG LC_*
Subsystem	sftp	/usr/lib/openssh/sftp-server
F
put /etc/ssh/sshd_config.d/60-cloudimg-settings.conf <<< 'PasswordAuthentication no'
chmod 0600 etc/ssh/sshd_config.d/60-cloudimg-settings.conf
put /usr/lib/systemd/system/ssh.socket <<'F'
[Unit]
Description=OpenBSD Secure Shell server socket
Before=sockets.target ssh.service
ConditionPathExists=!/etc/ssh/sshd_not_to_be_run

[Socket]
ListenStream=0.0.0.0:22
ListenStream=[::]:22
BindIPv6Only=ipv6-only
Accept=no
FreeBind=yes

[Install]
WantedBy=sockets.target
RequiredBy=ssh.service
F
mkdir -p etc/systemd/system/{sockets.target.wants,ssh.service.requires,multi-user.target.wants}
rm -f etc/systemd/system/multi-user.target.wants/ssh.service etc/systemd/system/sshd.service
ln -sf /usr/lib/systemd/system/ssh.socket etc/systemd/system/sockets.target.wants/ssh.socket
ln -sf /usr/lib/systemd/system/ssh.socket etc/systemd/system/ssh.service.requires/ssh.socket

# ufw stands ready and is off; what it would set is in a file of its own.
put /etc/ufw/ufw.conf <<< $'ENABLED=no\nLOGLEVEL=low'
put /etc/default/ufw <<'F'
IPV6=yes
DEFAULT_INPUT_POLICY="DROP"
DEFAULT_OUTPUT_POLICY="ACCEPT"
DEFAULT_FORWARD_POLICY="DROP"
DEFAULT_APPLICATION_POLICY="SKIP"
MANAGE_BUILTINS=no
IPT_SYSCTL=/etc/ufw/sysctl.conf
IPT_MODULES=""
F
put /etc/ufw/sysctl.conf <<'F'
net/ipv4/conf/all/accept_redirects=0
net/ipv4/conf/default/accept_redirects=0
net/ipv6/conf/all/accept_redirects=0
net/ipv6/conf/default/accept_redirects=0
net/ipv4/icmp_echo_ignore_broadcasts=1
net/ipv4/icmp_ignore_bogus_error_responses=1
net/ipv4/icmp_echo_ignore_all=0
net/ipv4/conf/all/log_martians=0
net/ipv4/conf/default/log_martians=0
F
unit() { put "/usr/lib/systemd/system/$1"; mkdir -p "etc/systemd/system/$2.wants"; ln -sf "/usr/lib/systemd/system/$1" "etc/systemd/system/$2.wants/$1"; }
unit ufw.service multi-user.target <<'F'
[Unit]
Description=Uncomplicated firewall
DefaultDependencies=no
Before=network-pre.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/lib/ufw/ufw-init start quiet

[Install]
WantedBy=multi-user.target
F
unit apport.service multi-user.target <<'F'
[Unit]
Description=automatic crash report generation

[Service]
Type=oneshot
ExecStart=/usr/share/apport/apport --start
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
F
put /etc/default/apport <<< 'enabled=1'
unit systemd-timesyncd.service sysinit.target <<'F'
[Unit]
Description=Network Time Synchronization

[Service]
ExecStart=/usr/lib/systemd/systemd-timesyncd
User=systemd-timesync

[Install]
WantedBy=sysinit.target
Alias=dbus-org.freedesktop.timesync1.service
F
unit snapd.socket sockets.target <<'F'
[Unit]
Description=Socket activation for snappy daemon

[Socket]
ListenStream=/run/snapd.socket

[Install]
WantedBy=sockets.target
F
put /etc/systemd/timesyncd.conf <<< $'[Time]\n#NTP=\n#FallbackNTP=ntp.ubuntu.com'
put /etc/netplan/50-cloud-init.yaml <<< $'network:\n  version: 2\n  ethernets:\n    ens3:\n      dhcp4: true'
chmod 0600 etc/netplan/50-cloud-init.yaml

put /etc/sysctl.d/10-kernel-hardening.conf <<< 'kernel.kptr_restrict = 1'
put /etc/sysctl.d/10-network-security.conf <<< $'net.ipv4.conf.default.rp_filter=2\nnet.ipv4.conf.all.rp_filter=2'
put /etc/sysctl.d/10-ptrace.conf <<< 'kernel.yama.ptrace_scope = 1'
put /etc/sysctl.d/10-magic-sysrq.conf <<< 'kernel.sysrq = 176'
put /etc/rsyslog.d/50-default.conf <<'F'
auth,authpriv.*			/var/log/auth.log
*.*;auth,authpriv.none		-/var/log/syslog
kern.*				-/var/log/kern.log
mail.*				-/var/log/mail.log
*.emerg				:omusrmsg:*
F
put /etc/rsyslog.conf <<'F'
module(load="imuxsock")
module(load="imklog" permitnonkernelfacility="on")
$RepeatedMsgReduction on
$FileOwner syslog
$FileGroup adm
$FileCreateMode 0640
$DirCreateMode 0755
$Umask 0022
$PrivDropToUser syslog
$PrivDropToGroup syslog
$WorkDirectory /var/spool/rsyslog
$IncludeConfig /etc/rsyslog.d/*.conf
F
rm -rf usr/lib/modules/* boot/*
kernel=6.8.0-45-generic
put /usr/lib/modules/$kernel/modules.dep <<'F'
kernel/fs/cramfs/cramfs.ko.zst: kernel/drivers/mtd/mtd.ko.zst
kernel/fs/freevxfs/freevxfs.ko.zst:
kernel/fs/hfs/hfs.ko.zst:
kernel/fs/hfsplus/hfsplus.ko.zst:
kernel/fs/jffs2/jffs2.ko.zst: kernel/drivers/mtd/mtd.ko.zst
kernel/fs/overlayfs/overlay.ko.zst:
kernel/fs/udf/udf.ko.zst: kernel/lib/crc-itu-t.ko.zst
kernel/fs/xfs/xfs.ko.zst:
kernel/fs/ceph/ceph.ko.zst:
kernel/fs/cifs/cifs.ko.zst:
kernel/fs/gfs2/gfs2.ko.zst:
kernel/fs/fat/msdos.ko.zst:
kernel/drivers/usb/storage/usb-storage.ko.zst:
kernel/drivers/usb/storage/uas.ko.zst: kernel/drivers/usb/storage/usb-storage.ko.zst
kernel/net/dccp/dccp.ko.zst:
kernel/net/tipc/tipc.ko.zst:
kernel/net/rds/rds.ko.zst:
kernel/net/sctp/sctp.ko.zst:
F
put /usr/lib/modules/$kernel/modules.builtin <<'F'
kernel/fs/squashfs/squashfs.ko
kernel/fs/ext4/ext4.ko
kernel/fs/fat/fat.ko
kernel/fs/fat/vfat.ko
kernel/fs/fuse/fuse.ko
F
put /boot/grub/grub.cfg <<F
set timeout=0
menuentry 'Ubuntu' --class ubuntu --class gnu-linux \$menuentry_id_option 'gnulinux-simple-11111111' {
	linux	/vmlinuz-$kernel root=LABEL=cloudimg-rootfs ro console=tty1 console=ttyS0
	initrd	/initrd.img-$kernel
}
submenu 'Advanced options for Ubuntu' \$menuentry_id_option 'gnulinux-advanced-11111111' {
	menuentry 'Ubuntu, with Linux $kernel' --class ubuntu {
		linux	/vmlinuz-$kernel root=LABEL=cloudimg-rootfs ro console=tty1 console=ttyS0
		initrd	/initrd.img-$kernel
	}
	menuentry 'Ubuntu, with Linux $kernel (recovery mode)' --class ubuntu {
		linux	/vmlinuz-$kernel root=LABEL=cloudimg-rootfs ro single nomodeset dis_ucode_ldr console=tty1 console=ttyS0
		initrd	/initrd.img-$kernel
	}
}
F
chmod 0600 boot/grub/grub.cfg
put /etc/fstab <<< $'LABEL=cloudimg-rootfs\t/\t ext4\tdiscard,commit=30,errors=remount-ro\t0 1\nLABEL=BOOT\t/boot\text4\tdefaults\t0 2\nLABEL=UEFI\t/boot/efi\tvfat\tumask=0077\t0 1'
sed -i 's/^UMASK.*/UMASK\t\t022/; s/^#\?HOME_MODE.*/HOME_MODE\t0750/' etc/login.defs
