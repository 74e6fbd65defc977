//! The builtins that expressions may use.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A type or a function that is always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Builtin {
    /// A type.
    Type(Type),
    /// A function.
    Function(Function),
}

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As Python spells it.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }

            /// The one of this name.
            pub fn of(name: &str) -> Option<Self> {
                match name {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

named! {
    /// A builtin type.
    Type {
        Bool = "bool",
        Dict = "dict",
        Enumerate = "enumerate",
        Filter = "filter",
        Float = "float",
        FrozenSet = "frozenset",
        Int = "int",
        List = "list",
        Range = "range",
        Reversed = "reversed",
        Set = "set",
        Str = "str",
        Tuple = "tuple",
        Zip = "zip",
    }
}

named! {
    /// A builtin function.
    Function {
        Abs = "abs",
        All = "all",
        Any = "any",
        Ascii = "ascii",
        Bin = "bin",
        Chr = "chr",
        Divmod = "divmod",
        Format = "format",
        Hex = "hex",
        Isinstance = "isinstance",
        Len = "len",
        Max = "max",
        Min = "min",
        Oct = "oct",
        Ord = "ord",
        Pow = "pow",
        Repr = "repr",
        Round = "round",
        Sorted = "sorted",
        Sum = "sum",
    }
}

impl Builtin {
    /// As Python spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Type(kind) => kind.name(),
            Self::Function(function) => function.name(),
        }
    }

    /// The builtin of this name.
    pub fn of(name: &str) -> Option<Self> {
        Type::of(name).map(Self::Type).or_else(|| Function::of(name).map(Self::Function))
    }
}

impl Serialize for Builtin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Builtin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::of(&name).ok_or_else(|| D::Error::custom(format!("there is no builtin `{name}`")))
    }
}
