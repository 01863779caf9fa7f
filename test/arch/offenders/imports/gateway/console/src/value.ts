import { EVENTS } from '#shared/contracts/event-map.ts'

export const value = EVENTS
