import { Client } from 'pg'
import { settle } from '../checks/settle.ts'
import { setStage } from '../load/stage.ts'
import { pause } from '../pause.ts'
import { scenario } from '../scenario.ts'

const SHARE = 0.03
const LASTS_MS = 12_000
const LASTS_LONG_MS = 300_000

const RELIEVE = `
create or replace function force_conflict() returns trigger language plpgsql as $$ begin return null; end $$;
`
const PREPARE = `
create sequence forced_conflicts;
grant all on sequence forced_conflicts to public;
${RELIEVE}
do $$
declare name text;
begin
  for name in select tablename from pg_tables where schemaname = 'public' loop
    execute format('create trigger force_conflict before insert or update or delete on public.%I
      for each statement execute function public.force_conflict()', name);
  end loop;
end $$;
`
/**
 * The product's transactions are READ COMMITTED and take their locks in one order, so a server in good health hardly ever
 * refuses one by itself. Here it does: any statement that writes may fail with 40001 or 40P01.
 * Under load only the function changes: a trigger made or dropped then would take part in real deadlocks itself.
 */
const FORCE = `
create or replace function force_conflict() returns trigger language plpgsql as $$
begin
  if random() < ${SHARE} then
    perform nextval('public.forced_conflicts');
    if random() < 0.5 then raise exception 'forced' using errcode = '40001'; end if;
    raise exception 'forced' using errcode = '40P01';
  end if;
  return null;
end $$;
`

export const serialization = scenario({
  name: 'serialization',
  about: 'Any writing statement may fail with a serialization failure or a deadlock: each is repeated or settled.',
  async run({ random, long, say, world: open }) {
    const world = await open()
    const client = new Client({ connectionString: world.databaseUrl })
    await client.connect()
    try {
      await client.query(PREPARE)
      const stage = await setStage(world)
      await client.query(FORCE)
      const lasts = long ? LASTS_LONG_MS : LASTS_MS
      await pause(lasts, lasts, random)
      await stage.goesOn('the conflicts')
      await stage.quiet()
      const { rows } = await client.query<{ forced: string }>('select last_value as forced from forced_conflicts')
      const forced = Number(rows[0]?.forced ?? 0)
      say(`${forced} statements were refused; ${stage.accepted()} accepted`)
      await client.query(RELIEVE)
      const { problems, figures } = await settle(world, stage)
      return { problems: forced > 0 ? problems : [...problems, 'nothing was refused'], figures: { forced, ...figures } }
    } finally {
      await client.end()
    }
  },
})
