#!/bin/sh
# Copies the results of a labeler into a new folder, while the labeler runs or not. A copy is a snapshot: it has every result
# that was acknowledged before the copy began. Needs sqlite3 3.27 or newer. Run it as the labeler's user.
#
#   backup.sh [--keep N] STATE TARGET
#
# STATE is the folder that --state names. TARGET receives a folder for each copy, named by its time in UTC; with --keep, only
# the newest N of those stay. docs/how-to/operate.md says how to restore one.
set -eu
umask 077

usage() {
  echo "usage: backup.sh [--keep N] STATE TARGET" >&2
  exit 2
}
fail() {
  echo "backup.sh: $1" >&2
  exit 1
}

keep=
if [ "${1:-}" = --keep ]; then
  keep=${2:-}
  case $keep in '' | *[!0-9]* | 0) usage ;; esac
  shift 2
fi
[ $# -eq 2 ] || usage
state=${1%/} target=${2%/}

command -v sqlite3 > /dev/null || fail "sqlite3 is not installed. On Debian: apt install sqlite3"
[ -d "$state/results" ] || fail "$state is not the state folder of a labeler: it does not contain the folder results."
mkdir -p "$target"
target=$(cd "$target" && pwd)

# A copy that was begun in this second has its name.
until name=$(date -u +%Y%m%dT%H%M%SZ) && partial=$target/.$name.partial && [ ! -e "$target/$name" ] && [ ! -e "$partial" ]; do
  sleep 0.1
done
mkdir "$partial"
trap 'rm -rf "$partial"' EXIT
trap 'exit 1' HUP INT TERM

# A database in use has a -wal beside it, without which a plain copy would miss the newest rows. VACUUM INTO reads one
# snapshot, never blocks the labeler, and leaves out what was deleted.
found=
cd "$state"
find results -name '*.sqlite' > "$partial/files"
while IFS= read -r file; do
  found=1
  mkdir -p "$partial/$(dirname "$file")"
  case $partial/$file in *\'*) fail "$partial/$file has a quote in it; choose another folder." ;; esac
  sqlite3 -bail "$file" ".timeout 10000" "VACUUM INTO '$partial/$file'"
  [ "$(sqlite3 "$partial/$file" 'PRAGMA integrity_check')" = ok ] || fail "the copy of $file is damaged."
done < "$partial/files"
rm "$partial/files"
[ -n "$found" ] || fail "$state does not contain any results yet."

# On disk before it has its name: a folder without the suffix is complete.
sync
mv "$partial" "$target/$name"
trap - EXIT
echo "$target/$name"

[ -n "$keep" ] || exit 0
cd "$target"
ls -1d [0-9]*T[0-9]*Z | sort -r | tail -n "+$((keep + 1))" | while IFS= read -r old; do rm -r "$old"; done
