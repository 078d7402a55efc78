#!/bin/bash
# Settings from NEO4J_name, the first password from NEO4J_AUTH or the file NEO4J_AUTH_FILE, and
# the server in the foreground, as Neo4j's published image has it.
set -euo pipefail
home=/var/lib/neo4j
java=/opt/java/bin/java
mkdir -p "$home/conf"
conf=$home/conf/neo4j.conf

if [ -n "${NEO4J_AUTH_FILE:-}" ]; then
    NEO4J_AUTH=$(<"$NEO4J_AUTH_FILE")
fi
heap=()
{
    cat "$home/standin.conf"
    for name in "${!NEO4J_@}"; do
        case $name in NEO4J_AUTH | *_FILE) continue ;; esac
        setting=$(sed 's/^NEO4J_//; s/_/./g; s/\.\./_/g' <<<"$name")
        case $setting in
        server.memory.heap.initial_size) heap+=("-Xms${!name}") ;;
        server.memory.heap.max_size) heap+=("-Xmx${!name}") ;;
        *) echo "$setting=${!name}" ;;
        esac
    done
    [ "${NEO4J_AUTH:-}" != none ] || echo dbms.security.auth_enabled=false
} >"$conf"

case ${NEO4J_AUTH:-} in
"" | none) ;;
neo4j/*)
    if [ ! -e /data/dbms/auth.ini ] && [ ! -e /data/databases ]; then
        NEO4J_HOME=$home NEO4J_CONF=$home/conf "$java" -cp "$home/lib/*" \
            org.neo4j.server.startup.Neo4jAdminCommand \
            dbms set-initial-password "${NEO4J_AUTH#neo4j/}"
    fi
    ;;
*)
    echo "Invalid value for NEO4J_AUTH: neo4j/PASSWORD or none is expected" >&2
    exit 1
    ;;
esac
unset NEO4J_AUTH
exec "$java" "${heap[@]:--Xmx512m}" $(<"$home/java.options") -cp "$home/lib/*" \
    "$(<"$home/main.class")" --home-dir="$home" --config-dir="$home/conf" --console-mode
