#!/bin/sh
# Runs `dws`. DWS_GRAPH_AUTH_FILE names a secret that holds USER/PASSWORD, as the image of Neo4j
# takes it too: it enters the environment of this process, never that of the image or container.
set -eu

refuse() {
    printf 'Error: %s\nHint: %s\n' "$1" "$2" >&2
    exit 1
}

if [ -n "${DWS_GRAPH_AUTH_FILE:-}" ]; then
    [ -r "$DWS_GRAPH_AUTH_FILE" ] ||
        refuse "user $(id -u) cannot read $DWS_GRAPH_AUTH_FILE, which DWS_GRAPH_AUTH_FILE names" \
            "Mount the secret there, readable to that user (docs/docker.md)."
    auth=$(cat "$DWS_GRAPH_AUTH_FILE")
    case $auth in
    ?*/?*) ;;
    *) refuse "$DWS_GRAPH_AUTH_FILE does not hold USER/PASSWORD" "Write it as neo4j/PASSWORD." ;;
    esac
    DWS_GRAPH_USER=${auth%%/*}
    DWS_GRAPH_PASSWORD=${auth#*/}
    export DWS_GRAPH_USER DWS_GRAPH_PASSWORD
fi
exec dws "$@"
