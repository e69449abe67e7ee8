# An API and two workers from the packaged jar, a Prometheus that scrapes them every second, and load that moves what they tell. For
# scripts, which source it, say clean_up_at_exit stop_live, and find logs and data in $LOGS. Needs prometheus, curl, jq, a JDK, and
# ./mvnw package -DskipTests. Everything listens on loopback, on free ports.

. "$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/deploy/processes.sh"
# Tries for a free port: Prometheus does not say which one it took, so it has to be given one.
PORT_TRIES=10
# Seconds for Prometheus to become ready.
PROMETHEUS_LIMIT=20
# Seconds for one request of the load.
REQUEST_LIMIT=20
# Seconds for Prometheus, and for the load with the request that is under way, to end.
OTHERS_STOP_LIMIT=25
QUEUES=default,images:4,reports:30
API=
PROMETHEUS=
LOAD_PID=
PROMETHEUS_PID=

need_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || { echo "there is no $tool: install it (Debian: apt-get install $tool)" >&2; return 1; }
  done
}

# start_live: an API with the servers, two workers, Prometheus.
start_live() {
  prepare_processes
  # Settings of the caller must not lead it to servers that are in use.
  unset "${!MILLRACE_@}"
  # What takes minutes elsewhere, like finding that a worker is gone, is to happen while somebody looks.
  export MILLRACE_QUEUES=$QUEUES MILLRACE_MAINTENANCE_CENSUS_EVERY=1s MILLRACE_MAINTENANCE_REAP_EVERY=1s \
    MILLRACE_LEASE_DURATION=5s MILLRACE_LEASE_HEARTBEAT=1s MILLRACE_LEASE_STOP_AFTER=4s
  start_process api MILLRACE_MODE=api MILLRACE_LOCAL_DIR="$LOGS/servers" MILLRACE_RATE_REQUESTS=20 MILLRACE_RATE_REQUESTS_BURST=50
  await_ready api
  API=$(api_of api)
  use_servers_of api
  start_process worker-1 MILLRACE_MODE=worker
  start_process worker-2 MILLRACE_MODE=worker
  await_ready worker-1
  await_ready worker-2
  start_prometheus api worker-1 worker-2
}

# metrics_of NAME: where its metrics are.
metrics_of() {
  echo "127.0.0.1:$(port_of "$1" 'Management interface listening on')"
}

