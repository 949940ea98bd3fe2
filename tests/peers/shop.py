"""A shop of three services, traced with the OpenTelemetry Python SDK.

Sends traces to a collector the way an instrumented program does (one tracer provider a service, batching processors, a
flush at the end) and writes what it sent to a file, from which a test computes what has to arrive. Times are whole
microseconds, because that is what tracing backends keep.

    shop.py --protocol grpc|http --endpoint HOST:PORT --traces N --prefix NAME --sent FILE
"""

import argparse
import json
import random
import sys
import time

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

MICROSECOND = 1_000
MILLISECOND = 1_000_000


def exporter(protocol, endpoint):
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=endpoint, insecure=True)
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(endpoint=f"http://{endpoint}/v1/traces", compression=Compression.Gzip)


class Shop:
    """The services, and the record of every span they sent."""

    def __init__(self, protocol, endpoint, prefix):
        self.sent = []
        self.providers = {}
        self.prefix = prefix
        for name in ("web", "cart", "store"):
            resource = {"service.name": f"{prefix}-{name}", "deployment.environment": "test", "host.slot": 7}
            provider = TracerProvider(resource=Resource.create(resource))
            provider.add_span_processor(BatchSpanProcessor(exporter(protocol, endpoint)))
            self.providers[name] = provider

    def span(self, service, name, kind, parent, start, duration, tags, error=None, event=None):
        """One span with explicit times; `parent` is what an earlier call returned."""
        tracer = self.providers[service].get_tracer("shop", "1.2.3")
        context = trace.set_span_in_context(parent, None) if parent else None
        span = tracer.start_span(name, context=context, kind=kind, attributes=tags, start_time=start)
        if event:
            span.add_event(event, {"attempt": 2}, timestamp=start + 10 * MICROSECOND)
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        duration = duration // MICROSECOND * MICROSECOND
        span.end(end_time=start + duration)
        self.sent.append(
            {
                "trace_id": trace.format_trace_id(span.context.trace_id),
                "span_id": trace.format_span_id(span.context.span_id),
                "parent_id": trace.format_span_id(parent.context.span_id) if parent else "",
                "service": f"{self.prefix}-{service}",
                "name": name,
                "kind": kind.name,
                "start_us": start // MICROSECOND,
                "duration_us": duration // MICROSECOND,
                "tags": tags,
                "resource": {"deployment.environment": "test", "host.slot": 7},
                "error": error is not None,
                "message": error or "",
                "events": [{"name": event, "at_us": start // MICROSECOND + 10}] if event else [],
            }
        )
        return span

    def trace(self, random_source, number):
        """One checkout; which of the policies it should meet depends on its number."""
        now = time.time_ns() // MILLISECOND * MILLISECOND - 20_000 * MILLISECOND
        start = now + random_source.randrange(5_000_000) * MICROSECOND
        slow = number % 10 == 1
        failed = number % 10 == 2
        gold = number % 10 == 3
        large = number % 10 == 4
        total = (1_500 if slow else 90) * MILLISECOND + random_source.randrange(900) * MICROSECOND
        tags = {
            "http.route": "/checkout",
            "http.response.status_code": 500 if failed else 200,
            "customer.tier": "gold" if gold else "basic",
            "cart.items": 120 if large else random_source.randrange(1, 9),
            "cart.value": 17.25,
            "customer.known": number % 2 == 0,
            "cart.skus": ["mill", "wheel"],
            "customer.city": "Zürich",
        }
        root = self.span("web", "GET /checkout", SpanKind.SERVER, None, start, total, tags)
        call = self.span("web", "cart.Price", SpanKind.CLIENT, root, start + MILLISECOND, total // 2, {"rpc.system": "grpc"})
        price = self.span("cart", "cart.Price", SpanKind.SERVER, call, start + 2 * MILLISECOND, total // 3, {"rpc.system": "grpc"})
        work = self.span("cart", "price all", SpanKind.INTERNAL, price, start + 3 * MILLISECOND, total // 4, {"step": 1})
        self.span(
            "store", "SELECT prices", SpanKind.CLIENT, work, start + 4 * MILLISECOND, 7 * MILLISECOND,
            {"db.system": "postgresql"}, error="connection reset" if failed else None, event="retry" if failed else None,
        )
        self.span("web", "orders send", SpanKind.PRODUCER, root, start + 5 * MILLISECOND, 3 * MILLISECOND, {"queue": "orders"})

    def close(self):
        for provider in self.providers.values():
            provider.shutdown()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--protocol", choices=["grpc", "http"], required=True)
    arguments.add_argument("--endpoint", required=True)
    arguments.add_argument("--traces", type=int, required=True)
    arguments.add_argument("--prefix", required=True)
    arguments.add_argument("--sent", required=True)
    wanted = arguments.parse_args()
    shop = Shop(wanted.protocol, wanted.endpoint, wanted.prefix)
    random_source = random.Random(7)
    for number in range(wanted.traces):
        shop.trace(random_source, number)
    shop.close()
    with open(wanted.sent, "w", encoding="utf-8") as file:
        json.dump(shop.sent, file, ensure_ascii=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
