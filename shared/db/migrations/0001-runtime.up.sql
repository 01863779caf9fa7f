-- Roles, the tables of the runtime, and the functions it writes through.
--
-- Two roles, never logged in with: every transaction takes one of them (PGlite is one session of a superuser, for whom
-- row-level security does not apply). waggle_app sees one tenant: that of the variable app.tenant. waggle_runtime works
-- across tenants, on its own tables only. Times are milliseconds, as on the wire: a page begins where the last one ended only
-- when the column is no finer than what was shown.

do $$
declare
  wanted text;
begin
  foreach wanted in array array['waggle_app', 'waggle_runtime'] loop
    begin
      if not exists (select from pg_roles where rolname = wanted) then
        execute format('create role %I nologin nosuperuser nocreatedb nocreaterole noreplication nobypassrls', wanted);
      end if;
    exception when duplicate_object or unique_violation then
      null; -- another database of this server was migrated at the same moment
    end;
    -- Since version 16 whoever creates a role may grant it, but not yet take it.
    begin
      execute format('grant %I to current_user', wanted);
    exception when insufficient_privilege then
      if not pg_has_role(current_user, wanted, 'member') then
        raise;
      end if; -- somebody else made the roles and let us have them
    end;
  end loop;
end
$$;

grant usage on schema public to waggle_app, waggle_runtime;

-- The tenant of this transaction. After one that had a tenant the variable is '' on the same connection, and not null.
create function current_tenant() returns text language sql stable parallel safe
  return nullif(current_setting('app.tenant', true), '');

create table kinds (
  kind text primary key,
  partitions integer not null check (partitions > 0)
);

-- The right to act (I1).
create table partition_epochs (
  kind text not null,
  partition integer not null,
  epoch bigint not null,
  holder text not null,
  at timestamptz(3) not null default now(),
  primary key (kind, partition)
);

