#!/bin/bash
# Replaces every API and every worker while jobs are handed in, as a rolling update of deploy/k8s does, and counts what became of each
# request and each job. Ends with 0 if none was lost, 1 if one was, 2 if it could not be tried. README.md beside this file.
#
#   deploy/chaos/rolling-restart.sh [options]
#
#   --rate N         jobs handed in a second, 10 to 500 (100)
#   --apis N         API processes, 2 to 4 (2)
#   --workers N      worker processes, 2 to 4 (2)
#   --layer N        what the balancer is: 4, of connections, as a Service of Kubernetes, or 7, of requests, as an ingress (4)
#   --before N       seconds of load before the first restart, for comparison, 3 to 600 (20)
#   --pre-stop N     seconds between leaving the balancer and SIGTERM, 0 to 60 (5)
#   --grace N        seconds in which a process has to have ended then, 1 to 600 (85)
#   --long N         seconds that some jobs take, longer than the drain, or none is handed back, 3 to 300 (30); all others 0.2 to 2 s
#   --long-every N   one job in so many is a long one, 1 to 1000 (100)
#   --limit N        seconds behind the last restart for all jobs to complete, 1 to 3600 (120)
#
# Starts processes of the packaged jar, and HAProxy before them. They use MILLRACE_DATABASE_URL and MILLRACE_REDIS_URL, or embedded servers;
# other settings that begin with MILLRACE_ reach them, too. TOKEN is sent with each request: with MILLRACE_AUTH=required, of the database
# named. Needs a JDK, haproxy, psql, curl and jq.
set -euo pipefail
. "$(dirname "$0")/common.sh"
RATE=100
APIS=2
WORKERS=2
LAYER=4
BEFORE=20
PRE_STOP=5
GRACE=85
LONG=30
LONG_EVERY=100
LIMIT=120
TAG=rolling-restart-$(date +%s)-$$
# Places that the balancer has for APIs: more than are there at any time.
PLACES=16
# Jobs of the API's longest page.
PAGE=200
# Seconds for the load generator to be compiled and to begin, and for its last answers.
CALLERS_LIMIT=60
# Tries to find free ports for the balancer.
PORT_TRIES=20

while [ $# -gt 0 ]; do
  if [ "$1" = --help ]; then
    help
    exit 0
  fi
  [ $# -ge 2 ] || refuse "$1 has no value, or is unknown: try --help"
  case $1 in
    --rate) RATE=$2 ;;
    --apis) APIS=$2 ;;
    --workers) WORKERS=$2 ;;
    --layer) LAYER=$2 ;;
    --before) BEFORE=$2 ;;
    --pre-stop) PRE_STOP=$2 ;;
    --grace) GRACE=$2 ;;
    --long) LONG=$2 ;;
    --long-every) LONG_EVERY=$2 ;;
    --limit) LIMIT=$2 ;;
    *) refuse "$1 is unknown: try --help" ;;
  esac
  shift 2
done
number --rate "$RATE" 10 500
number --apis "$APIS" 2 4
number --workers "$WORKERS" 2 4
[ "$LAYER" = 4 ] || [ "$LAYER" = 7 ] || refuse "--layer is '$LAYER': give 4 or 7"
number --before "$BEFORE" 3 600
number --pre-stop "$PRE_STOP" 0 60
number --grace "$GRACE" 1 600
number --long "$LONG" 3 300
number --long-every "$LONG_EVERY" 1 1000
number --limit "$LIMIT" 1 3600
HAPROXY=${HAPROXY:-$(PATH=$PATH:/usr/sbin:/sbin command -v haproxy || true)}
[ -n "$HAPROXY" ] || refuse "there is no haproxy: install it (apt-get install haproxy), or name it in HAPROXY"
need_tools psql curl jq

now_ms() {
  date +%s%3N
}

# seconds MILLISECONDS
seconds() {
  awk -v ms="$1" 'BEGIN {printf "%.1f", ms / 1000}'
}

