#!/bin/sh
# Run once, when the database is made. The role may log in; the migration 0006_dashboards lets it read views, and no table.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
\set password `cat /run/secrets/grafana_reader`
CREATE ROLE lockstep_grafana LOGIN CONNECTION LIMIT 10 PASSWORD :'password';
ALTER ROLE lockstep_grafana SET default_transaction_read_only = on;
ALTER ROLE lockstep_grafana SET statement_timeout = '15s';
SQL
