import { createPrivateKey, createPublicKey } from 'node:crypto'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { Variables } from './variables.ts'
import type { VariableName } from './variables.ts'

/** The whole configuration of one process, read once and frozen. Absent parts are null: `need` says which variable is missing. */
export interface Config {
  readonly broker: {
    readonly url: string | null
    readonly user: string | null
    readonly password: string | null
    readonly token: string | null
    readonly credsFile: string | null
    readonly caFile: string | null
    readonly replicas: number
  }
  readonly database: { readonly url: string | null; readonly pool: number; readonly statementMs: number }
  readonly qdrant: { readonly url: string | null; readonly apiKey: string | null }
  readonly http: {
    readonly host: string
    readonly port: number
    readonly corsOrigins: readonly string[]
    readonly trustProxy: number
    readonly rate: Rate
    readonly socketRate: Rate
  }
  readonly auth: {
    readonly publicKey: string | null
    readonly jwks: string | null
    readonly privateKey: string | null
    readonly issuer: string
    readonly audience: string
    readonly tenantClaim: string
  }
  /** Seals stored tokens and users' credentials. */
  readonly secret: string | null
  readonly runtime: {
    readonly leaseMs: number
    readonly drainMs: number
    readonly eventsMs: number
    readonly tenantLogBytes: number
  }
  readonly models: {
    readonly provider: 'builtin' | 'openai'
    readonly name: string | null
    readonly apiKey: string | null
    readonly baseUrl: string | null
  }
  readonly tools: { readonly allow: readonly string[] }
  readonly files: { readonly state: string; readonly data: string }
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Throws CONFIG, naming every variable that is malformed or contradicts another. An empty variable is an absent one. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''),
  )
  const parsed = Variables.safeParse(given)
  if (!parsed.success) {
    throw refused(
      parsed.error.issues.map((issue) => {
        const name = String(issue.path[0]) as VariableName
        return { variables: [name], problem: `${name} ${issue.message}` }
      }),
    )
  }
  const problems = contradictions(parsed.data)
  if (problems.length > 0) throw refused(problems)
  return deepFreeze(arrange(parsed.data))
}

/** The value, or CONFIG naming the variable that the role cannot do without. */
export function need<Value>(value: Value | null, variable: VariableName, role: string): Value {
  if (value === null) throw refused([{ variables: [variable], problem: `${variable} is needed by ${role}.` }])
  return value
}

interface Problem {
  readonly variables: readonly VariableName[]
  readonly problem: string
}

function contradictions(given: Variables): Problem[] {
  const problems: Problem[] = []
  const refuse = (when: boolean, variables: readonly VariableName[], problem: string): void => {
    if (when) problems.push({ variables, problem })
  }
  const { NATS_USER, NATS_PASSWORD, NATS_TOKEN, NATS_CREDS_FILE, NATS_CA_FILE, NATS_URL } = given
  refuse(
    (NATS_USER === undefined) !== (NATS_PASSWORD === undefined),
    ['NATS_USER', 'NATS_PASSWORD'],
    'NATS_USER and NATS_PASSWORD go together.',
  )
  refuse(
    [NATS_USER, NATS_TOKEN, NATS_CREDS_FILE].filter((way) => way !== undefined).length > 1,
    ['NATS_USER', 'NATS_TOKEN', 'NATS_CREDS_FILE'],
    'Only one of NATS_USER, NATS_TOKEN and NATS_CREDS_FILE can be used.',
  )
  refuse(
    NATS_URL === undefined && [NATS_USER, NATS_TOKEN, NATS_CREDS_FILE, NATS_CA_FILE].some((way) => way !== undefined),
    ['NATS_URL'],
    'Credentials for the broker are given, but not its NATS_URL.',
  )
  refuse(
    given.DATABASE_STATEMENT >= given.LEASE / 2,
    ['DATABASE_STATEMENT', 'LEASE'],
    'DATABASE_STATEMENT must be below half of LEASE, or a frozen holder could hold a takeover.',
  )
  refuse(
    given.CORS_ORIGINS.includes('*') && given.CORS_ORIGINS.length > 1,
    ['CORS_ORIGINS'],
    'CORS_ORIGINS is * or a list, not both.',
  )
  for (const origin of given.CORS_ORIGINS) {
    refuse(origin !== '*' && originOf(origin) !== origin, ['CORS_ORIGINS'], `CORS_ORIGINS: ${origin} is not an origin.`)
  }
  for (const host of given.TOOLS_ALLOW) {
    refuse(
      !/^(?:[a-z0-9.-]+|\[[0-9a-f:]+\]):\d{1,5}$/i.test(host),
      ['TOOLS_ALLOW'],
      `TOOLS_ALLOW: ${host} is not host:port.`,
    )
  }
  refuse(
    given.RATE_BURST < given.RATE_PER_SECOND,
    ['RATE_BURST', 'RATE_PER_SECOND'],
    'RATE_BURST is below RATE_PER_SECOND.',
  )
  refuse(
    given.RATE_SOCKET_BURST < given.RATE_SOCKET_PER_SECOND,
    ['RATE_SOCKET_BURST', 'RATE_SOCKET_PER_SECOND'],
    'RATE_SOCKET_BURST is below RATE_SOCKET_PER_SECOND.',
  )
  refuse(
    given.JWT_PUBLIC_KEY !== undefined && given.JWT_JWKS !== undefined,
    ['JWT_PUBLIC_KEY', 'JWT_JWKS'],
    'Only one of JWT_PUBLIC_KEY and JWT_JWKS can be used.',
  )
  problems.push(...keyProblems(given))
  refuse(
    given.MODEL_PROVIDER === 'openai' && given.OPENAI_API_KEY === undefined && given.OPENAI_BASE_URL === undefined,
    ['MODEL_PROVIDER', 'OPENAI_API_KEY', 'OPENAI_BASE_URL'],
    'MODEL_PROVIDER is openai, but neither OPENAI_API_KEY nor OPENAI_BASE_URL is given.',
  )
  refuse(
    given.MODEL_PROVIDER === 'openai' && given.MODEL_NAME === undefined,
    ['MODEL_PROVIDER', 'MODEL_NAME'],
    'MODEL_PROVIDER is openai, but no MODEL_NAME is given.',
  )
  return problems
}

