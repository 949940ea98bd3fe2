//! Content as most services send it: semantic conventions, values from small pools.

use super::{Content, Field, Position, service_name, text};
use crate::random::{Random, mix};

pub(super) fn content(service: u32, position: Position, failed: bool, variant: u32) -> Content {
    let mut random = Random::new(mix(u64::from(service) << 32 | u64::from(variant) << 1 | u64::from(failed)));
    match position {
        Position::Entry => entry(service, failed, &mut random),
        Position::Call => call(service, &mut random),
    }
}

fn entry(service: u32, failed: bool, random: &mut Random) -> Content {
    let name = service_name(service);
    let method = random.pick(&["GET", "GET", "GET", "POST", "PUT"]);
    let route = random.pick(&[
        "/api/v1/products/{id}",
        "/api/v1/orders/{id}/items",
        "/api/v1/customers/{id}",
        "/healthz/ready",
    ]);
    let status = if failed { 503 } else { 200 + 4 * (random.below(2) as i64) };
    Content {
        name: format!("{method} {route}"),
        kind: 2,
        attributes: vec![
            ("http.request.method", text(method)),
            ("http.route", text(route)),
            ("url.path", text(route.replace("{id}", "1#####"))),
            ("client.port", Field::Roll { len: 2 }),
            ("http.response.status_code", Field::Int(status)),
            ("server.address", text(format!("{name}.shop.svc"))),
            ("network.protocol.version", text("1.1")),
            ("client.address", text("10.42.#.1##")),
            ("http.response.body.size", Field::Roll { len: 3 }),
            ("user_agent.original", text(random.pick(&USER_AGENTS))),
        ],
        exception: None,
        error: None,
    }
}

fn call(service: u32, random: &mut Random) -> Content {
    let table = random.pick(&["products", "orders", "customers", "stock_levels"]);
    let (operation, query) = *random.pick(&[
        &("SELECT", "SELECT id, name, price FROM % WHERE id = $1"),
        &("UPDATE", "UPDATE % SET state = $1, updated_at = now() WHERE id = $2"),
        &("INSERT", "INSERT INTO % (id, state) VALUES ($1, $2)"),
    ]);
    Content {
        name: format!("{operation} {table}"),
        kind: 3,
        attributes: vec![
            ("db.system.name", text("postgresql")),
            ("db.namespace", text(service_name(service))),
            ("db.collection.name", text(table)),
            ("db.operation.name", text(operation)),
            ("db.query.text", text(query.replace('%', table))),
            ("server.address", text(format!("postgres-{}.data.svc", random.below(3)))),
            ("network.peer.port", Field::Roll { len: 3 }),
            ("network.peer.address", text("10.43.0.1#")),
            ("db.response.returned_rows", Field::Roll { len: 1 }),
            ("thread.name", text("http-nio-8080-exec-##")),
        ],
        exception: None,
        error: None,
    }
}

const USER_AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5) Mobile/15E148",
    "okhttp/4.12.0",
    "Go-http-client/1.1",
];
