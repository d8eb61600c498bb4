#!/bin/sh
# Makes a Debian root file system follow every piece of advice of the CIS benchmark that files can follow.
#
#   chroot ROOT /bin/sh < harden-debian.sh
#
# Used for the test host `debian-12-hardened` and for the hardened host of `benches/agreement`. Sites do it otherwise;
# what is written here is the plainest thing that satisfies each demand.
set -eu
umask 022
kernel=$(ls /lib/modules 2> /dev/null | sort | tail -n 1)
kernel=${kernel:-6.1.0-40-amd64}

# Modules that nobody needs.
for module in cramfs freevxfs hfs hfsplus jffs2 overlay squashfs udf usb-storage dccp tipc rds sctp afs ceph cifs exfat fat fscache fuse gfs2; do
    printf 'install %s /bin/false\nblacklist %s\n' "$module" "$module"
done > /etc/modprobe.d/60-unused.conf

cat > /etc/fstab <<'F'
/dev/mapper/vg-root / ext4 defaults 0 1
/dev/vda1 /boot ext4 defaults,nodev,nosuid,noexec 0 2
tmpfs /tmp tmpfs defaults,rw,nosuid,nodev,noexec,relatime 0 0
tmpfs /dev/shm tmpfs defaults,rw,nosuid,nodev,noexec,relatime 0 0
/dev/mapper/vg-home /home ext4 defaults,nosuid,nodev 0 2
/dev/mapper/vg-var /var ext4 defaults,nosuid,nodev 0 2
/dev/mapper/vg-var_tmp /var/tmp ext4 defaults,nosuid,nodev,noexec 0 2
/dev/mapper/vg-log /var/log ext4 defaults,nosuid,nodev,noexec 0 2
/dev/mapper/vg-audit /var/log/audit ext4 defaults,nosuid,nodev,noexec 0 2
F

