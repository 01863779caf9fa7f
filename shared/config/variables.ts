import { z } from 'zod'
import { milliseconds } from '#shared/lib/duration.ts'
import type { Duration } from '#shared/lib/duration.ts'

/**
 * Every environment variable that this system reads, with its form, default and meaning. `config.ts` makes the typed
 * configuration of it; nothing else reads `process.env` (the test kit and provisioning apart, which run before it).
 */
export const VARIABLES = {
  // Broker
  NATS_URL: optional(text(), 'One or more nats://host:port, separated by commas. Absent: an embedded server.'),
  NATS_USER: optional(text(), 'User name for the broker; needs NATS_PASSWORD.'),
  NATS_PASSWORD: optional(text(), 'Password for the broker.'),
  NATS_TOKEN: optional(text(), 'Token for the broker, instead of user and password.'),
  NATS_CREDS_FILE: optional(text(), 'Path of a .creds file, instead of user and password.'),
  NATS_CA_FILE: optional(text(), 'Path of the certificate authority that signed the certificate of the broker.'),
  NATS_REPLICAS: count(1, 5, 1, 'Copies of each stream; 3 in a cluster.'),

  // Storage
  DATABASE_URL: optional(postgresUrl(), 'postgres://… Absent: an embedded database.'),
  DATABASE_POOL: count(
    1,
    200,
    10,
    'Connections of the runtime of one process to the database, and at most as many for everything else.',
  ),
  DATABASE_STATEMENT: duration('2500ms', 100, 60_000, 'Longest statement of the runtime; below half of LEASE.'),
  QDRANT_URL: optional(httpUrl(), 'http://… of a Qdrant server for vectors.'),
  QDRANT_API_KEY: optional(text(), 'Its key, where it asks for one.'),

  // The edge
  HOST: text().default('127.0.0.1').describe('Address to listen on.'),
  PORT: count(0, 65_535, 8080, 'Port of HTTP and Socket.IO; 0 takes a free one.'),
  CORS_ORIGINS: list(
    'Origins allowed to call from a browser, separated by commas; * is everybody, without credentials.',
  ),
  TRUST_PROXY: count(
    0,
    10,
    0,
    'How many proxies in front of the gateway may be believed about the address of the client.',
  ),
  RATE_PER_SECOND: count(1, 100_000, 50, 'Requests per second of one principal, on average.'),
  RATE_BURST: count(1, 1_000_000, 500, 'Requests of one principal at once.'),
  RATE_SOCKET_PER_SECOND: count(1, 100_000, 10, 'Events per second of one socket, on average.'),
  RATE_SOCKET_BURST: count(1, 1_000_000, 40, 'Events of one socket at once.'),

  // Who is asking
  JWT_PUBLIC_KEY: optional(pem(), 'RS256 public key (PEM; \\n for line ends is understood).'),
  JWT_JWKS: optional(text(), 'A JSON Web Key Set with RS256 keys, instead of JWT_PUBLIC_KEY.'),
  JWT_PRIVATE_KEY: optional(pem(), 'The private half, only where tokens are to be made.'),
  JWT_ISSUER: text().default('waggle').describe('Expected issuer of tokens.'),
  JWT_AUDIENCE: text().default('waggle').describe('Expected audience of tokens.'),
  JWT_TENANT_CLAIM: text().default('tenant').describe('The claim that names the tenant.'),
  WAGGLE_SECRET: optional(z.string().min(16, 'needs at least 16 characters'), 'Seals stored tokens and credentials.'),

  // The runtime
  LEASE: duration('6s', 500, 300_000, 'A node silent for this long is taken for dead.'),
  DRAIN: duration('10s', 0, 600_000, 'How long a leaving process lets its work finish.'),
  TENANT_LOG_MB: count(1, 1_000_000, 1_024, 'MiB of events one tenant may write to the log in an hour.'),
  EVENTS_KEPT: duration('30d', 60_000, 3_650 * 86_400_000, 'How long the log of events is kept.'),

  // Models
  MODEL_PROVIDER: z
    .enum(['builtin', 'openai'])
    .default('builtin')
    .describe('Which model answers where an agent names none.'),
  MODEL_NAME: optional(text(), 'Name of the hosted model.'),
  OPENAI_API_KEY: optional(text(), 'Key of the hosted model.'),
  OPENAI_BASE_URL: optional(httpUrl(), 'Base URL of a server that speaks the OpenAI protocol.'),

  // Files and logs
  TOOLS_ALLOW: list('host:port of own services that tools may reach though they are not public, separated by commas.'),
  WAGGLE_STATE: text().default('.waggle').describe('Folder of the embedded state.'),
  WAGGLE_DATA: text().default('../shared/data').describe('Folder of development data.'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe line that is written.'),
} as const satisfies Record<string, z.ZodType>

export type VariableName = keyof typeof VARIABLES
export const Variables = z.object(VARIABLES)
export type Variables = z.infer<typeof Variables>

function text(): z.ZodString {
  return z.string().trim().min(1)
}

function optional<Inner extends z.ZodType>(inner: Inner, meaning: string): z.ZodOptional<Inner> {
  return inner.optional().describe(meaning)
}

function count(least: number, most: number, standard: number, meaning: string) {
  return z
    .string()
    .regex(/^\d{1,12}$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= least && value <= most, `must lie between ${least} and ${most}`)
    .default(standard)
    .describe(meaning)
}

/** In milliseconds. */
function duration(standard: Duration, leastMs: number, mostMs: number, meaning: string) {
  return z
    .string()
    .regex(/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/, 'must be a length of time such as 200ms, 5s, 10m, 7d')
    .transform((value) => milliseconds(value as Duration))
    .refine((value) => value >= leastMs && value <= mostMs, `must lie between ${leastMs} and ${mostMs} ms`)
    .default(milliseconds(standard))
    .describe(meaning)
}

function list(meaning: string) {
  return z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== ''),
    )
    .default([])
    .describe(meaning)
}

function httpUrl() {
  return z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })
}

function postgresUrl() {
  return z.url({ protocol: /^postgres(?:ql)?$/, error: 'must be a postgres URL' })
}

/** Environment files keep a PEM in one line, with \n in it. */
function pem() {
  return z
    .string()
    .transform((value) => value.replaceAll('\\n', '\n').trim())
    .refine(
      (value) => /^-----BEGIN [A-Z ]+-----\n[\s\S]+\n-----END [A-Z ]+-----$/.test(value),
      'must be a key in PEM form',
    )
}
