#!/bin/bash
# Makes the root file system of a host like Red Hat Enterprise Linux 9 as installed: its layout, its configuration files in our own words
# where words are free, and a package database that a real rpm wrote.
#
#   rhel-like.sh DIRECTORY        needs rpm (with rpmbuild); no network, no root
set -euo pipefail
root=$(readlink -m "$1")
[[ ! -e $root ]] || { echo "$root exists" >&2; exit 1; }
mkdir -p "$root"
cd "$root"
put() { mkdir -p "$(dirname "$root$1")"; cat > "$root$1"; }
kernel=5.14.0-427.13.1.el9_4.x86_64

mkdir -p usr/{bin,sbin,lib,lib64,local/sbin} var/{log/audit,tmp,spool/cron,lib,cache/dnf} tmp run home/admin root boot/loader/entries etc proc sys dev
for name in bin sbin lib lib64; do ln -s "usr/$name" "$name"; done
ln -s ../run var/run
chmod 1777 tmp var/tmp
chmod 0550 root
chmod 0700 home/admin var/log/audit

put /usr/lib/os-release <<'F'
NAME="Red Hat Enterprise Linux"
VERSION="9.4 (Plow)"
ID="rhel"
ID_LIKE="fedora"
VERSION_ID="9.4"
PLATFORM_ID="platform:el9"
PRETTY_NAME="Red Hat Enterprise Linux 9.4 (Plow)"
CPE_NAME="cpe:/o:redhat:enterprise_linux:9::baseos"
F
ln -s ../usr/lib/os-release etc/os-release
echo 'Red Hat Enterprise Linux release 9.4 (Plow)' > etc/redhat-release
put /etc/hostname <<< rhel-9
put /etc/issue <<'F'
\S
Kernel \r on an \m

F
put /etc/issue.net <<'F'
\S
Kernel \r on an \m
F
: > etc/motd
put /etc/passwd <<'F'
root:x:0:0:root:/root:/bin/bash
bin:x:1:1:bin:/bin:/sbin/nologin
daemon:x:2:2:daemon:/sbin:/sbin/nologin
adm:x:3:4:adm:/var/adm:/sbin/nologin
lp:x:4:7:lp:/var/spool/lpd:/sbin/nologin
sync:x:5:0:sync:/sbin:/bin/sync
shutdown:x:6:0:shutdown:/sbin:/sbin/shutdown
halt:x:7:0:halt:/sbin:/sbin/halt
mail:x:8:12:mail:/var/spool/mail:/sbin/nologin
operator:x:11:0:operator:/root:/sbin/nologin
games:x:12:100:games:/usr/games:/sbin/nologin
ftp:x:14:50:FTP User:/var/ftp:/sbin/nologin
nobody:x:65534:65534:Kernel Overflow User:/:/sbin/nologin
systemd-coredump:x:999:997:systemd Core Dumper:/:/sbin/nologin
dbus:x:81:81:System message bus:/:/sbin/nologin
polkitd:x:998:996:User for polkitd:/:/sbin/nologin
sssd:x:997:995:User for sssd:/:/sbin/nologin
tss:x:59:59:Account used for TPM access:/:/usr/sbin/nologin
chrony:x:996:994:chrony system user:/var/lib/chrony:/sbin/nologin
sshd:x:74:74:Privilege-separated SSH:/usr/share/empty.sshd:/usr/sbin/nologin
admin:x:1000:1000::/home/admin:/bin/bash
F
put /etc/group <<'F'
root:x:0:
bin:x:1:
daemon:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
lp:x:7:
mem:x:8:
kmem:x:9:
wheel:x:10:admin
cdrom:x:11:
mail:x:12:
man:x:15:
dialout:x:18:
floppy:x:19:
games:x:20:
utmp:x:22:
tape:x:33:
video:x:39:
ftp:x:50:
lock:x:54:
tss:x:59:
audio:x:63:
sshd:x:74:
dbus:x:81:
users:x:100:
nobody:x:65534:
utempter:x:35:
ssh_keys:x:101:
chrony:x:994:
sssd:x:995:
polkitd:x:996:
systemd-coredump:x:997:
input:x:104:
render:x:105:
sgx:x:106:
systemd-journal:x:190:
admin:x:1000:
F
{
    # The hash is of no password.
    echo 'root:!locked::0:99999:7:::'
    awk -F: 'NR > 1 && $3 < 1000 || $3 == 65534 {print $1 ":*:19760:0:99999:7:::"}' etc/passwd
    echo 'admin:$6$0123456789abcdef$0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrst:20450:0:99999:7:::'
} > etc/shadow
awk -F: '{print $1 ":!::" $4}' etc/group > etc/gshadow
cp etc/passwd etc/passwd-; cp etc/group etc/group-; cp etc/shadow etc/shadow-; cp etc/gshadow etc/gshadow-
chmod 0000 etc/shadow etc/shadow- etc/gshadow etc/gshadow-
put /etc/shells <<'F'
/bin/sh
/bin/bash
/usr/bin/sh
/usr/bin/bash
F
put /etc/login.defs <<'F'
MAIL_DIR	/var/spool/mail
UMASK		022
HOME_MODE	0700
PASS_MAX_DAYS	99999
PASS_MIN_DAYS	0
PASS_WARN_AGE	7
UID_MIN                  1000
UID_MAX                 60000
SYS_UID_MIN               201
SYS_UID_MAX               999
GID_MIN                  1000
GID_MAX                 60000
SYS_GID_MIN               201
SYS_GID_MAX               999
CREATE_HOME	yes
USERGROUPS_ENAB yes
ENCRYPT_METHOD SHA512
SHA_CRYPT_MAX_ROUNDS 100000
F
put /etc/default/useradd <<'F'
GROUP=100
HOME=/home
INACTIVE=-1
EXPIRE=
SHELL=/bin/bash
SKEL=/etc/skel
CREATE_MAIL_SPOOL=yes
F
put /etc/profile <<'F'
if [ $UID -gt 199 ] && [ "`/usr/bin/id -gn`" = "`/usr/bin/id -un`" ]; then
    umask 002
