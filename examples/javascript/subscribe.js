// Prints the events that paynorm publishes, one a line, as JSON:
//
//   npm ci && node subscribe.js [--server ADDRESS] [--durable NAME] [--count N] [SUBJECT...]
//
// Events are protobuf or JSON, as paynorm is configured, and content-type says
// which. For protobuf, a descriptor set of the messages is enough; no code is
// generated. Either way the result is the same standard JSON.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createFileRegistry, fromBinary, toJson } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    server: { type: "string", default: "127.0.0.1:4222" },
    durable: { type: "string", default: "javascript" },
    count: { type: "string", default: "0" },
    descriptors: { type: "string", default: new URL("../../docs/events.binpb", import.meta.url).pathname },
  },
});
const subjects = positionals.length > 0 ? positionals : ["payments.v1.>"];

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(flags.descriptors)));

// decode returns what a message holds. Members and enum values that are newer
// than the descriptor set are passed over, or come as numbers.
function decode(message) {
  if (message.headers?.get("content-type")?.startsWith("application/json")) {
    return message.json();
  }
  const schema = registry.getMessage(message.headers.get("ce-type"));
  return toJson(schema, fromBinary(schema, message.data));
}

// handled holds the names of the last events. What a handler does should be
// safe to do again for the same name: delivery is at least once.
const handled = new Set();

function once(name) {
  if (handled.has(name)) return false;
  handled.add(name);
  if (handled.size > 65536) handled.delete(handled.values().next().value);
  return true;
}

const connection = await connect({ servers: flags.server, name: "paynorm javascript example" });
const manager = await jetstreamManager(connection);
await manager.consumers.add("PAYNORM_EVENTS", {
  durable_name: flags.durable,
  filter_subjects: subjects,
  ack_policy: AckPolicy.Explicit,
  deliver_policy: DeliverPolicy.All,
  max_ack_pending: 1, // keeps the order
});
const consumer = await jetstream(connection).consumers.get("PAYNORM_EVENTS", flags.durable);
const messages = await consumer.consume({ max_messages: 1 });
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => messages.stop());

let left = Number(flags.count);
for await (const message of messages) {
  try {
    const event = decode(message);
    if (once(event.name)) console.log(JSON.stringify({ subject: message.subject, event }));
    message.ack();
  } catch (error) {
    console.error(`${message.subject} ${message.seq}: ${error.message}`);
    message.nak(1000); // comes again in a second
    continue;
  }
  if (--left === 0) break;
}
await connection.drain();
