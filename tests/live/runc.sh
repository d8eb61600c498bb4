#!/bin/sh
# Stands in for runc where root itself lacks CAP_SYS_RESOURCE, which makes runc refuse what needs it: takes that out of what
# the container is to be. What its engine says of it stays as it was asked for.
for word; do
  spec=
  case $last in
    --bundle | -b) spec=$word/config.json ;;
    --process | -p) spec=$word ;;
  esac
  [ ! -f "$spec" ] || sed -i -e 's/"CAP_SYS_RESOURCE",//g; s/,"CAP_SYS_RESOURCE"//g; s/\["CAP_SYS_RESOURCE"\]/[]/g' -e 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$spec"
  last=$word
done
exec RUNC "$@"
