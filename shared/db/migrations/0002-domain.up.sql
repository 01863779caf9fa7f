-- What tenants own. Every table has the tenant first in its key and row-level security; everything an agent is comes
-- from rows here. Foreign keys are checked at once, but can be deferred: MikroORM does not know in which order to insert.

create table tenants (
  tenant text primary key,
  name text not null,
  status text not null default 'active' check (status in ('active', 'disabled')),
  settings jsonb not null default '{}',
  -- grows with each change of agents, tools, their links and guardrails: what holds a copy looks at this
  config_version bigint not null default 1,
  created_at timestamptz(3) not null default now()
);

create table users (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  name text not null,
  email text,
  roles text[] not null default '{}',
  status text not null default 'active' check (status in ('active', 'disabled')),
  created_at timestamptz(3) not null default now(),
  primary key (tenant, id)
);
create unique index users_email on users (tenant, lower(email)) where email is not null;

create table api_keys (
  tenant text not null,
  id text not null,
  user_id text not null,
  name text not null,
  -- SHA-256 of the key; the key itself is nowhere
  hash bytea not null unique,
  -- its first characters, for people
  prefix text not null,
  roles text[] not null default '{}',
  scopes text[] not null default '{}',
  created_at timestamptz(3) not null default now(),
  expires_at timestamptz(3),
  revoked_at timestamptz(3),
  last_used_at timestamptz(3),
  primary key (tenant, id),
  foreign key (tenant, user_id) references users on delete cascade deferrable
);

-- Stored tokens and secrets, sealed (shared/db/secrets.ts), and the data keys they are sealed with, themselves sealed with
-- the master key of the configuration.
create table data_keys (
  tenant text not null references tenants on delete cascade deferrable,
  id integer not null,
  wrapped text not null,
  created_at timestamptz(3) not null default now(),
  primary key (tenant, id)
);

create table secrets (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  sealed text not null,
  created_at timestamptz(3) not null default now(),
  changed_at timestamptz(3) not null default now(),
  primary key (tenant, id)
);

create table agents (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  title text not null,
  description text not null,
  -- what a customer may ask it, for routing
  examples jsonb not null default '[]',
  system_prompt text not null,
  -- {provider, name, temperature, maxTokens, fallbacks, …}: read by shared/models
  model jsonb not null default '{}',
  output_mode text not null default 'gated' check (output_mode in ('gated', 'streamed')),
  -- JSON Schema of its structured answer, or null
  output_schema jsonb,
  max_steps integer not null default 8 check (max_steps between 1 and 100),
  -- {stepRetries, runMs, outputTokens, …}
  limits jsonb not null default '{}',
  -- the order in which they are offered to routing
  position integer not null default 0,
  enabled boolean not null default true,
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (tenant, id)
);

-- Each version of an agent as it was saved, for audit and for going back.
create table agent_versions (
  tenant text not null,
  agent_id text not null,
  version integer not null,
  body jsonb not null,
  author text not null,
  created_at timestamptz(3) not null default now(),
  primary key (tenant, agent_id, version),
  foreign key (tenant, agent_id) references agents on delete cascade deferrable
);

create table tools (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  title text not null,
  description text not null,
  examples jsonb not null default '[]',
  kind text not null check (kind in ('http_get', 'http_post', 'builtin')),
  -- JSON Schema of its arguments
  parameters jsonb not null default '{"type": "object", "properties": {}}',
  -- http: a template, {name} is an argument
  url text not null default '',
  headers jsonb not null default '{}',
  -- none; the user's own token (I14); a secret of the tenant by name
  auth text not null default 'none' check (auth in ('none', 'user_token', 'secret')),
  secret_id text,
  -- the result as a sentence: {path.to.value} is filled in
  output_template text not null default '',
  timeout_ms integer not null default 10000 check (timeout_ms between 1 and 600000),
  max_result_bytes integer not null default 65536 check (max_result_bytes between 1 and 1048576),
  -- may be repeated when in doubt; or takes our key in this header
  idempotent boolean not null default false,
  key_header text,
  needs_approval boolean not null default false,
  -- its result comes from within and does not taint the turn (I14)
  trusted boolean not null default false,
  enabled boolean not null default true,
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (tenant, id),
  foreign key (tenant, secret_id) references secrets deferrable,
  check (auth <> 'secret' or secret_id is not null)
);

create table agent_tools (
  tenant text not null,
  agent_id text not null,
  tool_id text not null,
  -- the lower, the earlier it is offered
  priority integer not null default 0,
  primary key (tenant, agent_id, tool_id),
  foreign key (tenant, agent_id) references agents on delete cascade deferrable,
  foreign key (tenant, tool_id) references tools on delete cascade deferrable
);
create index agent_tools_tool on agent_tools (tenant, tool_id);

create table guardrails (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  -- null: of every agent
  agent_id text,
  stage text not null check (stage in ('input', 'tool_call', 'tool_result', 'output')),
  -- which check, and its settings
  rule text not null,
  config jsonb not null default '{}',
  action text not null check (action in ('block', 'rewrite', 'flag')),
  -- said to the customer when it blocks; empty: the rule's own words
  message text not null default '',
  position integer not null default 0,
  enabled boolean not null default true,
  version integer not null default 1,
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (tenant, id),
  foreign key (tenant, agent_id) references agents on delete cascade deferrable
);

