#!/bin/bash
# One backup of the database with its roles, FOLDER/pointsman-<instant>.sql.gz; those older than DAYS (14) are removed.
#
#   IN='docker compose exec -T postgres' PGUSER=pointsman deploy/backup.sh FOLDER [DAYS]    # of docker-compose.yml
#   PGHOST=… PGUSER=… PGPASSWORD=… deploy/backup.sh FOLDER [DAYS]                            # of any other server
#
# Exit code 0: the file is whole. What was only begun is a .part, and nobody's backup.
set -euo pipefail
umask 077
folder=${1:?say into which folder}
days=${2:-14}
mkdir -p "$folder"
file=$folder/pointsman-$(date -u +%Y-%m-%dT%H%M%SZ).sql.gz
trap 'rm -f "$file.part"' EXIT
# IN is a command and its arguments.
# shellcheck disable=SC2086
${IN:-} pg_dumpall ${PGUSER:+--username "$PGUSER"} | gzip > "$file.part"
# Read to its end: what a disk that was full has cut says so here.
gzip -dc "$file.part" | tail -n 5 | grep -q 'cluster dump complete'
mv "$file.part" "$file"
find "$folder" -name 'pointsman-*.sql.gz' -mtime "+$days" -delete
echo "$file"
