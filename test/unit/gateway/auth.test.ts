import { generateKeyPairSync } from 'node:crypto'
import { createHash } from 'node:crypto'
import { SignJWT, exportJWK, importPKCS8, importSPKI } from 'jose'
import { openAuthenticator } from '#gateway/auth/authenticator.ts'
import type { Authenticator } from '#gateway/auth/authenticator.ts'
import { hasRole } from '#gateway/auth/roles.ts'
import { signToken } from '#gateway/auth/tokens.ts'
import type { TokenOptions } from '#gateway/auth/tokens.ts'
import type { ActorSystem } from '#shared/actor/system.ts'
import { SimClock } from '#shared/actor/testkit/sim-clock.ts'
import { WaggleError, refuse } from '#shared/errors/waggle-error.ts'
import { Seal } from '#shared/lib/seal.ts'
import type { Principal } from '#shared/wire/envelope.ts'
import { assert, suite } from '#test/kit/suite.ts'

const NAMES = { issuer: 'https://issuer.example', audience: 'waggle', tenantClaim: 'tenant' }
const KEY = `wag_${'k'.repeat(32)}`

function pair(): { publicKey: string; privateKey: string } {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
}

const own = pair()
const seal = new Seal('a secret of more than sixteen characters')

interface Double {
  readonly asked: { hash: string; principal: Principal }[]
  /** What it says of the next keys instead. */
  readonly answer: (() => unknown)[]
  /** What it says of the next tenants; then: active. */
  readonly states: string[]
}

/** A directory that knows one key, counts who asks, and on whose behalf. */
function directory(): Double & { readonly system: Pick<ActorSystem, 'reach'> } {
  const asked: { hash: string; principal: Principal }[] = []
  const answer: (() => unknown)[] = []
  const states: string[] = []
  const known = createHash('sha256').update(KEY).digest('hex')
  const reach = (principal: Principal): unknown => ({
    principal,
    pool: () => ({
      ask: async (name: string, { hash }: { hash: string }) => {
        if (name === 'tenant') return { state: states.shift() ?? 'active' }
        asked.push({ hash, principal })
        const special = answer.shift()
        if (special !== undefined) return special()
        if (hash !== known) throw refuse('UNAUTHENTICATED')
        return { tenant: 'acme', user: 'robot', roles: ['operator'], scopes: ['chat'] }
      },
    }),
  })
  return { system: { reach } as never, asked, answer, states }
}

async function refusal(work: Promise<unknown>): Promise<WaggleError> {
  const outcome = await work.then(
    (value) => value,
    (error: unknown) => error,
  )
  assert.instance(outcome, WaggleError)
  return outcome as WaggleError
}

async function open(options: Partial<TokenOptions> = {}, clock?: SimClock): Promise<Authenticator & Double> {
  const { system, ...double } = directory()
  const full = { publicKey: own.publicKey, jwks: null, seal, ...NAMES, ...options }
  return { ...(await openAuthenticator(system, full, clock)), ...double }
}

interface Forgery {
  readonly algorithm?: string
  readonly key?: string
  readonly claims?: Record<string, unknown>
  readonly subject?: string | null
  readonly issuer?: string
  readonly audience?: string
  readonly expires?: number | null
}

async function forge(forgery: Forgery = {}): Promise<string> {
  const token = new SignJWT({ tenant: 'acme', roles: ['operator'], scope: 'chat read', ...forgery.claims })
    .setProtectedHeader({ alg: forgery.algorithm ?? 'RS256' })
    .setIssuer(forgery.issuer ?? NAMES.issuer)
    .setAudience(forgery.audience ?? NAMES.audience)
  if (forgery.subject !== null) token.setSubject(forgery.subject ?? 'ann')
  if (forgery.expires !== null) token.setExpirationTime(forgery.expires ?? Math.floor(Date.now() / 1_000) + 600)
  return await token.sign(await importPKCS8(forgery.key ?? own.privateKey, forgery.algorithm ?? 'RS256'))
}

