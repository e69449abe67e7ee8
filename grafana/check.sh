#!/bin/bash
# Runs every query of every dashboard, and every alert and recording rule if there are any, against a live Prometheus: an API and two
# workers, load that moves what they tell, and a worker that is killed. Fails on an error, on no data, on nothing but NaN, on a metric
# that nobody exports, and on a legend or variable that is not there. Holds /q/metrics against `promtool check metrics`, too.
# Takes about a minute, and stops what it started.
#
#   grafana/check.sh                the dashboards of this folder
#   grafana/check.sh --self-test    breaks copies of them afterwards, and fails if that is not seen
#
# Needs prometheus and promtool, curl, jq, a JDK, and ./mvnw package -DskipTests.
set -euo pipefail
GRAFANA=$(cd "$(dirname "$0")" && pwd)
. "$GRAFANA/live.sh"
# Seconds for the load to move everything, and then for every query to have data.
MOVED_LIMIT=60
DATA_LIMIT=30
# Four scrapes, as Grafana makes of $__rate_interval.
RATE_INTERVAL=4s
SELF_TEST=${1:-}

# What has to have happened before it makes sense to look: then every panel has something to show.
MOVED='millrace_attempts_total{outcome="completed"}
millrace_attempts_total{outcome="retried"}
millrace_attempts_total{outcome="dead_lettered"}
millrace_attempts_total{outcome="cancelled"}
millrace_reconciled_total{reason="lease_expired"}
millrace_dispatched_total{way="accepted"}
millrace_dispatched_total{way="promoted"}
millrace_dispatched_total{way="relayed"}
millrace_idempotent_replays_total{place="hint"}
millrace_requests_rate_limited_total{limit="requests"}
millrace_batches_total{batch="insert with keys"}
millrace_queue_depth{queue="reports",state="waiting"}
millrace_dead_letters
millrace_promotion_lateness_seconds_count
jvm_gc_pause_seconds_count'

ask() {
  curl -s -m 10 --data-urlencode "query=$1" "$PROMETHEUS/api/v1/query"
}

# A worker dies while it runs jobs. One by one they are spread over both; a single request would mostly go to one.
kill_a_worker() {
  local n
  for ((n = 0; n < 20; n++)); do
    post /v1/jobs -o /dev/null -d '{"type": "sleep", "payload": {"ms": 10000}}'
  done
  await_moved 'millrace_in_flight{instance="worker-2"}'
  kill_process worker-2
}

await_moved() {
  local deadline=$((SECONDS + MOVED_LIMIT))
  until ask "sum($1) > 0" | jq -e '.data.result | length > 0' >/dev/null; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "the load has not moved $1 in $MOVED_LIMIT s" >&2
      return 1
    fi
    sleep 0.5
  done
}

await_all_moved() {
  local metric
  while read -r metric; do
    await_moved "$metric"
  done <<<"$MOVED"
}

# exported_names FILE: an object whose keys are the names that Prometheus knows.
exported_names() {
  curl -sf -m 10 "$PROMETHEUS/api/v1/label/__name__/values" | jq 'INDEX(.data[]; .)' >"$1"
}

