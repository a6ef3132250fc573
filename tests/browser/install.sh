#!/bin/sh
# Installs what `make test-browser` needs: chromium and fonts from Debian (as root), the program
# that drives it from PyPI into .venv, and axe, which knows the rules of accessibility, from npm.
set -eu
cd "$(dirname "$0")"

apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium fonts-inter fonts-jetbrains-mono pngquant
command -v npm >/dev/null || apt-get install -y -qq --no-install-recommends nodejs npm
npm ci --prefix node --no-audit --no-fund
cd ../..
make install
.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,browser]'
