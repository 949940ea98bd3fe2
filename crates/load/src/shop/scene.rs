//! What happens in the shop: ordinary days, and the ways in which they go wrong.

use super::{
    cast::Service::{Cart, Catalog, Checkout, Email, Inventory, Payment, Recommendation, Shipping},
    story::{Outcome, Story},
};

/// A kind of trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scene {
    /// Somebody looks at a product.
    Browse,
    /// Somebody buys something.
    Buy,
    /// A card is declined by an exception in the payment service.
    CardDeclined,
    /// The catalog asks the database once for each product of a list.
    ManyQueries,
    /// A proxy that starts a span and never sends it: the spans behind it are orphans.
    Orphan,
    /// A service is down, and its caller asks again and again.
    RetryStorm,
    /// The card provider takes its time.
    SlowPayment,
    /// The stock is read from a table without an index.
    SlowQuery,
}

impl Scene {
    /// All scenes with how many of [`Scene::DECK_SIZE`] traces they are.
    pub const SHARES: [(Self, usize); 8] = [
        (Self::Browse, 24),
        (Self::Buy, 8),
        (Self::CardDeclined, 2),
        (Self::SlowPayment, 2),
        (Self::ManyQueries, 1),
        (Self::Orphan, 1),
        (Self::RetryStorm, 1),
        (Self::SlowQuery, 1),
    ];
    /// Traces after which every scene has had its share.
    pub const DECK_SIZE: usize = 40;

    pub(super) fn tell(self, story: &mut Story<'_>) {
        match self {
            Self::Browse => browse(story),
            Self::Buy => buy(story, |story| story.fetch(PROVIDER, "/v1/charges", 40, 160)),
            Self::CardDeclined => buy(story, |story| {
                story.fetch(PROVIDER, "/v1/charges", 40, 160);
                story.throw("com.example.payment.CardDeclinedException", "insufficient funds");
            }),
            Self::ManyQueries => many_queries(story),
            Self::Orphan => orphan(story),
            Self::RetryStorm => retry_storm(story),
            Self::SlowPayment => buy(story, |story| story.fetch(PROVIDER, "/v1/charges", 1400, 2600)),
            Self::SlowQuery => slow_query(story),
        }
    }
}

fn browse(story: &mut Story<'_>) {
    let product = product(story);
    story.serve("GET", "/products/{id}", &format!("/products/{product}"), |story| {
        story.work(1, 5);
        story.call(Catalog, "CatalogService/GetProduct", |story| {
            story.set("shop.product.id", product.clone());
            story.query("postgresql", "SELECT", "SELECT id, name, price FROM products WHERE id = $1", 700, 6_000);
            story.work(1, 3);
        });
        stock(story, &product);
        story.call(Recommendation, "RecommendationService/ForProduct", |story| {
            story.query("redis", "GET", "GET rec:$1", 200, 900);
            story.work(4, 30);
        });
        story.work(2, 8);
    });
}

/// The whole way of an order; `charge` is what the payment service does.
fn buy(story: &mut Story<'_>, charge: impl FnOnce(&mut Story<'_>)) {
    story.serve("POST", "/checkout", "/checkout", |story| {
        story.work(1, 4);
        let placed = story.call(Checkout, "CheckoutService/PlaceOrder", |story| place_order(story, charge));
        if placed == Outcome::Failed {
            story.set_failed("the order was not placed");
        }
        story.work(1, 6);
    });
}

