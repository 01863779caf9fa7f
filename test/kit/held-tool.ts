import type { SwarmOptions } from './swarm.ts'

export interface HeldTool {
  readonly tool: NonNullable<SwarmOptions['tool']>
  /** Resolves when it was called for the first time. */
  readonly called: Promise<void>
  readonly go: () => void
}

/** A tool that is at work until it is let go or stopped, and says when it is. */
export function heldTool(): HeldTool {
  const called = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  return {
    called: called.promise,
    go: go.resolve,
    tool: async (args, ctx) => {
      called.resolve()
      const stopped = new Promise<never>((_resolve, reject) =>
        ctx.signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true }),
      )
      await Promise.race([go.promise, stopped])
      return args
    },
  }
}
