//! Signing in.

use crate::fixture::{context, fixture, open, stranger, told};
use model::secret::Secret;
use service::{FirstStart, Limits};

#[tokio::test]
async fn a_link_then_a_password() {
    let fixture = fixture().await;
    let ctx = &fixture.ctx;
    let link = fixture.sign_in_link().await.unwrap().expect("nobody has signed in yet");
    assert_eq!(fixture.sign_in_link().await.unwrap().unwrap().expose(), link.expose(), "it is printed again");
    assert_eq!(fixture.redeem_link(link.expose()).await.unwrap(), fixture.owner());
    assert!(fixture.sign_in_link().await.unwrap().is_none());
    assert_eq!(
        told(fixture.redeem_link(link.expose()).await),
        "Unauthenticated This sign-in link was used already or has expired."
    );
    assert!(!fixture.signed_in(ctx).await.unwrap().has_password);
    let before = fixture.session_auth_hash(&fixture.owner()).await.unwrap();
    let short = fixture.set_password(ctx, None, Secret::new("short")).await;
    assert_eq!(told(short), "Invalid new:password_short Use at least 8 characters.");
    fixture.set_password(ctx, None, Secret::new("first password")).await.unwrap();
    assert_ne!(fixture.session_auth_hash(&fixture.owner()).await.unwrap(), before, "other sessions end");
    assert!(fixture.signed_in(ctx).await.unwrap().has_password);
    let unnamed = fixture.set_password(ctx, None, Secret::new("second password")).await;
    assert_eq!(told(unnamed), "Invalid current:password_wrong This is not your current password.");
    let current = Some(Secret::new("first password"));
    fixture.set_password(ctx, current, Secret::new("second password")).await.unwrap();
    let sign_in = |name: &'static str, password: &str| fixture.sign_in(name, Secret::new(password), None);
    assert_eq!(sign_in("root", "second password").await.unwrap(), fixture.owner());
    assert_eq!(told(sign_in("root", "first password").await), "Unauthenticated The name or the password is wrong.");
    assert_eq!(told(sign_in("toor", "second password").await), "Unauthenticated The name or the password is wrong.");
    let new_link = fixture.new_sign_in_link().await.unwrap();
    assert_eq!(fixture.redeem_link(new_link.expose()).await.unwrap(), fixture.owner());
    assert_eq!(fixture.session_auth_hash(&stranger().principal).await.unwrap(), None);
}

#[tokio::test]
async fn guessing_gets_slow() {
    let fixture = fixture().await;
    fixture.reset_owner_password(Secret::new("the password")).await.unwrap();
    let origin = Some("10.0.0.1".parse().unwrap());
    for _ in 0..6 {
        let told = told(fixture.sign_in("root", Secret::new("a guess"), origin).await);
        assert_eq!(told, "Unauthenticated The name or the password is wrong.");
    }
    let right = told(fixture.sign_in("root", Secret::new("the password"), origin).await);
    assert!(right.starts_with("LimitExceeded Too many attempts. Try again in "), "{right}");
}

#[tokio::test]
async fn the_password_of_the_environment_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let first = |password: &str| FirstStart { admin_password: Some(Secret::new(password)), sample: false };
    let services = open(dir.path(), Limits::default()).await;
    services.first_start(first("the first one")).await.unwrap();
    assert!(services.has_owner_password().await.unwrap());
    assert!(services.sign_in_link().await.unwrap().is_none());
    services.first_start(first("another one")).await.unwrap();
    assert!(services.sign_in("root", Secret::new("another one"), None).await.is_err());
    let principal = services.sign_in("root", Secret::new("the first one"), None).await.unwrap();
    assert_eq!(principal, context(&services, "x").principal);
}

#[tokio::test]
async fn before_the_first_start_nobody_may_do_anything() {
    let dir = tempfile::tempdir().unwrap();
    let services = open(dir.path(), Limits::default()).await;
    let ctx = context(&services, "x");
    assert_eq!(told(services.list_projects(&ctx).await), "Unauthenticated Sign in to go on.");
}
