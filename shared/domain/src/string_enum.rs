//! Enums with one text form per variant, as used in requests, responses and stored items.

/// Declares an enum in which each variant has one text form, with `as_str`, `ALL`, `FromStr` and `Display`.
#[macro_export]
macro_rules! string_enum {
    ($(#[$doc:meta])* $vis:vis enum $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        $vis enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// All variants, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the text form, as used in requests, responses and stored items.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl $crate::string_enum::StringEnum for $name {
            fn texts() -> impl Iterator<Item = &'static str> {
                Self::ALL.iter().map(|variant| variant.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::string_enum::UnknownVariant;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err($crate::string_enum::UnknownVariant { expected: &[$($text,)+] }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub use crate::string_enum;

/// An enum whose variants are texts, as [`string_enum!`] declares it.
pub trait StringEnum: std::str::FromStr<Err = UnknownVariant> {
    /// Returns the text of each variant, in the order of their declaration.
    fn texts() -> impl Iterator<Item = &'static str>;
}

/// The error for a text that is not the text form of any variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {}", .expected.join(", "))]
pub struct UnknownVariant {
    /// The text forms of all variants.
    pub expected: &'static [&'static str],
}
