#!/bin/sh
# git, killed when it is about to put its first new file in place; then the one who called it, too
calls=rename,renameat,renameat2,link,linkat
strace -f -qq -o /dev/null -e "trace=$calls" -e "inject=$calls:signal=KILL:when=1" git "$@"
kill -KILL "$PPID"
