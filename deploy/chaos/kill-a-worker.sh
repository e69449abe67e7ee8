#!/bin/bash
# Kills a worker while it runs long jobs, and watches them run elsewhere. Prints who ran what, and how long it took. Ends with 0 if every
# job has completed, 1 if one is lost or ran otherwise than it should, 2 if it could not be tried. README.md beside this file.
#
#   deploy/chaos/kill-a-worker.sh                                  processes of the packaged jar, which it starts and stops
#   deploy/chaos/kill-a-worker.sh --api URL --kill 'COMMAND'       a system that runs; COMMAND gets the host of the worker
#
#   --jobs N       jobs to hand in, 1 to 200 (20)
#   --seconds N    how long each of them takes, 5 to 600 (20)
#   --limit N      seconds after the kill for all of them to complete (180)
#
# TOKEN is sent to an API that is not open. Processes of its own use MILLRACE_DATABASE_URL and MILLRACE_REDIS_URL, or embedded servers; other
# settings that begin with MILLRACE_ reach them, too. Needs curl and jq.
set -euo pipefail
. "$(dirname "$0")/common.sh"
JOBS=20
JOB_SECONDS=20
LIMIT=180
API=
KILL=
TAG=kill-a-worker-$(date +%s)-$$
# Seconds for all jobs to be running, before the kill.
RUNNING_LIMIT=30

while [ $# -gt 0 ]; do
  if [ "$1" = --help ]; then
    help
    exit 0
  fi
  [ $# -ge 2 ] || refuse "$1 has no value, or is unknown: try --help"
  case $1 in
    --api) API=${2%/} ;;
    --kill) KILL=$2 ;;
    --jobs) JOBS=$2 ;;
    --seconds) JOB_SECONDS=$2 ;;
    --limit) LIMIT=$2 ;;
    *) refuse "$1 is unknown: try --help" ;;
  esac
  shift 2
done
number --jobs "$JOBS" 1 200
number --seconds "$JOB_SECONDS" 5 600
number --limit "$LIMIT" 1 7200
[ -z "$API" ] && [ -n "$KILL" ] && refuse "--kill without --api: say which system"
[ -n "$API" ] && [ -z "$KILL" ] && refuse "--api without --kill: say how to kill one of its workers"
need_tools curl jq

# The jobs of this run, as the API lists them.
jobs_now() {
  request "$API/v1/jobs?tag=$TAG&limit=200"
}

hand_in() {
  local n answer job
  job=$(jq -nc --arg tag "$TAG" --argjson seconds "$JOB_SECONDS" \
    '{type: "sleep", tags: [$tag], timeout: "PT\($seconds + 60)S", payload: {ms: ($seconds * 1000)}}')
  for ((n = 0; n < JOBS; n++)); do
    # One by one: a single request would mostly go to one worker.
    answer=$(request "$API/v1/jobs" -d "$job") || refuse "a job was not accepted: $answer"
    jq -r .id <<<"$answer" >>"$LOGS/ids"
  done
}

await_all_running() {
  local deadline=$((SECONDS + RUNNING_LIMIT)) jobs running=0
  while true; do
    jobs=$(jobs_now) || refuse "the jobs cannot be listed: $jobs"
    running=$(jq '[.data[] | select(.running)] | length' <<<"$jobs")
    [ "$running" -lt "$JOBS" ] || break
    [ "$SECONDS" -lt "$deadline" ] || refuse "only $running of $JOBS jobs run: start workers, or take fewer or longer jobs"
    sleep 0.3
  done
  note_who_runs 0 <<<"$jobs"
}

# Writes down who runs what now: seconds since the kill, id, epoch, worker.
note_who_runs() {
  jq -r --arg at "$1" '.data[] | select(.running) | [$at, .id, .epoch, .running.worker] | @tsv' >>"$LOGS/seen"
}

since_kill() {
  awk -v now="$(date +%s.%N)" -v then="$KILLED_AT" 'BEGIN {printf "%.1f", now - then}'
}

# The worker that runs most of the jobs.
victim() {
  cut -f 4 "$LOGS/seen" | sort | uniq -c | sort -rn | awk 'NR == 1 {print $2}'
}

kill_worker() {
  local name worker=$1
  KILLED_AT=$(date +%s.%N)
  if [ -n "$KILL" ]; then
    # The name of a worker is that of its host and eight digits that are new at every start.
    $KILL "${worker%-*}" || refuse "'$KILL ${worker%-*}' did not work"
    return
  fi
  for name in "${!PIDS[@]}"; do
    if grep -q "worker $worker reads" "$LOGS/$name.log"; then
      kill_process "$name"
      return
    fi
  done
  refuse "$worker is none of our processes: do others work on the same servers?"
}