# targets_of FOLDER: every query of its dashboards, one JSON object a line.
targets_of() {
  local file
  for file in "$1"/*.json; do
    jq -c -L "$GRAFANA" --arg file "$(basename "$file")" 'include "check"; targets($file)' "$file"
  done
}

# problems_of TARGETS FAILED: prints them, and writes the queries that have some to FAILED.
problems_of() {
  local target expr told
  : >"$2"
  while read -r target; do
    expr=$(jq -r -L "$GRAFANA" --arg interval "$RATE_INTERVAL" \
      'include "check"; .variables as $variables | .expr | filled_in($variables; $interval)' <<<"$target")
    told=$(ask "$expr" | jq -r -L "$GRAFANA" --argjson target "$target" --arg expr "$expr" --slurpfile known "$LOGS/names" \
      'include "check"; problems($target; $expr; $known[0])') || told="$expr: Prometheus did not answer"
    if [ -n "$told" ]; then
      echo "$told"
      echo "$target" >>"$2"
    fi
  done <"$1"
}

# A query may be early: what fails is asked again until the time is up.
check_dashboards() {
  local deadline=$((SECONDS + DATA_LIMIT)) count problems
  targets_of "$GRAFANA/dashboards" >"$LOGS/targets"
  count=$(wc -l <"$LOGS/targets")
  cp "$LOGS/targets" "$LOGS/open"
  while true; do
    problems=$(problems_of "$LOGS/open" "$LOGS/failed")
    if [ -z "$problems" ]; then
      echo "$count queries of $(find "$GRAFANA/dashboards" -name '*.json' | wc -l) dashboards have data"
      return 0
    fi
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "$problems" >&2
      echo "$(wc -l <"$LOGS/failed") of $count queries are broken" >&2
      return 1
    fi
    mv "$LOGS/failed" "$LOGS/open"
  done
}

# Rules may be silent, but have to be understood, and to name what is there.
check_rules() {
  local rules problems
  if [ ! -d "$GRAFANA/prometheus/rules" ]; then
    echo "there are no rules to check"
    return 0
  fi
  promtool check rules "$GRAFANA"/prometheus/rules/*.yml
  rules=$(curl -sf -m 10 "$PROMETHEUS/api/v1/rules")
  # What one rule records, others may use, also if it has had nothing to record yet.
  problems=$(jq -r -L "$GRAFANA" --slurpfile names "$LOGS/names" 'include "check";
    [.data.groups[].rules[]] as $rules
    | ($names[0] + INDEX($rules[] | select(.type == "recording"); .name)) as $known
    | $rules[]
    | (.query | unknown_names($known + {ALERTS: 1})[]) as $name | "rule \(.name): nobody exports \($name)"' <<<"$rules"
    jq -r '.data.groups[].rules[] | select(.health == "err") | "rule \(.name): \(.lastError)"' <<<"$rules")
  if [ -n "$problems" ]; then
    echo "$problems" >&2
    return 1
  fi
  echo "$(jq '[.data.groups[].rules[]] | length' <<<"$rules") rules name what is exported"
}

# What Quarkus and its libraries call theirs is theirs to know.
check_metrics() {
  local name told code
  for name in api worker-1; do
    code=0
    told=$(curl -sf -m 10 -H 'Accept: text/plain' "http://$(metrics_of "$name")/q/metrics" | promtool check metrics 2>&1) || code=$?
    # 3: it could be read, and something is to be said about it.
    if [ "$code" -ne 0 ] && [ "$code" -ne 3 ] || grep '^millrace_' <<<"$told"; then
      echo "promtool check metrics does not like those of $name: $told" >&2
      return 1
    fi
  done
  echo "promtool check metrics has nothing to say about ours"
}

# broken NAME EXPECTED JQ-FILTER: a copy with a fault, which has to be seen and to be told.
broken() {
  local copy="$LOGS/broken" told
  rm -rf "$copy"
  mkdir "$copy"
  jq "$3" "$GRAFANA/dashboards/overview.json" >"$copy/overview.json"
  if cmp -s <(jq . "$GRAFANA/dashboards/overview.json") "$copy/overview.json"; then
    echo "self-test: $1 has changed nothing" >&2
    return 1
  fi
  targets_of "$copy" >"$LOGS/open"
  told=$(problems_of "$LOGS/open" "$LOGS/failed")
  if ! grep -q "$2" <<<"$told"; then
    echo "self-test: $1 was not seen: ${told:-no problem}" >&2
    return 1
  fi
  echo "self-test: $1 is seen: $(grep -m 1 "$2" <<<"$told" | cut -c 1-150)"
}

self_test() {
  local first='.panels[] | select(.title == "Slots and jobs in flight") | .targets[0]'
  broken 'a misspelt metric' 'nobody exports millrace_worker_slot$' "($first | .expr) |= sub(\"_slots\"; \"_slot\")"
  broken 'a metric that is not there' 'no data for' "($first | .expr) |= sub(\"_slots\"; \"_slot\")"
  broken 'a value of a label that is not there' 'no data for' '(.panels[].targets[]?.expr) |= sub("completed.dead_lettered.cancelled"; "done")'
  broken 'a bracket too few' 'parse error' "($first | .expr) |= rtrimstr(\")\")"
  broken 'a legend without its label' 'the legend names queue' "($first | .legendFormat) = \"{{queue}}\""
  broken 'a variable that is not there' 'there is no variable \$jobs' "($first | .expr) |= sub(\"job=\"; \"instance!=\\\"\$jobs\\\", job=\")"
  broken 'a division of nothing by nothing' 'only NaN' "($first | .expr) = \"0 * millrace_worker_slots / 0\""
}

case $SELF_TEST in
  '' | --self-test) ;;
  *) echo "check.sh: $SELF_TEST is unknown; there is --self-test" >&2; exit 2 ;;
esac
need_tools prometheus promtool curl jq
clean_up_at_exit stop_live
start_live
start_load
kill_a_worker
await_all_moved
exported_names "$LOGS/names"
check_metrics
check_dashboards
check_rules
[ -z "$SELF_TEST" ] || self_test
