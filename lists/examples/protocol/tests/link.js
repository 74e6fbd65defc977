#!/usr/bin/env node
// Checks a network link: a test in JavaScript that speaks the worker's protocol.
"use strict";

const fs = require("fs");
const net = require("net");
const readline = require("readline");

const reads = Number(process.env.TLC_PROTOCOL_READ_FD);
const writes = Number(process.env.TLC_PROTOCOL_WRITE_FD);
const waiting = new Map();
let next = 1;

function send(message) {
  const line = Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
  for (let sent = 0; sent < line.length; ) {
    sent += fs.writeSync(writes, line, sent);
  }
}

// Sends a message without an answer.
function notify(method, params) {
  send({ method, params });
}

// Sends a request; answers may come in another order.
function request(method, params) {
  const id = `r${next++}`;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    send({ id, method, params });
  });
}

async function test(start) {
  const speed = start.args.speed;
  notify("heading", { text: { "en-US": "Checking the link", "de-DE": "Die Verbindung wird geprüft" } });
  notify("identity", { dut: { info: { link: "copper" } } });

  // Two requests at once: the measurement need not wait for the operator.
  const cable = request("prompt", {
    prompt: "cable",
    kind: "scan",
    text: { "en-US": "Scan the cable" },
    pattern: "CAT[0-9]-[0-9]{6}",
  });
  const judged = await request("measurement", { name: "link_speed", value: speed, unit: "Mbit/s" });
  console.log(`the link is ${judged.outcome}, its cable is ${(await cable).answer}`);

  await request("measurement", {
    name: "loss",
    max: -10,
    series: [
      { name: "frequency", unit: "MHz", values: [1, 10, 100] },
      { name: "loss", unit: "dB", values: [-12.5, -12.1, -11.9] },
    ],
  });

  const kept = await request("attachment", { name: "link.txt", text: `${speed} Mbit/s\n`, media_type: "text/plain" });
  notify("log", { level: "info", text: `kept ${kept.size} bytes` });

  const led = await request("prompt", {
    prompt: "1",
    kind: "buttons",
    text: "Which colour has the LED?",
    buttons: [
      { label: "Green", value: "green" },
      { label: "Dark", value: "dark" },
    ],
  });
  notify("result", { name: "LED", outcome: led.answer === "green" ? "passed" : "failed", message: led.answer });

  await request("data.set", { space: "run", key: "link", value: { speed } });
  const read = await request("data.get", { space: "run", key: "link" });
  if (read.value.speed !== speed) {
    throw new Error("what was written was not read");
  }
  const missing = await request("data.get", { space: "run", key: "nothing" }).catch((error) => error.code);
  if (missing !== -32004) {
    throw new Error(`a key that is not there gave ${missing}`);
  }
  return { outcome: "passed", message: `${speed} Mbit/s` };
}

async function run(message) {
  send({ id: message.id, result: { protocol: 1, worker: "link.js" } });
  let end;
  try {
    end = await test(message.params);
  } catch (error) {
    end = { outcome: "error", message: String(error.message), traceback: error.stack };
  }
  notify("finished", end);
  process.exit(0);
}

// A socket, not a file: a file is read by a thread of its own, which would keep the process from ending.
readline
  .createInterface({ input: new net.Socket({ fd: reads, readable: true, writable: false }) })
  .on("line", (line) => {
    const message = JSON.parse(line);
    const asked = waiting.get(message.id);
    if (message.method === "start") {
      run(message);
    } else if (asked) {
      waiting.delete(message.id);
      if (message.error) {
        asked.reject(Object.assign(new Error(message.error.message), { code: message.error.code }));
      } else {
        asked.resolve(message.result);
      }
    }
  })
  // The runtime is gone.
  .on("close", () => process.exit(1));
