//! Addresses.

mod address;
mod community;

use super::{
    Argument, Arguments, Call, Function,
    Kind::{EachStr, Int, Str},
    Run, arg, opt, plain, prepared, run,
};
use crate::{
    error::Error,
    value::{Value, excerpt},
};
use address::{Address, Network};

pub(super) const TABLE: &[Function] = &[
    prepared("IsInCIDR", &[arg("Target", Str), arg("Networks", EachStr)], is_in_cidr),
    plain(
        "CommunityID",
        &[
            arg("SourceIP", Str),
            arg("SourcePort", Int),
            arg("DestinationIP", Str),
            arg("DestinationPort", Int),
            opt("Protocol", Str),
            opt("Seed", Int),
        ],
        community::community_id,
    ),
];

/// Networks that are all literals are read when the condition is compiled; a single one that is not leaves all for later.
fn is_in_cidr(arguments: &Arguments) -> Result<Run, String> {
    let count = if let Some(Argument::Items(items)) = arguments.argument(1) { items.len() } else { usize::MAX };
    let literals: Vec<_> = arguments.constant_items(1).collect();
    if literals.len() < count {
        return Ok(run(is_in_any));
    }
    let networks = literals.into_iter().map(|literal| {
        let Value::Str(text) = literal else { return Err("a network is no string".to_string()) };
        parse(text)
    });
    let networks = networks.collect::<Result<Vec<_>, _>>()?;
    Ok(run(move |call: Call<'_>| {
        let Some(address) = Address::parse(&call.str(0)?) else { return Ok(Value::Bool(false)) };
        call.spend(networks.len() * size_of::<Network>())?;
        Ok(Value::Bool(networks.iter().any(|network| network.contains(&address))))
    }))
}

fn is_in_any(call: Call<'_>) -> Result<Value<'_>, Error> {
    let Some(address) = Address::parse(&call.str(0)?) else { return Ok(Value::Bool(false)) };
    for item in call.items(1)? {
        let text = item?.value.into_str()?;
        call.spend(text.len())?;
        if parse(&text).map_err(Error::failed)?.contains(&address) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn parse(text: &[u8]) -> Result<Network, String> {
    let network = Network::parse(text);
    network.ok_or_else(|| format!("`{}` is no network, write it like `10.0.0.0/8`", excerpt(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        functions::testing::{Failure, ask, ask_dynamically},
        value::List,
    };

    fn arguments(address: &'static str, networks: &[&'static str]) -> [Value<'static>; 2] {
        let networks = networks.iter().map(|network| Value::str(*network)).collect();
        [Value::str(address), Value::List(List::native(networks))]
    }

    #[test]
    fn addresses_are_in_networks() {
        for (address, networks, expected) in [
            ("10.1.2.3", &["10.0.0.0/8"][..], true),
            ("10.1.2.3", &["10.0.0.1/8"], true),
            ("11.1.2.3", &["10.0.0.0/8"], false),
            ("11.1.2.3", &["10.0.0.0/8", "11.1.2.2/31"], true),
            ("::ffff:10.1.2.3", &["10.0.0.0/8"], true),
            ("10.1.2.3", &["::ffff:10.0.0.0/104"], true),
            ("10.1.2.3", &["::/0"], false),
            ("2001:db8::1", &["2001:db8::/32"], true),
            ("2001:db9::1", &["2001:db8::/32"], false),
            ("::1", &["0.0.0.0/0"], false),
            ("hello", &["10.0.0.0/8"], false),
            ("10.1.2", &["10.0.0.0/8"], false),
            ("010.1.2.3", &["10.0.0.0/8"], false),
            ("fe80::1%eth0", &["::/0"], false),
            ("10.1.2.3", &[], false),
        ] {
            let arguments = arguments(address, networks);
            assert_eq!(ask("IsInCIDR", &arguments), Ok(Value::Bool(expected)), "{arguments:?}");
            assert_eq!(ask_dynamically("IsInCIDR", &arguments), Ok(Value::Bool(expected)), "{arguments:?}");
        }
    }

    #[test]
    fn networks_that_are_none_are_refused() {
        for network in ["abc", "", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/", "::1%eth0/8"] {
            let arguments = arguments("10.1.1.1", &[network]);
            assert!(matches!(ask("IsInCIDR", &arguments), Err(Failure::Refused(_))), "{network}");
            assert!(matches!(ask_dynamically("IsInCIDR", &arguments), Err(Failure::Error(_))), "{network}");
        }
        // What is no address is in no network, not even in one that is none.
        assert_eq!(ask_dynamically("IsInCIDR", &arguments("x", &["y"])), Ok(Value::Bool(false)));
    }
}
