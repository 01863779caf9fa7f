import type { Reach } from '#shared/actor/ref.ts'

/** For what is to speak to nobody: whoever is asked for fails the test. */
export const noReach = new Proxy({} as Reach, {
  get: (_target, name) => {
    throw new Error(`nobody was to be spoken to: ${String(name)}`)
  },
})
