import type { TenantSql } from '#shared/actor/store.ts'

import { storableText } from '../storable.ts'

export interface TeamMember {
  readonly userId: string
  readonly skills: readonly string[]
  /** Conversations at the same time. */
  readonly capacity: number
}

const MAX_MEMBERS = 500
const DEFAULT_CAPACITY = 3

export async function saveTeam(sql: TenantSql, team: { readonly id: string; readonly name: string }): Promise<void> {
  await sql.query(
    `insert into teams (tenant, id, name) values ($1, $2, $3)
     on conflict (tenant, id) do update set name = excluded.name`,
    [sql.tenant, team.id, storableText(team.name)],
  )
}

export async function saveTeamMember(
  sql: TenantSql,
  team: string,
  member: { readonly userId: string; readonly skills?: readonly string[]; readonly capacity?: number },
): Promise<void> {
  await sql.query(
    `insert into team_members (tenant, team_id, user_id, skills, capacity) values ($1, $2, $3, $4, $5)
     on conflict (tenant, team_id, user_id) do update set skills = excluded.skills, capacity = excluded.capacity`,
    [sql.tenant, team, member.userId, member.skills ?? [], member.capacity ?? DEFAULT_CAPACITY],
  )
}

export async function removeTeamMember(sql: TenantSql, team: string, userId: string): Promise<void> {
  await sql.query('delete from team_members where tenant = $1 and team_id = $2 and user_id = $3', [
    sql.tenant,
    team,
    userId,
  ])
}

/** Null when there is no such team. */
export async function teamMembers(sql: TenantSql, team: string): Promise<TeamMember[] | null> {
  const rows = await sql.query<{ userId: string | null; skills: string[] | null; capacity: number | null }>(
    `select m.user_id as "userId", m.skills, m.capacity
     from teams t left join team_members m on m.tenant = t.tenant and m.team_id = t.id
     where t.tenant = $1 and t.id = $2 order by m.user_id limit ${MAX_MEMBERS}`,
    [sql.tenant, team],
  )
  if (rows.length === 0) return null
  return rows.flatMap(({ userId, skills, capacity }) =>
    userId === null ? [] : [{ userId, skills: skills ?? [], capacity: capacity ?? 0 }],
  )
}

export async function isTeamMember(sql: TenantSql, team: string, userId: string): Promise<boolean> {
  const rows = await sql.query('select 1 from team_members where tenant = $1 and team_id = $2 and user_id = $3', [
    sql.tenant,
    team,
    userId,
  ])
  return rows.length === 1
}