create table conversations (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  user_id text not null,
  channel text not null,
  title text not null default '',
  state text not null default 'open' check (state in ('open', 'closed')),
  -- who has the voice (I7): '' is nobody yet, otherwise an agent's or a person's name
  owner text not null default '',
  mode text not null default 'auto' check (mode in ('auto', 'human')),
  control_epoch bigint not null default 1,
  metadata jsonb not null default '{}',
  created_at timestamptz(3) not null default now(),
  updated_at timestamptz(3) not null default now(),
  primary key (tenant, id)
) with (fillfactor = 80);
create index conversations_recent on conversations (tenant, updated_at desc, id);
create index conversations_of_user on conversations (tenant, user_id, updated_at desc, id);

create table messages (
  tenant text not null,
  id text not null,
  conversation_id text not null,
  -- the order in which they were stored
  seq bigint generated always as identity,
  parent_id text,
  role text not null check (role in ('user', 'assistant', 'system')),
  -- user id, agent name, or system
  author text not null,
  -- whose client sent it, and its own id there: sending it again is harmless; '' on others
  principal text not null default '',
  client_id text not null default '',
  content text not null,
  -- {citations, extractive, data, …}
  data jsonb not null default '{}',
  revision integer not null default 1,
  control_epoch bigint not null default 0,
  turn_id text,
  run_id text,
  created_at timestamptz(3) not null default now(),
  retracted_at timestamptz(3),
  primary key (tenant, id),
  foreign key (tenant, conversation_id) references conversations on delete cascade deferrable,
  foreign key (tenant, parent_id) references messages deferrable
);
-- The tenant comes second: to a plan made while there were few rows, an index that begins with it looks as good as the
-- key for finding one message, and would later be read through for each.
create index messages_of_conversation on messages (conversation_id, tenant, seq);
create unique index messages_client_id on messages (conversation_id, tenant, principal, client_id) where client_id <> '';
create index messages_parent on messages (parent_id, tenant) where parent_id is not null;

create table audit_log (
  tenant text not null,
  id text not null,
  at timestamptz(3) not null default now(),
  principal text not null,
  -- noun.verb
  action text not null,
  subject text not null,
  details jsonb not null default '{}',
  primary key (tenant, id)
);
create index audit_log_at on audit_log (tenant, at desc, id);

do $$
declare
  name text;
begin
  foreach name in array array['tenants', 'users', 'api_keys', 'data_keys', 'secrets', 'agents', 'agent_versions', 'tools',
    'agent_tools', 'guardrails', 'conversations', 'messages', 'audit_log'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy tenant on %I to waggle_app using (tenant = current_tenant()) with check (tenant = current_tenant())', name);
    execute format('grant select, insert on %I to waggle_app', name);
    -- An audit log that could be changed would prove nothing; versions are history too.
    if name not in ('audit_log', 'agent_versions', 'tenants') then
      execute format('grant update, delete on %I to waggle_app', name);
    end if;
  end loop;
end
$$;
grant update (name, status, settings, config_version) on tenants to waggle_app;

-- What must be asked before a tenant is known: whose API key this is, and which tenants there are. Nothing else of these
-- tables is open to the runtime's role.
grant select on api_keys, users, tenants to waggle_runtime;
grant update (last_used_at) on api_keys to waggle_runtime;
create policy runtime_lookup on api_keys for select to waggle_runtime using (true);
create policy runtime_used on api_keys for update to waggle_runtime using (true);
create policy runtime_lookup on users for select to waggle_runtime using (true);
create policy runtime_lookup on tenants for select to waggle_runtime using (true);

create function runtime_api_key(p_hash bytea)
returns table (tenant text, id text, user_id text, roles text[], scopes text[])
language plpgsql volatile security definer set search_path = public, pg_temp as $$
begin
  update api_keys k set last_used_at = now()
    where k.hash = p_hash and (k.last_used_at is null or k.last_used_at < now() - interval '5 minutes');
  return query
    select k.tenant, k.id, k.user_id, k.roles, k.scopes
    from api_keys k
      join tenants t on t.tenant = k.tenant and t.status = 'active'
      join users u on u.tenant = k.tenant and u.id = k.user_id and u.status = 'active'
    where k.hash = p_hash and k.revoked_at is null and (k.expires_at is null or k.expires_at > now());
end
$$;

create function runtime_tenants() returns table (tenant text, name text, status text)
language sql stable security definer set search_path = public, pg_temp
begin atomic
  select t.tenant, t.name, t.status from tenants t order by t.tenant;
end;

do $$
declare
  routine regprocedure;
begin
  grant create on schema public to waggle_runtime;
  foreach routine in array array['runtime_api_key(bytea)'::regprocedure, 'runtime_tenants()'::regprocedure] loop
    execute format('alter function %s owner to waggle_runtime', routine);
    execute format('revoke all on function %s from public', routine);
  end loop;
  revoke create on schema public from waggle_runtime;
end
$$;
