//! Schemas of bodies, derived from the functions that read them.

use std::marker::PhantomData;

use serde_json::Value;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{
    AdditionalProperties, Object, ObjectBuilder, OneOfBuilder, Schema, SchemaType, Type,
};
use utoipa::openapi::{Ref, RefOr, Required};

use crate::fields::{Components, Documented, Either, Fields, FromFields, Parse, Patch, Reported};

/// Names and describes the schema of a body: `documented! { NewForm as "NewForm": "A form to create." }`.
///
/// The type can then be the `request_body` of an operation. The schema is closed: other fields are errors.
#[macro_export]
macro_rules! documented {
    ($type:ty as $name:literal: $about:expr) => {
        impl $crate::fields::Documented for $type {
            const NAME: &'static str = $name;
            const ABOUT: &'static str = $about;
        }

        impl utoipa::PartialSchema for $type {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                $crate::describe::schema::<Self>(&mut Vec::new()).into()
            }
        }

        impl utoipa::ToSchema for $type {
            fn name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }

            fn schemas(schemas: &mut $crate::fields::Components) {
                let _ = $crate::describe::schema::<Self>(schemas);
            }
        }
    };
}
pub use crate::documented;

/// The query parameters of an operation.
pub struct Parameters<Q>(PhantomData<Q>);

impl<Q: FromFields> IntoParams for Parameters<Q> {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut components = Components::new();
        let mut describer = Describer {
            object: closed(),
            either: None,
            exactly_one: Vec::new(),
            components: &mut components,
        };
        let _ = Q::read(&mut describer);
        let parameter = |(name, mut schema): (String, RefOr<Schema>)| {
            let about = take_description(&mut schema);
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.required(Required::False).description(about).schema(Some(schema)).build()
        };
        describer.object.properties.into_iter().map(parameter).collect()
    }
}

/// Returns the schema of a body, and adds the schemas that it refers to.
#[must_use]
pub fn schema<T: Documented>(components: &mut Components) -> Schema {
    let mut describer = Describer { object: closed(), either: None, exactly_one: Vec::new(), components };
    // A describer has no values, so this returns `Reported::DESCRIBED`.
    let _ = T::read(&mut describer);
    match describer.either {
        Some([first, second]) => {
            let either = OneOfBuilder::new().item(first).item(second);
            either.description(Some(T::ABOUT)).build().into()
        }
        None if !describer.exactly_one.is_empty() => {
            let variants = OneOfBuilder::new().description(Some(T::ABOUT));
            let names = describer.exactly_one.iter();
            names.fold(variants, |variants, name| variants.item(describer.variant(name))).build().into()
        }
        None => {
            describer.object.description = Some(T::ABOUT.to_owned());
            describer.object.into()
        }
    }
}

/// Returns a reference to the schema of a nested object, and adds that schema.
pub(crate) fn reference<T: Documented>(components: &mut Components) -> Ref {
    if !components.iter().any(|(name, _)| name == T::NAME) {
        let schema = schema::<T>(components);
        components.push((T::NAME.to_owned(), schema.into()));
    }
    Ref::from_schema_name(T::NAME)
}

/// Returns the schema of an object whose names are data.
#[must_use]
pub fn map(key: RefOr<Schema>, value: RefOr<Schema>, most: Option<usize>) -> Schema {
    let mut map = ObjectBuilder::new().schema_type(Type::Object).max_properties(most).build();
    map.additional_properties = Some(Box::new(AdditionalProperties::RefOr(value)));
    // A reference cannot be the schema of names, and no map has a reference there.
    map.property_names = match key {
        RefOr::T(key) => Some(Box::new(key)),
        RefOr::Ref(_) => None,
    };
    map.into()
}

/// Returns a schema that also allows `null`.
pub(crate) fn or_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            object.schema_type = nullable_type(&object.schema_type);
            Schema::Object(object).into()
        }
        RefOr::T(Schema::Array(mut array)) => {
            array.schema_type = nullable_type(&array.schema_type);
            Schema::Array(array).into()
        }
        other => OneOfBuilder::new().item(Object::with_type(Type::Null)).item(other).into(),
    }
}

fn nullable_type(kind: &SchemaType) -> SchemaType {
    match kind {
        SchemaType::Type(kind) => SchemaType::from_iter([kind.clone(), Type::Null]),
        other => other.clone(),
    }
}

