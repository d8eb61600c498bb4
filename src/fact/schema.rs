//! What a resource's records look like, and the macro that declares it.

use super::Kind;

/// The fields of a resource's records, with the documentation from which the reference manual,
/// the linter, the editor schema and `plimsoll explain` are made.
#[derive(Debug)]
pub struct Schema {
    /// Name of the resource, a singular noun in snake_case.
    pub resource: &'static str,
    /// What one record is.
    pub doc: &'static str,
    /// The fields; the first one names the record.
    pub fields: &'static [Field],
    /// Whether records carry their source document, so that checks may use JSON Pointers.
    pub has_document: bool,
}

/// One field.
#[derive(Debug)]
pub struct Field {
    /// Name, in snake_case, with its unit where it has one.
    pub name: &'static str,
    /// What kind of value it holds.
    pub kind: Kind,
    /// What it means.
    pub doc: &'static str,
}

impl Schema {
    /// The position and the description of a field.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<(usize, &'static Field)> {
        self.fields.iter().enumerate().find(|(_, field)| field.name == name)
    }
}

/// Declares a resource's record: a struct whose every field is a `Fact`, and its [`Schema`].
///
/// ```text
/// record! {
///     /// One kernel parameter, as running and as configured to persist.
///     pub struct Sysctl("sysctl") {
///         /// Dotted name, such as `net.ipv4.ip_forward`.
///         name: Text,
///         /// What the running kernel uses.
///         running: Setting,
///     }
/// }
/// ```
///
/// It does not compile when a field lacks its doc comment. With `document` after the resource's
/// name the record also carries the document it was read from.
macro_rules! record {
    (
        $(#[doc = $doc:literal])+
        pub struct $name:ident ( $resource:literal $(, $document:ident)? ) {
            $( $(#[doc = $field_doc:literal])+ $field:ident : $kind:ty ),+ $(,)?
        }
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone)]
        #[allow(unreachable_pub, reason = "tests declare records inside their modules")]
        pub struct $name {
            $( $(#[doc = $field_doc])+ pub $field: $crate::fact::Fact<$kind>, )+
            $(
                /// The document the record was read from, for JSON Pointers.
                pub $document: Option<$crate::fact::Document>,
            )?
        }

        impl $crate::fact::Row for $name {
            const SCHEMA: &'static $crate::fact::Schema = &$crate::fact::Schema {
                resource: $resource,
                doc: concat!($($doc, "\n"),+),
                fields: &[ $( $crate::fact::Field {
                    name: stringify!($field),
                    kind: <$kind as $crate::fact::FieldType>::KIND,
                    doc: concat!($($field_doc, "\n"),+),
                } ),+ ],
                has_document: false $( || { let _ = stringify!($document); true } )?,
            };

            fn into_record(self) -> $crate::fact::Record {
                use $crate::fact::FieldType as _;
                let facts = vec![ $( self.$field.map(|value| value.into_value()) ),+ ];
                #[allow(unused_mut, unused_assignments)]
                let mut document = None;
                $( document = self.$document; )?
                $crate::fact::Record::new(Self::SCHEMA, facts, document)
            }
        }

        impl $name {
            /// A record of which nothing is known yet, each fact a gap for the same reason.
            #[allow(dead_code, unreachable_pub)]
            #[must_use]
            pub fn unknown(gap: &$crate::fact::Gap) -> Self {
                Self {
                    $( $field: $crate::fact::Fact::Unknown(gap.clone()), )+
                    $( $document: None, )?
                }
            }
        }
    };
}

pub(crate) use record;
