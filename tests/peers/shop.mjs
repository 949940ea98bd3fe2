// A mill's web shop, traced with the OpenTelemetry Node SDK as its users configure it: by environment variables
// (OTEL_EXPORTER_OTLP_PROTOCOL=http/json, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME).
//
// Writes what it sent to a file, from which a test computes what has to arrive. Times are whole microseconds, because
// that is what tracing backends keep.
//
//     node shop.mjs TRACES SENT_FILE

import { createRequire } from "node:module";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

// The SDK stands in the folder of the installed peers, not beside this file.
const require = createRequire(join(process.env.PEER_MODULES, "package.json"));
const { NodeSDK } = require("@opentelemetry/sdk-node");
const { trace, context, SpanKind, SpanStatusCode } = require("@opentelemetry/api");

const [traces, sentFile] = [Number(process.argv[2]), process.argv[3]];
const service = process.env.OTEL_SERVICE_NAME;
const sdk = new NodeSDK();
sdk.start();
const tracer = trace.getTracer("shop", "1.2.3");
const sent = [];

/** Microseconds since the epoch as the SDK's [seconds, nanoseconds]. */
const time = (us) => [Math.floor(us / 1e6), (us % 1e6) * 1000];

function span(name, kind, parent, startUs, durationUs, tags, error, event) {
  const above = parent ? trace.setSpan(context.active(), parent) : context.active();
  const made = tracer.startSpan(name, { kind, attributes: tags, startTime: time(startUs) }, above);
  if (event) made.addEvent(event, { attempt: 2 }, time(startUs + 10));
  if (error) made.setStatus({ code: SpanStatusCode.ERROR, message: error });
  made.end(time(startUs + durationUs));
  sent.push({
    trace_id: made.spanContext().traceId,
    span_id: made.spanContext().spanId,
    parent_id: parent ? parent.spanContext().spanId : "",
    service,
    name,
    kind: SpanKind[kind],
    start_us: startUs,
    duration_us: durationUs,
    tags,
    resource: {},
    error: Boolean(error),
    message: error ?? "",
    events: event ? [{ name: event, at_us: startUs + 10 }] : [],
  });
  return made;
}

function checkout(number, startUs) {
  const slow = number % 10 === 1;
  const failed = number % 10 === 2;
  const gold = number % 10 === 3;
  const large = number % 10 === 4;
  const totalUs = (slow ? 1_500_000 : 90_000) + (number % 7);
  const root = span("POST /order", SpanKind.SERVER, null, startUs, totalUs, {
    "http.route": "/order",
    "http.response.status_code": failed ? 500 : 200,
    "customer.tier": gold ? "gold" : "basic",
    "cart.items": large ? 120 : 3,
    "cart.value": 17.25,
    "customer.known": number % 2 === 0,
    "cart.skus": ["mill", "wheel"],
    "customer.city": "Zürich",
  });
  const work = span("render", SpanKind.INTERNAL, root, startUs + 1_000, 20_000, { step: 1 });
  span("GET /stock", SpanKind.CLIENT, work, startUs + 2_000, 7_000, { "server.address": "stock" },
    failed ? "socket hang up" : undefined, failed ? "retry" : undefined);
  span("orders receive", SpanKind.CONSUMER, root, startUs + 30_000, 5_000, { queue: "orders" });
}

const beganUs = (Date.now() - 20_000) * 1_000;
for (let number = 0; number < traces; number += 1) {
  checkout(number, beganUs + number * 1_003);
  // The batching processor holds at most 2048 spans and drops the rest: let it send.
  if (number % 100 === 99) await new Promise((resume) => setTimeout(resume, 50));
}
await sdk.shutdown();
writeFileSync(sentFile, JSON.stringify(sent));
