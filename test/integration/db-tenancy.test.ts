/**
 * I9 by enumeration of the catalogue: whatever table a migration adds is tested without being named here. The only lists
 * are of tables that the runtime's role alone may reach, and of what else lies outside of tenants.
 */
import { Client } from 'pg'

import { ENTITIES } from '#shared/db/entities.ts'
import { entityManager } from '#shared/db/orm.ts'
import { codeOf } from '#test/kit/code-of.ts'
import { assert, suite } from '#test/kit/suite.ts'

import { servers } from './db-servers.ts'
import type { OpenedDatabase } from './db-servers.ts'

/** Reachable by waggle_runtime only. */
const RUNTIME_TABLES = [
  'actor_state',
  'attempts',
  'epoch_openings',
  'kinds',
  'log_marks',
  'log_places',
  'outbox',
  'partition_epochs',
  'processed_commands',
  'timers',
]
/** Of those, the ones without a tenant. */
const WITHOUT_TENANT = ['kinds', 'log_marks', 'partition_epochs']
/** What the runtime's role may look up of the tenants' tables (migration 0002). */
const LOOKED_UP = ['api_keys', 'tenants', 'users']
/** It lets go of what has outlived its term, and adds nothing. */
const SWEPT = ['audit_log', 'conversations', 'messages']

