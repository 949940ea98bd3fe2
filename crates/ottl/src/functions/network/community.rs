//! Community ID: a hash of a connection that is the same in both directions.
//!
//! ```text
//! seed: 2 │ address: 4 or 16 │ address │ protocol: 1 │ 0 │ port: 2 │ port: 2
//! ```
//! The lower end of the connection comes first, numbers are big endian, and the SHA-1 of these bytes is written in base64
//! after `1:`.

use super::{Address, Call};
use crate::{
    error::Error,
    value::{Value, base64, excerpt},
};
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// One end of a connection. Order: IPv4 below IPv6, then by address, then by port.
type End = (Address, u16);

pub(super) fn community_id(call: Call<'_>) -> Result<Value<'_>, Error> {
    let mut first = end(call, 0)?;
    let mut second = end(call, 2)?;
    let protocol = protocol(call)?;
    let seed = if call.is_given(5) { u16_of(call.int(5)?, "a seed")? } else { 0 };
    call.spend(COST)?;
    if first > second {
        std::mem::swap(&mut first, &mut second);
    }
    let mut flow = seed.to_be_bytes().to_vec();
    flow.extend_from_slice(first.0.bytes());
    flow.extend_from_slice(second.0.bytes());
    flow.extend_from_slice(&[protocol, 0]);
    flow.extend_from_slice(&first.1.to_be_bytes());
    flow.extend_from_slice(&second.1.to_be_bytes());
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &flow);
    let mut id = b"1:".to_vec();
    id.extend(base64(hash.as_ref()));
    Ok(Value::string(id))
}

/// A hash of one block.
const COST: usize = 128;

/// An address and the port after it.
fn end(call: Call<'_>, index: usize) -> Result<End, Error> {
    let text = call.str(index)?;
    let port = u16_of(call.int(index + 1)?, "a port")?;
    let address = Address::parse(&text);
    let address = address.ok_or_else(|| Error::failed(format!("`{}` is no IP address", excerpt(&text))))?;
    Ok((address, port))
}

fn protocol(call: Call<'_>) -> Result<u8, Error> {
    if !call.is_given(4) {
        return Ok(6);
    }
    let name = call.str(4)?;
    Ok(match &*name {
        b"ICMP" => 1,
        b"TCP" => 6,
        b"UDP" => 17,
        b"RSVP" => 46,
        b"ICMP6" => 58,
        b"SCTP" => 132,
        other => return Err(Error::failed(format!("`CommunityID` knows no protocol `{}`", excerpt(other)))),
    })
}

fn u16_of(int: i64, what: &str) -> Result<u16, Error> {
    u16::try_from(int).map_err(|_| Error::failed(format!("{what} is between 0 and 65535")))
}

#[cfg(test)]
mod tests {
    use crate::{functions::testing::check, value::Value};

    fn flow(source: &'static str, port: i64, more: &[Value<'static>]) -> Vec<Value<'static>> {
        let mut flow = vec![Value::str(source), Value::Int(port), Value::str("10.0.0.2"), Value::Int(90)];
        flow.extend_from_slice(more);
        flow
    }

    #[test]
    fn the_ids_are_those_of_otelcol() {
        check(
            "CommunityID",
            &[
                (&flow("10.0.0.1", 500, &[]), Some(Value::str("1:mz6JmnnlcEfr6kQT5hupmlKEiDA="))),
                (&flow("::ffff:10.0.0.1", 500, &[]), Some(Value::str("1:mz6JmnnlcEfr6kQT5hupmlKEiDA="))),
                (&flow("10.0.0.1", 5, &[]), Some(Value::str("1:wE6DKwT3ezkj4mu4J3ARWLidfug="))),
                (&flow("10.0.0.1", 3, &[Value::str("TCP")]), Some(Value::str("1:IrskyOgNNo8cD6KtI2CEpbh9wbo="))),
                (&flow("10.0.0.1", 3, &[Value::str("tcp")]), None),
                (&flow("10.0.0.1", -5, &[]), None),
                (&flow("10.0.0.1", 65536, &[]), None),
                (&flow("10.0.0.1", 3, &[Value::str("TCP"), Value::Int(-1)]), None),
                (&flow("abc", 3, &[]), None),
            ],
        );
        let there = [Value::str("10.0.0.1"), Value::Int(80), Value::str("::1"), Value::Int(90)];
        let [source, source_port, destination, destination_port] = there.clone();
        let back = [destination, destination_port, source, source_port];
        let ask = |flow: &[Value<'static>]| crate::functions::testing::ask("CommunityID", flow).unwrap();
        assert_eq!(ask(&there), ask(&back));
    }
}