create table actor_state (
  tenant text not null,
  kind text not null,
  key text not null,
  partition integer not null,
  epoch bigint not null,
  -- 0: it has committed and never kept state
  version integer not null,
  -- json and not jsonb: opaque here, and jsonb refuses \u0000
  value json,
  primary key (tenant, kind, key)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

create table processed_commands (
  tenant text not null,
  kind text not null,
  key text not null,
  id text not null,
  at bigint not null,
  receipt bytea,
  primary key (tenant, kind, key, id)
);
create index processed_commands_at on processed_commands (at);

create table outbox (
  tenant text not null,
  id text not null,
  seq bigint generated always as identity,
  kind text not null,
  partition integer not null,
  key text not null,
  epoch bigint not null,
  entries bytea not null,
  at timestamptz(3) not null default now(),
  relayed_at bigint,
  primary key (tenant, id)
) with (autovacuum_vacuum_scale_factor = 0.05);
alter table outbox alter column entries set storage external; -- packed already: compressing it again costs and gains nothing
create index outbox_unsent on outbox (kind, partition, seq) where relayed_at is null;
create index outbox_relayed on outbox (relayed_at) where relayed_at is not null;

create table timers (
  tenant text not null,
  kind text not null,
  key text not null,
  name text not null,
  partition integer not null,
  due_at bigint not null,
  payload json,
  primary key (tenant, kind, key, name)
);
create index timers_due on timers (kind, partition, due_at);

create table attempts (
  tenant text not null,
  kind text not null,
  key text not null,
  command text not null,
  count integer not null,
  history json not null default '[]',
  at timestamptz(3) not null default now(),
  primary key (tenant, kind, key, command)
);
create index attempts_at on attempts (at);

-- Where in a scope's log an epoch was opened; sequence null: written, its place not yet known.
create table epoch_openings (
  tenant text not null,
  scope text not null,
  who text not null,
  epoch bigint not null,
  sequence bigint,
  at timestamptz(3) not null default now(),
  primary key (tenant, scope, who, epoch)
);
create index epoch_openings_at on epoch_openings (at);

create table log_marks (
  stream text primary key,
  incarnation text not null,
  created bigint not null,
  sequence bigint not null,
  at bigint not null
);

create table runs (
  tenant text not null,
  kind text not null,
  key text not null,
  parent_kind text not null,
  parent_key text not null,
  partition integer not null,
  state text not null check (state in ('running', 'waiting', 'done', 'failed', 'stopped')),
  attempt integer not null,
  restarts json not null default '[]',
  deadline bigint not null,
  envelope bytea not null,
  result json,
  error json,
  started_at timestamptz(3) not null default now(),
  changed_at timestamptz(3) not null default now(),
  primary key (tenant, kind, key)
) with (fillfactor = 80);
alter table runs alter column envelope set storage external;
create index runs_unfinished on runs (parent_kind, partition) where state in ('running', 'waiting');
create index runs_started on runs (tenant, started_at desc, key);

-- The ledger of outside effects (I3).
create table effects (
  tenant text not null,
  id text not null,
  run text not null,
  tool text not null,
  args_hash text not null,
  repeatable boolean not null,
  status text not null check (status in ('intended', 'done', 'failed', 'unknown')),
  result json,
  intended_at timestamptz(3) not null default now(),
  settled_at timestamptz(3),
  primary key (tenant, id)
);
create index effects_run on effects (run, tenant);
create index effects_in_doubt on effects (tenant, intended_at) where status in ('intended', 'unknown');

create table dead_letters (
  -- '-' when not even the tenant could be read: then only the runtime's role sees it
  tenant text not null,
  id text not null,
  subject text not null,
  payload bytea not null,
  code text not null,
  message text not null,
  attempts integer not null,
  history json not null,
  trace text not null,
  at bigint not null,
  state text not null default 'buried' check (state in ('buried', 'replayed', 'discarded')),
  decided_by text,
  decided_at bigint,
  primary key (tenant, id)
);
alter table dead_letters alter column payload set storage external;
create index dead_letters_at on dead_letters (tenant, at desc, id);

-- Row-level security. Everything with a tenant has it, forced, so that not even the owner of the tables is exempt.
do $$
declare
  name text;
begin
  foreach name in array array['kinds', 'partition_epochs', 'log_marks', 'actor_state', 'processed_commands', 'outbox',
    'timers', 'attempts', 'epoch_openings', 'runs', 'effects', 'dead_letters'] loop
    execute format('grant select, insert, update, delete on %I to waggle_runtime', name);
    if name not in ('kinds', 'partition_epochs', 'log_marks') then
      execute format('alter table %I enable row level security', name);
      execute format('alter table %I force row level security', name);
      execute format('create policy runtime on %I to waggle_runtime using (true) with check (true)', name);
    end if;
  end loop;
  -- What a tenant may read of its own.
  foreach name in array array['runs', 'effects', 'dead_letters'] loop
    execute format('grant select on %I to waggle_app', name);
    execute format('create policy tenant on %I to waggle_app using (tenant = current_tenant()) with check (tenant = current_tenant())', name);
  end loop;
end
$$;
grant update (state, decided_by, decided_at) on dead_letters to waggle_app;

-- The functions. Each is one statement for its caller, so one round trip and one implicit transaction. They belong to
-- waggle_runtime and run as it. plpgsql and VOLATILE matter: every statement in them sees a snapshot of its own, so the
-- epoch is read *after* the lock was got and shows a takeover that committed while we waited (I1).
-- SQLSTATEs: WG001 stale epoch, WG002 duplicates (detail: their ids), WG003 an id with another body, WG004 partitions differ.

-- Commits share this lock, a takeover has it alone: it waits for those under way, and those after it see the new epoch.
create function runtime_fence(p_kind text, p_partition integer, p_epoch bigint) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_epoch bigint;
begin
  perform pg_advisory_xact_lock_shared(hashtext(p_kind), p_partition);
  select epoch into v_epoch from partition_epochs where kind = p_kind and partition = p_partition;
  if v_epoch is distinct from p_epoch then
    raise exception using errcode = 'WG001', message = 'another activation has taken over',
      detail = format('%s/%s: %s was given, %s is the epoch', p_kind, p_partition, p_epoch, v_epoch);
  end if;
end
$$;

create function runtime_claim(p_kind text, p_partition integer, p_holder text) returns bigint
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_epoch bigint;
begin
  perform pg_advisory_xact_lock(hashtext(p_kind), p_partition);
  insert into partition_epochs as e (kind, partition, epoch, holder) values (p_kind, p_partition, 1, p_holder)
    on conflict (kind, partition) do update set epoch = e.epoch + 1, holder = excluded.holder, at = now()
    returning epoch into v_epoch;
  return v_epoch;
end
$$;

create function runtime_declare(p_kinds json) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_other record;
begin
  insert into kinds (kind, partitions)
    select kind, partitions from json_to_recordset(p_kinds) as g(kind text, partitions integer)
    order by kind
    on conflict (kind) do nothing;
  select g.kind, g.partitions as given, k.partitions as stored into v_other
    from json_to_recordset(p_kinds) as g(kind text, partitions integer) join kinds k on k.kind = g.kind
    where k.partitions <> g.partitions limit 1;
  if found then
    raise exception using errcode = 'WG004', message = 'partitions differ', detail = json_build_object(
      'kind', v_other.kind, 'given', v_other.given, 'stored', v_other.stored)::text;
  end if;
end
$$;

-- All steps of a batch, folded by the caller so that no row occurs twice. A part that is null costs nothing. Values that
-- must come out as they went in (states, payloads of timers, results) are JSON in a JSON string. Rows are changed and
-- deleted one by one, by their keys: the plan of a join with the part, made once while the table is small, is a scan of it.
create function runtime_commit(
  p_tenant text, p_kind text, p_partition integer, p_epoch bigint,
  p_states json, p_commands json, p_receipts bytea[], p_outbox json, p_entries bytea[], p_timers json,
  p_runs json, p_envelopes bytea[], p_run_updates json, p_openings json, p_letters json, p_payloads bytea[], p_attempts json
) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_rows integer;
  v_duplicates json;
  v_row record;
begin
  perform runtime_fence(p_kind, p_partition, p_epoch);

  if p_commands is not null then
    insert into processed_commands (tenant, kind, key, id, at, receipt)
      select p_tenant, p_kind, g.key, g.id, g.at, g.receipt
      from rows from (json_to_recordset(p_commands) as (key text, id text, at bigint), unnest(p_receipts))
        as g(key, id, at, receipt)
      on conflict do nothing;
    get diagnostics v_rows = row_count;
    if v_rows <> json_array_length(p_commands) then
      select json_agg(g.id) into v_duplicates
        from json_to_recordset(p_commands) as g(key text, id text)
        join processed_commands p on p.tenant = p_tenant and p.kind = p_kind and p.key = g.key and p.id = g.id
        where p.xmin <> pg_current_xact_id()::xid;
      raise exception using errcode = 'WG002', message = 'processed before', detail = v_duplicates::text;
    end if;
  end if;

  if p_states is not null then
    insert into actor_state as a (tenant, kind, key, partition, epoch, version, value)
      select p_tenant, p_kind, g.key, p_partition, p_epoch, g.version, g.value::json
      from json_to_recordset(p_states) as g(key text, version integer, value text)
      on conflict (tenant, kind, key) do update set
        partition = excluded.partition,
        epoch = excluded.epoch,
        version = case when excluded.version = 0 then a.version else excluded.version end,
        value = case when excluded.version = 0 then a.value else excluded.value end
      where excluded.version <> 0 or a.epoch <> excluded.epoch;
  end if;

  if p_outbox is not null then
    insert into outbox (tenant, id, kind, partition, key, epoch, entries)
      select p_tenant, g.id, p_kind, p_partition, g.key, p_epoch, g.entries
      from rows from (json_to_recordset(p_outbox) as (id text, key text), unnest(p_entries)) as g(id, key, entries);
  end if;

  if p_timers is not null then
    for v_row in select * from json_to_recordset(p_timers) as g(key text, name text, due_at bigint) where g.due_at is null
    loop
      delete from timers t where t.tenant = p_tenant and t.kind = p_kind and t.key = v_row.key and t.name = v_row.name;
    end loop;
    insert into timers (tenant, kind, key, name, partition, due_at, payload)
      select p_tenant, p_kind, g.key, g.name, p_partition, g.due_at, g.payload::json
      from json_to_recordset(p_timers) as g(key text, name text, due_at bigint, payload text)
      where g.due_at is not null
      on conflict (tenant, kind, key, name) do update set
        partition = excluded.partition, due_at = excluded.due_at, payload = excluded.payload;
  end if;

  if p_runs is not null then
    insert into runs (tenant, kind, key, parent_kind, parent_key, partition, state, attempt, restarts, deadline, envelope)
      select p_tenant, g.kind, g.key, g.parent_kind, g.parent_key, p_partition, 'running', 1, '[]', g.deadline, g.envelope
      from rows from (
        json_to_recordset(p_runs) as (kind text, key text, parent_kind text, parent_key text, deadline bigint),
        unnest(p_envelopes)) as g(kind, key, parent_kind, parent_key, deadline, envelope)
      on conflict do nothing;
  end if;

  if p_run_updates is not null then
    for v_row in select * from json_to_recordset(p_run_updates)
      as g(kind text, key text, state text, attempt integer, restarts json, result text, error text)
    loop
      update runs r set state = v_row.state, attempt = v_row.attempt, restarts = v_row.restarts,
          result = v_row.result::json, error = v_row.error::json, changed_at = now()
        where r.tenant = p_tenant and r.kind = v_row.kind and r.key = v_row.key;
    end loop;
  end if;

  if p_openings is not null then
    insert into epoch_openings (tenant, scope, who, epoch)
      select p_tenant, g.scope, g.who, g.epoch from json_to_recordset(p_openings) as g(scope text, who text, epoch bigint)
      on conflict do nothing;
  end if;

  if p_letters is not null then
    insert into dead_letters (tenant, id, subject, payload, code, message, attempts, history, trace, at)
      select g.tenant, g.id, g.subject, g.payload, g.code, g.message, g.attempts, g.history, g.trace, g.at
      from rows from (
        json_to_recordset(p_letters) as (tenant text, id text, subject text, code text, message text, attempts integer,
          history json, trace text, at bigint), unnest(p_payloads))
        as g(tenant, id, subject, code, message, attempts, history, trace, at, payload)
      on conflict do nothing;
  end if;

  if p_attempts is not null then
    for v_row in select * from json_to_recordset(p_attempts) as g(key text, command text)
    loop
      delete from attempts a
        where a.tenant = p_tenant and a.kind = p_kind and a.key = v_row.key and a.command = v_row.command;
    end loop;
  end if;
end
$$;

create function runtime_attempt(
  p_tenant text, p_kind text, p_partition integer, p_epoch bigint, p_key text, p_command text, p_error json
) returns integer
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_count integer;
begin
  perform runtime_fence(p_kind, p_partition, p_epoch);
  insert into attempts as a (tenant, kind, key, command, count, history)
    values (p_tenant, p_kind, p_key, p_command, 1, case when p_error is null then '[]' else json_build_array(p_error) end)
    on conflict (tenant, kind, key, command) do update set count = a.count + 1, at = now(),
      history = case when p_error is null then a.history else (a.history::jsonb || p_error::jsonb)::json end
    returning count into v_count;
  return v_count;
end
$$;

create function runtime_intend(
  p_tenant text, p_kind text, p_partition integer, p_epoch bigint,
  p_id text, p_run text, p_tool text, p_args_hash text, p_repeatable boolean
) returns table (run text, tool text, args_hash text, repeatable boolean, status text, result json, fresh boolean)
language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  perform runtime_fence(p_kind, p_partition, p_epoch);
  insert into effects (tenant, id, run, tool, args_hash, repeatable, status)
    values (p_tenant, p_id, p_run, p_tool, p_args_hash, p_repeatable, 'intended')
    on conflict (tenant, id) do nothing;
  if found then
    return query select p_run, p_tool, p_args_hash, p_repeatable, 'intended', null::json, true;
    return;
  end if;
  return query select e.run, e.tool, e.args_hash, e.repeatable, e.status, e.result, false
    from effects e where e.tenant = p_tenant and e.id = p_id;
end
$$;

-- What is known of an effect only grows: an outcome that comes late does not undo a stronger one.
create function runtime_settle(
  p_tenant text, p_kind text, p_partition integer, p_epoch bigint, p_id text, p_status text, p_result text
) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_strength constant text[] := array['intended', 'failed', 'unknown', 'done'];
begin
  perform runtime_fence(p_kind, p_partition, p_epoch);
  update effects set status = p_status, result = p_result::json, settled_at = now()
    where tenant = p_tenant and id = p_id
      and array_position(v_strength, status) < array_position(v_strength, p_status);
end
$$;

do $$
declare
  routine regprocedure;
begin
  grant create on schema public to waggle_runtime; -- owning a function takes it
  for routine in
    select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace and proname like 'runtime\_%'
  loop
    execute format('alter function %s owner to waggle_runtime', routine);
    execute format('revoke all on function %s from public', routine);
  end loop;
  revoke create on schema public from waggle_runtime;
end
$$;
