/** Finding a nats-server: the order, the floor, and what is said when there is none. Nothing here leaves the machine. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { runCommand } from '#deploy/provision/command.ts'
import { debianMirror } from '#deploy/provision/debian.ts'
import { expectedSum } from '#deploy/provision/nats-release.ts'
import { compareVersions, findNatsServer, findNatsServers } from '#deploy/provision/nats-server.ts'
import { unreachableReason } from '#deploy/provision/reachable.ts'
import { WaggleError } from '#shared/errors/waggle-error.ts'
import { scratchFolder } from '#test/kit/scratch.ts'
import { assert, suite } from '#test/kit/suite.ts'

/** A program that answers `--version` as nats-server does. */
async function fakeServer(folder: string, version: string): Promise<string> {
  await mkdir(folder, { recursive: true })
  const path = join(folder, 'nats-server')
  await writeFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`)
  await chmod(path, 0o755)
  return path
}

async function refusal(promise: Promise<unknown>): Promise<WaggleError> {
  try {
    await promise
  } catch (thrown) {
    if (thrown instanceof WaggleError) return thrown
    throw thrown
  }
  throw new Error('it was found')
}

suite('finding a nats-server', ({ test }) => {
  test('takes the one on PATH before anything else', async () => {
    const [bin, cache] = [await scratchFolder('bin'), await scratchFolder('cache')]
    const path = await fakeServer(bin, '2.9.11')
    await fakeServer(join(cache, 'nats', '2.10.27'), '2.10.27')
    const found = await findNatsServer({ path: `/nowhere:${bin}`, cache, download: false })
    assert.equal(found, { version: '2.9.11', path })
  })

  test('takes the newest of the cache when PATH has none, comparing numbers and not letters', async () => {
    const cache = await scratchFolder('cache')
    for (const version of ['2.9.25', '2.10.3', '2.9.10']) await fakeServer(join(cache, 'nats', version), version)
    const found = await findNatsServer({ path: '', cache, download: false })
    assert.is(found.version, '2.10.3')
  })

  test('passes over one below the floor, and one that does not run', async () => {
    const [bin, cache] = [await scratchFolder('bin'), await scratchFolder('cache')]
    await fakeServer(bin, '2.8.4')
    await writeFile(await fakeServer(join(cache, 'nats', '2.11.0'), '2.11.0'), 'no program')
    await fakeServer(join(cache, 'nats', '2.9.10'), '2.9.10')
    const found = await findNatsServer({ path: bin, cache, download: false })
    assert.is(found.version, '2.9.10')
  })

  test('says in one coded error everything that was tried', async () => {
    const bin = await scratchFolder('bin')
    await fakeServer(bin, '2.8.4')
    const error = await refusal(findNatsServer({ path: bin, cache: await scratchFolder('cache'), download: false }))
    assert.is(error.code, 'NATS_MISSING')
    for (const part of [
      'NATS_URL is not set',
      `${bin}/nats-server on PATH is 2.8.4, older than 2.9.10`,
      'has none',
      'the official release was left out (WAGGLE_DOWNLOAD=off)',
      "Debian's package (trixie) was left out",
      "Debian's package (bookworm) was left out",
    ]) {
      assert.match(error.message, part)
    }
  })

  test('gives tests the oldest and the newest there are', async () => {
    const [bin, cache] = [await scratchFolder('bin'), await scratchFolder('cache')]
    await fakeServer(bin, '2.10.1')
    for (const version of ['2.9.10', '2.12.0']) await fakeServer(join(cache, 'nats', version), version)
    const found = await findNatsServers({ path: bin, cache, download: false })
    assert.equal(
      found.map(({ version }) => version),
      ['2.9.10', '2.12.0'],
    )
    const only = await findNatsServers({ path: bin, cache: await scratchFolder('cache'), download: false })
    assert.equal(
      only.map(({ version }) => version),
      ['2.10.1'],
    )
  })

  test('compares versions as numbers', () => {
    assert.ok(compareVersions('2.9.10', '2.10.2') < 0)
    assert.ok(compareVersions('2.10.0', '2.9.99') > 0)
    assert.is(compareVersions('2.10.27', '2.10.27'), 0)
  })
})

suite('the official release of nats-server', ({ test, before, after }) => {
  const VERSION = '2.99.1'
  const machine = process.arch === 'x64' ? 'amd64' : 'arm64'
  const name = `nats-server-v${VERSION}-${process.platform}-${machine}`
  let server: Server
  let base: string
  let archive: Buffer
  let sums = ''

  before(async () => {
    const folder = await scratchFolder('release')
    await fakeServer(join(folder, name), VERSION)
    const packed = await runCommand('tar', ['-czf', join(folder, 'a.tar.gz'), '-C', folder, name], {
      timeoutMs: 10_000,
    })
    assert.ok(packed.ok, packed.problem)
    archive = await readFile(join(folder, 'a.tar.gz'))
    server = createServer((request, response) => {
      if (request.url === `/v${VERSION}/SHA256SUMS`) response.end(sums)
      else if (request.url === `/v${VERSION}/${name}.tar.gz`) response.end(archive)
      else response.writeHead(404).end()
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  after(async () => {
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  })

  const find = async (cache: string, onProgress?: (line: string) => void) =>
    findNatsServers({
      path: '',
      cache,
      download: true,
      release: { base, version: VERSION },
      onProgress: onProgress ?? (() => undefined),
    })

  test('is unpacked into the cache after its sum was checked, and found there the next time', async () => {
    sums = `${createHash('sha256').update(archive).digest('hex')}  ${name}.tar.gz\n`
    const cache = await scratchFolder('cache')
    await fakeServer(join(cache, 'nats', '2.9.10'), '2.9.10')
    const found = await find(cache)
    assert.equal(found.at(-1), { version: VERSION, path: join(cache, 'nats', VERSION, 'nats-server') })
    const again = await findNatsServer({ path: '', cache, download: false })
    assert.is(again.version, VERSION)
  })

  test('is refused when the sum differs, and nothing of it is kept', async () => {
    sums = `${'0'.repeat(64)}  ${name}.tar.gz\n`
    const cache = await scratchFolder('cache')
    const error = await refusal(
      findNatsServer({ path: '', cache, download: true, release: { base, version: VERSION }, debian: false }),
    )
    assert.match(error.message, /has SHA-256 [0-9a-f]{64}, its release says 0{64}/)
    assert.match((await refusal(findNatsServer({ path: '', cache, download: false }))).message, 'has none')
  })

  test('is refused when its sums do not name it, or it is not there', async () => {
    sums = `${'0'.repeat(64)}  other.tar.gz\n`
    const search = { path: '', cache: await scratchFolder('cache'), download: true, debian: false }
    const unnamed = await refusal(findNatsServer({ ...search, release: { base, version: VERSION } }))
    assert.match(unnamed.message, `SHA256SUMS does not name ${name}.tar.gz`)
    const absent = await refusal(findNatsServer({ ...search, release: { base, version: '2.99.2' } }))
    assert.match(absent.message, 'answered 404')
  })

  test('sums are read in both forms', () => {
    const sum = 'a'.repeat(64)
    assert.is(expectedSum(`${sum}  x.tar.gz\n`, 'x.tar.gz'), sum)
    assert.is(expectedSum(`${'b'.repeat(64)}  y\n${sum} *x.tar.gz`, 'x.tar.gz'), sum)
  })
})

suite('reaching a host', ({ test }) => {
  test('names the host that refuses, and gives up on one that is silent', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x`
    assert.is(await unreachableReason(url, 1000, {}), undefined)
    server.close()
    await once(server, 'close')
    assert.match((await unreachableReason(url, 1000, {})) ?? '', 'ECONNREFUSED')
    assert.is(await unreachableReason(url, 1000, { HTTP_PROXY: 'http://proxy.example:3128' }), undefined)
    // TEST-NET-1 is routed nowhere: silence, or a refusal by the machine itself. Either way it ends in time.
    const begun = performance.now()
    assert.ok(await unreachableReason('http://192.0.2.1/', 100, {}))
    assert.ok(performance.now() - begun < 2000)
  })

  test("Debian's mirror is the one this machine uses for Debian itself", () => {
    const deb822 = 'Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm\n'
    const security = 'Types: deb\nURIs: http://mirror.example/debian-security\n'
    assert.is(debianMirror([security, deb822]), 'http://mirror.example/debian')
    assert.is(
      debianMirror(['deb [arch=amd64] https://other.example/debian bookworm main']),
      'https://other.example/debian',
    )
    assert.is(debianMirror(['deb https://vendor.example/apt stable main']), 'http://deb.debian.org/debian')
  })
})
