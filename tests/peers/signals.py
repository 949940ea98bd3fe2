"""A mill that tells of itself with the OpenTelemetry Python SDK: traces, metrics and logs to one endpoint.

Where it sends and what it shows of itself there (certificates, headers) stands in the SDK's own variables, `OTEL_EXPORTER_OTLP_…`,
as users set it. It writes what it sent, flat, one row an item, and how the SDK's exporters ended, to a file from which a test
computes what has to arrive.

    signals.py --protocol grpc|http --traces N --sent FILE
"""

import argparse
import json
import logging
import sys

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Status, StatusCode

NEVER_MS = 3_600_000
SECRET = {"secret.token": "never to be seen"}


def exporters(protocol):
    if protocol == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    else:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    return OTLPSpanExporter, OTLPMetricExporter, OTLPLogExporter


def watched(exporter, signal, taken):
    """An exporter of this class that notes whether all it sent was taken."""

    class Watched(exporter):
        def export(self, *arguments, **options):
            result = super().export(*arguments, **options)
            taken[signal] = taken.get(signal, True) and result.name == "SUCCESS"
            return result

    return Watched()


def text(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return ",".join(text(one) for one in value)
    return str(value)


def flat(attributes):
    return {key: text(value) for key, value in attributes.items()}


class Mill:
    """The program, and the record of every item it sent."""

    def __init__(self, protocol):
        self.rows = []
        self.taken = {}
        # Its name is in OTEL_SERVICE_NAME.
        self.resource = Resource.create({"deployment.environment": "test", "mill.stones": 2})
        spans, metrics, logs = exporters(protocol)
        self.tracers = TracerProvider(resource=self.resource)
        self.tracers.add_span_processor(BatchSpanProcessor(watched(spans, "traces", self.taken)))
        reader = PeriodicExportingMetricReader(watched(metrics, "metrics", self.taken), export_interval_millis=NEVER_MS)
        self.meters = MeterProvider(resource=self.resource, metric_readers=[reader])
        self.loggers = LoggerProvider(resource=self.resource)
        self.loggers.add_log_record_processor(BatchLogRecordProcessor(watched(logs, "logs", self.taken)))

    def sent(self, signal, item, name, value, attributes, trace_id=""):
        row = {"signal": signal, "id": item, "name": name, "value": value, "trace": trace_id}
        self.rows.append(row | {"attributes": flat(attributes), "resource": flat(self.resource.attributes)})

    def grind(self, number):
        """A trace of two spans, with a log line from inside; every third one fails."""
        tracer = self.tracers.get_tracer("mill", "1.0")
        attributes = {"grain": "rye", "sack": number, "weight": 17.25, "dry": True, "stones": ["upper", "lower"], **SECRET}
        failed = number % 3 == 0
        with tracer.start_as_current_span(f"grind {number}", attributes=attributes) as root:
            with tracer.start_as_current_span("sieve", attributes={"mesh": 3, **SECRET}) as child:
                self.log(number, failed)
            if failed:
                root.set_status(Status(StatusCode.ERROR, "stone broke"))
        trace_id = trace.format_trace_id(root.context.trace_id)
        status = "error" if failed else ""
        self.sent("traces", trace.format_span_id(root.context.span_id), f"grind {number}", status, attributes, trace_id)
        self.sent("traces", trace.format_span_id(child.context.span_id), "sieve", "", {"mesh": 3, **SECRET}, trace_id)

    def log(self, number, failed):
        context = trace.get_current_span().get_span_context()
        attributes = {"sack": number, "place": "Mühlbach", **SECRET}
        severity, word = (SeverityNumber.ERROR, "ERROR") if failed else (SeverityNumber.INFO, "INFO")
        body = f"sack {number} is ground"
        record = LogRecord(severity_number=severity, severity_text=word, body=body, attributes=attributes)
        self.loggers.get_logger("mill").emit(record)
        self.sent("logs", trace.format_span_id(context.span_id), body, word, attributes, trace.format_trace_id(context.trace_id))

    def measure(self, count):
        meter = self.meters.get_meter("mill", "1.0")
        attributes = {"grain": "rye", **SECRET}
        sacks = meter.create_counter("mill.sacks", unit="{sack}", description="Sacks ground.")
        queue = meter.create_up_down_counter("mill.queue", unit="{sack}")
        speed = meter.create_gauge("mill.speed", unit="{turn}/s")
        weight = meter.create_histogram("mill.weight", unit="kg")
        for number in range(count):
            sacks.add(2, attributes)
            queue.add(-1, attributes)
            weight.record(number, attributes)
        speed.set(1.5, attributes)
        total = sum(range(count))
        self.sent("metrics", "sum", "mill.sacks", text(2 * count), attributes)
        self.sent("metrics", "sum", "mill.queue", text(-count), attributes)
        self.sent("metrics", "gauge", "mill.speed", "1.5", attributes)
        self.sent("metrics", "histogram", "mill.weight", f"{count} {text(float(total))}", attributes)

    def close(self):
        for provider in (self.tracers, self.meters, self.loggers):
            provider.shutdown()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--protocol", choices=["grpc", "http"], required=True)
    arguments.add_argument("--traces", type=int, required=True)
    arguments.add_argument("--sent", required=True)
    wanted = arguments.parse_args()
    logging.basicConfig(level=logging.WARNING)
    mill = Mill(wanted.protocol)
    for number in range(wanted.traces):
        mill.grind(number)
    mill.measure(wanted.traces)
    mill.close()
    with open(wanted.sent, "w", encoding="utf-8") as file:
        json.dump({"rows": mill.rows, "taken": mill.taken}, file, ensure_ascii=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
