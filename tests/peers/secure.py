"""Sends one span of a service, with what the SDK's own variables say: endpoint, certificates, headers.

Prints `taken` or `refused`.
"""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult



class Watched(OTLPSpanExporter):
    """Notes how its exports ended."""

    results = []

    def export(self, *arguments, **options):
        result = super().export(*arguments, **options)
        self.results.append(result)
        return result


provider = TracerProvider(resource=Resource.create({}))
provider.add_span_processor(SimpleSpanProcessor(Watched()))
with provider.get_tracer("secure").start_as_current_span("knock"):
    pass
provider.shutdown()
taken = Watched.results == [SpanExportResult.SUCCESS]
print("taken" if taken else "refused")
