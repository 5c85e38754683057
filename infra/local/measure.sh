#!/usr/bin/env bash
# Measures what infra/README.md reports about the local stack: the time from start to the first response, and the memory
# when idle. Builds the stack first. Uses its own data directory and a free port, and stops by itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
cargo build --quiet
binary=target/debug/tidemark
data=$(mktemp -d)
stack=''
trap '[ -z "$stack" ] || kill "$stack" 2>/dev/null || true; rm -rf "$data"' EXIT

# Prints the milliseconds since 1970.
now() { echo $(($(date +%s%N) / 1000000)); }

# Starts the stack and prints the milliseconds until its first response.
start() {
  local started url='' token=''
  started=$(now)
  "$binary" --listen 127.0.0.1:0 --data-dir "$data" >"$data/out" 2>"$data/err" &
  stack=$!
  for _ in $(seq 500); do
    url=$(sed -n 's/.*export TIDEMARK=//p' "$data/out")
    token=$(sed -n 's/.*export TOKEN=\([^ ]*\).*/\1/p' "$data/out")
    if [ -n "$token" ] && curl -sf "$url/v1/usage" -H "Authorization: Bearer $token" >/dev/null; then
      echo $(($(now) - started))
      return
    fi
    sleep 0.01
  done
  echo "no response within five seconds" >&2
  return 1
}

start >"$data/first"
kill "$stack"
wait "$stack" || true
start >"$data/again"
sleep 5
memory=$(ps -o rss= -p "$stack")
echo "first answer after the very first start: $(cat "$data/first") ms"
echo "first answer after a later start:        $(cat "$data/again") ms"
echo "memory when idle:                        $((memory / 1024)) MB"
