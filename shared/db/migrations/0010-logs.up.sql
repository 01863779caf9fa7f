-- Tenants that have a log of their own, and those that are to get one (null until it is there).
create table log_places (
  tenant text primary key,
  stream text,
  -- tail of the shared log when it moved, and first sequence in its own
  after bigint,
  since bigint,
  at bigint,
  -- incarnation of the shared log then
  shared text,
  check (num_nulls(stream, after, since, at, shared) in (0, 5))
);
grant select, insert, update, delete on log_places to waggle_runtime;
alter table log_places enable row level security;
alter table log_places force row level security;
create policy runtime on log_places to waggle_runtime using (true) with check (true);
