#!/usr/bin/env bash
# Counts fans: a test in Bash that speaks the worker's protocol.
set -eu

# Sends a request and waits for its answer, which is left in `answer`. One request at a time, so the next line is the answer.
request() {
    printf '{"jsonrpc":"2.0","id":"%s","method":"%s","params":%s}\n' "$1" "$2" "$3" >&"$TLC_PROTOCOL_WRITE_FD"
    IFS= read -r answer <&"$TLC_PROTOCOL_READ_FD"
    if [[ $answer =~ \"error\" ]]; then
        finish error "$2 was refused"
    fi
}

# Sends a message without an answer.
notify() {
    printf '{"jsonrpc":"2.0","method":"%s","params":%s}\n' "$1" "$2" >&"$TLC_PROTOCOL_WRITE_FD"
}

finish() {
    notify finished "{\"outcome\":\"$1\",\"message\":\"$2\"}"
    exit 0
}

# The first message tells who we are and what to do.
IFS= read -r start <&"$TLC_PROTOCOL_READ_FD"
[[ $start =~ \"method\":\ *\"start\" ]]
printf '{"jsonrpc":"2.0","id":1,"result":{"protocol":%s,"worker":"fans.sh"}}\n' "$TLC_PROTOCOL" >&"$TLC_PROTOCOL_WRITE_FD"
[[ $start =~ \"count\":\ *([0-9]+) ]]
count=${BASH_REMATCH[1]}

notify heading '{"text":{"en-US":"Counting fans","de-DE":"Lüfter werden gezählt"}}'
echo "there are $count fans"

# The list declares the limits, and the runtime judges.
request m1 measurement "{\"name\":\"fans\",\"value\":$count,\"unit\":\"1\"}"
[[ $answer =~ \"passed\" ]] || finish failed "too few fans"

# The working directory is ours alone; a file that is to stay is attached.
printf 'fan,rpm\n1,2400\n2,2380\n' > fans.csv
request a1 attachment '{"name":"fans.csv","path":"fans.csv","media_type":"text/csv"}'

request p1 prompt '{"prompt":"turning","kind":"pass_fail","text":{"en-US":"Do all fans turn?"},"timeout_secs":60}'
if [[ $answer =~ \"answer\":\ *true ]]; then
    notify result '{"name":"all turn","outcome":"passed"}'
else
    notify result '{"name":"all turn","outcome":"failed","message":"the operator said no"}'
fi

# Values that other tests of the run, and later runs, can read.
request d1 data.set '{"space":"run","key":"fans","value":true}'
request d2 data.increment '{"space":"cache","key":"boards"}'

finish passed "$count fans"
