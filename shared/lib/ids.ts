import { monotonicFactory } from 'ulid'

/** Makes ids: lower-case ULIDs, growing within one process even when the clock steps back. */
export type NewId = () => string

/**
 * @param now milliseconds, the time part of the id
 * @param random a number in [0, 1), the random part
 */
export function idFactory(now: () => number = Date.now, random: () => number = Math.random): NewId {
  const next = monotonicFactory(random)
  return () => next(Math.floor(now())).toLowerCase()
}

export const newId: NewId = idFactory()
