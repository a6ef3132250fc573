#!/bin/sh
# Installs what `make test-readers` opens archives with: Debian packages (as root), then yauzl.
set -eu
cd "$(dirname "$0")"

apt-get update -qq
apt-get install -y -qq --no-install-recommends unzip p7zip-full libarchive-tools
command -v java >/dev/null || apt-get install -y -qq --no-install-recommends default-jdk-headless
command -v npm >/dev/null || apt-get install -y -qq --no-install-recommends nodejs npm
npm ci --prefix node --no-audit --no-fund
