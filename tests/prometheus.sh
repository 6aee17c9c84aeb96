#!/bin/sh
# Put `prometheus` and `promtool` into a folder: those of the machine, or Debian's and Ubuntu's package, unpacked without root.
set -eu
folder=$1
mkdir -p "$folder/bin"
for program in prometheus promtool; do
    found=$(command -v "$program" || true)
    [ -z "$found" ] || ln -sf "$found" "$folder/bin/$program"
done
[ -x "$folder/bin/prometheus" ] && [ -x "$folder/bin/promtool" ] && exit 0
command -v apt-get >/dev/null && command -v dpkg >/dev/null || {
    echo 'no Prometheus is installed, and there is no apt-get to get it with' >&2
    exit 1
}
cd "$folder"
apt-get download -qq prometheus >/dev/null
dpkg -x prometheus_*.deb root
rm prometheus_*.deb
ln -sf ../root/usr/bin/prometheus bin/prometheus
ln -sf ../root/usr/bin/promtool bin/promtool
bin/prometheus --version >/dev/null
