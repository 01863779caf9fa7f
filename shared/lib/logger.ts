/** What library code may say; shared/telemetry supplies pino behind it. Fields first, then one plain sentence. */
export interface Logger {
  debug(fields: Readonly<Record<string, unknown>>, sentence: string): void
  info(fields: Readonly<Record<string, unknown>>, sentence: string): void
  warn(fields: Readonly<Record<string, unknown>>, sentence: string): void
  error(fields: Readonly<Record<string, unknown>>, sentence: string): void
}

const nothing = (): void => {}
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
