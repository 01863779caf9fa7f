-- A tenant's knowledge: collections of documents, each in versions, each version in pages (its canonical text) and chunks
-- (what is found), with an inverted index of its own. A version is a *segment* of the index: it is written beside the
-- others and counts when its document points at it, so that a new one is switched to, and a deleted one hidden, by
-- one row. How often a term stands where is counted when it is asked for: there are no statistics to be outdated.

create table collections (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  title text not null,
  description text not null default '',
  -- chunking, embedder, ranking, glossary, what is done about personal data
  settings jsonb not null default '{}',
  -- the generation of vectors that is asked
  generation integer not null default 0,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant, id)
);

-- Content by its hash, once for a tenant; never shared between tenants: that would tell who has what.
create table blobs (
  tenant text not null references tenants on delete cascade deferrable,
  -- SHA-256, hex
  hash text not null,
  -- objects of the object store, in this order
  parts jsonb not null,
  bytes bigint not null,
  created_at bigint not null,
  primary key (tenant, hash)
);

create table documents (
  tenant text not null,
  id text not null,
  collection text not null,
  title text not null,
  -- where it came from: an upload's name, or an address that may be read again
  source jsonb not null,
  mime text not null default '',
  tags text[] not null default '{}',
  metadata jsonb not null default '{}',
  -- user:… and role:… that may find it; empty: everybody of the tenant
  access text[] not null default '{}',
  -- the version that is found; null: none yet
  live_version integer,
  live_segment bigint,
  last_version integer not null default 0,
  deleted_at bigint,
  recrawl_ms bigint,
  created_by text not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant, id),
  foreign key (tenant, collection) references collections deferrable
);
create index documents_of_collection on documents (tenant, collection, created_at desc, id desc);
create index documents_deleted on documents (tenant, deleted_at) where deleted_at is not null;

create table document_versions (
  tenant text not null,
  document text not null,
  version integer not null,
  segment bigint generated always as identity,
  -- null while the address is read, or the parts of an upload are put together
  hash text,
  bytes bigint not null default 0,
  name text not null default '',
  mime text not null default '',
  state text not null check (state in
    ('queued', 'fetching', 'parsing', 'ocr', 'chunking', 'embedding', 'ready', 'failed', 'cancelled')),
  cause jsonb,
  pages_done integer not null default 0,
  pages_total integer,
  chunks integer not null default 0,
  -- words counted by the ranking, over all chunks
  length double precision not null default 0,
  tokens integer not null default 0,
  -- of most of it, and of all of its chunks
  language text not null default '',
  languages text[] not null default '{}',
  created_at bigint not null,
  changed_at bigint not null,
  ready_at bigint,
  primary key (tenant, document, version),
  foreign key (tenant, document) references documents on delete cascade deferrable
);
create unique index document_versions_segment on document_versions (tenant, segment);
create index document_versions_hash on document_versions (tenant, hash);
create index document_versions_open on document_versions (tenant, state) where state not in ('ready', 'failed', 'cancelled');

-- A page as it was read; the canonical text of a version is its pages' texts, two line feeds between them.
create table document_pages (
  tenant text not null,
  document text not null,
  version integer not null,
  page integer not null,
  -- where its text begins in the canonical text, UTF-16 code units
  begins integer not null,
  text text not null,
  -- json and not jsonb: read and written whole
  blocks json not null,
  width real not null,
  height real not null,
  ocr boolean not null,
  primary key (tenant, document, version, page),
  foreign key (tenant, document, version) references document_versions on delete cascade deferrable
);

create table chunks (
  tenant text not null,
  segment bigint not null,
  ordinal integer not null,
  document text not null,
  version integer not null,
  collection text not null,
  kind text not null,
  -- in the canonical text, UTF-16 code units
  begins integer not null,
  ends integer not null,
  text text not null,
  headings text[] not null,
  header text not null,
  first_page integer not null,
  last_page integer not null,
  boxes json not null,
  language text not null,
  tokens integer not null,
  length real not null,
  parent integer,
  primary key (tenant, segment, ordinal)
);
create index chunks_of_collection on chunks (tenant, collection);
create index chunks_of_document on chunks (tenant, document);

