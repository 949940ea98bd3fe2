//! The services of the shop, and how each presents itself.

use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};

/// A service of the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// What the customer has in it.
    Cart,
    /// What there is to buy.
    Catalog,
    /// Turns a cart into an order.
    Checkout,
    /// Confirms orders, from a queue.
    Email,
    /// Where requests from outside arrive.
    Frontend,
    /// What is in stock.
    Inventory,
    /// Charges cards, at a provider elsewhere.
    Payment,
    /// What else the customer might like.
    Recommendation,
    /// Quotes and parcels.
    Shipping,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Cart,
        Self::Catalog,
        Self::Checkout,
        Self::Email,
        Self::Frontend,
        Self::Inventory,
        Self::Payment,
        Self::Recommendation,
        Self::Shipping,
    ];

    /// Its `service.name`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.profile().0
    }

    /// Its `telemetry.sdk.language`.
    #[must_use]
    pub fn language(self) -> &'static str {
        self.profile().1
    }

    /// Wraps spans of this service as its SDK would.
    #[must_use]
    pub fn resource_spans(self, spans: Vec<Span>) -> ResourceSpans {
        let (name, language, version, scope) = self.profile();
        let instance = format!("{name}-{:04x}", 0x51c3 + 0x1f * self as u32);
        let attributes = [
            ("service.name", name),
            ("service.namespace", "shop"),
            ("service.version", version),
            ("service.instance.id", &instance),
            ("deployment.environment.name", "demo"),
            ("telemetry.sdk.name", "opentelemetry"),
            ("telemetry.sdk.language", language),
        ];
        let attributes = attributes.map(|(key, value)| attribute(key, value)).into();
        let scope = InstrumentationScope { name: scope.to_owned(), version: "1.9.0".to_owned(), ..Default::default() };
        ResourceSpans {
            resource: Some(Resource { attributes, ..Default::default() }),
            scope_spans: vec![ScopeSpans { scope: Some(scope), spans, schema_url: String::new() }],
            schema_url: "https://opentelemetry.io/schemas/1.37.0".to_owned(),
        }
    }

    fn profile(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Cart => ("cart", "dotnet", "1.4.2", "OpenTelemetry.Instrumentation.AspNetCore"),
            Self::Catalog => {
                ("catalog", "go", "3.0.1", "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp")
            }
            Self::Checkout => (
                "checkout",
                "go",
                "5.2.0",
                "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc",
            ),
            Self::Email => ("email", "ruby", "0.9.3", "OpenTelemetry::Instrumentation::Sinatra"),
            Self::Frontend => ("frontend", "nodejs", "7.11.0", "@opentelemetry/instrumentation-http"),
            Self::Inventory => ("inventory", "java", "2.8.4", "io.opentelemetry.spring-webmvc-6.0"),
            Self::Payment => ("payment", "java", "4.1.0", "io.opentelemetry.grpc-1.6"),
            Self::Recommendation => ("recommendation", "python", "1.0.7", "opentelemetry.instrumentation.grpc"),
            Self::Shipping => ("shipping", "rust", "0.6.0", "tower-otel"),
        }
    }
}

/// Something that an attribute can hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    Number(i64),
    Real(f64),
    Text(String),
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

pub(super) fn attribute(key: &str, value: impl Into<Value>) -> KeyValue {
    let value = match value.into() {
        Value::Flag(value) => any_value::Value::BoolValue(value),
        Value::Number(value) => any_value::Value::IntValue(value),
        Value::Real(value) => any_value::Value::DoubleValue(value),
        Value::Text(value) => any_value::Value::StringValue(value),
    };
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}
