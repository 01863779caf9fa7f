import { InvalidArgumentError, Option } from 'commander'
import type { Command } from 'commander'
import { milliseconds } from '#shared/lib/duration.ts'
import type { Duration } from '#shared/lib/duration.ts'
import type { EndpointOptions } from '../endpoint.ts'

/** The same on every command that talks to a gateway. */
export function withEndpoint(command: Command): Command {
  return command
    .addOption(new Option('--url <url>', 'address of the gateway; else WAGGLE_URL, else the one running here'))
    .addOption(new Option('--token <jwt>', 'who asks; else WAGGLE_TOKEN, else the demo token of the one running here'))
    .addOption(new Option('--api-key <key>', 'instead of a token; else WAGGLE_API_KEY').conflicts('token'))
}

export type WithEndpoint<Options> = EndpointOptions & Options

/** `90s`, `2m`, `500ms`. */
export function parseDuration(text: string): number {
  try {
    return milliseconds(text as Duration)
  } catch {
    throw new InvalidArgumentError('Give a length of time such as 500ms, 90s or 2m.')
  }
}

/** `a,b` or the option again and again. */
export function parseList(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').filter((item) => item !== '')]
}

export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Give a whole number above 0.')
  return Number(text)
}

export function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65_535) throw new InvalidArgumentError('Give a port from 0 to 65535.')
  return port
}
