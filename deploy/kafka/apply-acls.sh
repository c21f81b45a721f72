#!/bin/bash
# Gives every login its lines of acls.csv, with Kafka's own tool; lines that are there already stay.
#   apply-acls.sh BOOTSTRAP_SERVER [OPTION…]
# The options go to kafka-acls.sh as they are, e.g. --command-config admin.properties. Settings:
#   GONGJI_TOPIC_PREFIX  gongji
#   KAFKA_ACLS           the tool, where it is not kafka-acls.sh on the PATH
#   GONGJI_KAFKA_LOGINS  how a login is called at the broker, where not by its name here: "setup=ops audit=ops arrears=ops"
set -euo pipefail
[[ $# -ge 1 ]] || { sed -n '2,8p' "$0" >&2; exit 2; }
server=$1
shift
prefix=${GONGJI_TOPIC_PREFIX:-gongji}
declare -A called=()
for pair in ${GONGJI_KAFKA_LOGINS:-}; do called[${pair%%=*}]=${pair#*=}; done
{
  read -r _
  while IFS=, read -r login resource name pattern operation; do
    # Not from the list: the tool would read the rest of it.
    "${KAFKA_ACLS:-kafka-acls.sh}" --bootstrap-server "$server" "$@" --add --force \
      --allow-principal "User:${called[$login]:-$login}" --operation "$operation" \
      "--$resource" "${name//PREFIX/$prefix}" --resource-pattern-type "$pattern" </dev/null >/dev/null
    echo "$login may $operation $resource ${name//PREFIX/$prefix}"
  done
} <"$(dirname "$0")/acls.csv"
