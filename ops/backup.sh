#!/usr/bin/env bash
# A dump of Tieout's database into a folder, for cron: docs/backup.md.
#
#   DATABASE_URL=postgresql://... ops/backup.sh FOLDER [KEEP]
#
# A dump that is not whole never gets its name. The newest KEEP dumps stay (168 when none is said: a week of hours).
set -euo pipefail
umask 077

if [ $# -lt 1 ] || [ $# -gt 2 ] || ! [[ "${2:-168}" =~ ^[1-9][0-9]*$ ]]; then
    echo "backup: what is needed is ops/backup.sh FOLDER [KEEP], KEEP being how many dumps stay." >&2
    exit 2
fi
if [ -z "${DATABASE_URL:-}" ]; then
    echo "backup: DATABASE_URL is not set." >&2
    exit 2
fi
folder=$1 keep=${2:-168}
mkdir -p "$folder"
dump=$folder/tieout-$(date -u +%Y%m%dT%H%M%SZ).dump
trap 'rm -f "$dump.part"' EXIT

pg_dump --format=custom --no-password --file="$dump.part" "$DATABASE_URL"
pg_restore --list "$dump.part" | grep 'TABLE DATA .* sync_posting ' >/dev/null # it can be read, and is ours
mv "$dump.part" "$dump"
echo "backup: $dump ($(du -h "$dump" | cut -f1))"

find "$folder" -maxdepth 1 -name 'tieout-*.dump' | sort -r | tail -n +$((keep + 1)) | while read -r old; do
    rm -f "$old"
done
