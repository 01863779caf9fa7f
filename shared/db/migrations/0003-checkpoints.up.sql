-- Checkpoints of graphs. A checkpoint names a version of each channel; the values lie apart, so that a channel that did
-- not change is not written again. Written by the runtime under the fence of the run, read by the tenant.

create table checkpoints (
  tenant text not null,
  thread text not null,
  ns text not null,
  id text not null,
  parent_id text,
  -- without the values of its channels
  body bytea not null,
  metadata jsonb not null,
  -- channel -> version
  versions jsonb not null,
  at timestamptz(3) not null default now(),
  primary key (tenant, thread, ns, id)
);
alter table checkpoints alter column body set storage external;
create index checkpoints_at on checkpoints (at);

create table checkpoint_blobs (
  tenant text not null,
  thread text not null,
  ns text not null,
  channel text not null,
  version text not null,
  -- of the serializer
  type text not null,
  value bytea not null,
  primary key (tenant, thread, ns, channel, version)
);

create table checkpoint_writes (
  tenant text not null,
  thread text not null,
  ns text not null,
  checkpoint_id text not null,
  task_id text not null,
  -- negative: an error, an interrupt and the like, of which the last one counts
  idx integer not null,
  channel text not null,
  type text not null,
  value bytea not null,
  primary key (tenant, thread, ns, checkpoint_id, task_id, idx)
);

do $$
declare
  name text;
