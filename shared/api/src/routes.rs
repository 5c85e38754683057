//! Routes and their description: declared in one place, used apart.
//!
//! A function serves its routes, and the description that it may hand out is a file. To describe routes takes several
//! times the code that serves them, and would be work at each start. So both halves are types of their own, and a
//! program that never asks for one of them has nothing of it.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter};
use utoipa::Path;
use utoipa::openapi::{HttpMethod, OpenApi};

/// What [`routes!`](crate::routes!) declares.
#[must_use = "routes do nothing until they are served or described"]
pub trait Routes<S> {
    /// The routes, to be served.
    fn serve(self) -> Router<S>;

    /// Their description.
    fn describe(self) -> OpenApi;
}

/// Both halves of a declaration, neither of them asked for yet.
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

/// Adds one handler to a router, where its description `P` says that it is.
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

/// Declares routes by their handlers, each of which has a `#[utoipa::path]` and stands here or in a module of this one:
/// `routes!(forms::create_form, forms::list_forms)`. Gives [`Routes`].
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
