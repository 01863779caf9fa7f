import pc from 'picocolors'

type Colors = ReturnType<typeof pc.createColors>

/** All a command knows of the world outside: where it writes, what it was given, and Ctrl-C. Tests bring their own. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  /** Colours for either stream; none where NO_COLOR is set or the stream is no terminal. */
  readonly outColors: Colors
  readonly errColors: Colors
  /** Both streams end on the same screen: a line on one must not run into a line on the other. */
  readonly sameScreen: boolean
  readonly columns: number
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  /** Instead of ending the process. Gives what stops it. */
  readonly onInterrupt: (listener: () => void) => () => void
}

export function processTerminal(): Terminal {
  const { stdout, stderr, stdin, env } = process
  // Whoever reads us may leave early (`| head`): that is no error.
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(text),
    outColors: pc.createColors(wantsColor(env, stdout.isTTY)),
    errColors: pc.createColors(wantsColor(env, stderr.isTTY)),
    sameScreen: stdout.isTTY && stderr.isTTY,
    columns: stdout.columns ?? 100,
    env,
    cwd: process.cwd(),
    input: stdin,
    onInterrupt: (listener) => {
      process.on('SIGINT', listener)
      return () => process.off('SIGINT', listener)
    },
  }
}

/** https://no-color.org, and its opposite. */
export function wantsColor(env: Terminal['env'], isTerminal: boolean): boolean {
  if (env['NO_COLOR'] !== undefined && env['NO_COLOR'] !== '') return false
  if (env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0') return true
  return isTerminal && env['TERM'] !== 'dumb'
}
