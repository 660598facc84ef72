//! The note at the top of a warehouse that tells which deployment maps it.

use crate::stores::Place;
use lake::Catalog;
use model::lake::WarehouseOwner;
use ports::lake::LakeCatalog as _;

crate::on_every_store! {
    the_first_deployment_is_the_owner_until_it_goes
}

fn owner(account: &str) -> WarehouseOwner {
    WarehouseOwner {
        account: account.into(),
        project: "sales".into(),
        since: "2026-01-02T03:04:05Z".parse().expect("a moment"),
    }
}

async fn the_first_deployment_is_the_owner_until_it_goes(place: &Place) {
    let catalog = Catalog::new(place.open());
    let (ours, theirs) = (owner("1"), owner("2"));
    assert_eq!(catalog.owner().await.expect("an answer"), None);
    assert_eq!(catalog.claim(&theirs).await.expect("an answer"), theirs);
    assert_eq!(catalog.claim(&ours).await.expect("an answer"), theirs, "the note stays theirs");
    catalog.release("1").await.expect("an answer");
    assert_eq!(catalog.owner().await.expect("an answer"), Some(theirs), "it is not ours to take back");
    // The note is no abnormal object.
    assert_eq!(catalog.overview().await.expect("an answer").stray_count, 0);
    catalog.release("2").await.expect("an answer");
    assert_eq!(catalog.claim(&ours).await.expect("an answer"), ours);
    catalog.storage().operator().write(".paimon-console-owner", "not JSON").await.expect("written");
    assert_eq!(catalog.owner().await.expect("an answer"), None);
}
