#!/bin/sh
# Runs `dws serve` as the service of compose.yaml, on the workspace /data/service.
#
# Others reach it, so it refuses to begin where nobody could be let in. The first token is thrown
# away as it is made: nothing prints or keeps it, and whoever may use Docker here makes a real one.
set -eu

if [ "$(dws token list --format json)" = "[]" ]; then
    dws token create --name "nobody's: it was thrown away" >/dev/null 2>&1
    echo "Nobody has a token yet: docker compose exec service dws token create --name YOU" >&2
fi
exec dws-entrypoint serve --host 0.0.0.0 --port 8790 --data /data/service "$@"