# Until all jobs have ended, or time is up.
watch_jobs() {
  local jobs now open deadline=$((SECONDS + LIMIT)) shown=
  while true; do
    # The API itself may be away for a moment when it shares a machine with what was killed.
    if jobs=$(jobs_now); then
      note_who_runs "$(since_kill)" <<<"$jobs"
      open=$(jq '[.data[] | select(.state | IN("COMPLETED", "FAILED", "CANCELLED") | not)] | length' <<<"$jobs")
      now=$(jq -r '[.data[].state] | group_by(.) | map("\(length) \(.[0])") | join(", ")' <<<"$jobs")
      [ "$now" = "$shown" ] || printf '  %6s s  %s\n' "$(since_kill)" "$now"
      shown=$now
      [ "$open" -gt 0 ] || return 0
    fi
    [ "$SECONDS" -lt "$deadline" ] || return 0
    sleep 0.5
  done
}

# The first one who ran the job with this epoch, and when that was seen.
first_seen() {
  awk -F '\t' -v id="$1" -v epoch="$2" '$2 == id && $3 == epoch {print $1 "\t" $4; exit}' "$LOGS/seen"
}

# Says of each job who ran it, and notes in $LOGS/faults what should not be.
report() {
  local victim=$1 id job state epoch lost first then_by after
  printf '\n%-36s  %-9s  %-3s  %-28s  %-28s  %s\n' job state run 'first run by' 'then by' 'after the kill'
  : >"$LOGS/faults"
  : >"$LOGS/delays"
  while read -r id; do
    job=$(request "$API/v1/jobs/$id?expand=attempts") || { echo "$id is lost: $job" >>"$LOGS/faults"; continue; }
    IFS=$'\t' read -r state epoch lost < <(jq -r '[.state, .epoch, .lost] | @tsv' <<<"$job")
    first=$(first_seen "$id" 1 | cut -f 2)
    then_by=
    after=
    if [ "$epoch" -gt 1 ]; then
      IFS=$'\t' read -r after then_by < <(first_seen "$id" "$epoch") || true
      [ -z "$after" ] || echo "$after" >>"$LOGS/delays"
    fi
    printf '%-36s  %-9s  %-3s  %-28s  %-28s  %s\n' "$id" "$state" "$epoch" "$first" "$then_by" "${after:+$after s}"
    [ "$state" = COMPLETED ] || echo "$id is $state" >>"$LOGS/faults"
    if [ "$first" = "$victim" ]; then
      [ "$lost" = 1 ] || echo "$id ran on the killed worker, and has $lost lost attempts" >>"$LOGS/faults"
      [ "$then_by" != "$victim" ] || echo "$id ran again on the killed worker" >>"$LOGS/faults"
    elif [ "$epoch" != 1 ]; then
      echo "$id ran $epoch times, and its worker $first was not killed" >>"$LOGS/faults"
    fi
  done <"$LOGS/ids"
}

start_own_processes() {
  local name
  # Its PostgreSQL and Redis outlive the killed worker only if they belong to another process.
  start_process api MILLRACE_MODE=api MILLRACE_LOCAL_DIR="$LOGS/servers"
  await_ready api
  API=$(api_of api)
  use_servers_of api
  for name in worker-1 worker-2; do
    start_process "$name" MILLRACE_MODE=worker
  done
  await_ready worker-1
  await_ready worker-2
}

if [ -n "$API" ]; then
  LOGS=$(mktemp -d)
else
  prepare_processes || exit 2
fi
clean_up_at_exit stop_processes
if [ -z "$API" ]; then
  echo "starting an API and two workers"
  start_own_processes || exit 2
fi
hand_in
await_all_running
echo "$JOBS jobs of $JOB_SECONDS s run:"
cut -f 4 "$LOGS/seen" | sort | uniq -c
VICTIM=$(victim)
[ "$(cut -f 4 "$LOGS/seen" | sort -u | wc -l)" -gt 1 ] || echo "all of them on one worker; another has to be there to run them again"
echo "killing $VICTIM"
kill_worker "$VICTIM"
watch_jobs
report "$VICTIM"
echo
if [ -s "$LOGS/faults" ]; then
  echo "FAILED:" >&2
  cat "$LOGS/faults" >&2
  exit 1
fi
sort -n "$LOGS/delays" | awk -v jobs="$JOBS" 'NR == 1 {least = $1} {most = $1}
  END {printf "all %d jobs have completed; %d ran again elsewhere, %.1f to %.1f s after the kill\n", jobs, NR, least, most}'
