//! Single values: the account id, the state of the first start.

use crate::{Error, Store, Tx};

impl Store {
    pub async fn setting(&self, key: &str) -> Result<Option<String>, Error> {
        let mut connection = self.read().await?;
        Ok(sqlx::query_scalar("select value from setting where key = ?")
            .bind(key)
            .fetch_optional(&mut *connection)
            .await?)
    }
}

impl Tx {
    pub async fn put_setting(&mut self, key: &str, value: &str) -> Result<(), Error> {
        sqlx::query("insert into setting (key, value) values (?, ?) on conflict do update set value = excluded.value")
            .bind(key)
            .bind(value)
            .execute(&mut *self.inner)
            .await?;
        Ok(())
    }
}
