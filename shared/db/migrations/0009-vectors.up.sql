-- Where the vectors of chunks lie when no other store is configured (shared/vectors/pgvector). Nothing of the content.

do $$
begin
  create extension if not exists vector;
exception when insufficient_privilege then
  raise exception 'The extension vector is missing, and this login may not create it. Let an administrator run: create extension vector';
end
$$;

create table chunk_vectors (
  tenant text not null,
  collection text not null,
  generation integer not null,
  -- one version of one document
  segment bigint not null,
  ordinal integer not null,
  -- of length one, or all zeros; generations differ in dimensions
  vector halfvec not null,
  primary key (tenant, collection, generation, segment, ordinal)
);
-- Out of line, 1,024 dimensions would cost a look-up each, and an exact scan three times its time.
alter table chunk_vectors alter column vector set storage plain;

alter table chunk_vectors enable row level security;
alter table chunk_vectors force row level security;
create policy tenant on chunk_vectors to waggle_app using (tenant = current_tenant()) with check (tenant = current_tenant());
grant select, insert, update, delete on chunk_vectors to waggle_app;