for (const server of servers) {
  suite(`tenancy on ${server.name}`, ({ test, before, after }) => {
    let opened: OpenedDatabase
    let admin: Client
    let tables: string[]

    before(async () => {
      opened = await server.open()
      admin = new Client({ connectionString: opened.url })
      await admin.connect()
      tables = (await ask<{ name: string }>(`${TABLES} order by 1`)).map((row) => row.name)
      for (const table of tables) {
        if (WITHOUT_TENANT.includes(table)) continue
        for (const tenant of ['acme', 'globex']) await insertRow(table, tenant)
      }
    })
    after(async () => {
      await admin.end()
      await opened.close()
    })

    const ask = async <Row extends object>(sql: string, values: unknown[] = []): Promise<Row[]> =>
      (await admin.query<Row>(sql, values)).rows

    /** As `role` and `tenant` ('' is none), in a transaction that is rolled back. */
    const as = async <Row extends object>(role: string, tenant: string, sql: string): Promise<Row[]> => {
      await admin.query('begin')
      try {
        await admin.query(`select set_config('app.tenant', $1, true)`, [tenant])
        await admin.query(`set local role ${role}`)
        return (await admin.query<Row>(sql)).rows
      } finally {
        await admin.query('rollback')
      }
    }
    const count = async (role: string, tenant: string, table: string): Promise<number> =>
      (await as<{ rows: number }>(role, tenant, `select count(*)::int as rows from ${table}`))[0]?.rows ?? -1
    const refusal = (role: string, tenant: string, sql: string): Promise<string> =>
      as(role, tenant, sql).then(
        () => 'it was let through',
        (error: unknown) => String(Reflect.get(error as object, 'code')),
      )

    const insertRow = async (table: string, tenant: string): Promise<void> => {
      await admin.query('begin')
      await admin.query('set local session_replication_role = replica') // rows need no owners here
      await admin.query(await insertOf(table, tenant))
      await admin.query('commit')
    }

    /** An insert with a fitting value for every column that needs one. */
    const insertOf = async (table: string, tenant: string): Promise<string> => {
      const columns = await ask<{ name: string; type: string; allowed: string | null }>(
        `select a.attname as name, format_type(a.atttypid, null) as type,
           (select substring(pg_get_constraintdef(c.oid) from '''([a-z_]+)''')
            from pg_constraint c where c.conrelid = a.attrelid and c.contype = 'c' and c.conkey = array[a.attnum]) as allowed
         from pg_attribute a where a.attrelid = $1::regclass and a.attnum > 0 and not a.attisdropped and a.attnotnull
           and not a.atthasdef and a.attidentity = ''`,
        [table],
      )
      const values = columns.map(({ name, type, allowed }) => {
        if (name === 'tenant') return `'${tenant}'`
        if (type === 'bytea') return `sha256('${tenant}'::bytea)`
        if (type === 'json' || type === 'jsonb') return `'{}'`
        if (['integer', 'bigint', 'real', 'double precision'].includes(type)) return '1'
        if (type.endsWith('[]')) return "'{}'"
        if (type === 'boolean') return 'true'
        if (type === 'halfvec') return `'[1]'`
        return `'${allowed ?? 'x'}'`
      })
      return `insert into ${table} (${columns.map((column) => column.name).join()}) values (${values.join()})`
    }

    test('every table begins its key with the tenant, and has row-level security that its owner cannot evade', async () => {
      assert.ok(tables.length > 25, 'the catalogue was read')
      for (const table of tables) {
        if (WITHOUT_TENANT.includes(table)) continue
        const [row] = await ask<{ secured: boolean; forced: boolean; first: string }>(
          `select c.relrowsecurity as secured, c.relforcerowsecurity as forced,
             (select a.attname from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
              where i.indrelid = c.oid and i.indisprimary) as first
           from pg_class c where c.oid = $1::regclass`,
          [table],
        )
        assert.equal(row, { secured: true, forced: true, first: 'tenant' }, table)
      }
    })

    test('a query with no tenant sees nothing and a write is refused, in every table', async () => {
      for (const table of tables) {
        if (RUNTIME_TABLES.includes(table)) {
          assert.is(await refusal('waggle_app', '', `select from ${table}`), '42501', table)
          assert.is(await refusal('waggle_app', 'acme', `select from ${table}`), '42501', table)
          continue
        }
        assert.is(await count('waggle_app', '', table), 0, table)
        assert.is(await refusal('waggle_app', '', await insertOf(table, 'acme')), '42501', table)
        const changed = await as('waggle_app', '', `delete from ${table} returning 1`).catch(() => [])
        assert.is(changed.length, 0, table)
      }
    })

    test('a tenant sees its own rows and writes no others, in every table', async () => {
      for (const table of tables) {
        if (RUNTIME_TABLES.includes(table)) continue
        assert.is(await count('none', '', table), 2, `${table} has a row of each`)
        assert.is(await count('waggle_app', 'acme', table), 1, table)
        assert.is(await count('waggle_app', 'nobody', table), 0, table)
        const seen = await as<{ tenant: string }>('waggle_app', 'acme', `select tenant from ${table}`)
        assert.equal(seen, [{ tenant: 'acme' }], table)
        assert.is(await refusal('waggle_app', 'acme', await insertOf(table, 'initech')), '42501', table)
        const moved = await refusal('waggle_app', 'acme', `update ${table} set tenant = 'globex'`)
        assert.is(moved, '42501', table)
        const taken = await as('waggle_app', 'acme', `delete from ${table} where tenant = 'globex' returning 1`).catch(
          () => [],
        )
        assert.is(taken.length, 0, table)
      }
    })

    test('the role of the runtime reaches its own tables, and of the others only what it must look up', async () => {
      for (const table of tables) {
        const [row] = await ask<{ allowed: boolean }>(
          `select has_table_privilege('waggle_runtime', $1, 'select') as allowed`,
          [table],
        )
        const shared = ['runs', 'effects', 'dead_letters', 'checkpoints', 'checkpoint_blobs', 'checkpoint_writes']
        const expected = [...RUNTIME_TABLES, ...LOOKED_UP, ...SWEPT, ...shared].includes(table)
        assert.is(row?.allowed, expected, table)
      }
      for (const table of [...LOOKED_UP, ...SWEPT]) {
        assert.is(await refusal('waggle_runtime', '', await insertOf(table, 'initech')), '42501', table)
      }
    })

    test('only the functions of the runtime cross tenants, and the tenants cannot call them', async () => {
      const routines = await ask<{ name: string; owner: string; definer: boolean; app: boolean; everyone: boolean }>(
        `select p.oid::regprocedure::text as name, p.proowner::regrole::text as owner, p.prosecdef as definer,
           has_function_privilege('waggle_app', p.oid, 'execute') as app,
           coalesce((select bool_or(grantee = 0) from aclexplode(p.proacl)), p.proacl is null) as everyone
         from pg_proc p where p.pronamespace = 'public'::regnamespace
           and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`,
      )
      assert.ok(routines.length > 8, 'the catalogue was read')
      for (const { name, ...routine } of routines) {
        const expected =
          name === 'current_tenant()'
            ? { owner: routine.owner, definer: false, app: true, everyone: true }
            : { owner: 'waggle_runtime', definer: true, app: false, everyone: false }
        assert.equal(routine, expected, name)
      }
    })

    test('neither role can log in, create anything or evade row-level security', async () => {
      const roles = await ask(
        `select rolname, rolsuper, rolcanlogin, rolbypassrls, rolcreaterole, rolcreatedb,
           has_schema_privilege(rolname, 'public', 'create') as creates
         from pg_roles where rolname in ('waggle_app', 'waggle_runtime') order by 1`,
      )
      for (const [at, rolname] of ['waggle_app', 'waggle_runtime'].entries()) {
        assert.equal(roles[at], {
          rolname,
          rolsuper: false,
          rolcanlogin: false,
          rolbypassrls: false,
          rolcreaterole: false,
          rolcreatedb: false,
          creates: false,
        })
      }
    })

    test('an audit entry can be added and neither changed nor taken away', async () => {
      for (const sql of ['update audit_log set action = action', 'delete from audit_log', 'truncate audit_log']) {
        assert.is(await refusal('waggle_app', 'acme', sql), '42501', sql)
      }
    })

    test('leaves no tenant and no role behind on the connection', async () => {
      await opened.database.tenant('acme', async (sql) => {
        const [inside] = await sql.query('select current_user as role, current_tenant() as tenant')
        assert.equal(inside, { role: 'waggle_app', tenant: 'acme' })
      })
      assert.is(await codeOf(opened.database.tenant('', async () => {})), 'TENANT_MISSING')
      const rows = await opened.database.lookup<{ role: string; tenant: string | null }>(
        'select current_user as role, current_tenant() as tenant',
        [],
      )
      assert.is(rows[0]?.tenant, null)
      assert.is.not(rows[0]?.role, 'waggle_app')
    })

    test('keeps 200 concurrent transactions of many tenants apart', async () => {
      const tenants = ['acme', 'globex', 'nobody']
      const seen = await Promise.all(
        Array.from({ length: 200 }, (_, n) =>
          opened.database.tenant(tenants[n % 3] ?? '', async (sql) => {
            const [first] = await sql.query<{ tenant: string | null }>('select current_tenant() as tenant')
            const rows = await sql.query<{ tenant: string }>('select tenant from conversations')
            return [first?.tenant, ...rows.map((row) => row.tenant)].join()
          }),
        ),
      )
      const expected = ['acme,acme', 'globex,globex', 'nobody']
      assert.equal(
        seen,
        Array.from({ length: 200 }, (_, n) => expected[n % 3]),
      )
    })

    test('describes each table that a tenant reaches by an entity, column by column', async () => {
      const described = new Map<string, string[]>()
      await opened.database.tenant('acme', async (sql) => {
        const entities = [...entityManager(sql).getMetadata()]
        assert.is(entities.length, ENTITIES.length)
        for (const { tableName, props, primaryKeys, properties } of entities) {
          const keys = primaryKeys.flatMap((key) => properties[key]?.fieldNames ?? [])
          const columns = props.flatMap((prop) => prop.fieldNames.map((field) => `${field} ${prop.nullable === true}`))
          described.set(tableName, [...columns, `key ${keys.join()}`])
        }
      })
      for (const table of tables) {
        const internal = RUNTIME_TABLES.includes(table) || table.startsWith('checkpoint')
        if (internal) continue
        const columns = await ask<{ line: string }>(
          `select format('%s %s', attname, case when attnotnull then 'false' else 'true' end) as line
           from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
           union all
           select 'key ' || string_agg(a.attname, ',' order by k.place)
           from pg_index i cross join unnest(i.indkey) with ordinality as k(attnum, place)
             join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
           where i.indrelid = $1::regclass and i.indisprimary`,
          [table],
        )
        assert.equal(described.get(table)?.toSorted(), columns.map((column) => column.line).toSorted(), table)
        described.delete(table)
      }
      assert.equal([...described.keys()], [], 'entities without a table')
    })
  })
}

const TABLES = `select relname as name from pg_class
  where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname <> 'schema_migrations'`
