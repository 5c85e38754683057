#!/usr/bin/env bash
# Tests the local stack against its OpenAPI document for two minutes, with requests that the document allows and requests that
# it does not (schemathesis, set up in tests/schemathesis.toml). Builds the stack first. Takes a free port on the loopback
# interface, keeps nothing, and stops by itself. The first argument is the schemathesis to run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly schemathesis=${1:-schemathesis}

# With all packages, so that what `cargo test --workspace` has compiled serves here as well.
cargo build --quiet --workspace --bin tidemark
directory=$(mktemp -d)
stack=''
trap '[ -z "$stack" ] || kill "$stack" 2>/dev/null || true; rm -rf "$directory"' EXIT
target/debug/tidemark --listen 127.0.0.1:0 --in-memory >"$directory/out" 2>"$directory/err" &
stack=$!

# Prints the value that the stack says to export under this name.
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

# Posts JSON and prints the answer.
post() {
  curl -sf "$url$1" -H "Authorization: Bearer $2" -H 'Content-Type: application/json' -d "$3"
}
# Paths that can't be guessed: a form and a provider's form in an account of their own, so that no request deletes them.
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
# A fault is logged here and nowhere else.
cat "$directory/err" >&2
exit "$status"