# Sources name the key that signs them.
rm -f /etc/apt/sources.list /etc/apt/trusted.gpg.d/*
cat > /etc/apt/sources.list.d/debian.sources <<'F'
Types: deb
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
F

cat > /etc/sysctl.d/60-hardening.conf <<'F'
kernel.randomize_va_space = 2
kernel.yama.ptrace_scope = 2
kernel.kptr_restrict = 2
kernel.dmesg_restrict = 1
kernel.unprivileged_bpf_disabled = 1
kernel.kexec_load_disabled = 1
kernel.sysrq = 0
kernel.perf_event_paranoid = 3
net.core.bpf_jit_harden = 2
fs.suid_dumpable = 0
fs.protected_hardlinks = 1
fs.protected_symlinks = 1
fs.protected_fifos = 2
fs.protected_regular = 2
vm.mmap_min_addr = 65536
net.ipv4.ip_forward = 0
net.ipv6.conf.all.forwarding = 0
net.ipv6.conf.default.forwarding = 0
net.ipv4.conf.all.send_redirects = 0
net.ipv4.conf.default.send_redirects = 0
net.ipv4.icmp_ignore_bogus_error_responses = 1
net.ipv4.icmp_echo_ignore_broadcasts = 1
net.ipv4.conf.all.accept_redirects = 0
net.ipv4.conf.default.accept_redirects = 0
net.ipv6.conf.all.accept_redirects = 0
net.ipv6.conf.default.accept_redirects = 0
net.ipv4.conf.all.secure_redirects = 0
net.ipv4.conf.default.secure_redirects = 0
net.ipv4.conf.all.rp_filter = 1
net.ipv4.conf.default.rp_filter = 1
net.ipv4.conf.all.accept_source_route = 0
net.ipv4.conf.default.accept_source_route = 0
net.ipv6.conf.all.accept_source_route = 0
net.ipv6.conf.default.accept_source_route = 0
net.ipv4.conf.all.log_martians = 1
net.ipv4.conf.default.log_martians = 1
net.ipv4.tcp_syncookies = 1
net.ipv6.conf.all.accept_ra = 0
net.ipv6.conf.default.accept_ra = 0
F
printf '* hard core 0\n' > /etc/security/limits.d/60-core.conf
mkdir -p /etc/systemd/coredump.conf.d
printf '[Coredump]\nStorage=none\nProcessSizeMax=0\n' > /etc/systemd/coredump.conf.d/60-none.conf

echo 'Authorised users only. Activity may be monitored and reported.' | tee /etc/motd /etc/issue > /etc/issue.net
chmod 644 /etc/motd /etc/issue /etc/issue.net

# One clock, one firewall, one log.
mkdir -p /etc/systemd/timesyncd.conf.d
printf '[Time]\nNTP=ntp1.example.org ntp2.example.org\nFallbackNTP=ntp3.example.org\n' > /etc/systemd/timesyncd.conf.d/60-time.conf
cat > /etc/nftables.conf <<'F'
#!/usr/sbin/nft -f

flush ruleset

table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		iif "lo" accept
		ip saddr 127.0.0.0/8 counter drop
		ip6 saddr ::1 counter drop
		ct state established accept
		tcp dport 22 ct state new accept
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
	}
	chain output {
		type filter hook output priority filter; policy drop;
		oif "lo" accept
		ct state established,related,new accept
	}
}
F
chmod 755 /etc/nftables.conf
wants=/etc/systemd/system/multi-user.target.wants
mkdir -p "$wants" /etc/systemd/system/sysinit.target.wants
ln -sf /lib/systemd/system/nftables.service /etc/systemd/system/sysinit.target.wants/nftables.service
ln -sf /lib/systemd/system/rsyslog.service "$wants/rsyslog.service"
ln -sf /dev/null /etc/systemd/system/systemd-journal-remote.socket
ln -sf /dev/null /etc/systemd/system/ctrl-alt-del.target
if [ -e /lib/systemd/system/systemd-timesyncd.service ]; then
    ln -sf /lib/systemd/system/systemd-timesyncd.service /etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service
fi

chmod 600 /etc/crontab
for folder in /etc/cron.hourly /etc/cron.daily /etc/cron.weekly /etc/cron.monthly /etc/cron.d; do mkdir -p "$folder"; chmod 700 "$folder"; done
rm -f /etc/cron.deny /etc/at.deny
echo root | tee /etc/cron.allow > /etc/at.allow
chmod 640 /etc/cron.allow /etc/at.allow
if getent group crontab > /dev/null; then chgrp crontab /etc/cron.allow; fi
if getent group daemon > /dev/null; then chgrp daemon /etc/at.allow; fi

# SSH. Debian reads the drop-ins first.
cat > /etc/ssh/sshd_config.d/60-hardening.conf <<'F'
AllowGroups ssh-users
Banner /etc/issue.net
Ciphers aes256-gcm@openssh.com,aes128-gcm@openssh.com,aes256-ctr,aes192-ctr,aes128-ctr
MACs hmac-sha2-512-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-512,hmac-sha2-256
KexAlgorithms sntrup761x25519-sha512@openssh.com,curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp521,ecdh-sha2-nistp384,ecdh-sha2-nistp256,diffie-hellman-group-exchange-sha256
ClientAliveInterval 15
ClientAliveCountMax 3
DisableForwarding yes
X11Forwarding no
AllowTcpForwarding no
GSSAPIAuthentication no
HostbasedAuthentication no
IgnoreRhosts yes
LoginGraceTime 60
LogLevel VERBOSE
MaxAuthTries 4
MaxSessions 10
MaxStartups 10:30:60
PermitEmptyPasswords no
PermitRootLogin no
PermitUserEnvironment no
UsePAM yes
F
chmod 600 /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*
chmod 600 /etc/ssh/ssh_host_*_key 2> /dev/null || true
getent group ssh-users > /dev/null || groupadd --system ssh-users

printf 'Defaults use_pty\nDefaults logfile="/var/log/sudo.log"\nDefaults timestamp_timeout=15\n' > /etc/sudoers.d/60-hardening
chmod 440 /etc/sudoers.d/60-hardening
getent group sugroup > /dev/null || groupadd --system sugroup
sed -i 's/^auth       sufficient pam_rootok.so/&\nauth       required pam_wheel.so use_uid group=sugroup/' /etc/pam.d/su

# Passwords.
cat > /etc/pam.d/common-auth <<'F'
auth	required			pam_faillock.so preauth
auth	[success=2 default=ignore]	pam_unix.so try_first_pass
auth	[default=die]			pam_faillock.so authfail
auth	requisite			pam_deny.so
auth	required			pam_permit.so
F
cat > /etc/pam.d/common-account <<'F'
account	[success=1 new_authtok_reqd=done default=ignore]	pam_unix.so
account	requisite			pam_deny.so
account	required			pam_permit.so
account	required			pam_faillock.so
F
cat > /etc/pam.d/common-password <<'F'
password	requisite			pam_pwquality.so retry=3
password	requisite			pam_pwhistory.so remember=24 enforce_for_root try_first_pass use_authtok
password	[success=1 default=ignore]	pam_unix.so obscure use_authtok try_first_pass yescrypt
password	requisite			pam_deny.so
password	required			pam_permit.so
F
mkdir -p /etc/security/pwquality.conf.d
cat > /etc/security/pwquality.conf.d/60-hardening.conf <<'F'
difok = 2
minlen = 14
minclass = 4
dcredit = -1
ucredit = -1
lcredit = -1
ocredit = -1
maxrepeat = 3
maxsequence = 3
dictcheck = 1
enforcing = 1
enforce_for_root
F
printf 'deny = 5\nunlock_time = 900\neven_deny_root\nroot_unlock_time = 60\n' > /etc/security/faillock.conf
touch /etc/security/opasswd
chmod 600 /etc/security/opasswd
sed -i 's/^PASS_MAX_DAYS.*/PASS_MAX_DAYS 365/; s/^PASS_MIN_DAYS.*/PASS_MIN_DAYS 1/; s/^PASS_WARN_AGE.*/PASS_WARN_AGE 7/; s/^UMASK.*/UMASK 027/; s/^#\?ENCRYPT_METHOD.*/ENCRYPT_METHOD YESCRYPT/; s/^#\?HOME_MODE.*/HOME_MODE 0750/' /etc/login.defs
sed -i '/^# *INACTIVE/d; /^INACTIVE/d' /etc/default/useradd
echo 'INACTIVE=30' >> /etc/default/useradd
cat > /etc/profile.d/60-hardening.sh <<'F'
TMOUT=900
readonly TMOUT
export TMOUT
umask 027
F
sed -i 's/^# *umask 022/umask 027/' /root/.bashrc
printf '\numask 027\n' >> /root/.profile
printf '\numask 027\n' >> /root/.bashrc
sed -i '\|/nologin$|d' /etc/shells
chmod 644 /etc/shells
# An administrator with a password of yesterday, and root without one. The hash is of no password at all.
if ! getent passwd admin > /dev/null; then
    useradd --create-home --shell /bin/bash --groups ssh-users,sudo admin
    usermod --password '$y$j9T$0123456789abcdef$0123456789abcdefghijklmnopqrstuvwxyzABCDEFG' admin
