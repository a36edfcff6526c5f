# Sourced by the bash scripts of tests/: finds the service's binary, starts and stops the demo,
# installs packages.
# shellcheck shell=bash

# Prints the path of the binary: $CUSTOMER_INTEGRATION_BIN, or else the debug build.
service_binary() {
  local root binary
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  binary=${CUSTOMER_INTEGRATION_BIN:-${CARGO_TARGET_DIR:-$root/target}/debug/customer-integration}
  if [[ ! -x $binary ]]; then
    echo "no binary at $binary; run \`cargo build\` first, or name one in CUSTOMER_INTEGRATION_BIN" >&2
    return 1
  fi
  realpath "$binary"
}

# start_service BINARY DIRECTORY [NAME=VALUE…]: starts the demo on a free port, with its data in the
# new DIRECTORY and with the given settings only. Sets SERVICE_PID, SERVICE (its origin), BASE and
# TOKEN.
start_service() {
  local binary=$1 directory=$2 name deadline=$((SECONDS + 60))
  shift 2
  mkdir "$directory"
  : >"$directory/stdout"
  local clean=(env -C "$directory")
  # settings in the environment of the caller must not reach the service
  while IFS= read -r name; do
    [[ $name =~ ^(BIND_|BODY_|CORS_|DATABASE_|DECISION_|HEADER_|JWT_|LOG_|MAX_CONCURRENT_|METRICS_|MIGRATE_|OTEL_|PAGE_|PUBLIC_|RATE_|REQUEST_|RUST_LOG|SHUTDOWN_|WORKER_) ]] && clean+=(-u "$name")
  done < <(compgen -e)
  "${clean[@]}" BIND_ADDRESS=127.0.0.1:0 "$@" "$binary" serve --demo \
    </dev/null >"$directory/stdout" 2>"$directory/stderr" &
  SERVICE_PID=$!
  until TOKEN=$(sed -n 's/^export TOKEN=//p' "$directory/stdout") && [[ -n $TOKEN ]]; do
    if ! kill -0 "$SERVICE_PID" 2>/dev/null || ((SECONDS >= deadline)); then
      echo "the service did not start; its log:" >&2
      cat "$directory/stderr" >&2
      stop_service
      return 1
    fi
    sleep 0.05
  done
  BASE=$(sed -n 's/^export BASE=//p' "$directory/stdout")
  # shellcheck disable=SC2034 # used by the scripts
  SERVICE=${BASE%/api/v1}
}

# demo_token BINARY DIRECTORY SCOPES: prints a token of the demo that start_service started there.
demo_token() {
  env -C "$2" "$1" token --demo --scope "$3"
}

# Stops the service with SIGTERM, and after 30 seconds with SIGKILL. Does nothing if none is
# running.
stop_service() {
  local pid=${SERVICE_PID:-} deadline=$((SECONDS + 30))
  SERVICE_PID=
  [[ -n $pid ]] || return 0
  kill -TERM "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    if ((SECONDS >= deadline)); then
      echo "the service did not stop within 30 seconds, so it is killed" >&2
      kill -KILL "$pid" 2>/dev/null || true
      break
    fi
    sleep 0.05
  done
  wait "$pid" 2>/dev/null || true
}

# Installs the given Debian packages, if any.
install_packages() {
  (($#)) || return 0
  local as_root=()
  ((EUID == 0)) || as_root=(sudo -n)
  echo "installing $*"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "$@"
}
