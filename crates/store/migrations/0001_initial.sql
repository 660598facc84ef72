-- What Lakedeck knows by itself. Moments are microseconds since 1970 in UTC; JSON columns hold model types.

create table setting (
    key   text primary key,
    value text not null
) strict;

create table principal (
    name            text primary key,
    password_hash   text,
    password_set_at integer,
    created_at      integer not null
) strict;

-- One-time links. The token is found by its hash; the sealed copy lets the server print it again until it is used.
create table sign_in_link (
    token_hash   blob primary key,
    principal    text not null references principal (name) on delete cascade,
    sealed_token blob not null,
    created_at   integer not null,
    expires_at   integer
) strict;

-- Browser sessions. Only a hash of the id is kept: who reads the database cannot take a session over.
create table session (
    id_hash    blob primary key,
    data       text not null,
    expires_at integer not null
) strict;
create index session_by_expiry on session (expires_at);

create table data_source (
    id                text primary key,
    name              text not null unique,
    description       text not null,
    source_kind       text not null,
    region            text not null,
    storage           text not null,
    endpoint          text,
    path_style        integer not null,
    auth              text not null,
    role_arn          text,
    access_key_id     text,
    access_key_secret blob,
    session_token     blob,
    secret_set_at     integer,
    properties        text not null,
    created_by        text not null,
    created_at        integer not null,
    updated_by        text not null,
    updated_at        integer not null,
    version           integer not null
) strict;

create table data_source_test (
    id          integer primary key,
    data_source text not null references data_source (id) on delete cascade,
    body        text not null
) strict;
create index data_source_test_by_source on data_source_test (data_source, id);

create table external_project (
    id             text primary key,
    -- Unique in the deployment whatever its case.
    name           text not null collate nocase unique,
    description    text not null,
    region         text not null,
    billing        text not null,
    quota          text not null,
    data_source    text not null references data_source (id) on delete restrict,
    bucket_catalog text not null,
    identity       text not null,
    role_arn       text,
    -- Unique, because back-quoted names of other engines are resolved through it.
    engine_catalog text unique,
    options        text not null,
    state          text not null,
    owner          text not null,
    created_by     text not null,
    created_at     integer not null,
    updated_by     text not null,
    updated_at     integer not null,
    version        integer not null
) strict;
create index external_project_by_source on external_project (data_source);

-- A worksheet outlives its project: what was typed is never thrown away.
create table worksheet (
    id         text primary key,
    owner      text not null,
    name       text not null,
    text       text not null,
    session    text not null,
    last_run   text,
    created_at integer not null,
    updated_at integer not null,
    version    integer not null
) strict;
create index worksheet_by_owner on worksheet (owner, updated_at desc);

create table run (
    id          text primary key,
    worksheet   text references worksheet (id) on delete set null,
    project     text not null,
    started_by  text not null,
    started_at  integer not null,
    finished_at integer,
    session     text not null
) strict;
create index run_unfinished on run (id) where finished_at is null;
create index run_by_end on run (finished_at);
create index run_by_worksheet on run (worksheet);

create table statement (
    run      text not null references run (id) on delete cascade,
    position integer not null,
    state    text not null,
    body     text not null,
    -- The session that its rows are rendered in.
    session  text,
    primary key (run, position)
) strict, without rowid;

-- Written before a snapshot is published: how a statement finds its own commit after a crash.
create table commit_journal (
    run         text not null,
    position    integer not null,
    project     text not null,
    schema_name text not null,
    table_name  text not null,
    commit_user text not null,
    at          integer not null,
    primary key (run, position, commit_user),
    foreign key (run, position) references statement (run, position) on delete cascade
) strict, without rowid;

create table audit (
    id            integer primary key,
    at            integer not null,
    principal     text not null,
    origin        text,
    request_id    text not null,
    action        text not null,
    resource_kind text not null,
    resource      text not null,
    detail        text not null,
    allowed       integer not null,
    -- SHA-256 over the previous entry's hash and this entry: a changed or removed entry breaks the chain.
    hash          blob not null
) strict;
create index audit_by_resource on audit (resource_kind, resource, id desc);

create trigger audit_is_append_only_update before update on audit
begin
    select raise(abort, 'the audit log is append-only');
end;
create trigger audit_is_append_only_delete before delete on audit
begin
    select raise(abort, 'the audit log is append-only');
end;
