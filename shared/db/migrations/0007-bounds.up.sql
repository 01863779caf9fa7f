-- Dead letters by whom they were for, and what is let go after its time: one function for all that a tenant's settings
-- (or the defaults that are handed in) put a term to, a bounded number of rows at a time.

alter table dead_letters add column kind text not null generated always as (
  case when split_part(subject, '.', 3) = 'cmd' then split_part(subject, '.', 5) else split_part(subject, '.', 3) end
) stored;
create index dead_letters_kind on dead_letters (tenant, kind, code, at desc) where state = 'buried';
grant delete on dead_letters to waggle_app;

-- What a tenant has spent and reserved on a day, where it has a limit for one.
create table spending (
  tenant text not null references tenants on delete cascade deferrable,
  -- YYYY-MM-DD, UTC
  day text not null,
  tokens bigint not null,
  cost_micros bigint not null,
  primary key (tenant, day)
) with (fillfactor = 50);
alter table spending enable row level security;
alter table spending force row level security;
create policy tenant on spending to waggle_app using (tenant = current_tenant()) with check (tenant = current_tenant());
grant select, insert, update, delete on spending to waggle_app;

-- The runtime's role lets go of them, through this function.
grant select, delete on messages, audit_log to waggle_runtime;
grant select on conversations to waggle_runtime;
-- Only within the function below, which runs as this role: not for whoever logs in and is a member of it.
create policy runtime_retire on messages to waggle_runtime using (current_user = 'waggle_runtime');
create policy runtime_retire on audit_log to waggle_runtime using (current_user = 'waggle_runtime');
create policy runtime_retire on conversations for select to waggle_runtime using (current_user = 'waggle_runtime');

-- The time since 1970 (milliseconds) before which a tenant keeps nothing of this name; null: it keeps it for ever.
create function retired_before(p_settings jsonb, p_terms jsonb, p_name text, p_now bigint) returns bigint
language sql immutable security definer
begin atomic
  select p_now - case
    when p_settings -> 'retention' ->> p_name ~ '^\d{1,15}$' then (p_settings -> 'retention' ->> p_name)::bigint
    else (p_terms ->> p_name)::bigint
  end;
end;

create function runtime_retire(p_now bigint, p_terms jsonb, p_rows integer) returns jsonb
language plpgsql volatile security definer set search_path = public, pg_temp as $$
declare
  v_letters integer;
  v_undecided integer;
  v_runs integer;
  v_audit integer;
  v_messages integer;
  v_checkpoints integer;
begin
  with old as (
    select d.ctid as at_row from (select tenant, settings from tenants union all select '-', '{}') t
      cross join lateral retired_before(t.settings, p_terms, 'lettersMs', p_now) before
      join dead_letters d on d.tenant = t.tenant and d.at < before and d.state <> 'buried'
    limit p_rows)
  delete from dead_letters d using old where d.ctid = old.at_row;
  get diagnostics v_letters = row_count;

  with old as (
    select d.ctid as at_row from (select tenant, settings from tenants union all select '-', '{}') t
      cross join lateral retired_before(t.settings, p_terms, 'undecidedLettersMs', p_now) before
      join dead_letters d on d.tenant = t.tenant and d.at < before and d.state = 'buried'
    limit p_rows)
  delete from dead_letters d using old where d.ctid = old.at_row;
  get diagnostics v_undecided = row_count;

  -- A run goes with what it did: whoever asks for one of its effects later would take it for not begun.
  with old as (
    select r.tenant, r.kind, r.key from tenants t
      cross join lateral retired_before(t.settings, p_terms, 'runsMs', p_now) before
      join runs r on r.tenant = t.tenant and r.started_at < to_timestamp(before / 1000.0)
        and r.changed_at < to_timestamp(before / 1000.0) and r.state in ('done', 'failed', 'stopped')
    limit p_rows),
  gone_effects as (
    delete from effects e using old where e.tenant = old.tenant and e.run = old.kind || '/' || old.key)
  delete from runs r using old where r.tenant = old.tenant and r.kind = old.kind and r.key = old.key;
  get diagnostics v_runs = row_count;

  with old as (
    select a.ctid as at_row from tenants t
      cross join lateral retired_before(t.settings, p_terms, 'auditMs', p_now) before
      join audit_log a on a.tenant = t.tenant and a.at < to_timestamp(before / 1000.0)
    limit p_rows)
  delete from audit_log a using old where a.ctid = old.at_row;
  get diagnostics v_audit = row_count;

  -- All of a conversation at once: an answer does not outlive its question.
  with old as (
    select c.tenant, c.id from tenants t
      cross join lateral retired_before(t.settings, p_terms, 'messagesMs', p_now) before
      join conversations c on c.tenant = t.tenant and c.state = 'closed' and c.updated_at < to_timestamp(before / 1000.0)
    where exists (select from messages m where m.conversation_id = c.id and m.tenant = c.tenant)
    limit greatest(1, p_rows / 100))
  delete from messages m using old where m.conversation_id = old.id and m.tenant = old.tenant;
  get diagnostics v_messages = row_count;

  v_checkpoints := runtime_prune_checkpoints(
    to_timestamp((p_now - (p_terms ->> 'checkpointsMs')::bigint) / 1000.0), greatest(1, p_rows / 100));
  return jsonb_build_object('letters', v_letters, 'undecidedLetters', v_undecided, 'runs', v_runs, 'audit', v_audit,
    'messages', v_messages, 'checkpoints', v_checkpoints);
end
$$;

do $$
declare
  routine regprocedure;
begin
  grant create on schema public to waggle_runtime;
  foreach routine in array array['retired_before(jsonb, jsonb, text, bigint)'::regprocedure,
    'runtime_retire(bigint, jsonb, integer)'::regprocedure] loop
    execute format('alter function %s owner to waggle_runtime', routine);
    execute format('revoke all on function %s from public', routine);
  end loop;
  revoke create on schema public from waggle_runtime;
end
$$;
