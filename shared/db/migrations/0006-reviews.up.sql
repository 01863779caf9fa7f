-- What waits for a person's decision, and what can be learned from those decisions. The rows are the truth: an item is
-- found here after a reload, a restart or a lost log. Written by the desk of its conversation only.

create table review_items (
  tenant text not null,
  id text not null,
  conversation_id text not null,
  turn_id text not null,
  run_id text not null,
  agent text not null,
  kind text not null check (kind in ('tool_call', 'draft_reply', 'question', 'handoff', 'budget')),
  -- the tool of a call; '' on others
  tool text not null default '',
  title text not null,
  -- why it needs a person
  reason text not null,
  -- json and not jsonb: what is executed is what was shown, to the last character
  proposal json not null,
  -- JSON Schema that a changed proposal must fit, or null
  schema json,
  evidence json not null default '[]',
  team text not null default '',
  claimed_by text,
  claimed_until bigint,
  quorum integer not null default 1 check (quorum between 1 and 20),
  approvals json not null default '[]',
  args_hash text not null,
  nonce text not null,
  created_at bigint not null,
  due_at bigint,
  expires_at bigint,
  on_expiry text not null default 'wait' check (on_expiry in ('wait', 'deny', 'allow', 'escalate')),
  -- teams that are asked next, each after another expiry
  escalate_to json not null default '[]',
  -- how long one team has, for the next expiry
  expires_after_ms bigint,
  state text not null default 'open'
    check (state in ('open', 'approved', 'edited', 'rejected', 'answered', 'expired', 'superseded')),
  decision json,
  -- who is told: kind and key of an actor
  origin_kind text not null check (origin_kind in ('agent', 'supervisor')),
  origin_key text not null,
  revision integer not null default 1,
  primary key (tenant, id),
  foreign key (tenant, conversation_id) references conversations on delete cascade deferrable
);
create index review_items_recent on review_items (tenant, created_at desc, id desc);
create index review_items_open on review_items (tenant, created_at desc, id desc) where state = 'open';
create index review_items_of_conversation on review_items (tenant, conversation_id, created_at desc, id desc);

-- Decisions that taught something: what was proposed, what a person made of it, and why.
create table feedback (
  tenant text not null,
  id text not null,
  item_id text not null,
  conversation_id text not null,
  run_id text not null,
  agent text not null,
  kind text not null,
  -- the tool of a call; '' on others
  tool text not null default '',
  label text not null check (label in ('edited', 'rejected', 'answered')),
  proposed json not null,
  decided json,
  reason text not null default '',
  decided_by text not null,
  at bigint not null,
  primary key (tenant, id),
  foreign key (tenant, item_id) references review_items on delete cascade deferrable
);
create index feedback_recent on feedback (tenant, at desc, id desc);
create index feedback_of_item on feedback (tenant, item_id);

-- How a call that needs a person is asked for: {reason, team, quorum, dueMs, expiresMs, onExpiry, escalateTo}.
alter table tools add column approval jsonb not null default '{}';

do $$
declare
  name text;
begin
  foreach name in array array['review_items', 'feedback'] loop
    execute format('alter table %I enable row level security', name);
    execute format('alter table %I force row level security', name);
    execute format('create policy tenant on %I to waggle_app using (tenant = current_tenant()) with check (tenant = current_tenant())', name);
    execute format('grant select, insert on %I to waggle_app', name);
  end loop;
end
$$;
-- Feedback is history: nothing changes it.
grant update on review_items to waggle_app;