/// Sets the description of a schema, or of a reference to one.
pub(crate) fn set_description(schema: &mut RefOr<Schema>, text: &str) {
    let text = text.to_owned();
    match schema {
        RefOr::Ref(reference) => reference.description = text,
        RefOr::T(Schema::Object(object)) => object.description = Some(text),
        RefOr::T(Schema::Array(array)) => array.description = Some(text),
        RefOr::T(Schema::OneOf(one_of)) => one_of.description = Some(text),
        RefOr::T(_) => {}
    }
}

/// Removes the description of a query parameter's schema: the parameter has it.
fn take_description(schema: &mut RefOr<Schema>) -> Option<String> {
    match schema {
        RefOr::T(Schema::Object(object)) => object.description.take(),
        RefOr::T(_) | RefOr::Ref(_) => None,
    }
}

/// Sets the default of a schema, or of a reference to one.
pub(crate) fn set_default(schema: &mut RefOr<Schema>, value: Value) {
    match schema {
        RefOr::Ref(reference) => reference.default = Some(value),
        RefOr::T(Schema::Object(object)) => object.default = Some(value),
        RefOr::T(Schema::Array(array)) => array.default = Some(value),
        RefOr::T(_) => {}
    }
}

/// Sets the example of a schema.
pub(crate) fn set_example(schema: &mut RefOr<Schema>, value: Value) {
    match schema {
        RefOr::T(Schema::Object(object)) => object.example = Some(value),
        RefOr::T(Schema::Array(array)) => array.example = Some(value),
        RefOr::Ref(_) | RefOr::T(_) => {}
    }
}

fn closed() -> Object {
    let closed = ObjectBuilder::new().schema_type(Type::Object);
    closed.additional_properties(Some(AdditionalProperties::FreeForm(false))).build()
}

/// The fields of an object, which collects their schemas and has no values.
struct Describer<'c> {
    object: Object,
    either: Option<[Object; 2]>,
    /// The fields of which exactly one must be present.
    exactly_one: Vec<&'static str>,
    components: &'c mut Components,
}

impl Describer<'_> {
    fn add(&mut self, name: &str, schema: RefOr<Schema>) {
        self.object.properties.insert(name.to_owned(), schema);
    }

    /// Returns the object with only this one of the alternative fields.
    fn variant(&self, name: &str) -> Object {
        let mut object = self.object.clone();
        for other in self.exactly_one.iter().filter(|other| **other != name) {
            object.properties.remove(*other);
        }
        object.title = Some(format!("By {name}"));
        object.required.push(name.to_owned());
        object
    }
}

impl Fields for Describer<'_> {
    fn required<P: Parse>(&mut self, name: &'static str, parser: P) -> Result<P::Output, Reported> {
        let schema = parser.schema(self.components);
        self.add(name, schema);
        self.object.required.push(name.to_owned());
        Err(Reported::DESCRIBED)
    }

    fn optional<P: Parse>(&mut self, name: &'static str, parser: P) -> Result<Option<P::Output>, Reported> {
        let schema = parser.schema(self.components);
        self.add(name, schema);
        Err(Reported::DESCRIBED)
    }

    fn nullable<P: Parse>(&mut self, name: &'static str, parser: P) -> Result<Patch<P::Output>, Reported> {
        let schema = or_null(parser.schema(self.components));
        self.add(name, schema);
        Err(Reported::DESCRIBED)
    }

    fn either<A: Parse, B: Parse>(
        &mut self,
        (first, a): (&'static str, A),
        (second, b): (&'static str, B),
    ) -> Result<Either<A::Output, B::Output>, Reported> {
        let schemas = [(first, a.schema(self.components)), (second, b.schema(self.components))];
        self.either = Some(schemas.map(|(name, schema)| {
            let mut object = closed();
            object.title = Some(format!("By {name}"));
            object.properties.insert(name.to_owned(), schema);
            object.required.push(name.to_owned());
            object
        }));
        Err(Reported::DESCRIBED)
    }

    fn exactly_one(&mut self, names: &[&'static str]) -> Result<(), Reported> {
        self.exactly_one = names.to_vec();
        Ok(())
    }

    fn misplaced(&mut self, _: &'static str, _: &'static str) -> Result<(), Reported> {
        Ok(())
    }

    fn reject<T>(&mut self, _: &str, _: impl Into<String>) -> Result<T, Reported> {
        Err(Reported::DESCRIBED)
    }
}
