#!/usr/bin/env bash
# Tests the local stack against its OpenAPI document for two minutes, with requests that the document allows and with
# requests that it does not allow. The tool is schemathesis, configured in tests/schemathesis.toml. The script builds the
# stack first. It uses a free port on the loopback interface and stores nothing. The first argument is the schemathesis
# program.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly schemathesis=${1:-schemathesis}

# All packages are built, so that cargo reuses what `cargo test --workspace` has compiled.
cargo build --quiet --workspace --bin tidemark
directory=$(mktemp -d)
stack=''
trap '[ -z "$stack" ] || kill "$stack" 2>/dev/null || true; rm -rf "$directory"' EXIT
target/debug/tidemark --listen 127.0.0.1:0 --in-memory >"$directory/out" 2>"$directory/err" &
stack=$!

# Prints the value of a variable in the stack's output.
exported() {
  sed -n "s/^ *export $1=\([^ ]*\).*/\1/p" "$directory/out"
}

for _ in $(seq 100); do
  [ -z "$(exported OPERATOR_TOKEN)" ] || break
  sleep 0.1
done
url=$(exported TIDEMARK) TOKEN=$(exported TOKEN) OPERATOR_TOKEN=$(exported OPERATOR_TOKEN)
export TOKEN OPERATOR_TOKEN
if [ -z "$OPERATOR_TOKEN" ]; then
  cat "$directory/err" >&2
  echo "the local stack did not start" >&2
  exit 1
fi

# Posts JSON and prints the response.
post() {
  curl -sf "$url$1" -H "Authorization: Bearer $2" -H 'Content-Type: application/json' -d "$3"
}
# The ids of forms cannot be generated. The native form and the provider's form are in an account of their own, so that
# no request deletes them.
account=$(post /v1/accounts "$OPERATOR_TOKEN" '{"name": "Forms", "term": "annual", "renewal_date": "2026-01-01"}')
ACCOUNT=$(printf %s "$account" | sed 's/.*"id":"\(acc_[^"]*\)".*/\1/')
ACCOUNT_TOKEN=$(printf %s "$account" | sed 's/.*"token":"\([^"]*\)".*/\1/')
FORM_SECRET=the-secret-of-the-form
form() {
  post /v1/forms "$ACCOUNT_TOKEN" "$1" | sed 's/.*"id":"\(frm_[^"]*\)".*/\1/'
}
NATIVE_FORM=$(form '{"name": "Native"}')
HOOK_FORM=$(form "{\"name\": \"Hook\", \"provider\": \"generic\", \"secrets\": [\"$FORM_SECRET\"]}")
export ACCOUNT ACCOUNT_TOKEN FORM_SECRET NATIVE_FORM HOOK_FORM

status=0
PYTHONPATH=tests "$schemathesis" --config-file tests/schemathesis.toml run "$url/v1/openapi.json" || status=$?
# The stack logs faults only to this file.
cat "$directory/err" >&2
exit "$status"