fn place_order(story: &mut Story<'_>, charge: impl FnOnce(&mut Story<'_>)) {
    let items = 1 + story.below(4);
    story.set("shop.cart.items", items as i64);
    story.call(Cart, "CartService/GetCart", |story| {
        story.query("redis", "HGETALL", "HGETALL cart:$1", 250, 1_500);
    });
    for _ in 0..items {
        let product = product(story);
        stock(story, &product);
    }
    story.call(Shipping, "ShippingService/Quote", |story| story.work(4, 18));
    let amount = 5.0 + story.below(20_000) as f64 / 100.0;
    let charged = story.call(Payment, "PaymentService/Charge", |story| {
        story.set("shop.payment.amount", amount);
        let currency = story.pick(&["EUR", "USD", "CHF"]);
        story.set("shop.payment.currency", currency);
        story.work(1, 4);
        charge(story);
    });
    if charged == Outcome::Failed {
        story.set_failed("payment failed");
        return;
    }
    story.query("postgresql", "INSERT", "INSERT INTO orders (id, customer, total) VALUES ($1, $2, $3)", 900, 5_000);
    story.publish("order-placed", Email, |story| {
        story.work(8, 25);
        story.set("shop.email.template", "confirmation");
    });
    story.call(Cart, "CartService/Empty", |story| story.query("redis", "DEL", "DEL cart:$1", 200, 900));
}

fn many_queries(story: &mut Story<'_>) {
    story.serve("GET", "/categories/{name}", "/categories/garden", |story| {
        story.work(1, 4);
        story.call(Catalog, "CatalogService/ListProducts", |story| {
            story.query("postgresql", "SELECT", "SELECT id FROM products WHERE category = $1", 1_500, 5_000);
            let products = 18 + story.below(10);
            story.set("shop.products.count", products as i64);
            for _ in 0..products {
                let text = "SELECT amount, currency FROM prices WHERE product = $1";
                story.query("postgresql", "SELECT", text, 900, 4_000);
            }
            story.work(1, 4);
        });
        story.work(3, 9);
    });
}

fn orphan(story: &mut Story<'_>) {
    let parcel = format!("P{:06}", story.below(1_000_000));
    story.serve("GET", "/orders/{id}/parcel", "/orders/4711/parcel", |story| {
        story.work(1, 4);
        story.call_through_broken_proxy(Shipping, "ShippingService/Track", |story| {
            story.set("shop.parcel.id", parcel);
            story.query("postgresql", "SELECT", "SELECT place, at FROM scans WHERE parcel = $1", 1_000, 7_000);
            story.fetch("track.carrier.example", "/v2/events", 30, 120);
        });
        story.work(1, 4);
    });
}

fn retry_storm(story: &mut Story<'_>) {
    let product = product(story);
    story.serve("GET", "/products/{id}/similar", &format!("/products/{product}/similar"), |story| {
        story.work(1, 4);
        let attempts = 5 + story.below(3);
        for attempt in 1..=attempts {
            story.call(Recommendation, "RecommendationService/Similar", |story| {
                story.set("shop.attempt", attempt as i64);
                story.work(30, 60);
                story.throw("TimeoutError", "no replica answered within 30 ms");
            });
            // Everybody who retries waits too little.
            story.work(10 * attempt, 15 * attempt);
        }
        story.set("shop.attempts", attempts as i64);
        story.set_failed("no recommendations");
    });
}

fn slow_query(story: &mut Story<'_>) {
    story.serve("GET", "/stores/{id}/stock", "/stores/12/stock", |story| {
        story.work(1, 4);
        story.call(Inventory, "InventoryService/StockOfStore", |story| {
            let text = "SELECT product, count FROM stock WHERE lower(store) = lower($1)";
            story.query("postgresql", "SELECT", text, 1_100_000, 1_900_000);
            story.work(2, 9);
        });
        story.work(1, 4);
    });
}

fn stock(story: &mut Story<'_>, product: &str) {
    story.call(Inventory, "InventoryService/Stock", |story| {
        story.set("shop.product.id", product);
        let cached = story.below(10) < 7;
        story.set("shop.cache.hit", cached);
        if cached {
            story.work(1, 3);
        } else {
            story.query("postgresql", "SELECT", "SELECT count FROM stock WHERE product = $1", 800, 6_000);
        }
    });
}

fn product(story: &mut Story<'_>) -> String {
    let number = story.below(900) + 100;
    format!("{}-{number}", story.pick(&["SHOE", "LAMP", "BOOK", "TENT"]))
}

const PROVIDER: &str = "api.cards.example";
