//! Builds the binary again when the site folder that it embeds changed.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LAKEDECK_SITE");
    // A folder that does not exist yet counts as changed each time, so that the first site is not missed.
    if let Ok(site) = std::env::var("LAKEDECK_SITE") {
        println!("cargo::rerun-if-changed={site}");
    }
}