else
    umask 022
fi
F
put /etc/bashrc <<'F'
if [ $UID -gt 199 ] && [ "`/usr/bin/id -gn`" = "`/usr/bin/id -un`" ]; then
    umask 002
else
    umask 022
fi
F
put /root/.bashrc <<< "alias rm='rm -i'"
put /root/.bash_profile <<< '[ -f ~/.bashrc ] && . ~/.bashrc'

# SSH, with the drop-in that brings the system's cryptographic policy.
put /etc/ssh/sshd_config <<'F'
#	$OpenBSD: sshd_config,v 1.104 2021/07/02 05:11:21 dtucker Exp $

# To modify the system-wide sshd configuration, create a  *.conf  file under
#  /etc/ssh/sshd_config.d/  which will be automatically included below
Include /etc/ssh/sshd_config.d/*.conf

#PermitRootLogin prohibit-password
AuthorizedKeysFile	.ssh/authorized_keys
Subsystem	sftp	/usr/libexec/openssh/sftp-server
F
put /etc/ssh/sshd_config.d/50-redhat.conf <<'F'
Include /etc/crypto-policies/back-ends/opensshserver.config

SyslogFacility AUTHPRIV

ChallengeResponseAuthentication no

GSSAPIAuthentication yes
GSSAPICleanupCredentials no

UsePAM yes

X11Forwarding yes

PrintMotd no
F
chmod 0600 etc/ssh/sshd_config etc/ssh/sshd_config.d/50-redhat.conf
chmod 0700 etc/ssh/sshd_config.d
put /usr/share/crypto-policies/DEFAULT/opensshserver.txt <<'F'
Ciphers aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,aes256-ctr,aes128-gcm@openssh.com,aes128-ctr
MACs hmac-sha2-256-etm@openssh.com,hmac-sha1-etm@openssh.com,umac-128-etm@openssh.com,hmac-sha2-512-etm@openssh.com,hmac-sha2-256,hmac-sha1,umac-128@openssh.com,hmac-sha2-512
GSSAPIKeyExchange no
KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,ecdh-sha2-nistp384,ecdh-sha2-nistp521,diffie-hellman-group-exchange-sha256,diffie-hellman-group14-sha256,diffie-hellman-group16-sha512,diffie-hellman-group18-sha512
RequiredRSASize 2048
F
mkdir -p etc/crypto-policies/back-ends etc/crypto-policies/state
ln -s /usr/share/crypto-policies/DEFAULT/opensshserver.txt etc/crypto-policies/back-ends/opensshserver.config
put /etc/crypto-policies/config <<< DEFAULT
put /etc/crypto-policies/state/current <<< DEFAULT
put /etc/crypto-policies/state/CURRENT.pol <<'F'
# Policy DEFAULT dump
hash = SHA2-256 SHA2-384 SHA2-512 SHA3-256 SHA3-384 SHA3-512 SHA2-224 SHA1
mac = AEAD HMAC-SHA2-256 HMAC-SHA1 UMAC-128 HMAC-SHA2-384 HMAC-SHA2-512
cipher = AES-256-GCM AES-256-CCM CHACHA20-POLY1305 AES-256-CTR AES-256-CBC AES-128-GCM AES-128-CCM AES-128-CTR AES-128-CBC
cipher@ssh = AES-256-GCM CHACHA20-POLY1305 AES-256-CTR AES-128-GCM AES-128-CTR
sign = ECDSA-SHA2-256 ECDSA-SHA2-384 ECDSA-SHA2-512 EDDSA-ED25519 RSA-SHA2-256 RSA-SHA2-384 RSA-SHA2-512
etm@ssh = ANY
sha1_in_certs = 0
min_rsa_size = 2048
F
: > etc/sysconfig-placeholder; rm etc/sysconfig-placeholder
put /etc/sysconfig/sshd <<'F'
# CRYPTO_POLICY=
F

put /etc/sudoers <<'F'
Defaults   !visiblepw
Defaults    always_set_home
Defaults    match_group_by_gid
Defaults    env_reset
Defaults    secure_path = /sbin:/bin:/usr/sbin:/usr/bin
root	ALL=(ALL) 	ALL
%wheel	ALL=(ALL)	ALL
#includedir /etc/sudoers.d
F
chmod 0440 etc/sudoers
mkdir -p etc/sudoers.d; chmod 0750 etc/sudoers.d

# PAM, as authselect writes it for the profile `minimal`.
put /etc/authselect/authselect.conf <<< minimal
for stack in system-auth password-auth; do
    put /etc/authselect/$stack <<'F'
auth        required                                     pam_env.so
auth        required                                     pam_faildelay.so delay=2000000
auth        sufficient                                   pam_unix.so nullok
auth        required                                     pam_deny.so

account     required                                     pam_unix.so

password    requisite                                    pam_pwquality.so
password    sufficient                                   pam_unix.so sha512 shadow nullok use_authtok
password    required                                     pam_deny.so

session     optional                                     pam_keyinit.so revoke
session     required                                     pam_limits.so
-session    optional                                     pam_systemd.so
session     [success=1 default=ignore]                   pam_succeed_if.so service in crond quiet use_uid
session     required                                     pam_unix.so
F
    mkdir -p etc/pam.d
    ln -s /etc/authselect/$stack etc/pam.d/$stack
done
put /etc/pam.d/sshd <<'F'
auth       substack     password-auth
auth       include      postlogin
account    required     pam_sepermit.so
account    required     pam_nologin.so
account    include      password-auth
password   include      password-auth
session    required     pam_selinux.so close
session    required     pam_loginuid.so
session    required     pam_selinux.so open env_params
session    required     pam_namespace.so
session    optional     pam_keyinit.so force revoke
session    include      password-auth
session    include      postlogin
F
put /etc/pam.d/su <<'F'
auth		required	pam_env.so
auth		sufficient	pam_rootok.so
#auth		sufficient	pam_wheel.so trust use_uid
#auth		required	pam_wheel.so use_uid
auth		substack	system-auth
auth		include		postlogin
account		sufficient	pam_succeed_if.so uid = 0 use_uid quiet
account		include		system-auth
password	include		system-auth
session		include		system-auth
session		include		postlogin
session		optional	pam_xauth.so
F
put /etc/pam.d/login <<'F'
auth       substack     system-auth
auth       include      postlogin
account    required     pam_nologin.so
account    include      system-auth
password   include      system-auth
session    include      system-auth
session    include      postlogin
F
put /etc/pam.d/passwd <<'F'
auth       include	system-auth
account    include	system-auth
password   substack	system-auth
-password   optional	pam_gnome_keyring.so use_authtok
password   substack	postlogin
F
put /etc/pam.d/sudo <<'F'
auth       include      system-auth
account    include      system-auth
password   include      system-auth
session    include      system-auth
F
put /etc/pam.d/postlogin <<'F'
session     optional                                     pam_umask.so silent
session     [success=1 default=ignore]                   pam_succeed_if.so service !~ gdm* service !~ su* quiet
session     [default=1]                                  pam_lastlog.so nowtmp showfailed
session     optional                                     pam_lastlog.so silent noupdate showfailed
F
put /etc/pam.d/other <<'F'
auth     required       pam_deny.so
account  required       pam_deny.so
password required       pam_deny.so
session  required       pam_deny.so
F
put /etc/security/pwquality.conf <<< '# minlen = 8'
put /etc/security/faillock.conf <<< '# deny = 3'
put /etc/security/pwhistory.conf <<< '# remember = 10'
put /etc/security/limits.conf <<< '#*               soft    core            0'
: > etc/security/opasswd; chmod 0600 etc/security/opasswd

put /etc/selinux/config <<'F'
SELINUX=enforcing
SELINUXTYPE=targeted
F
put /boot/loader/entries/0123456789abcdef0123456789abcdef-$kernel.conf <<F
title Red Hat Enterprise Linux ($kernel) 9.4 (Plow)
version $kernel
linux /vmlinuz-$kernel
initrd /initramfs-$kernel.img
options root=/dev/mapper/rhel-root ro crashkernel=1G-4G:192M resume=/dev/mapper/rhel-swap rd.lvm.lv=rhel/root rhgb quiet
grub_users \$grub_users
grub_arg --unrestricted
grub_class rhel
F
put /boot/grub2/grub.cfg <<'F'
set pager=1
load_env -f ${config_directory}/grubenv
if [ -f ${config_directory}/user.cfg ]; then
  source ${config_directory}/user.cfg
  if [ -n "${GRUB2_PASSWORD}" ]; then
    set superusers="root"
    export superusers
    password_pbkdf2 root ${GRUB2_PASSWORD}
  fi
fi
insmod blscfg
blscfg
F
printf '# GRUB Environment Block\nsaved_entry=0123456789abcdef0123456789abcdef-%s\nkernelopts=root=/dev/mapper/rhel-root ro\n' "$kernel" > boot/grub2/grubenv
chmod 0600 boot/grub2/grub.cfg boot/grub2/grubenv
put /usr/lib/modules/$kernel/modules.dep <<'F'
kernel/fs/squashfs/squashfs.ko.xz:
kernel/fs/udf/udf.ko.xz: kernel/drivers/cdrom/cdrom.ko.xz
kernel/fs/overlayfs/overlay.ko.xz:
kernel/fs/fuse/fuse.ko.xz:
kernel/fs/cifs/cifs.ko.xz:
kernel/fs/fat/vfat.ko.xz: kernel/fs/fat/fat.ko.xz
kernel/fs/fat/fat.ko.xz:
kernel/fs/gfs2/gfs2.ko.xz:
kernel/fs/xfs/xfs.ko.xz:
kernel/fs/cramfs/cramfs.ko.xz:
kernel/drivers/usb/storage/usb-storage.ko.xz:
kernel/drivers/usb/storage/uas.ko.xz: kernel/drivers/usb/storage/usb-storage.ko.xz
kernel/net/sctp/sctp.ko.xz:
kernel/net/tipc/tipc.ko.xz:
F
put /usr/lib/modules/$kernel/modules.builtin <<'F'
kernel/security/integrity/ima/ima.ko
kernel/fs/hugetlbfs/hugetlbfs.ko
F

put /usr/lib/sysctl.d/50-default.conf <<'F'
kernel.sysrq = 16
kernel.core_uses_pid = 1
net.ipv4.conf.default.rp_filter = 2
net.ipv4.conf.*.rp_filter = 2
-net.ipv4.conf.all.rp_filter
net.ipv4.conf.default.accept_source_route = 0
net.ipv4.conf.*.accept_source_route = 0
-net.ipv4.conf.all.accept_source_route
net.ipv4.conf.default.promote_secondaries = 1
-net.ipv4.ping_group_range = 0 2147483647
-net.core.default_qdisc = fq_codel
fs.protected_hardlinks = 1
fs.protected_symlinks = 1
fs.protected_regular = 1
fs.protected_fifos = 1
F
put /usr/lib/sysctl.d/50-redhat.conf <<'F'
kernel.yama.ptrace_scope = 0
kernel.kptr_restrict = 1
net.ipv4.conf.default.rp_filter = 1
net.ipv4.conf.*.rp_filter = 1
-net.ipv4.conf.all.rp_filter
F
put /etc/sysctl.conf <<< '# sysctl settings are defined through files in /usr/lib/sysctl.d/, /run/sysctl.d/, and /etc/sysctl.d/.'
mkdir -p etc/sysctl.d; ln -s ../sysctl.conf etc/sysctl.d/99-sysctl.conf
put /etc/fstab <<'F'
/dev/mapper/rhel-root   /                       xfs     defaults        0 0
UUID=00000000-0000-4000-8000-000000000001 /boot xfs     defaults        0 0
/dev/mapper/rhel-swap   none                    swap    defaults        0 0
F
put /etc/chrony.conf <<'F'
pool 2.rhel.pool.ntp.org iburst
driftfile /var/lib/chrony/drift
makestep 1.0 3
rtcsync
keyfile /etc/chrony.keys
ntsdumpdir /var/lib/chrony
leapsectz right/UTC
logdir /var/log/chrony
sourcedir /run/chrony-dhcp
F
put /etc/sysconfig/chronyd <<< 'OPTIONS="-F 2"'
put /etc/dnf/dnf.conf <<'F'
[main]
gpgcheck=1
installonly_limit=3
clean_requirements_on_remove=True
best=True
skip_if_unavailable=False
F
put /etc/yum.repos.d/redhat.repo <<'F'
[rhel-9-for-x86_64-baseos-rpms]
name = Red Hat Enterprise Linux 9 for x86_64 - BaseOS (RPMs)
baseurl = https://cdn.redhat.com/content/dist/rhel9/$releasever/x86_64/baseos/os
enabled = 1
gpgcheck = 1
gpgkey = file:///etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-release
F
put /etc/firewalld/firewalld.conf <<'F'
DefaultZone=public
CleanupOnExit=yes
FirewallBackend=nftables
F
put /etc/firewalld/zones/public.xml <<'F'
<?xml version="1.0" encoding="utf-8"?>
<zone>
  <short>Public</short>
  <service name="ssh"/>
  <service name="dhcpv6-client"/>
  <service name="cockpit"/>
  <forward/>
</zone>
F
put /etc/rsyslog.conf <<'F'
module(load="imuxsock"
       SysSock.Use="off")
module(load="imjournal"
       StateFile="imjournal.state")
global(workDirectory="/var/lib/rsyslog")
module(load="builtin:omfile" Template="RSYSLOG_TraditionalFileFormat")
include(file="/etc/rsyslog.d/*.conf" mode="optional")
*.info;mail.none;authpriv.none;cron.none                /var/log/messages
authpriv.*                                              /var/log/secure
mail.*                                                  -/var/log/maillog
cron.*                                                  /var/log/cron
*.emerg                                                 :omusrmsg:*
F
put /etc/systemd/journald.conf <<'F'
[Journal]
#Storage=auto
#Compress=yes
#ForwardToSyslog=no
F
put /etc/logrotate.conf <<'F'
weekly
rotate 4
create
dateext
include /etc/logrotate.d
F
put /etc/audit/auditd.conf <<'F'
local_events = yes
write_logs = yes
log_file = /var/log/audit/audit.log
log_group = root
log_format = ENRICHED
flush = INCREMENTAL_ASYNC
freq = 50
max_log_file = 8
num_logs = 5
priority_boost = 4
name_format = NONE
max_log_file_action = ROTATE
space_left = 75
space_left_action = SYSLOG
verify_email = yes
action_mail_acct = root
admin_space_left = 50
admin_space_left_action = SUSPEND
disk_full_action = SUSPEND
disk_error_action = SUSPEND
F
put /etc/audit/rules.d/audit.rules <<'F'
-D
-b 8192
--backlog_wait_time 60000
-f 1
F
put /etc/audit/audit.rules <<'F'
## This file is automatically generated from /etc/audit/rules.d
-D

-b 8192
-f 1
--backlog_wait_time 60000
F
chmod 0640 etc/audit/auditd.conf etc/audit/audit.rules etc/audit/rules.d/audit.rules
chmod 0750 etc/audit etc/audit/rules.d
for name in messages secure maillog cron; do : > var/log/$name; chmod 0600 var/log/$name; done
: > var/log/audit/audit.log; chmod 0600 var/log/audit/audit.log
: > var/log/wtmp; chmod 0664 var/log/wtmp; : > var/log/lastlog; chmod 0664 var/log/lastlog; : > var/log/btmp; chmod 0660 var/log/btmp
put /etc/crontab <<'F'
SHELL=/bin/bash
PATH=/sbin:/bin:/usr/sbin:/usr/bin
MAILTO=root
F
mkdir -p etc/cron.{d,hourly,daily,weekly,monthly}; : > etc/cron.deny
printf '01 * * * * root run-parts /etc/cron.hourly\n' > etc/cron.d/0hourly
mkdir -p etc/modprobe.d usr/lib/modprobe.d
put /usr/lib/modprobe.d/dist-blacklist.conf <<< 'blacklist i8xx_tco'

# Units, of which those that the presets enable are.
unit() { put /usr/lib/systemd/system/"$1"; }
service() { # NAME PROGRAM [WANTED-BY]
    printf '[Unit]\nDescription=%s\n\n[Service]\nExecStart=%s\n%s' "$1" "$2" "${3:+$'\n'[Install]$'\n'WantedBy=$3$'\n'}" | unit "$1.service"
    if [[ -n ${3:-} && -z ${4:-} ]]; then mkdir -p "etc/systemd/system/$3.wants"; ln -s "/usr/lib/systemd/system/$1.service" "etc/systemd/system/$3.wants/$1.service"; fi
}
service sshd '/usr/sbin/sshd -D $OPTIONS' multi-user.target
service crond '/usr/sbin/crond -n $CRONDARGS' multi-user.target
service chronyd '/usr/sbin/chronyd $OPTIONS' multi-user.target
service rsyslog '/usr/sbin/rsyslogd -n $SYSLOGD_OPTIONS' multi-user.target
service auditd '/sbin/auditd' multi-user.target
service firewalld '/usr/sbin/firewalld --nofork --nopid $FIREWALLD_ARGS' multi-user.target
service nftables '/sbin/nft -f /etc/sysconfig/nftables.conf' multi-user.target off
service systemd-journald /usr/lib/systemd/systemd-journald
service systemd-journal-upload '/usr/lib/systemd/systemd-journal-upload --save-state' multi-user.target off
service dbus-broker '/usr/bin/dbus-broker-launch --scope system --audit' multi-user.target
service NetworkManager '/usr/sbin/NetworkManager --no-daemon' multi-user.target
service kdump '/usr/bin/kdumpctl start' multi-user.target
service rescue '-/usr/lib/systemd/systemd-sulogin-shell rescue'
service emergency '-/usr/lib/systemd/systemd-sulogin-shell emergency'
unit tmp.mount <<'F'
[Unit]
Description=Temporary Directory /tmp

[Mount]
What=tmpfs
Where=/tmp
Type=tmpfs
Options=mode=1777,strictatime,nosuid,nodev,size=50%%,nr_inodes=1m
F
unit multi-user.target <<< $'[Unit]\nDescription=Multi-User System'
unit ctrl-alt-del.target <<< $'[Unit]\nDescription=CTRL-ALT-DEL handling'
ln -s multi-user.target usr/lib/systemd/system/default.target

# Programs, of which their owners and modes matter.
for program in sbin/sshd sbin/auditctl sbin/auditd sbin/augenrules sbin/aureport sbin/ausearch sbin/autrace bin/bash sbin/rsyslogd sbin/crond sbin/chronyd sbin/nologin; do
    : > usr/$program; chmod 0755 usr/$program
done
for program in bin/sudo bin/su bin/mount bin/umount bin/passwd bin/chage bin/gpasswd bin/newgrp bin/crontab sbin/unix_chkpwd sbin/pam_timestamp_check sbin/grub2-set-bootflag; do
    : > usr/$program; chmod 4755 usr/$program
done
chmod 4111 usr/bin/sudo
: > usr/bin/write; chmod 2755 usr/bin/write

# A database of packages, written by rpm.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/home" "$work/specs"
echo '%_dbpath /var/lib/rpm' > "$work/home/.rpmmacros"
export HOME=$work/home
while read -r name version release epoch; do
    printf 'Name: %s\nVersion: %s\nRelease: %s\n%sSummary: s\nLicense: l\nVendor: Red Hat, Inc.\n%%description\nd\n%%files\n' "$name" "$version" "$release" "${epoch:+Epoch: $epoch$'\n'}" > "$work/specs/$name.spec"
    rpmbuild --quiet -bb --target x86_64 --define "_topdir $work/top" --define "_rpmdir $work/rpms" --define "_build_id_links none" "$work/specs/$name.spec" > "$work/log" 2>&1 \
        || { cat "$work/log" >&2; exit 1; }
done <<'F'
audit 3.1.2 2.el9
authselect 1.2.6 2.el9
bash 5.1.8 9.el9
chrony 4.5 1.el9
cronie 1.5.7 11.el9
crypto-policies 20240202 1.git283706d.el9
dnf 4.14.0 9.el9
firewalld 1.3.4 1.el9
glibc 2.34 100.el9_4
kernel-core 5.14.0 427.13.1.el9_4
kernel 5.14.0 427.13.1.el9_4
libselinux 3.6 1.el9
libpwquality 1.4.4 8.el9
nftables 1.0.9 1.el9 1
openssh-server 8.7p1 38.el9
openssh-clients 8.7p1 38.el9
openssl 3.0.7 27.el9 1
pam 1.5.1 19.el9
policycoreutils 3.6 2.1.el9
python3 3.9.18 3.el9
redhat-release 9.4 0.4.el9
rpm 4.16.1.3 29.el9
rsyslog 8.2310.0 4.el9
selinux-policy-targeted 38.1.35 2.el9_4
shadow-utils 4.9 8.el9 2
sudo 1.9.5p2 10.el9_3
systemd 252 32.el9_4
telnet 0.17 85.el9 1
F
mkdir -p var/lib/rpm
rpm --root "$root" --initdb
rpm --root "$root" --force-debian --nodeps --noscripts --ignorearch -i "$work"/rpms/x86_64/*.rpm
rm -f var/lib/rpm/{.rpm.lock,rpmdb.sqlite-shm,rpmdb.sqlite-wal}
rm -f "$root"/var/lib/rpm/{.rpm.lock,rpmdb.sqlite-shm,rpmdb.sqlite-wal}