/** Weak, foreign or unmatched keys are found here, at start, and not by the first user. */
function keyProblems({ JWT_PUBLIC_KEY, JWT_PRIVATE_KEY, JWT_JWKS }: Variables): Problem[] {
  const problems: Problem[] = []
  const spki = (make: () => ReturnType<typeof createPublicKey>, variable: VariableName): string | null => {
    try {
      const key = make()
      if (key.asymmetricKeyType !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
        problems.push({ variables: [variable], problem: `${variable} must be an RSA key of at least 2048 bits.` })
        return null
      }
      return key.export({ type: 'spki', format: 'pem' }).toString()
    } catch {
      problems.push({ variables: [variable], problem: `${variable} is not a readable key.` })
      return null
    }
  }
  const known = JWT_PUBLIC_KEY === undefined ? null : spki(() => createPublicKey(JWT_PUBLIC_KEY), 'JWT_PUBLIC_KEY')
  const own =
    JWT_PRIVATE_KEY === undefined
      ? null
      : spki(() => createPublicKey(createPrivateKey(JWT_PRIVATE_KEY)), 'JWT_PRIVATE_KEY')
  if (known !== null && own !== null && known !== own) {
    problems.push({
      variables: ['JWT_PRIVATE_KEY', 'JWT_PUBLIC_KEY'],
      problem: 'JWT_PRIVATE_KEY does not belong to JWT_PUBLIC_KEY.',
    })
  }
  if (JWT_JWKS !== undefined && !isKeySet(JWT_JWKS)) {
    problems.push({ variables: ['JWT_JWKS'], problem: 'JWT_JWKS must be JSON with a list `keys` of RSA keys.' })
  }
  return problems
}

function isKeySet(text: string): boolean {
  try {
    const set: unknown = JSON.parse(text)
    const keys: unknown = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : null
    return (
      Array.isArray(keys) &&
      keys.length > 0 &&
      keys.every((key: { kty?: unknown; d?: unknown }) => key?.kty === 'RSA' && key.d === undefined)
    )
  } catch {
    return false
  }
}

function originOf(text: string): string | null {
  try {
    return new URL(text).origin
  } catch {
    return null
  }
}

function arrange(given: Variables): Config {
  return {
    broker: {
      url: given.NATS_URL ?? null,
      user: given.NATS_USER ?? null,
      password: given.NATS_PASSWORD ?? null,
      token: given.NATS_TOKEN ?? null,
      credsFile: given.NATS_CREDS_FILE ?? null,
      caFile: given.NATS_CA_FILE ?? null,
      replicas: given.NATS_REPLICAS,
    },
    database: { url: given.DATABASE_URL ?? null, pool: given.DATABASE_POOL, statementMs: given.DATABASE_STATEMENT },
    qdrant: { url: given.QDRANT_URL ?? null, apiKey: given.QDRANT_API_KEY ?? null },
    http: {
      host: given.HOST,
      port: given.PORT,
      corsOrigins: given.CORS_ORIGINS,
      trustProxy: given.TRUST_PROXY,
      rate: { perSecond: given.RATE_PER_SECOND, burst: given.RATE_BURST },
      socketRate: { perSecond: given.RATE_SOCKET_PER_SECOND, burst: given.RATE_SOCKET_BURST },
    },
    auth: {
      publicKey: given.JWT_PUBLIC_KEY ?? null,
      jwks: given.JWT_JWKS ?? null,
      privateKey: given.JWT_PRIVATE_KEY ?? null,
      issuer: given.JWT_ISSUER,
      audience: given.JWT_AUDIENCE,
      tenantClaim: given.JWT_TENANT_CLAIM,
    },
    secret: given.WAGGLE_SECRET ?? null,
    runtime: {
      leaseMs: given.LEASE,
      drainMs: given.DRAIN,
      eventsMs: given.EVENTS_KEPT,
      tenantLogBytes: given.TENANT_LOG_MB * 1024 * 1024,
    },
    models: {
      provider: given.MODEL_PROVIDER,
      name: given.MODEL_NAME ?? null,
      apiKey: given.OPENAI_API_KEY ?? null,
      baseUrl: given.OPENAI_BASE_URL ?? null,
    },
    tools: { allow: given.TOOLS_ALLOW },
    files: { state: given.WAGGLE_STATE, data: given.WAGGLE_DATA },
    logLevel: given.LOG_LEVEL,
  }
}

function refused(problems: readonly Problem[]): WaggleError {
  return new WaggleError('CONFIG', {
    variables: [...new Set(problems.flatMap(({ variables }) => variables))],
    reason: problems.map(({ problem }) => (/[.!]$/.test(problem) ? problem : `${problem}.`)).join(' '),
  })
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  return Object.freeze(value)
}