# --- The balancer ---

# No retry, and no request sent to another API than the first one: what it hid would not be proven. Nobody is taken out of it because a
# check failed, either: what Kubernetes forgets at once when a pod is deleted, the script takes out, and checks come every second.
write_balancer_config() {
  local mode=tcp place
  [ "$LAYER" = 4 ] || mode=http
  cat <<CONFIG
global
  stats socket ipv4@127.0.0.1:$2 level admin
defaults
  mode $mode
  retries 0
  no option redispatch
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout queue 5s
  timeout check 3s
frontend api
  bind 127.0.0.1:$1
  default_backend apis
backend apis
  balance roundrobin
  option httpchk GET /q/health/ready
CONFIG
  for ((place = 1; place <= PLACES; place++)); do
    echo "  server place$place 127.0.0.1:1 check port 1 inter 1s fall 2 rise 1 disabled"
  done
}

start_balancer() {
  local try
  for ((try = 0; try < PORT_TRIES; try++)); do
    # Below the ports that the system gives to clients.
    BALANCER_PORT=$((10000 + RANDOM % 20000))
    CONTROL_PORT=$((BALANCER_PORT + 1))
    write_balancer_config "$BALANCER_PORT" "$CONTROL_PORT" >"$LOGS/haproxy.cfg"
    "$HAPROXY" -db -f "$LOGS/haproxy.cfg" >"$LOGS/haproxy.log" 2>&1 </dev/null &
    BALANCER=$!
    if await_balancer; then
      return
    fi
    wait "$BALANCER" 2>/dev/null || true
    BALANCER=
  done
  cat "$LOGS/haproxy.log" >&2
  refuse "haproxy did not start, on $PORT_TRIES pairs of ports"
}

# It answers, or has ended.
await_balancer() {
  while kill -0 "$BALANCER" 2>/dev/null; do
    if balancer "show info" 2>/dev/null | grep -q "^Pid: $BALANCER\$"; then
      return 0
    fi
    sleep 0.1
  done
  return 1
}

# balancer COMMAND: tells it, and prints its answer.
balancer() {
  local control
  exec {control}<>"/dev/tcp/127.0.0.1/$CONTROL_PORT" || return 1
  echo "$1" >&"$control"
  cat <&"$control"
  exec {control}>&-
}

