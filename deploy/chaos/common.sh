# What the scripts of this folder have in common. They source it, with their description as the first comment of their file.

. "$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/processes.sh"

refuse() {
  echo "${0##*/}: $1" >&2
  exit 2
}

# help: the description, as the file has it.
help() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//p}' "$0"
}

# number OPTION TEXT LEAST MOST
number() {
  [[ $2 =~ ^[0-9]{1,6}$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || refuse "$1 is '$2': give a number from $3 to $4"
}

need_tools() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || refuse "there is no $tool: install it"
  done
}

# request ARGUMENT...: of curl; sends TOKEN.
request() {
  local headers=(-H 'Content-Type: application/json')
  [ -z "${TOKEN:-}" ] || headers+=(-H "Authorization: Bearer $TOKEN")
  curl -sS --fail-with-body -m 20 "${headers[@]}" "$@"
}
