#!/bin/sh
# eKuiper runs this once, in the unpacked plugin's folder, with the shellParas of the install call: [LABELER_URL [TOKEN]].
# Nothing is downloaded and no pip is run: the plugin needs Python itself and no package. This looks for the Python that the
# engine will start, and writes the address and token into config.json.
set -eu
cd "$(dirname "$0")"

python=${KUIPER__PORTABLE__PYTHONBIN:-}
if [ -z "$python" ] && [ -r ../../../etc/kuiper.yaml ]; then
  python=$(sed -n 's/^[[:space:]]*pythonBin:[[:space:]]*["'\'']\{0,1\}\([^"'\''#[:space:]]*\).*/\1/p' ../../../etc/kuiper.yaml | head -n 1)
fi
python=${python:-python}
command -v "$python" >/dev/null || {
  echo "eKuiper would start this plugin with \`$python\`, which is not here. Install Python 3.7 or newer, or set" \
    "KUIPER__PORTABLE__PYTHONBIN=python3 in the engine's environment and restart it." >&2
  exit 1
}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 7))' || {
  echo "\`$python\` is $("$python" --version 2>&1); the plugin needs Python 3.7 or newer: set KUIPER__PORTABLE__PYTHONBIN." >&2
  exit 1
}

if [ $# -gt 0 ]; then
  "$python" - "$@" <<'PY'
import json, os, sys
with open("config.json", encoding="utf-8") as file:
    config = json.load(file)
config.update(zip(("url", "token"), sys.argv[1:]))
with open("config.json", "w", encoding="utf-8") as file:
    json.dump(config, file, indent=2)
os.chmod("config.json", 0o600)
PY
fi
echo "The labeler plugin runs on $("$python" --version 2>&1)."
