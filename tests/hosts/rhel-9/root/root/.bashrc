alias rm='rm -i'
