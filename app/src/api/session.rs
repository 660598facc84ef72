//! Server functions of the person at the page: who it is, the password, and choices kept in cookies.
//! Signing in and out are plain forms (`routes::SESSION_*`), so that the session never depends on JavaScript.

use super::Text;
use crate::error::ApiError;
use leptos::prelude::*;
use model::access::SignedIn;

#[server(prefix = "/fn", endpoint = "session/signed_in", output = Text, name = LoadSignedIn)]
pub async fn signed_in() -> Result<SignedIn, ApiError> {
    let (services, ctx) = crate::ssr::request().await?;
    crate::ssr::answer(&ctx, services.signed_in(&ctx).await)
}

/// Sets the password of who is signed in; `current` is asked for once there is one.
#[server(prefix = "/fn", endpoint = "session/set_password", output = Text)]
pub async fn set_password(current: Option<String>, new: String, repeated: String) -> Result<(), ApiError> {
    use model::problem::{ErrorCode, Problem};
    use model::secret::Secret;
    let (services, ctx) = crate::ssr::request().await?;
    if new != repeated {
        let problem =
            Problem::on_field(ErrorCode::Invalid, "repeated", "password_repeated", "The two passwords differ.");
        return crate::ssr::checked(&ctx, Err(problem));
    }
    let current = current.filter(|text| !text.is_empty()).map(Secret::new);
    crate::ssr::answer(&ctx, services.set_password(&ctx, current, Secret::new(new)).await)?;
    leptos_axum::redirect(crate::routes::SETTINGS);
    Ok(())
}

/// Keeps a choice (`theme`, `language`, `region` and the like) and goes back to the page: what the menus post
/// when JavaScript is off. Anyone may call it; it touches nothing but the caller's own cookies.
#[server(prefix = "/fn", endpoint = "session/preference", output = Text)]
pub async fn set_preference(name: String, value: String) -> Result<(), ApiError> {
    use crate::layout::preference::is_known;
    use model::problem::Problem;
    if !is_known(&name, &value) {
        return Err(Problem::invalid("There is no such choice.").into());
    }
    crate::ssr::set_cookie(&name, &value);
    leptos_axum::redirect(&crate::ssr::referer_path());
    Ok(())
}