suite('tokens', ({ test }) => {
  test('a good one gives tenant, user, roles and scopes, and is kept sealed for that user only', async () => {
    const token = await forge()
    const { principal } = await (await open()).session({ token })
    assert.is(principal.tenant, 'acme')
    assert.is(principal.user, 'ann')
    assert.equal(principal.roles, ['operator'])
    assert.equal(principal.scopes, ['chat', 'read'])
    assert.is(seal.open(principal.credential, 'acme/ann'), token)
    assert.is(seal.open(principal.credential, 'acme/bob'), null)
    assert.is(seal.open(principal.credential, 'globex/ann'), null)
  })

  test('what is made for the command line is accepted', async () => {
    const token = await signToken(
      own.privateKey,
      { tenant: 'demo', user: 'dev', roles: ['admin'] },
      { ...NAMES, lifetimeS: 60 },
    )
    const { principal } = await (await open()).session({ token })
    assert.is(principal.tenant, 'demo')
    assert.ok(hasRole(principal, 'operator'), 'an administrator may what an operator may')
  })

  const past = Math.floor(Date.now() / 1_000) - 3_600
  const bad: readonly [string, Forgery][] = [
    ['signed by another key', { key: pair().privateKey }],
    ['of another algorithm of the same key', { algorithm: 'RS512' }],
    ['of another issuer', { issuer: 'https://evil.example' }],
    ['for another audience', { audience: 'somebody-else' }],
    ['that has expired', { expires: past }],
    ['that never expires', { expires: null }],
    ['without a user', { subject: null }],
    ['whose user is blank', { subject: ' ' }],
    ['whose user holds a line break', { subject: 'ann\nroot' }],
    ['whose user is endless', { subject: 'a'.repeat(500) }],
    ['without a tenant', { claims: { tenant: undefined } }],
    ['whose tenant is a wildcard', { claims: { tenant: '*' } }],
    ['whose tenant is a subject of its own', { claims: { tenant: 'acme.cmd' } }],
    ['whose tenant is a list', { claims: { tenant: ['acme'] } }],
    ['whose tenant is the platform', { claims: { tenant: 'platform' } }],
  ]
  for (const [name, forgery] of bad) {
    test(`one ${name} is refused`, async () => {
      const error = await refusal((await open()).session({ token: await forge(forgery) }))
      assert.is(error.code, 'UNAUTHENTICATED')
      assert.equal(error.details, {}, 'nothing tells what was almost right')
    })
  }

  test('nonsense, an unsigned token, and a symmetric one made with the public key are refused', async () => {
    const authenticator = await open()
    const [, payload] = (await forge()).split('.')
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`
    const symmetric = await new SignJWT({ tenant: 'acme' })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ann')
      .setIssuer(NAMES.issuer)
      .setAudience(NAMES.audience)
      .setExpirationTime('1h')
      .sign(new TextEncoder().encode(own.publicKey))
    for (const token of ['x', 'a.b.c', none, symmetric, 'y'.repeat(100_000)]) {
      assert.is((await refusal(authenticator.session({ token }))).code, 'UNAUTHENTICATED')
    }
  })

  test('nobody can be made the platform by a role', async () => {
    const token = await forge({ claims: { roles: ['platform', 'admin', 7] } })
    assert.equal((await (await open()).session({ token })).principal.roles, ['admin'])
  })

  test('the right one of a key set is taken', async () => {
    const jwk = { ...(await exportJWK(await importSPKI(own.publicKey, 'RS256', { extractable: true }))), alg: 'RS256' }
    const other = {
      ...(await exportJWK(await importSPKI(pair().publicKey, 'RS256', { extractable: true }))),
      alg: 'RS256',
      kid: 'b',
    }
    const authenticator = await open({ publicKey: null, jwks: JSON.stringify({ keys: [{ ...jwk, kid: 'a' }, other] }) })
    const token = await new SignJWT({ tenant: 'acme' })
      .setProtectedHeader({ alg: 'RS256', kid: 'a' })
      .setSubject('ann')
      .setIssuer(NAMES.issuer)
      .setAudience(NAMES.audience)
      .setExpirationTime('1h')
      .sign(await importPKCS8(own.privateKey, 'RS256'))
    assert.is((await authenticator.session({ token })).principal.user, 'ann')
  })

  test('one for a tenant that is not here is refused, one for a disabled tenant told so; a session ends with its tenant', async () => {
    const clock = new SimClock(Date.now())
    const authenticator = await open({}, clock)
    const token = await forge({ expires: Math.floor(Date.now() / 1_000) + 600 })
    authenticator.states.push('unknown')
    assert.is((await refusal(authenticator.session({ token }))).code, 'UNAUTHENTICATED')
    await clock.advance(31_000)
    authenticator.states.push('disabled')
    assert.is((await refusal(authenticator.session({ token }))).code, 'TENANT_DISABLED')
    await clock.advance(31_000)
    const session = await authenticator.session({ token })
    assert.is(await session.holds(), true)
    await clock.advance(31_000)
    authenticator.states.push('disabled')
    assert.is(await session.holds(), false)
  })

  test('a session ends with its token', async () => {
    const clock = new SimClock(Date.now())
    const session = await (
      await open({}, clock)
    ).session({ token: await forge({ expires: Math.floor(Date.now() / 1_000) + 60 }) })
    assert.is(await session.holds(), true)
    await clock.advance(61_000)
    assert.is(await session.holds(), false)
  })
})

suite('API keys', ({ test }) => {
  test('are looked up by their hash, as the platform, and give a principal without a credential', async () => {
    const authenticator = await open()
    const { principal } = await authenticator.session({ apiKey: KEY })
    assert.equal(principal, { tenant: 'acme', user: 'robot', roles: ['operator'], scopes: ['chat'], credential: '' })
    assert.is(authenticator.asked[0]!.principal.tenant, 'platform')
    assert.is(authenticator.asked[0]!.hash.length, 64)
    assert.not.match(JSON.stringify(authenticator.asked), /wag_/)
  })

  test('are remembered for half a minute, known or not; a crowd asks once', async () => {
    const clock = new SimClock()
    const authenticator = await open({}, clock)
    await Promise.all(Array.from({ length: 20 }, () => authenticator.session({ apiKey: KEY })))
    assert.is(authenticator.asked.length, 1)
    const wrong = `wag_${'w'.repeat(32)}`
    for (let i = 0; i < 5; i++)
      assert.is((await refusal(authenticator.session({ apiKey: wrong }))).code, 'UNAUTHENTICATED')
    assert.is(authenticator.asked.length, 2)
    await clock.advance(31_000)
    await authenticator.session({ apiKey: KEY })
    assert.is(authenticator.asked.length, 3)
  })

  test('a revoked one stops holding', async () => {
    const clock = new SimClock()
    const authenticator = await open({}, clock)
    const session = await authenticator.session({ apiKey: KEY })
    await clock.advance(31_000)
    authenticator.answer.push(() => {
      throw refuse('UNAUTHENTICATED')
    })
    assert.is(await session.holds(), false)
  })

  test('that nobody can tell is not taken for a wrong key, nor remembered', async () => {
    const authenticator = await open()
    authenticator.answer.push(() => {
      throw new WaggleError('UNREACHABLE')
    })
    assert.is((await refusal(authenticator.session({ apiKey: KEY }))).code, 'UNREACHABLE')
    assert.is((await authenticator.session({ apiKey: KEY })).principal.user, 'robot')
  })

  test('of another form, and nothing at all, are refused without asking', async () => {
    const authenticator = await open()
    for (const apiKey of [
      '',
      'wag_',
      'wag_short',
      `sk_${'k'.repeat(32)}`,
      `wag_${'k'.repeat(500)}`,
      `wag_${'k'.repeat(20)} `,
    ]) {
      assert.is((await refusal(authenticator.session({ apiKey }))).code, 'UNAUTHENTICATED', apiKey)
    }
    assert.is((await refusal(authenticator.session({}))).code, 'UNAUTHENTICATED')
    assert.is(authenticator.asked.length, 0)
  })
})
