//! `#[derive(Documented)]`: what the doc comments of a settings struct say, for the schema and the reference page.
//!
//! A macro sees doc comments and the running program does not, so this is where they cross over: the trait
//! `settings::Documented` gets each field's key with its text. A field whose key in YAML is not its name says so:
//!
//! ```text
//! #[derive(Documented)]
//! struct Ping {
//!     /// Time between two pings.
//!     #[key = "time"]
//!     interval: Duration,
//! }
//! ```

use proc_macro::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Data, DeriveInput, Error, Expr, ExprLit, Lit, Meta, parse_macro_input};

/// Implements `settings::Documented` by the doc comments of the fields, or of the variants of an enum of which each is a
/// key with settings.
#[proc_macro_derive(Documented, attributes(key))]
pub fn documented(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let commented: Vec<(String, &[Attribute])> = match &input.data {
        Data::Struct(fields) => {
            let named = fields.fields.iter().filter_map(|field| Some((field.ident.as_ref()?, &field.attrs)));
            named.map(|(name, attributes)| (name.unraw().to_string(), &attributes[..])).collect()
        }
        Data::Enum(variants) => {
            let variants = variants.variants.iter();
            variants.map(|variant| (variant.ident.to_string().to_lowercase(), &variant.attrs[..])).collect()
        }
        Data::Union(_) => return Error::new_spanned(&input.ident, "unions have no keys").to_compile_error().into(),
    };
    let pairs = commented.iter().map(|(name, attributes)| {
        let key = texts(attributes, "key").next().unwrap_or_else(|| name.clone());
        let text = comment(attributes);
        quote! { (#key, #text) }
    });
    let about = comment(&input.attrs);
    let name = &input.ident;
    quote! {
        impl ::settings::Documented for #name {
            const ABOUT: &'static str = #about;
            const KEYS: &'static [(&'static str, &'static str)] = &[#(#pairs),*];
        }
    }
    .into()
}

/// A doc comment as one line.
fn comment(attributes: &[Attribute]) -> String {
    texts(attributes, "doc").map(|line| line.trim().to_owned()).collect::<Vec<_>>().join(" ")
}

/// The texts of the attributes `#[name = "…"]`.
fn texts<'a>(attributes: &'a [Attribute], name: &'a str) -> impl Iterator<Item = String> + 'a {
    attributes.iter().filter_map(move |attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident(name) => match &pair.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    })
}
