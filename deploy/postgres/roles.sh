#!/bin/bash
# Run once, when the image makes the cluster: the roles the services log in as. The migration grants them what they need.
set -euo pipefail
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" \
  --set=worker="$GONGJI_WORKER_PASSWORD" --set=reader="$GONGJI_READER_PASSWORD" \
  --set=operator="$GONGJI_OPERATOR_PASSWORD" <<'SQL'
create role gongji_worker login password :'worker';
create role gongji_reader login password :'reader';
create role gongji_operator login password :'operator';
SQL
