#!/bin/sh
# A pump that is no pump: each movement is a line of its log. What it is told takes a moment.
#   pump.sh STATE LOG
sleep 0.03
echo "$1 ${CLAWMESH_INTENT:--}" >> "$2"