-- One row for a term and a segment: in which chunks it stands, how often (weighted), and how long those are.
create table postings (
  tenant text not null,
  collection text not null,
  term text not null,
  segment bigint not null,
  ordinals integer[] not null,
  tfs real[] not null,
  lengths real[] not null,
  primary key (tenant, collection, term, segment)
);
create index postings_of_segment on postings (tenant, segment);

create table generations (
  tenant text not null,
  collection text not null,
  generation integer not null,
  -- provider/model
  embedder text not null,
  dimensions integer not null,
  settings jsonb not null default '{}',
  -- what an embedder that was fitted to the collection needs
  model bytea,
  state text not null check (state in ('building', 'active', 'retired', 'failed')),
  chunks integer not null default 0,
  note text not null default '',
  created_at bigint not null,
  changed_at bigint not null,
  primary key (tenant, collection, generation),
  foreign key (tenant, collection) references collections on delete cascade deferrable
);

-- Parts of a large file that come one after another.
create table uploads (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  collection text not null,
  name text not null,
  bytes bigint not null,
  received bigint not null default 0,
  parts jsonb not null default '[]',
  request jsonb not null,
  created_by text not null,
  created_at bigint not null,
  primary key (tenant, id)
);

create table golden_questions (
  tenant text not null,
  collection text not null,
  id text not null,
  question text not null,
  -- documents, or words of the passage, that must be found
  documents text[] not null default '{}',
  quote text not null default '',
  created_at bigint not null,
  primary key (tenant, collection, id),
  foreign key (tenant, collection) references collections on delete cascade deferrable
);

create table golden_runs (
  tenant text not null,
  collection text not null,
  id text not null,
  generation integer not null,
  questions integer not null,
  recall double precision not null,
  mrr double precision not null,
  ndcg double precision not null,
  at bigint not null,
  primary key (tenant, collection, id),
  foreign key (tenant, collection) references collections on delete cascade deferrable
);

-- Answers that a person gave or mended: said instead of what a model would say, where the question is near enough.
create table curated_answers (
  tenant text not null,
  collection text not null,
  id text not null,
  question text not null,
  answer text not null,
  citations json not null default '[]',
  terms text[] not null,
  hits integer not null default 0,
  created_by text not null,
  created_at bigint not null,
  updated_at bigint not null,
  primary key (tenant, collection, id),
  foreign key (tenant, collection) references collections on delete cascade deferrable
);

create table unanswered_questions (
  tenant text not null,
  collection text not null,
  -- of the question's words, so that the same one asked again is counted
  id text not null,
  question text not null,
  times integer not null default 1,
  coverage double precision not null,
  nearest text[] not null,
  state text not null default 'open' check (state in ('open', 'dismissed', 'answered')),
  first_at bigint not null,
  last_at bigint not null,
  primary key (tenant, collection, id)
);
create index unanswered_recent on unanswered_questions (tenant, collection, last_at desc);

-- What was asked of collections outside a conversation.
create table query_log (
  tenant text not null references tenants on delete cascade deferrable,
  id text not null,
  asked_by text not null,
  collections text[] not null,
  question text not null,
  answer text not null,
  citations json not null,
  covered boolean not null,
  ms integer not null,
  at bigint not null,
  primary key (tenant, id)
);
create index query_log_recent on query_log (tenant, asked_by, at desc, id desc);

-- Objects that are to be removed from the object store once the transaction that says so has committed.
create table blob_removals (
  tenant text not null references tenants on delete cascade deferrable,
  object text not null,
  at bigint not null,
  primary key (tenant, object)
);

alter table agents add column knowledge jsonb not null default '{}';

do $$
declare
  named text;
begin
  foreach named in array array['collections', 'blobs', 'documents', 'document_versions', 'document_pages', 'chunks',
    'postings', 'generations', 'uploads', 'golden_questions', 'golden_runs', 'curated_answers', 'unanswered_questions',
    'query_log', 'blob_removals'] loop
    execute format('alter table %I enable row level security', named);
    execute format('alter table %I force row level security', named);
    execute format('create policy tenant on %I to waggle_app using (tenant = current_tenant()) with check (tenant = current_tenant())', named);
    execute format('grant select, insert, update, delete on %I to waggle_app', named);
  end loop;
end
$$;
