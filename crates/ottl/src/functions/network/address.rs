//! IP addresses and networks with Go's rules: an IPv4 address is the same whether it is written as such or mapped into IPv6,
//! and networks of one kind hold no addresses of the other.

use std::net::IpAddr;

/// An address: 4 bytes, or 16 that are no mapped IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Address {
    V4([u8; 4]),
    V6([u8; 16]),
}

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Network {
    number: Address,
    bits: u32,
}

impl Address {
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let address: IpAddr = std::str::from_utf8(text).ok()?.parse().ok()?;
        Some(Self::of(address.to_canonical()))
    }

    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::V4(v4.octets()),
            IpAddr::V6(v6) => Self::V6(v6.octets()),
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::V4(bytes) => bytes,
            Self::V6(bytes) => bytes,
        }
    }
}

impl Network {
    /// `address/bits`; what of the address is past the bits does not count.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let (address, bits) = std::str::from_utf8(text).ok()?.split_once('/')?;
        let address: IpAddr = address.parse().ok()?;
        if bits.is_empty() || !bits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let bits: u32 = bits.parse().ok()?;
        if bits > if address.is_ipv4() { 32 } else { 128 } {
            return None;
        }
        // A mapped address is an IPv4 network only while the bits cover the whole prefix.
        let canonical = address.to_canonical();
        match (address.is_ipv6() && canonical.is_ipv4(), bits.checked_sub(96)) {
            (true, Some(bits)) => Some(Self { number: Address::of(canonical), bits }),
            _ => Some(Self { number: Address::of(address), bits }),
        }
    }

    pub(super) fn contains(&self, address: &Address) -> bool {
        let (number, bytes) = (self.number.bytes(), address.bytes());
        let whole = (self.bits / 8) as usize;
        let is_equal_from = |at: usize| {
            let shift = 8 - self.bits % 8;
            shift == 8 || number.get(at).map(|byte| byte >> shift) == bytes.get(at).map(|byte| byte >> shift)
        };
        number.len() == bytes.len() && number.get(..whole) == bytes.get(..whole) && is_equal_from(whole)
    }
}