begin
  foreach name in array array['checkpoints', 'checkpoint_blobs', 'checkpoint_writes'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy runtime on %I to waggle_runtime using (true) with check (true)', name);
    execute format('create policy tenant on %I to waggle_app using (tenant = current_tenant()) with check (tenant = current_tenant())', name);
    execute format('grant select, insert, update, delete on %I to waggle_runtime', name);
    execute format('grant select on %I to waggle_app', name);
  end loop;
end
$$;

-- Everything that a batch of puts leaves behind, in one statement under the fence of the run (I1). Parts may be null. Rows
-- go one by one, by their keys: see runtime_commit.
create function runtime_checkpoint(
  p_tenant text, p_kind text, p_partition integer, p_epoch bigint,
  p_checkpoints json, p_bodies bytea[], p_blobs json, p_blob_values bytea[], p_writes json, p_write_values bytea[],
  p_dropped json, p_dropped_blobs json
) returns void
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_row record;
begin
  perform runtime_fence(p_kind, p_partition, p_epoch);
  if p_blobs is not null then
    insert into checkpoint_blobs (tenant, thread, ns, channel, version, type, value)
      select p_tenant, g.thread, g.ns, g.channel, g.version, g.type, g.value
      from rows from (
        json_to_recordset(p_blobs) as (thread text, ns text, channel text, version text, type text), unnest(p_blob_values))
        as g(thread, ns, channel, version, type, value)
      on conflict do nothing;
  end if;

  if p_checkpoints is not null then
    insert into checkpoints (tenant, thread, ns, id, parent_id, body, metadata, versions)
      select p_tenant, g.thread, g.ns, g.id, g.parent_id, g.body, g.metadata, g.versions
      from rows from (
        json_to_recordset(p_checkpoints) as (thread text, ns text, id text, parent_id text, metadata jsonb, versions jsonb),
        unnest(p_bodies)) as g(thread, ns, id, parent_id, metadata, versions, body)
      on conflict (tenant, thread, ns, id) do update set
        parent_id = excluded.parent_id, body = excluded.body, metadata = excluded.metadata, versions = excluded.versions;
  end if;

  if p_writes is not null then
    insert into checkpoint_writes as w (tenant, thread, ns, checkpoint_id, task_id, idx, channel, type, value)
      select p_tenant, g.thread, g.ns, g.checkpoint_id, g.task_id, g.idx, g.channel, g.type, g.value
      from rows from (
        json_to_recordset(p_writes) as (thread text, ns text, checkpoint_id text, task_id text, idx integer, channel text,
          type text), unnest(p_write_values)) as g(thread, ns, checkpoint_id, task_id, idx, channel, type, value)
      on conflict (tenant, thread, ns, checkpoint_id, task_id, idx) do update set
        channel = excluded.channel, type = excluded.type, value = excluded.value
      where excluded.idx < 0;
  end if;

  if p_dropped is not null then
    for v_row in select * from json_to_recordset(p_dropped) as g(thread text, ns text, id text)
    loop
      delete from checkpoints c
        where c.tenant = p_tenant and c.thread = v_row.thread and c.ns = v_row.ns and c.id = v_row.id;
      delete from checkpoint_writes w
        where w.tenant = p_tenant and w.thread = v_row.thread and w.ns = v_row.ns and w.checkpoint_id = v_row.id;
    end loop;
  end if;

  if p_dropped_blobs is not null then
    for v_row in select * from json_to_recordset(p_dropped_blobs) as g(thread text, ns text, channel text, version text)
    loop
      delete from checkpoint_blobs b
        where b.tenant = p_tenant and b.thread = v_row.thread and b.ns = v_row.ns and b.channel = v_row.channel
          and b.version = v_row.version;
    end loop;
  end if;
end
$$;

-- Leaves the newest p_keep checkpoints of each namespace of a thread, with the values they name; all of them go with 0.
create function runtime_prune_thread(
  p_tenant text, p_kind text, p_partition integer, p_epoch bigint, p_thread text, p_keep integer
) returns integer
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_gone integer;
begin
  perform runtime_fence(p_kind, p_partition, p_epoch);
  delete from checkpoints c using (
      select ns, id, row_number() over (partition by ns order by id desc) as place
      from checkpoints where tenant = p_tenant and thread = p_thread) old
    where c.tenant = p_tenant and c.thread = p_thread and c.ns = old.ns and c.id = old.id and old.place > p_keep;
  get diagnostics v_gone = row_count;
  delete from checkpoint_writes w where w.tenant = p_tenant and w.thread = p_thread and not exists (
    select from checkpoints c where c.tenant = p_tenant and c.thread = p_thread and c.ns = w.ns and c.id = w.checkpoint_id);
  delete from checkpoint_blobs b where b.tenant = p_tenant and b.thread = p_thread and not exists (
    select from checkpoints c
    where c.tenant = p_tenant and c.thread = p_thread and c.ns = b.ns and c.versions ->> b.channel = b.version);
  return v_gone;
end
$$;

-- Threads that nobody wrote to since p_before: at most p_threads of them a call. For runs whose end was not seen.
create function runtime_prune_checkpoints(p_before timestamptz, p_threads integer) returns integer
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_thread record;
  v_gone integer := 0;
begin
  for v_thread in
    select c.tenant, c.thread from checkpoints c
    where c.at < p_before and not exists (
      select from checkpoints later
      where later.tenant = c.tenant and later.thread = c.thread and later.at >= p_before)
    group by c.tenant, c.thread order by min(c.at) limit p_threads
  loop
    delete from checkpoint_writes where tenant = v_thread.tenant and thread = v_thread.thread;
    delete from checkpoint_blobs where tenant = v_thread.tenant and thread = v_thread.thread;
    delete from checkpoints where tenant = v_thread.tenant and thread = v_thread.thread;
    v_gone := v_gone + 1;
  end loop;
  return v_gone;
end
$$;

do $$
declare
  routine regprocedure;
begin
  grant create on schema public to waggle_runtime;
  for routine in
    select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace
      and proname in ('runtime_checkpoint', 'runtime_prune_thread', 'runtime_prune_checkpoints')
  loop
    execute format('alter function %s owner to waggle_runtime', routine);
    execute format('revoke all on function %s from public', routine);
  end loop;
  revoke create on schema public from waggle_runtime;
end
$$;
