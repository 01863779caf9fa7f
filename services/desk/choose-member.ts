import type { TeamMember } from '#shared/db/repositories/teams.ts'

export interface Waiting {
  conversationId: string
  skills: string[]
  /** The member who is asked now, and since when. */
  asked: string | null
  askedAt: number
  /** Members who declined, or did not answer in time. */
  refused: string[]
  since: number
}

export interface TeamState {
  /** In the order of their coming. */
  waiting: Waiting[]
  /** Conversations that members have from this queue, and who has them. */
  held: Record<string, string>
  /** Members who said that they are away. */
  away: string[]
}

/**
 * The member to ask: has every skill, has room, is not away and has not been asked for it before; the least loaded, and of
 * those the one with the fewest skills beyond what is needed, so that specialists stay free. Null: nobody.
 */
export function chooseMember(state: TeamState, waiting: Waiting, members: readonly TeamMember[]): string | null {
  const fitting = members.filter(
    ({ userId, skills, capacity }) =>
      waiting.skills.every((skill) => skills.includes(skill)) &&
      !state.away.includes(userId) &&
      !waiting.refused.includes(userId) &&
      loadOf(state, userId) < capacity,
  )
  const [best] = fitting.toSorted(
    (a, b) =>
      loadOf(state, a.userId) - loadOf(state, b.userId) ||
      a.skills.length - b.skills.length ||
      (a.userId < b.userId ? -1 : 1),
  )
  return best?.userId ?? null
}

/** Conversations that somebody has from this queue, and those they are asked for. */
export function loadOf(state: TeamState, user: string): number {
  const held = Object.values(state.held).filter((owner) => owner === user).length
  return held + state.waiting.filter(({ asked }) => asked === user).length
}
