import { pino } from 'pino'
import type { DestinationStream } from 'pino'
import type { Logger } from '#shared/lib/logger.ts'
import { redact, redactText } from './redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * One JSON object a line: `level`, `time` (ISO), `role`, `node`, the fields, `msg`. Secrets are taken out (redact.ts).
 * Lines go to standard error, so that a command line tool's own output stays clean; a test passes its own destination.
 */
export function createLogger(options: {
  readonly level: LogLevel
  readonly role: string
  readonly node?: string
  readonly destination?: DestinationStream
}): Logger {
  const sink = pino(
    {
      level: options.level,
      base: { role: options.role, ...(options.node === undefined ? {} : { node: options.node }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: unknown) => error },
      formatters: { level: (label) => ({ level: label }), log: redact },
    },
    options.destination ?? pino.destination({ fd: 2, sync: true }),
  )
  return {
    debug: (fields, sentence) => sink.debug(fields, redactText(sentence)),
    info: (fields, sentence) => sink.info(fields, redactText(sentence)),
    warn: (fields, sentence) => sink.warn(fields, redactText(sentence)),
    error: (fields, sentence) => sink.error(fields, redactText(sentence)),
  }
}
