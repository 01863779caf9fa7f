-- One voice (I7): modes of control, what people say beside the conversation, teams, assignments and read marks. What is
-- internal has tables of its own: no statement that reads messages for a customer can meet it.

alter table conversations drop constraint conversations_mode_check;
alter table conversations add constraint conversations_mode_check
  check (mode in ('auto', 'supervised', 'human', 'offered'));
-- who is to look after it, which says nothing of who has the voice
alter table conversations add column assigned_user text, add column assigned_team text;

alter table messages drop constraint messages_role_check;
alter table messages add constraint messages_role_check check (role in ('user', 'assistant', 'operator', 'system'));

create table notes (
  tenant text not null,
  id text not null,
  conversation_id text not null,
  -- the order in which they were stored
  seq bigint generated always as identity,
  -- note: for colleagues; whisper: for the agent; draft: of an agent, unsaid; learned: left by a person at hand-back
  kind text not null check (kind in ('note', 'whisper', 'draft', 'learned')),
  author text not null,
  -- the author's own id: sending it again is harmless; '' on those nobody sent
  client_id text not null default '',
  content text not null,
  turn_id text,
  -- what became of a whisper; others are kept
  state text not null default 'kept' check (state in ('kept', 'waiting', 'delivered', 'missed')),
  created_at timestamptz(3) not null default now(),
  primary key (tenant, id),
  foreign key (tenant, conversation_id) references conversations on delete cascade deferrable
);
create index notes_of_conversation on notes (conversation_id, tenant, seq);
create unique index notes_client_id on notes (conversation_id, tenant, author, client_id) where client_id <> '';

create table teams (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  name text not null,
  created_at timestamptz(3) not null default now(),
  primary key (tenant, id)
);

create table team_members (
  tenant text not null,
  team_id text not null,
  user_id text not null,
  skills text[] not null default '{}',
  -- conversations at the same time
  capacity integer not null default 3 check (capacity between 0 and 1000),
  primary key (tenant, team_id, user_id),
  foreign key (tenant, team_id) references teams on delete cascade deferrable
);
create index team_members_user on team_members (tenant, user_id);

create table read_marks (
  tenant text not null,
  conversation_id text not null,
  user_id text not null,
  message_id text not null,
  -- the place of that message: a mark only moves forward
  seq bigint not null,
  at timestamptz(3) not null default now(),
  primary key (tenant, conversation_id, user_id),
  foreign key (tenant, conversation_id) references conversations on delete cascade deferrable
);

do $$
declare
  name text;
begin
  foreach name in array array['notes', 'teams', 'team_members', 'read_marks'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy tenant on %I to waggle_app using (tenant = current_tenant()) with check (tenant = current_tenant())', name);
    execute format('grant select, insert, update, delete on %I to waggle_app', name);
  end loop;
end
$$;
