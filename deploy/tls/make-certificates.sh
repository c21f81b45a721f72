#!/bin/bash
# Makes a certificate authority of one's own (once) and a certificate signed by it, for trying TLS out and for tests. An installation takes
# its certificates from the authority it has.
#   make-certificates.sh DIRECTORY NAME HOST[,HOST…] [FROM UNTIL]
# writes DIRECTORY/ca.pem (to be trusted), NAME.pem (the certificate), NAME.key, and NAME.keystore.pem (both, as Kafka takes them).
# FROM and UNTIL are times as YYYYMMDDHHMMSSZ; without them it is good for 90 days from now.
set -euo pipefail
umask 077
[[ $# -eq 3 || $# -eq 5 ]] || { sed -n '2,6p' "$0" >&2; exit 2; }
directory=$1 name=$2 hosts=$3
validity=(-days 90)
[[ $# -eq 5 ]] && validity=(-startdate "$4" -enddate "$5")
mkdir -p "$directory"
cd "$directory"

newkey=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
if [[ ! -e ca.pem ]]; then
  openssl req -x509 "${newkey[@]}" -keyout ca.key -out ca.pem -days 3650 -subj "/CN=Gongji's own authority" 2>/dev/null
fi

names=
IFS=, read -ra each <<<"$hosts"
for host in "${each[@]}"; do
  if [[ $host =~ ^[0-9.]+$|: ]]; then names+=${names:+,}IP:$host; else names+=${names:+,}DNS:$host; fi
done

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index"
cat >"$work/ca.cnf" <<EOF
[ca]
default_ca = own
[own]
database = $work/index
new_certs_dir = $work
default_md = sha256
policy = any
rand_serial = yes
unique_subject = no
x509_extensions = for_server_and_client
[any]
commonName = supplied
[for_server_and_client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth,clientAuth
subjectAltName = $names
EOF
openssl req -new "${newkey[@]}" -keyout "$name.key" -out "$work/request" -subj "/CN=$name" 2>/dev/null
openssl ca -batch -notext -config "$work/ca.cnf" -cert ca.pem -keyfile ca.key -in "$work/request" -out "$name.pem" "${validity[@]}" 2>"$work/log" ||
  { cat "$work/log" >&2; exit 1; }
cat "$name.key" "$name.pem" >"$name.keystore.pem"
chmod 644 ca.pem "$name.pem"
