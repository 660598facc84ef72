-- Where a project reaches its store by an endpoint of its own; without one by that of its data source.
alter table external_project add column endpoint text;
