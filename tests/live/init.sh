# The first process of a host for tests. Nothing done here is seen outside.
# $1: directory of the host. $2: name of its cgroups.
set -e
# The old /proc still tells the process id outside.
read -r pid _ < /proc/self/stat
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs tmpfs /run
# Files of the machine that may be changed.
for d in etc var/lib; do
  mkdir -p "$1/changes/$d" "$1/work/$d"
  mount -t overlay overlay -o "lowerdir=/$d,upperdir=$1/changes/$d,workdir=$1/work/$d" "/$d"
done
rm -rf /etc/docker /etc/plimsoll
mkdir -p "$1/docker" /var/lib/docker /etc/docker /etc/systemd/system
mount --bind "$1/docker" /var/lib/docker
ip link set lo up
echo "$pid" > "$1/starting"
mv "$1/starting" "$1/started"
# Until whoever wanted this is gone.
cat > /dev/null
# What is frozen cannot even be killed.
find /sys/fs/cgroup -path "*/$2/*" \( -name freezer.state -exec sh -c 'echo THAWED > "$1"' sh {} \; -o -name cgroup.freeze -exec sh -c 'echo 0 > "$1"' sh {} \; \)
