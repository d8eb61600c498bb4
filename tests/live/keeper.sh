# Keeps a host for tests: runs it, and clears up after it when its standard input ends, however that came about.
# $1: directory of the host. $2: name of its cgroups.
unshare --mount --net --pid --ipc --uts --fork --kill-child sh "$1/init.sh" "$1" "$2"
# With the first process of the namespaces gone, so is everything in them. Cgroups stay.
while read -r _ mount type _; do
  case $type in
    cgroup | cgroup2) [ ! -d "$mount/$2" ] || find "$mount/$2" -depth -type d -exec rmdir {} + ;;
  esac
done < /proc/mounts
rm -rf --one-file-system "$1"
