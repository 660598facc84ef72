//! What the server finds worth knowing, in the language of the page.

use super::form_state::rule;
use crate::tr;
use model::notice::Notice;

/// The notice in words; the server's English where the page knows no other.
pub fn words(notice: &Notice) -> String {
    let value = |name: &str| notice.value(name).unwrap_or_default();
    match notice.code.as_str() {
        "directory_shared" => tr!(notice.directory_shared, projects = value("projects")).to_string(),
        "region_differs" => {
            tr!(notice.region_differs, source = value("source_region"), project = value("project_region")).to_string()
        }
        "directory_owned" => {
            let since = value("since").get(..10).unwrap_or_default();
            let (account, project) = (value("account"), value("project"));
            tr!(notice.directory_owned, account, project, since).to_string()
        }
        "quota_ready" => tr!(notice.quota_ready, quota = value("quota"), statements = value("statements")).to_string(),
        "sample_ready" => tr!(notice.sample_ready).to_owned(),
        "directory_listed" => tr!(notice.directory_listed, uri = value("uri")).to_string(),
        "places_missing" if value("place") == "folder" => tr!(notice.folders_missing).to_owned(),
        "places_missing" => tr!(notice.buckets_missing).to_owned(),
        "places_listed" if value("place") == "folder" => tr!(notice.folders_listed, n = value("count")).to_string(),
        "places_listed" => tr!(notice.buckets_listed, n = value("count")).to_string(),
        "identity_first" => tr!(notice.identity_first).to_owned(),
        "store_late" => tr!(notice.store_late, n = value("seconds")).to_string(),
        "role" => tr!(notice.role, role = value("role")).to_string(),
        "access_key_missing" => tr!(notice.access_key_missing).to_owned(),
        "access_key" => tr!(notice.access_key, key = value("key")).to_string(),
        "server_credentials" => tr!(notice.server_credentials).to_owned(),
        "role_needless" => tr!(notice.role_needless).to_owned(),
        "auth_missing" => tr!(notice.auth_missing).to_owned(),
        code => rule(code).map_or_else(|| notice.text.clone(), str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_speak() {
        let check = |notice: Notice, expected: &str| assert_eq!(words(&notice), expected);
        check(
            Notice::new("region_differs", "").with("source_region", "cn-hangzhou").with("project_region", "local"),
            "The data source is in region cn-hangzhou, the project in local.",
        );
        check(
            Notice::new("places_listed", "").with("place", "bucket").with("count", 3),
            "Buckets that can be listed: 3.",
        );
        check(Notice::new("role_arn_masked", ""), tr!(rule.role_arn_masked));
        check(Notice::new("failed", "The store says no."), "The store says no.");
    }
}
