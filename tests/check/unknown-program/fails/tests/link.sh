#!/bin/sh
exec ping -c 1 "$1"
