//! Content that compresses badly: literals in SQL, UUIDs, tokens in URLs, stack traces.

use super::{Content, Field, Position, exception, service_name, text};
use crate::random::{Random, mix};

pub(super) fn content(service: u32, position: Position, failed: bool, variant: u32) -> Content {
    let mut random = Random::new(mix(!(u64::from(service) << 32 | u64::from(variant) << 1 | u64::from(failed))));
    match position {
        Position::Entry => entry(service, failed, &mut random),
        Position::Call => call(service, variant, &mut random),
    }
}

fn entry(service: u32, failed: bool, random: &mut Random) -> Content {
    let name = service_name(service);
    let method = random.pick(&["GET", "POST", "PUT", "PATCH", "DELETE"]);
    let noun = random.pick(&NOUNS);
    let status = if failed { 503 } else { 200 + random.below(6) as i64 };
    Content {
        name: format!("{method} /{noun}/{{id}}"),
        kind: 2,
        attributes: vec![
            ("http.request.method", text(method)),
            ("http.route", text(format!("/{noun}"))),
            ("url.full", text(format!("https://{name}.example.com/{noun}/{UUID}?token=~~~~~~~~~~~~~~~~~~~~"))),
            ("http.request.header.x-request-id", text("~~~~~~~~~~~~~~~~")),
            ("http.response.status_code", Field::Int(status)),
            ("client.address", text("1##.2#.1#.#")),
            ("http.response.body.size", Field::Roll { len: 3 }),
            ("http.request.resend_count", Field::Roll { len: 1 }),
            ("server.address", text(format!("{name}-{}.example.com", random.below(30)))),
            (
                "user_agent.original",
                text(format!(
                    "Mozilla/5.0 (X11) Chrome/{}.0.{}.{}",
                    random.between(90, 130),
                    random.between(4000, 7000),
                    random.between(10, 200)
                )),
            ),
        ],
        exception: None,
        error: None,
    }
}

fn call(service: u32, variant: u32, random: &mut Random) -> Content {
    let table = random.pick(&NOUNS);
    let query = match random.below(3) {
        0 => format!(
            "SELECT t.id, t.{}, t.{} FROM {table} t WHERE t.owner = '{UUID}' AND t.price < ####.## ",
            random.pick(&NOUNS),
            random.pick(&NOUNS)
        ),
        1 => format!(
            "UPDATE {table} SET {} = '~~~~~~~~~~~~', changed = 17######## WHERE id = '{UUID}'",
            random.pick(&NOUNS)
        ),
        _ => format!(
            "INSERT INTO {table} (id, {}, amount, at) VALUES ('{UUID}', '~~~~~~~~~~~~~~', ###.##, 17########)",
            random.pick(&NOUNS)
        ),
    };
    Content {
        name: format!("query {table}"),
        kind: 3,
        attributes: vec![
            ("db.system.name", text(random.pick(&["postgresql", "mysql", "oracle.db"]))),
            ("db.namespace", text(format!("{}_{}", service_name(service), random.below(16)))),
            ("db.query.text", text(query)),
            ("db.query.parameter.key", text("~~~~~~~~")),
            ("server.address", text(format!("10.{}.{}.{}", random.below(200), random.below(250), random.below(250)))),
            ("server.port", Field::Int(random.between(1024, 65_000) as i64)),
            ("network.peer.port", Field::Roll { len: 2 }),
            ("db.response.returned_rows", Field::Roll { len: 2 }),
            ("db.operation.batch.size", Field::Roll { len: 1 }),
            ("thread.id", Field::Roll { len: 2 }),
        ],
        // A caught exception now and then: recorded, though the span did not fail.
        exception: variant.is_multiple_of(16).then(|| exception(service, variant)),
        error: None,
    }
}

const UUID: &str = "~~~~~~~~-~~~~-4~~~-a~~~-~~~~~~~~~~~~";
const NOUNS: [&str; 16] = [
    "orders",
    "products",
    "customers",
    "invoices",
    "payments",
    "refunds",
    "parcels",
    "vouchers",
    "reviews",
    "carts",
    "wishes",
    "addresses",
    "returns",
    "bundles",
    "prices",
    "offers",
];
