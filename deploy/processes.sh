# Starts processes of the packaged application, on free ports and on loopback only, and stops what it started. For scripts, which
# source it, say clean_up_at_exit, and find the logs in $LOGS. Needs a JDK, curl, and `./mvnw package -DskipTests`.

JAR=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/target/quarkus-app/quarkus-run.jar
# Seconds for a process to become ready: the embedded servers are unpacked at their first start.
START_LIMIT=90
# Seconds for a process to end after SIGTERM: requests, drain and last writes (docs/operations.md), and its embedded servers.
STOP_LIMIT=90
LOGS=
declare -A PIDS=()
# The names in the order of their start.
STARTED=()

# prepare_processes: a folder for logs and data.
prepare_processes() {
  if [ ! -f "$JAR" ]; then
    echo "there is no $JAR: run ./mvnw package -DskipTests" >&2
    return 1
  fi
  mkdir -p "${JAR%/quarkus-app/*}/processes"
  LOGS=$(mktemp -d "${JAR%/quarkus-app/*}/processes/XXXXXX")
}

# start_process NAME VARIABLE=VALUE...: does not wait. Variables of the caller that begin with MILLRACE_ count, too.
start_process() {
  local name=$1
  shift
  : >"$LOGS/$name.log" # port_of may read it before the process has begun
  env MILLRACE_AUTH="${MILLRACE_AUTH:-open}" MILLRACE_HTTP_HOST=127.0.0.1 MILLRACE_HTTP_PORT=0 MILLRACE_MANAGEMENT_HOST=127.0.0.1 \
    MILLRACE_MANAGEMENT_PORT=0 MILLRACE_LOG_FORMAT=text "$@" java -XX:TieredStopAtLevel=1 -Xmx256m -jar "$JAR" >"$LOGS/$name.log" 2>&1 </dev/null &
  PIDS[$name]=$!
  STARTED+=("$name")
}

# port_of NAME PHRASE: the port that its log names behind the phrase.
port_of() {
  sed -n "/$2 http:/{s/.*$2 http:\/\/[^ :]*:\([0-9]*\).*/\1/p;q}" "$LOGS/$1.log"
}

# api_of NAME: the address of its API.
api_of() {
  echo "http://127.0.0.1:$(port_of "$1" 'Listening on:')"
}

is_ready() {
  local port
  port=$(port_of "$1" 'Management interface listening on')
  [ -n "$port" ] && curl -sf -m 5 -o /dev/null "http://127.0.0.1:$port/q/health/ready"
}

# await_ready NAME: fails with its log if it ends before, or takes longer than START_LIMIT.
await_ready() {
  local deadline=$((SECONDS + START_LIMIT))
  until is_ready "$1"; do
    if ! kill -0 "${PIDS[$1]}" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      echo "$1 did not become ready:" >&2
      tail -n 40 "$LOGS/$1.log" >&2
      return 1
    fi
    sleep 0.2
  done
}

# stop_process NAME: SIGTERM, and SIGKILL if that does not do.
stop_process() {
  local pid=${PIDS[$1]:-} deadline=$((SECONDS + STOP_LIMIT))
  [ -n "$pid" ] || return 0
  unset "PIDS[$1]"
  kill "$pid" 2>/dev/null || true
  while kill -0 "$pid" 2>/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "$1 did not stop within $STOP_LIMIT s: killed; its last lines are" >&2
      tail -n 5 "$LOGS/$1.log" >&2
      kill -9 "$pid" 2>/dev/null || true
    fi
    sleep 0.2
  done
  wait "$pid" 2>/dev/null || true
}

# kill_process NAME: SIGKILL.
kill_process() {
  local pid=${PIDS[$1]}
  unset "PIDS[$1]"
  kill -9 "$pid"
  wait "$pid" 2>/dev/null || true
}

# stop_processes: the last one first, because the first one may have the embedded servers.
stop_processes() {
  local n
  for ((n = ${#STARTED[@]} - 1; n >= 0; n--)); do
    stop_process "${STARTED[n]}"
  done
}

# use_servers_of NAME: what is started from here on uses its embedded servers, if it has some.
use_servers_of() {
  [ -f "$LOGS/servers/servers.env" ] || return 0
  set -a
  . "$LOGS/servers/servers.env"
  set +a
}

# clean_up_at_exit COMMAND: has it called when the script ends, however it does; it stops what was started. Then the logs are removed, unless
# the script has failed.
clean_up_at_exit() {
  CLEAN_UP=$1
  trap 'clean_up $?' EXIT
  trap 'exit 130' INT TERM
}

clean_up() {
  trap - EXIT
  "$CLEAN_UP"
  if [ "$1" -eq 0 ]; then
    rm -rf "$LOGS"
  elif [ -n "$LOGS" ]; then
    echo "${0##*/} has failed; logs and notes: $LOGS" >&2
  fi
  exit "$1"
}
