//! Routes and their description, which are declared together and used separately.
//!
//! A function serves its routes, and the OpenAPI document that it may return is a file. The code that describes routes
//! is several times larger than the code that serves them, and would run at each start. So both halves are types of
//! their own, and a program that does not use one of them does not contain its code.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::Path;
use utoipa::openapi::{HttpMethod, OpenApi};

/// The routes that [`routes!`](crate::routes!) declares.
#[must_use = "routes do nothing until they are served or described"]
pub trait Routes<S> {
    /// Returns the router that serves the routes.
    fn serve(self) -> Router<S>;

    /// Returns the OpenAPI description of the routes.
    fn describe(self) -> OpenApi;
}

/// Both halves of a declaration, as functions that are not called yet.
#[doc(hidden)]
pub struct Declared<F, D> {
    serve: F,
    describe: D,
}

impl<F, D> Declared<F, D> {
    #[doc(hidden)]
    pub fn new<S>(serve: F, describe: D) -> Self
    where
        F: FnOnce(Router<S>) -> Router<S>,
        D: FnOnce() -> OpenApi,
    {
        Self { serve, describe }
    }
}

impl<S, F, D> Routes<S> for Declared<F, D>
where
    S: Clone + Send + Sync + 'static,
    F: FnOnce(Router<S>) -> Router<S>,
    D: FnOnce() -> OpenApi,
{
    fn serve(self) -> Router<S> {
        (self.serve)(Router::new())
    }

    fn describe(self) -> OpenApi {
        (self.describe)()
    }
}

/// Adds one handler to a router, at the path and methods of its description `P`.
#[doc(hidden)]
pub fn serve<P, H, T, S>(router: Router<S>, handler: H) -> Router<S>
where
    P: Path,
    H: Handler<T, S>,
    T: 'static,
    S: Clone + Send + Sync + 'static,
{
    let on = |methods: MethodRouter<S>, method| methods.on(filter(&method), handler.clone());
    router.route(&P::path(), P::methods().into_iter().fold(MethodRouter::new(), on))
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
    }
}

#[doc(hidden)]
pub use pastey::paste;

/// Declares routes by their handlers: `routes!(forms::create_form, forms::list_forms)`. Returns [`Routes`].
///
/// Each handler has a `#[utoipa::path]` and is in the current module or in a child module.
#[macro_export]
macro_rules! routes {
    (@description $handler:ident) => { $crate::routes::paste! { [<__path_ $handler>] } };
    (@description $module:ident :: $handler:ident) => {
        $crate::routes::paste! { $module::[<__path_ $handler>] }
    };
    ($($first:ident $(:: $second:ident)?),+ $(,)?) => {{
        #[derive(utoipa::OpenApi)]
        #[openapi(paths($($first $(:: $second)?),+))]
        struct Description;
        $crate::routes::Declared::new(
            |router| {
                $(let router = $crate::routes::serve::<$crate::routes!(@description $first $(:: $second)?), _, _, _>(
                    router,
                    $first $(:: $second)?,
                );)+
                router
            },
            <Description as utoipa::OpenApi>::openapi,
        )
    }};
}