fi
chage --mindays 1 --maxdays 365 --warndays 7 --inactive 30 --lastday 2026-01-15 admin
usermod --lock root
chmod 750 /home/admin
rm -f /home/admin/.rhosts /home/admin/.netrc /home/admin/.forward

# Logs.
mkdir -p /etc/systemd/journald.conf.d
printf '[Journal]\nStorage=persistent\nCompress=yes\nForwardToSyslog=yes\nSystemMaxUse=1G\nSystemKeepFree=500M\nRuntimeMaxUse=200M\nRuntimeKeepFree=50M\nMaxFileSec=1month\n' > /etc/systemd/journald.conf.d/60-hardening.conf
cat > /etc/rsyslog.d/60-remote.conf <<'F'
$FileCreateMode 0640
*.* action(type="omfwd" target="loghost.example.org" port="6514" protocol="tcp" action.resumeRetryCount="100" queue.type="LinkedList" queue.size="1000")
F
sed -i 's/^create$/create 0640 root adm/' /etc/logrotate.conf
find /var/log -type f -exec chmod u-x,g-wx,o-rwx {} +
for file in /var/log/wtmp /var/log/lastlog /var/log/btmp; do [ ! -e "$file" ] || chmod 660 "$file"; done

# Auditing.
sed -i 's/^max_log_file = .*/max_log_file = 8/; s/^max_log_file_action = .*/max_log_file_action = keep_logs/; s/^space_left_action = .*/space_left_action = email/; s/^action_mail_acct = .*/action_mail_acct = root/; s/^admin_space_left_action = .*/admin_space_left_action = halt/; s/^disk_full_action = .*/disk_full_action = halt/; s/^disk_error_action = .*/disk_error_action = halt/; s/^log_group = .*/log_group = adm/' /etc/audit/auditd.conf
user='-F auid>=1000 -F auid!=unset'
{
    echo '-w /etc/sudoers -p wa -k scope'
    echo '-w /etc/sudoers.d -p wa -k scope'
    for arch in b64 b32; do
        echo "-a always,exit -F arch=$arch -C euid!=uid -F auid!=unset -S execve -k user_emulation"
        echo "-a always,exit -F arch=$arch -S adjtimex,settimeofday -k time-change"
        echo "-a always,exit -F arch=$arch -S clock_settime -F a0=0x0 -k time-change"
        echo "-a always,exit -F arch=$arch -S sethostname,setdomainname -k system-locale"
        echo "-a always,exit -F arch=$arch -S creat,open,openat,truncate,ftruncate -F exit=-EACCES $user -k access"
        echo "-a always,exit -F arch=$arch -S creat,open,openat,truncate,ftruncate -F exit=-EPERM $user -k access"
        echo "-a always,exit -F arch=$arch -S chmod,fchmod,fchmodat $user -k perm_mod"
        echo "-a always,exit -F arch=$arch -S chown,fchown,lchown,fchownat $user -k perm_mod"
        echo "-a always,exit -F arch=$arch -S setxattr,lsetxattr,fsetxattr,removexattr,lremovexattr,fremovexattr $user -k perm_mod"
        echo "-a always,exit -F arch=$arch -S mount $user -k mounts"
        echo "-a always,exit -F arch=$arch -S unlink,unlinkat,rename,renameat $user -k delete"
    done
    echo "-a always,exit -F arch=b64 -S init_module,finit_module,delete_module,create_module,query_module $user -k kernel_modules"
    for program in /usr/bin/kmod /usr/bin/chcon /usr/bin/setfacl /usr/bin/chacl /usr/sbin/usermod; do
        echo "-a always,exit -F path=$program -F perm=x $user -k programs"
    done
    find / -xdev \( -perm -4000 -o -perm -2000 \) -type f | sort | while read -r file; do
        echo "-a always,exit -F path=$file -F perm=x $user -k privileged"
    done
    for path in /var/log/sudo.log /etc/localtime /etc/issue /etc/issue.net /etc/hosts /etc/networks /etc/network /etc/netplan /etc/group /etc/passwd \
        /etc/gshadow /etc/shadow /etc/security/opasswd /etc/nsswitch.conf /etc/pam.conf /etc/pam.d /var/run/utmp /var/log/wtmp /var/log/btmp \
        /var/log/lastlog /var/run/faillock /etc/apparmor /etc/apparmor.d; do
        echo "-w $path -p wa -k watched"
    done
    # Docker's own, should it ever come.
    for path in /usr/bin/dockerd /var/lib/docker /etc/docker; do echo "-w $path -p rwxa -k docker"; done
} > /etc/audit/rules.d/50-hardening.rules
echo '-e 2' > /etc/audit/rules.d/99-finalize.rules
chmod 640 /etc/audit/rules.d/*.rules /etc/audit/*.conf
augenrules > /dev/null 2>&1 || true
chmod 640 /etc/audit/audit.rules 2> /dev/null || true
mkdir -p /var/log/audit
chmod 750 /var/log/audit
chgrp adm /var/log/audit

if [ -d /etc/aide ]; then
    mkdir -p /etc/aide/aide.conf.d
    for tool in auditctl auditd ausearch aureport autrace augenrules; do echo "/usr/sbin/$tool p+i+n+u+g+s+b+acl+xattrs+sha512"; done > /etc/aide/aide.conf.d/99_audit_tools
    [ ! -e /lib/systemd/system/dailyaidecheck.timer ] || { mkdir -p /etc/systemd/system/timers.target.wants
        ln -sf /lib/systemd/system/dailyaidecheck.timer /etc/systemd/system/timers.target.wants/dailyaidecheck.timer; }
fi

# The boot loader asks for a password, and says what the kernel is to do. The hash is of no password.
mkdir -p /boot/grub
sed "s/KERNEL/$kernel/" > /boot/grub/grub.cfg <<'F'
set superusers="root"
password_pbkdf2 root grub.pbkdf2.sha512.10000.0123456789ABCDEF.0123456789ABCDEF
menuentry 'Debian GNU/Linux' --class debian --unrestricted $menuentry_id_option 'gnulinux-simple' {
	insmod ext2
	linux	/vmlinuz-KERNEL root=/dev/mapper/vg-root ro quiet apparmor=1 security=apparmor audit=1 audit_backlog_limit=8192
	initrd	/initrd.img-KERNEL
}
submenu 'Advanced options for Debian GNU/Linux' $menuentry_id_option 'gnulinux-advanced' {
	menuentry 'Debian GNU/Linux, with Linux KERNEL' --class debian {
		linux	/vmlinuz-KERNEL root=/dev/mapper/vg-root ro quiet apparmor=1 security=apparmor audit=1 audit_backlog_limit=8192
		initrd	/initrd.img-KERNEL
	}
}
F
chmod 600 /boot/grub/grub.cfg

# Files of accounts, and whatever anybody may write.
for file in /etc/passwd /etc/passwd- /etc/group /etc/group-; do [ ! -e "$file" ] || { chown root:root "$file"; chmod 644 "$file"; }; done
for file in /etc/shadow /etc/shadow- /etc/gshadow /etc/gshadow-; do [ ! -e "$file" ] || { chown root:shadow "$file"; chmod 640 "$file"; }; done
find / -xdev -type f -perm -0002 -exec chmod o-w {} +
find / -xdev -type d -perm -0002 ! -perm -1000 -exec chmod +t {} +
systemctl disable docker.service docker.socket containerd.service > /dev/null 2>&1 || true
