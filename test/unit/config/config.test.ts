import { generateKeyPairSync } from 'node:crypto'
import { need, readConfig } from '#shared/config/config.ts'
import { VARIABLES } from '#shared/config/variables.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { assert, suite } from '#test/kit/suite.ts'

function refusal(env: Record<string, string>): { variables: readonly string[]; reason: string } {
  try {
    readConfig(env)
  } catch (error) {
    assert.instance(error, WaggleError)
    assert.is((error as WaggleError).code, 'CONFIG')
    return (error as WaggleError).details as never
  }
  throw new Error(`accepted: ${JSON.stringify(env)}`)
}

function pair(bits = 2048): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}

suite('configuration', ({ test }) => {
  test('an empty environment gives the defaults, with units', () => {
    const config = readConfig({})
    assert.is(config.http.port, 8080)
    assert.is(config.http.host, '127.0.0.1')
    assert.is(config.runtime.leaseMs, 6_000)
    assert.is(config.runtime.eventsMs, 30 * 86_400_000)
    assert.is(config.broker.url, null)
    assert.equal(config.http.corsOrigins, [])
  })

  test('an empty variable is an absent one, as compose files write them', () => {
    assert.is(readConfig({ NATS_URL: '', PORT: '  ' }).http.port, 8080)
  })

  test('nothing of it can be changed afterwards', () => {
    const config = readConfig({ CORS_ORIGINS: 'https://a.example' })
    assert.throws(() => Object.assign(config.http, { port: 1 }))
    assert.throws(() => (config.http.corsOrigins as string[]).push('x'))
  })

  test('a malformed variable is refused by its name, and all of them at once', () => {
    const { variables } = refusal({ PORT: 'http', LEASE: '6 seconds', DATABASE_URL: 'mysql://x/y' })
    assert.equal([...variables].sort(), ['DATABASE_URL', 'LEASE', 'PORT'])
  })

  test('a number must be one, entirely', () => {
    for (const port of ['80a', '-1', '65536', '1e3', '0x50', '8080.5'])
      assert.equal(refusal({ PORT: port }).variables, ['PORT'])
  })

  const contradictions: readonly [string, Record<string, string>, readonly string[]][] = [
    ['half a login', { NATS_URL: 'nats://x', NATS_USER: 'u' }, ['NATS_USER', 'NATS_PASSWORD']],
    [
      'two logins',
      { NATS_URL: 'nats://x', NATS_USER: 'u', NATS_PASSWORD: 'p', NATS_TOKEN: 't' },
      ['NATS_USER', 'NATS_TOKEN', 'NATS_CREDS_FILE'],
    ],
    ['a login to nowhere', { NATS_TOKEN: 't' }, ['NATS_URL']],
    ['a statement that outlives the lease', { LEASE: '4s', DATABASE_STATEMENT: '2s' }, ['DATABASE_STATEMENT', 'LEASE']],
    ['everybody and somebody', { CORS_ORIGINS: '*, https://a.example' }, ['CORS_ORIGINS']],
    ['an origin with a path', { CORS_ORIGINS: 'https://a.example/app' }, ['CORS_ORIGINS']],
    ['less at once than per second', { RATE_BURST: '5', RATE_PER_SECOND: '10' }, ['RATE_BURST', 'RATE_PER_SECOND']],
    [
      'a hosted model without a server',
      { MODEL_PROVIDER: 'openai', MODEL_NAME: 'm' },
      ['MODEL_PROVIDER', 'OPENAI_API_KEY', 'OPENAI_BASE_URL'],
    ],
    [
      'a hosted model without a name',
      { MODEL_PROVIDER: 'openai', OPENAI_API_KEY: 'k' },
      ['MODEL_PROVIDER', 'MODEL_NAME'],
    ],
  ]
  for (const [name, env, variables] of contradictions) {
    test(`refuses ${name}`, () => assert.equal(refusal(env).variables, variables))
  }

  test('keys: a pair that belongs together is taken, also with \\n for line ends', () => {
    const { publicKey, privateKey } = pair()
    const config = readConfig({ JWT_PUBLIC_KEY: publicKey.replaceAll('\n', '\\n'), JWT_PRIVATE_KEY: privateKey })
    assert.is(config.auth.publicKey, publicKey.trim())
  })

  test('keys: a private key of another pair, a weak key, a key set beside a key, a private key in a set', () => {
    const { publicKey, privateKey } = pair()
    assert.equal(refusal({ JWT_PUBLIC_KEY: publicKey, JWT_PRIVATE_KEY: pair().privateKey }).variables, [
      'JWT_PRIVATE_KEY',
      'JWT_PUBLIC_KEY',
    ])
    assert.equal(refusal({ JWT_PUBLIC_KEY: pair(1024).publicKey }).variables, ['JWT_PUBLIC_KEY'])
    assert.equal(refusal({ JWT_PUBLIC_KEY: publicKey, JWT_JWKS: '{"keys":[{"kty":"RSA"}]}' }).variables, [
      'JWT_PUBLIC_KEY',
      'JWT_JWKS',
    ])
    assert.equal(refusal({ JWT_JWKS: '{"keys":[{"kty":"RSA","d":"secret"}]}' }).variables, ['JWT_JWKS'])
    assert.equal(refusal({ JWT_JWKS: 'not json' }).variables, ['JWT_JWKS'])
    assert.equal(refusal({ JWT_PUBLIC_KEY: privateKey.replaceAll('PRIVATE', 'NONSENSE') }).variables, [
      'JWT_PUBLIC_KEY',
    ])
  })

  test('a refusal never repeats a secret', () => {
    const { reason } = refusal({ WAGGLE_SECRET: 'hunter2', NATS_URL: 'nats://x', NATS_USER: 'u', NATS_TOKEN: 'sesame' })
    assert.not.match(reason, /hunter2|sesame/)
  })

  test('a role names what it cannot do without', () => {
    assert.throws(
      () => need(readConfig({}).secret, 'WAGGLE_SECRET', 'the gateway'),
      /WAGGLE_SECRET is needed by the gateway/,
    )
    assert.is(need('x', 'WAGGLE_SECRET', 'the gateway'), 'x')
  })

  test('every variable says what it means', () => {
    for (const [name, schema] of Object.entries(VARIABLES)) assert.ok(schema.description, name)
  })
})
