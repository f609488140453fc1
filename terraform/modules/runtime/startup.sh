#!/usr/bin/env bash
# Runs at every boot: Docker with its data on the data disk and its logs in Cloud Logging, and what was deployed last.
set -euo pipefail
export HOME=/root PATH="$PATH:/snap/bin"

disk=/dev/disk/by-id/google-data
blkid "$disk" >/dev/null || mkfs.ext4 -q "$disk"
mkdir -p /srv/tributary
mountpoint -q /srv/tributary || mount -o discard,defaults "$disk" /srv/tributary

mkdir -p /etc/docker
cat >/etc/docker/daemon.json <<'JSON'
{"data-root": "/srv/tributary/docker", "log-driver": "gcplogs", "log-opts": {"gcp-log-cmd": "false", "labels": "com.docker.compose.service"}}
JSON
if ! command -v docker >/dev/null; then
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -qy docker.io docker-compose-v2
fi
command -v gcloud >/dev/null || snap install google-cloud-cli --classic
systemctl restart docker
zone=$(curl -fsS -H "Metadata-Flavor: Google" http://metadata.google.internal/computeMetadata/v1/instance/zone)
zone=${zone##*/}
gcloud auth configure-docker "${zone%-*}-docker.pkg.dev" --quiet

cd /srv/tributary
echo tributary-env >secret
if [ -s current ]; then ./deploy.sh start; fi