# lead_to NAME: from here on it gets new connections.
lead_to() {
  local place management
  management=$(port_of "$1" 'Management interface listening on')
  place=place$((${#PLACE_OF[@]} + 1))
  PLACE_OF[$1]=$place
  {
    balancer "set server apis/$place addr 127.0.0.1 port $(port_of "$1" 'Listening on:')"
    balancer "set server apis/$place check-port $management"
    balancer "set server apis/$place state ready"
  } >>"$LOGS/balancer.log"
}

# lead_away_from NAME: no new connections; those that are open stay, as with a Service of Kubernetes.
lead_away_from() {
  balancer "set server apis/${PLACE_OF[$1]} state maint" >>"$LOGS/balancer.log"
}

# --- The restarts ---

start_api() {
  start_process "$1" MILLRACE_MODE=api MILLRACE_API_DRAIN="${MILLRACE_API_DRAIN:-5s}"
}

start_worker() {
  start_process "$1" MILLRACE_MODE=worker
}

# retire NAME: what the kubelet does with a pod that is deleted. Does not wait.
retire() {
  local pid=${PIDS[$1]}
  RETIRED+=("$1")
  (
    sleep "$PRE_STOP"
    begin=$(now_ms)
    kill "$pid" 2>/dev/null
    deadline=$((SECONDS + GRACE))
    # Gone, once the shell that started it has seen its end.
    while kill -0 "$pid" 2>/dev/null && [ "$SECONDS" -lt "$deadline" ]; do
      sleep 0.05
    done
    kill -9 "$pid" 2>/dev/null && echo "$1 had not ended $GRACE s after SIGTERM" >>"$LOGS/faults"
    echo $(($(now_ms) - begin)) >"$LOGS/$1.stopped"
  ) &
}

# await_retired: and note how they ended.
await_retired() {
  local name code
  for name in "${RETIRED[@]}"; do
    code=0
    wait "${PIDS[$name]}" || code=$?
    unset "PIDS[$name]"
    echo "$code" >"$LOGS/$name.code"
    [ "$code" = 0 ] || echo "$name ended with $code" >>"$LOGS/faults"
    until [ -s "$LOGS/$name.stopped" ]; do
      sleep 0.05
    done
  done
}

# start_successor KIND OLD NEW
start_successor() {
  local begin
  begin=$(now_ms)
  start_"$1" "$3"
  await_ready "$3" || exit 2
  echo $(($(now_ms) - begin)) >"$LOGS/$2.replaced"
}

# maxUnavailable 0, maxSurge 1: the next one is ready before an old one goes, and nobody waits for that to be gone.
roll_apis() {
  local n
  for ((n = 1; n <= APIS; n++)); do
    start_successor api "api-$n" "new-api-$n"
    lead_to "new-api-$n"
    lead_away_from "api-$n"
    retire "api-$n"
  done
}

# maxUnavailable 1: an old one goes at once, and the next one of them when the new one is ready.
roll_workers() {
  local n
  for ((n = 1; n <= WORKERS; n++)); do
    retire "worker-$n"
    start_successor worker "worker-$n" "new-worker-$n"
  done
}

# --- The load ---

start_callers() {
  java -XX:TieredStopAtLevel=1 -Xmx256m -cp "$(dirname "$JAR")/lib/main/*" "$(dirname "$0")/Callers.java" "$API" "$TAG" "$RATE" \
    $((LONG * 1000)) "$LONG_EVERY" "$LOGS/answers" "$LOGS/stop-callers" >"$LOGS/callers.log" 2>&1 </dev/null &
  CALLERS=$!
  local deadline=$((SECONDS + CALLERS_LIMIT))
  until [ -s "$LOGS/answers" ]; do
    if ! kill -0 "$CALLERS" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
      cat "$LOGS/callers.log" >&2
      refuse "the callers did not begin"
    fi
    sleep 0.1
  done
}

stop_callers() {
  local deadline=$((SECONDS + CALLERS_LIMIT))
  touch "$LOGS/stop-callers"
  while kill -0 "$CALLERS" 2>/dev/null; do
    [ "$SECONDS" -lt "$deadline" ] || refuse "the callers did not end"
    sleep 0.1
  done
  wait "$CALLERS" || refuse "the callers failed: $(tail -n 3 "$LOGS/callers.log")"
  CALLERS=
}

# --- What became of it ---

# sql STATEMENT: :'tag' in it is the tag of this run.
sql() {
  psql -X -q -At -F $'\t' -v ON_ERROR_STOP=1 -v tag="$TAG" "$DATABASE" <<<"$1"
}

await_jobs() {
  local deadline=$((SECONDS + LIMIT)) open
  while true; do
    open=$(sql "select count(*) from job where tags @> array[:'tag'] and state not in ('COMPLETED', 'FAILED', 'CANCELLED')")
    [ "$open" -gt 0 ] && [ "$SECONDS" -lt "$deadline" ] || return 0
    sleep 0.5
  done
}

# The jobs of this run as the API lists them, a page after the other: id, state, attempt.
list_jobs() {
  local page cursor=
  while true; do
    page=$(request -G "$API/v1/jobs" -d "tag=$TAG" -d "limit=$PAGE" ${cursor:+--data-urlencode "cursor=$cursor"}) \
      || refuse "the jobs cannot be listed: $page"
    jq -r '.data[] | [.id, .state, .attempt] | @tsv' <<<"$page"
    cursor=$(jq -r '.nextCursor // empty' <<<"$page")
    [ -n "$cursor" ] || return 0
  done
}

# count NAME: lines of a file of the run.
count() {
  wc -l <"$LOGS/$1"
}

# fault COUNT WHAT: if there are any.
fault() {
  [ "$1" = 0 ] || echo "$1 $2" >>"$LOGS/faults"
}

# latencies FROM UNTIL (ms): of the requests that were due between, all that hand in a job: how many, failed, p50, p99, max.
latencies() {
  awk -F '\t' -v from="$1" -v until="$2" '$1 >= from && $1 < until && $2 != "wait" {print $3 "\t" ($4 != 201)}' "$LOGS/answers" |
    sort -n | awk '{ms[NR] = $1; failed += $2}
      function at(share, n) {n = int(NR * share); return ms[n < NR * share ? n + 1 : n]}
      END {if (NR) print NR, failed + 0, at(0.5), at(0.99), ms[NR]; else print "0 0 - - -"}'
}

report() {
  local from until name requests failed p50 p99 max kept new long_ones again listed stored
  printf '\n%-22s  %9s  %7s  %8s  %8s  %8s\n' 'jobs handed in' requests failed 'p50, ms' 'p99, ms' 'max, ms'
  while read -r name from until; do
    read -r requests failed p50 p99 max < <(latencies "$from" "$until")
    printf '%-22s  %9s  %7s  %8s  %8s  %8s\n' "$name" "$requests" "$failed" "$p50" "$p99" "$max"
  done <"$LOGS/phases"

  printf '\n%-14s  %16s  %26s  %9s\n' restarted 'new one ready, s' 'ended behind SIGTERM, s' 'exit code'
  for name in "${RETIRED[@]}"; do
    printf '%-14s  %16s  %26s  %9s\n' "$name" "$(seconds "$(<"$LOGS/$name.replaced")")" "$(seconds "$(<"$LOGS/$name.stopped")")" \
      "$(<"$LOGS/$name.code")"
  done

  awk -F '\t' '$2 != "wait" && $4 == 201 {print $5}' "$LOGS/answers" | sort >"$LOGS/accepted"
  awk -F '\t' '$4 != ($2 == "wait" ? 200 : 201)' "$LOGS/answers" >"$LOGS/failed"
  list_jobs | sort >"$LOGS/listed"
  cut -f 1 "$LOGS/listed" >"$LOGS/listed-ids"
  awk -F '\t' '$2 == "COMPLETED" {print $1}' "$LOGS/listed" >"$LOGS/completed"
  sql "select id, state, failures, lost, epoch, (payload ->> 'ms')::int from job where tags @> array[:'tag']" |
    sort >"$LOGS/stored"
  cut -f 1 "$LOGS/stored" >"$LOGS/stored-ids"
  comm -23 "$LOGS/accepted" "$LOGS/stored-ids" >"$LOGS/lost"
  comm -13 "$LOGS/accepted" "$LOGS/stored-ids" >"$LOGS/unanswered"
  comm -23 "$LOGS/accepted" "$LOGS/completed" >"$LOGS/not-completed"
  # An attempt counts if it failed, or if its worker was lost; one that was handed back does not.
  awk -F '\t' '$3 != 0 || $4 != 0' "$LOGS/stored" >"$LOGS/twice"
  awk -F '\t' '$3 != 1' "$LOGS/listed" >>"$LOGS/twice"
  awk -F '\t' '$5 > 1' "$LOGS/stored" >"$LOGS/handed-back"
  awk -F '\t' -v long=$((LONG * 1000)) '$6 < long' "$LOGS/handed-back" >"$LOGS/short-handed-back"

  echo
  printf '%-58s %7s\n' \
    'requests: jobs handed in, and questions that wait for an end' "$(count answers)" \
    '  failed' "$(count failed)" \
    'jobs accepted' "$(count accepted)" \
    '  completed, as the API says' "$(count completed)" \
    '  completed, as PostgreSQL says' "$(awk -F '\t' '$2 == "COMPLETED"' "$LOGS/stored" | wc -l)" \
    '  lost' "$(count lost)" \
    '  stored, but never answered' "$(count unanswered)" \
    '  with an attempt too many' "$(count twice)" \
    '  handed back by a worker, and run elsewhere' "$(count handed-back)" \
    '    of those that would have ended in time' "$(count short-handed-back)" \
    '  dead letters' "$(awk -F '\t' '$2 == "FAILED"' "$LOGS/stored" | wc -l)"

  fault "$(count failed)" "requests failed; the first of them: $(cut -f 2,4,5 "$LOGS/failed" | head -n 1)"
  fault "$(count lost)" "jobs are lost"
  fault "$(count unanswered)" "jobs are stored whose request failed"
  fault "$(count not-completed)" "jobs have not completed"
  fault "$(count twice)" "jobs have an attempt that should not have been"
  fault "$(count short-handed-back)" "jobs were handed back though they are shorter than the drain"
  cmp -s "$LOGS/listed-ids" "$LOGS/stored-ids" || echo "the API does not list the jobs that are stored" >>"$LOGS/faults"
}

stop_all() {
  local pid
  for pid in "${CALLERS:-}" "${BALANCER:-}"; do
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  done
  stop_processes
}

start_system() {
  local n
  if [ -z "${MILLRACE_DATABASE_URL:-}" ]; then
    # PostgreSQL and Redis outlive the restarts only if they belong to a process that is not restarted.
    start_process servers MILLRACE_MODE=api MILLRACE_LOCAL_DIR="$LOGS/servers"
    await_ready servers || exit 2
    use_servers_of servers
  fi
  DATABASE=$MILLRACE_DATABASE_URL
  for ((n = 1; n <= APIS; n++)); do
    start_api "api-$n"
  done
  for ((n = 1; n <= WORKERS; n++)); do
    start_worker "worker-$n"
  done
  for ((n = 1; n <= APIS; n++)); do
    await_ready "api-$n" || exit 2
    lead_to "api-$n"
  done
  for ((n = 1; n <= WORKERS; n++)); do
    await_ready "worker-$n" || exit 2
  done
}

declare -A PLACE_OF=()
RETIRED=()
BALANCER=
CALLERS=
prepare_processes || exit 2
: >"$LOGS/faults"
clean_up_at_exit stop_all
start_balancer
API=http://127.0.0.1:$BALANCER_PORT
echo "starting $APIS APIs and $WORKERS workers behind a balancer of layer $LAYER"
start_system
echo "$RATE jobs a second, $BEFORE s of them before the first restart"
start_callers
# What compiles in the first seconds is not what a restart is compared with.
WARM=$(now_ms)
sleep "$BEFORE"
APIS_BEGIN=$(now_ms)
echo "replacing the APIs"
roll_apis
WORKERS_BEGIN=$(now_ms)
echo "replacing the workers"
roll_workers
await_retired
END=$(now_ms)
stop_callers
await_jobs
printf '%s\n' "before $WARM $APIS_BEGIN" "APIs-replaced $APIS_BEGIN $WORKERS_BEGIN" "workers-replaced $WORKERS_BEGIN $END" \
  "all 0 $(now_ms)" >"$LOGS/phases"
report
echo
if [ -s "$LOGS/faults" ]; then
  echo "FAILED:" >&2
  cat "$LOGS/faults" >&2
  exit 1
fi
[ "$(count handed-back)" -gt 0 ] || refuse "no job was handed back: take more and longer ones (--long-every, --long), or a shorter MILLRACE_WORKER_DRAIN"
echo "no request and no job was lost; $APIS APIs and $WORKERS workers were replaced in $(seconds $((END - APIS_BEGIN))) s"