# start_prometheus NAME...: scrapes these processes, and has the rules of this folder, if there are any.
start_prometheus() {
  local name port try rules="$LOGS/rules" folder
  folder=$(dirname "${BASH_SOURCE[0]}")/prometheus/rules
  mkdir -p "$rules"
  [ ! -d "$folder" ] || cp "$folder"/*.yml "$rules"
  {
    printf 'global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\nrule_files: ["%s/*.yml"]\n' "$rules"
    printf 'scrape_configs:\n  - job_name: millrace\n    metrics_path: /q/metrics\n    static_configs:\n'
    for name in "$@"; do
      printf '      - {targets: ["%s"], labels: {instance: %s}}\n' "$(metrics_of "$name")" "$name"
    done
  } >"$LOGS/prometheus.yml"
  for ((try = 0; try < PORT_TRIES; try++)); do
    port=$((20000 + RANDOM % 10000))
    prometheus --config.file="$LOGS/prometheus.yml" --storage.tsdb.path="$LOGS/prometheus-data" --log.level=warn \
      --web.listen-address="127.0.0.1:$port" >"$LOGS/prometheus.log" 2>&1 </dev/null &
    PROMETHEUS_PID=$!
    PROMETHEUS=http://127.0.0.1:$port
    ! is_prometheus_ready || return 0
    grep -q 'address already in use' "$LOGS/prometheus.log" || break
  done
  echo "Prometheus did not become ready:" >&2
  tail -n 20 "$LOGS/prometheus.log" >&2
  return 1
}

# Waits, and is false if it ended or took too long. Another Prometheus on its port would be ready, too.
is_prometheus_ready() {
  local deadline=$((SECONDS + PROMETHEUS_LIMIT))
  until curl -sf -m 5 -o /dev/null "$PROMETHEUS/-/ready"; do
    if ! kill -0 "$PROMETHEUS_PID" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      stop_pid "$PROMETHEUS_PID"
      return 1
    fi
    sleep 0.2
  done
  kill -0 "$PROMETHEUS_PID" 2>/dev/null
}

# stop_pid PID: SIGTERM, and SIGKILL if that does not do.
stop_pid() {
  local deadline=$((SECONDS + OTHERS_STOP_LIMIT))
  [ -n "$1" ] || return 0
  kill "$1" 2>/dev/null || true
  while kill -0 "$1" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || kill -9 "$1" 2>/dev/null || true
    sleep 0.1
  done
  wait "$1" 2>/dev/null || true
}

stop_live() {
  stop_pid "$LOAD_PID"
  stop_pid "$PROMETHEUS_PID"
  stop_processes
}

# post PATH ARGUMENT...: JSON or NDJSON, with curl's arguments.
post() {
  local path=$1 type=json
  shift
  [ "$path" != /v1/jobs/bulk ] || type=x-ndjson
  curl -sS --fail-with-body -m "$REQUEST_LIMIT" -H "Content-Type: application/$type" "$@" "$API$path"
}

# jobs_of_step N: one bulk request of about N jobs, as NDJSON: of all types that need no other server, on three queues.
jobs_of_step() {
  local n
  for ((n = 0; n < $1; n++)); do
    case $((n % 20)) in
      0) echo '{"type": "flaky", "payload": {"failures": 1}, "retry": {"base": "PT0.2S"}}' ;;
      5) echo '{"type": "sleep", "queue": "images", "payload": {"ms": 80}}' ;;
      7 | 13) echo '{"type": "sleep", "queue": "reports", "payload": {"ms": '$((100 + RANDOM % 900))'}}' ;;
      9) echo '{"type": "clock", "queue": "reports", "delay": "PT'$((1 + RANDOM % 5))'S"}' ;;
      17) echo '{"type": "clock", "priority": "high"}' ;;
      3 | 11 | 15) echo '{"type": "sleep", "payload": {"ms": '$((5 + RANDOM % 120))'}}' ;;
      *) echo '{"type": "echo", "payload": {"hello": "world"}}' ;;
    esac
  done
}

# More jobs than the four slots of their queue take at once.
burst() {
  local n
  for ((n = 0; n < 300; n++)); do
    echo '{"type": "sleep", "queue": "images", "payload": {"ms": 80}}'
  done
}

# What happens seldom, or to single jobs: given up at once and after retries, a repeat, a cancelled one, more requests than allowed.
rare_events() {
  local id
  {
    post /v1/jobs -d '{"type": "fail", "payload": {"permanent": true}}'
    post /v1/jobs -d '{"type": "fail", "queue": "reports", "retry": {"maxAttempts": 2, "base": "PT0.1S"}}'
    post /v1/jobs -H "Idempotency-Key: $1" -d '{"type": "echo"}'
    post /v1/jobs -H "Idempotency-Key: $1" -d '{"type": "echo"}'
  } >/dev/null
  id=$(post /v1/jobs -d '{"type": "sleep", "payload": {"ms": 60000}}' | jq -r .id)
  post "/v1/jobs/$id/cancel" -X POST -o /dev/null
  curl -sS -m "$REQUEST_LIMIT" -o /dev/null "$API/v1/jobs?limit=[1-150]"
}

# start_load: goes on until stop_live, also after a request that failed (load.log says which); a step every fourth of a second, with more
# jobs and fewer in turn.
start_load() {
  (
    set +e
    trap 'exit 0' TERM
    for ((step = 0; ; step++)); do
      jobs_of_step $((8 + 24 * (step / 40 % 3))) | post /v1/jobs/bulk --data-binary @- -o /dev/null
      post /v1/jobs -d '{"type": "echo"}' -o /dev/null "$API/v1/jobs" -o /dev/null "$API/v1/jobs" -o /dev/null
      [ $((step % 160)) -ne 80 ] || burst | post /v1/jobs/bulk --data-binary @- -o /dev/null
      [ $((step % 40)) -ne 1 ] || rare_events "repeat-$step"
      sleep 0.25
    done
  ) >"$LOGS/load.log" 2>&1 </dev/null &
  LOAD_PID=$!
}
