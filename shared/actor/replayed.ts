import { WaggleError } from '#shared/errors/waggle-error.ts'
import type { ActorOptions } from './definition.ts'
import type { Messages } from './contract.ts'
import type { Execution } from './execution.ts'
import { AGAIN, ENDED, TIMER } from './letters.ts'

/**
 * A dead letter of the runtime's own that somebody replayed: a reminder, the end of a child, or a child that was given
 * up. What it says may have been edited, so it is looked at like any input: BAD_INPUT makes it a letter once more.
 */
export function runReplayed(
  options: ActorOptions<Messages, unknown>,
  type: string,
  execution: Execution,
  input: unknown,
): unknown {
  const fields = record(input, type)
  switch (type) {
    case TIMER: {
      const handler = typeof fields['name'] === 'string' ? options.timers?.[fields['name']] : undefined
      if (handler === undefined) throw bad(type, 'There is no such reminder.')
      return handler(execution as never, fields['payload'])
    }
    case ENDED:
      if (typeof fields['kind'] !== 'string' || !isTexts(fields['key']) || typeof fields['state'] !== 'string')
        throw bad(type, 'Not the end of a child.')
      return options.ended?.(execution as never, input as never)
    case AGAIN: {
      const { kind, key } = fields
      if (typeof kind !== 'string' || !isTexts(key)) throw bad(type, 'It does not name a child.')
      if (options.again === undefined)
        throw new WaggleError('UNKNOWN_MESSAGE', { message: type, reason: 'This actor does not begin children anew.' })
      return options.again(execution as never, { kind, key, input: fields['input'] })
    }
    default:
      throw new WaggleError('UNKNOWN_MESSAGE', { message: type })
  }
}

function record(input: unknown, type: string): Readonly<Record<string, unknown>> {
  if (typeof input !== 'object' || input === null) throw bad(type, 'Not an object.')
  return { ...input }
}
function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((part) => typeof part === 'string')
}
function bad(message: string, reason: string): WaggleError {
  return new WaggleError('BAD_INPUT', { message, reason })
}
