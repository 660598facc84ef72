//! The words of refusals on data.

use crate::fixture::{fixture, stranger, told};

#[tokio::test]
async fn refusals_on_data_name_the_privilege() {
    let fixture = fixture().await;
    fixture.new_project("proj").await;
    assert_eq!(
        told(fixture.tables(&stranger(), "proj", "default").await),
        "Forbidden Forbidden: User acs:ram::1:user/etl doesn't have privilege LIST on DATABASE default"
    );
    assert_eq!(
        told(fixture.schemas(&stranger(), "proj").await),
        "Forbidden Forbidden: User acs:ram::1:user/etl doesn't have privilege LIST on CATALOG proj"
    );
    // What does not exist is refused in the same words as what does.
    assert_eq!(
        told(fixture.tables(&stranger(), "nowhere", "default").await),
        told(fixture.tables(&stranger(), "proj", "default").await)
    );
}
