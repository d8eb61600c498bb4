TMOUT=900
readonly TMOUT
export TMOUT
umask 027
