#!/bin/sh
# Installs what `make test-cluster` runs besides PyPI's packages: Debian's Ceph, as root (200 MB).
set -eu

apt-get update -qq
apt-get install -y -qq --no-install-recommends ceph-common ceph-mon ceph-osd radosgw
