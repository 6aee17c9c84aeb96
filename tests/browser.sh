#!/bin/sh
# Chromium from the distribution's packages and axe-core from npm, into the folder $1: what tests of the page look with.
set -eu
folder=$1
mkdir -p "$folder"
if ! command -v chromium >/dev/null; then
	[ "$(id -u)" = 0 ] || { echo 'Chromium is not installed: apt-get install chromium' >&2; exit 1; }
	apt-get update -q >/dev/null
	DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends chromium >/dev/null
fi
ln -sf "$(command -v chromium)" "$folder/chromium"
cd "$folder"
archive=$(npm pack --silent axe-core@4.14.1)
tar -xzf "$archive" package/axe.min.js
mv package/axe.min.js axe.min.js
rm -rf package "$archive"
