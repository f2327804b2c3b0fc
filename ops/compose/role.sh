#!/bin/sh
# A role with a name of its own in its group: the container's, which is the same after a restart.
set -eu
exec lockstep "$@" --instance "$HOSTNAME"
